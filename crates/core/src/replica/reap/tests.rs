use alloc::vec;
use core::time::Duration;

use super::*;
use crate::membership::MemberStatus;
use crate::replica::bench::{Bench, ME, state};
use crate::ring::Phase;
use crate::version::{Siblings, Value};

/// How long a tombstone must have been everywhere.
const REAP_AFTER: Duration = Duration::from_secs(10);
/// How long answers are waited for.
const PATIENCE: Duration = Duration::from_secs(5);
const OTHERS: [NodeId; 4] = [NodeId(2), NodeId(3), NodeId(4), NodeId(5)];

/// Tombstones that n1 is the first home of.
fn tombstones(bench: &Bench, count: usize) -> Vec<(Key, Siblings)> {
    bench
        .keys([1, 2, 3], count)
        .into_iter()
        .zip(1..)
        .map(|(key, at)| (key, state(at, Value::Tombstone)))
        .collect()
}

fn names(tombstones: &[(Key, Siblings)]) -> Vec<(Key, Digest)> {
    tombstones.iter().map(|(key, siblings)| (key.clone(), siblings.digest())).collect()
}

fn keys(tombstones: &[(Key, Siblings)]) -> Vec<Key> {
    tombstones.iter().map(|(key, _)| key.clone()).collect()
}

/// The disk names these tombstones.
fn meet(bench: &mut Bench, reaper: &mut Reaper, tombstones: &[(Key, Siblings)]) {
    let page = Page { records: tombstones.to_vec(), next: None };
    bench.act(|cx| reaper.on_page(cx, Ok(page)));
}

/// What everybody is asked: the same of all, n1's own disk included.
struct Question {
    op: OpId,
    keys: Vec<(Key, Digest)>,
    fence: u64,
}

fn question(bench: &mut Bench) -> Option<Question> {
    let mut sent = bench.take_sent();
    let looked_up = bench.take_asked();
    let Some((_, Message::Reap(ReapMessage::Ask { op, keys, fence }))) = sent.last().cloned() else {
        assert_eq!((sent, looked_up), (vec![], vec![]));
        return None;
    };
    sent.dedup_by(|(_, left), (_, right)| left == right);
    assert_eq!(sent.len(), 1, "all are asked the same");
    assert_eq!(looked_up, [StorageOp::Names { keys: keys.iter().map(|(key, _)| key.clone()).collect() }]);
    Some(Question { op, keys, fence })
}

/// `nodes` agree on these keys, the fence being the one that was asked for. What comes of the last one's answer.
fn agree(
    bench: &mut Bench,
    reaper: &mut Reaper,
    nodes: &[NodeId],
    question: &Question,
    keys: &[Key],
) -> Option<u64> {
    let mut highest = None;
    for node in nodes {
        assert_eq!(highest, None, "not all have answered");
        highest = bench.act(|cx| reaper.on_agree(cx, *node, question.op, keys, question.fence));
    }
    highest
}

fn everybody() -> Vec<NodeId> {
    [&[ME][..], &OTHERS].concat()
}

/// n1 has met these tombstones, and everybody has agreed once.
fn agreed_once(bench: &mut Bench, reaper: &mut Reaper, tombstones: &[(Key, Siblings)]) {
    meet(bench, reaper, tombstones);
    bench.pass(REAP_AFTER);
    meet(bench, reaper, tombstones);
    let first = question(bench).expect("they are due");
    assert_eq!(agree(bench, reaper, &everybody(), &first, &keys(tombstones)), Some(0));
}

#[test]
fn tombstones_are_looked_for_page_by_page_from_the_start() {
    let mut bench = Bench::new();
    let mut reaper = Reaper::default();
    let last = bench.key([1, 2, 3]);
    bench.act(|cx| reaper.start(cx));
    for (after, next) in [(None, Some(&last)), (Some(&last), None), (None, None)] {
        assert_eq!(bench.next_timer(), Some(REAP_AFTER / 2));
        assert_eq!(bench.take_timer(), Timer::Reap);
        bench.act(|cx| reaper.on_timer(cx));
        assert_eq!(bench.take_asked(), [StorageOp::ScanTombstones { after: after.cloned(), limit: 64 }]);
        bench.act(|cx| reaper.on_page(cx, Ok(Page { records: vec![], next: next.cloned() })));
    }
}

#[test]
fn where_tombstones_are_kept_for_ever_none_is_looked_for() {
    let mut bench = Bench::with(|config| config.reap_after = None);
    let mut reaper = Reaper::default();
    bench.act(|cx| reaper.start(cx));
    assert_eq!(bench.next_timer(), None);
}

#[test]
fn nothing_is_looked_for_while_the_disk_or_the_foreground_leaves_no_room() {
    let mut bench = Bench::with(|config| config.storage_inflight_max = 1);
    let mut reaper = Reaper::default();
    let ticket = bench.env.desk.issue(Waiter::Nobody, None);
    bench.act(|cx| reaper.on_timer(cx));
    assert_eq!(bench.take_asked(), []);
    bench.env.desk.complete(ticket);
    bench.use_up_the_background();
    bench.act(|cx| reaper.on_timer(cx));
    assert_eq!(bench.take_asked(), []);
    bench.pass(PATIENCE);
    bench.act(|cx| reaper.on_timer(cx));
    assert_eq!(bench.take_asked().len(), 1);
}

/// The whole story: everybody agrees, and agrees again behind a new fence; then every home is told.
#[test]
fn a_tombstone_goes_when_everybody_has_agreed_twice() {
    let mut bench = Bench::new();
    let mut reaper = Reaper::default();
    let tombstones = tombstones(&bench, 2);
    let (names, keys) = (names(&tombstones), keys(&tombstones));
    meet(&mut bench, &mut reaper, &tombstones);
    assert!(question(&mut bench).is_none());
    bench.pass(REAP_AFTER - Duration::from_nanos(1));
    meet(&mut bench, &mut reaper, &tombstones);
    assert!(question(&mut bench).is_none(), "they have not been there for long enough");
    bench.pass(Duration::from_nanos(1));
    meet(&mut bench, &mut reaper, &tombstones);
    let first = question(&mut bench).expect("they are due");
    assert_eq!((&first.keys, first.fence), (&names, 0));
    assert_eq!(reaper.asks_behind(first.op), Some(0));

    // One of them is behind a higher fence already.
    let ahead = bench.act(|cx| reaper.on_agree(cx, OTHERS[0], first.op, &keys, 6));
    assert_eq!(ahead, None);
    let rest = [&[ME][..], &OTHERS[1..]].concat();
    assert_eq!(agree(&mut bench, &mut reaper, &rest, &first, &keys), Some(6));
    assert_eq!(reaper.asks_behind(first.op), None);
    assert_eq!(bench.take_updates(), []);

    bench.pass(REAP_AFTER - Duration::from_nanos(1));
    meet(&mut bench, &mut reaper, &tombstones);
    assert!(question(&mut bench).is_none());
    bench.pass(Duration::from_nanos(1));
    meet(&mut bench, &mut reaper, &tombstones);
    let second = question(&mut bench).expect("they are due again");
    assert_eq!((&second.keys, second.fence), (&names, 7));
    assert_eq!(agree(&mut bench, &mut reaper, &everybody(), &second, &keys), None);
    let drop = |to: u64| (NodeId(to), Message::Reap(ReapMessage::Drop { keys: names.clone() }));
    assert_eq!(bench.take_sent(), [drop(2), drop(3)]);
    let held = |(key, held): (Key, Digest)| (key, Update::Drop { held });
    assert_eq!(bench.take_updates(), names.iter().cloned().map(held).collect::<Vec<_>>());

    for key in &keys {
        bench.act(|cx| reaper.on_dropped(cx, key.clone()));
    }
    assert_eq!(reaper.reaped(), 2);
    let reaped = keys.into_iter().map(|key| Event::Reaped { key });
    assert_eq!(bench.take_events(), reaped.collect::<Vec<_>>());
    bench.pass(REAP_AFTER);
    meet(&mut bench, &mut reaper, &[]);
    assert!(question(&mut bench).is_none(), "they are done");
}

/// Only the first home asks.
#[test]
fn other_homes_leave_a_tombstone_to_the_first() {
    let mut bench = Bench::new();
    let mut reaper = Reaper::default();
    for homes in [[5, 1, 2], [2, 3, 4]] {
        let tombstones = [(bench.key(homes), state(1, Value::Tombstone))];
        meet(&mut bench, &mut reaper, &tombstones);
        bench.pass(REAP_AFTER);
        meet(&mut bench, &mut reaper, &tombstones);
        assert!(question(&mut bench).is_none());
    }
}

#[test]
fn a_key_written_and_deleted_again_waits_from_the_beginning() {
    let mut bench = Bench::new();
    let mut reaper = Reaper::default();
    let tombstones = tombstones(&bench, 1);
    meet(&mut bench, &mut reaper, &tombstones);
    bench.pass(REAP_AFTER / 2);
    let again = [(tombstones[0].0.clone(), state(7, Value::Tombstone))];
    meet(&mut bench, &mut reaper, &again);
    bench.pass(REAP_AFTER / 2);
    meet(&mut bench, &mut reaper, &again);
    assert!(question(&mut bench).is_none());
    bench.pass(REAP_AFTER / 2);
    meet(&mut bench, &mut reaper, &again);
    assert_eq!(question(&mut bench).expect("it is due").keys, names(&again));
}

#[test]
fn nobody_is_asked_while_somebody_could_not_answer_or_ownership_moves() {
    type Trouble = (&'static str, fn(&mut Bench), fn(&mut Bench));
    let troubles: [Trouble; 4] = [
        (
            "a member is away",
            |bench| bench.suspect(OTHERS[3]),
            |bench| bench.act(|cx| cx.is_alive(OTHERS[3])),
        ),
        (
            "a member has not seen the ring",
            |bench| {
                bench.change_cluster(|cluster| {
                    cluster.members.update(OTHERS[0], |member| member.progress.seen = RingVersion::default());
                });
            },
            Bench::everybody_has_seen_the_ring,
        ),
        (
            "partitions move",
            |bench| {
                bench.change_cluster(|cluster| {
                    let mut owners = cluster.ring.owners().to_vec();
                    owners.rotate_left(1);
                    cluster.ring = cluster.ring.moving_to(owners);
                    assert_eq!(cluster.ring.phase(), Some(Phase::Copying));
                });
                bench.everybody_has_seen_the_ring();
            },
            |bench| {
                bench.change_cluster(|cluster| cluster.ring = crate::replica::bench::ring(5));
                bench.everybody_has_seen_the_ring();
            },
        ),
        (
            "the disk is busy",
            |bench| bench.env.config.storage_inflight_max = 0,
            |bench| bench.env.config.storage_inflight_max = 10,
        ),
    ];
    for (name, trouble, mend) in troubles {
        let mut bench = Bench::new();
        let mut reaper = Reaper::default();
        let tombstones = tombstones(&bench, 1);
        meet(&mut bench, &mut reaper, &tombstones);
        bench.pass(REAP_AFTER);
        trouble(&mut bench);
        meet(&mut bench, &mut reaper, &[]);
        assert!(question(&mut bench).is_none(), "{name}");
        mend(&mut bench);
        bench.take_events();
        meet(&mut bench, &mut reaper, &[]);
        assert!(question(&mut bench).is_some(), "{name}, and then no more");
        meet(&mut bench, &mut reaper, &[]);
        assert!(question(&mut bench).is_none(), "one round at a time");
    }
}

#[test]
fn those_that_left_are_not_asked() {
    let mut bench = Bench::new();
    let mut reaper = Reaper::default();
    let tombstones = tombstones(&bench, 1);
    bench.set_status(OTHERS[3], MemberStatus::Left);
    meet(&mut bench, &mut reaper, &tombstones);
    bench.pass(REAP_AFTER);
    meet(&mut bench, &mut reaper, &[]);
    let asked: Vec<NodeId> = bench.sent.iter().map(|(to, _)| *to).collect();
    assert_eq!(asked, OTHERS[..3]);
}

#[test]
fn an_answer_counts_once_in_its_own_round_and_only_behind_the_fence() {
    let mut bench = Bench::new();
    let mut reaper = Reaper::default();
    let tombstones = tombstones(&bench, 1);
    agreed_once(&mut bench, &mut reaper, &tombstones);
    bench.pass(REAP_AFTER);
    meet(&mut bench, &mut reaper, &[]);
    let question = question(&mut bench).expect("they are due again");
    assert_eq!(question.fence, 1);
    let keys = keys(&tombstones);
    assert_eq!(agree(&mut bench, &mut reaper, &everybody()[..4], &question, &keys), None);
    let last = OTHERS[3];
    for (from, op, fence) in
        [(OTHERS[0], question.op, 1), (last, OpId(question.op.0 + 1), 1), (last, question.op, 0)]
    {
        bench.act(|cx| reaper.on_agree(cx, from, op, &keys, fence));
        assert_eq!((bench.take_asked().len(), bench.take_sent().len()), (0, 0));
    }
    agree(&mut bench, &mut reaper, &[last], &question, &keys);
    assert_eq!((bench.take_asked().len(), bench.take_sent().len()), (1, 2));
}

/// Somebody holds something else of one of two keys: that one begins anew, the other goes.
#[test]
fn what_is_not_agreed_on_is_put_off() {
    let mut bench = Bench::new();
    let mut reaper = Reaper::default();
    let tombstones = tombstones(&bench, 2);
    agreed_once(&mut bench, &mut reaper, &tombstones);
    bench.pass(REAP_AFTER);
    meet(&mut bench, &mut reaper, &[]);
    let question_again = question(&mut bench).expect("they are due again");
    let (both, one) = (keys(&tombstones), keys(&tombstones[..1]));
    agree(&mut bench, &mut reaper, &[OTHERS[0]], &question_again, &one);
    agree(&mut bench, &mut reaper, &[ME, OTHERS[1], OTHERS[2], OTHERS[3]], &question_again, &both);
    let drops: Vec<Key> = bench.take_updates().into_iter().map(|(key, _)| key).collect();
    assert_eq!(drops, one);
    bench.take_sent();
    meet(&mut bench, &mut reaper, &tombstones[1..]);
    bench.pass(REAP_AFTER - Duration::from_nanos(1));
    meet(&mut bench, &mut reaper, &[]);
    assert!(question(&mut bench).is_none());
    bench.pass(Duration::from_nanos(1));
    meet(&mut bench, &mut reaper, &[]);
    let question = question(&mut bench).expect("it is due");
    assert_eq!((question.keys, question.fence), (names(&tombstones[1..]), 0));
}

/// By another ring others would have to agree, and to drop it.
#[test]
fn what_was_agreed_on_by_an_older_ring_is_put_off() {
    let mut bench = Bench::new();
    let mut reaper = Reaper::default();
    let tombstones = tombstones(&bench, 1);
    meet(&mut bench, &mut reaper, &tombstones);
    bench.pass(REAP_AFTER);
    meet(&mut bench, &mut reaper, &[]);
    let question_then = question(&mut bench).expect("it is due");
    bench.turn_ring();
    let keys = keys(&tombstones);
    assert_eq!(agree(&mut bench, &mut reaper, &everybody(), &question_then, &keys), None);
    bench.pass(REAP_AFTER);
    meet(&mut bench, &mut reaper, &[]);
    assert!(question(&mut bench).is_none(), "it is forgotten until it is met again");
}

/// Who was asked for the first time and is silent: it begins anew. What everybody has agreed on once is asked about four
/// times.
#[test]
fn a_round_without_answers_is_given_up_and_repeated_a_few_times() {
    for (agreed_before, rounds) in [(false, 1), (true, 4)] {
        let mut bench = Bench::new();
        let mut reaper = Reaper::default();
        let tombstones = tombstones(&bench, 1);
        if agreed_before {
            agreed_once(&mut bench, &mut reaper, &tombstones);
        } else {
            meet(&mut bench, &mut reaper, &tombstones);
        }
        bench.pass(REAP_AFTER);
        for round in 1..=rounds {
            meet(&mut bench, &mut reaper, &[]);
            let question = question(&mut bench).unwrap_or_else(|| panic!("round {round} of {rounds}"));
            bench.pass(PATIENCE - Duration::from_nanos(1));
            bench.act(|cx| reaper.on_timer(cx));
            assert!(reaper.asks_behind(question.op).is_some(), "answers may still come");
            bench.pass(Duration::from_nanos(1));
            bench.act(|cx| reaper.on_timer(cx));
            assert_eq!(reaper.asks_behind(question.op), None);
            bench.take_asked();
        }
        meet(&mut bench, &mut reaper, &[]);
        assert!(question(&mut bench).is_none(), "{rounds} rounds were enough");
    }
}

/// A round asks about as many keys as a message may name; the others are asked about in the next one.
#[test]
fn a_round_is_bounded() {
    let mut bench = Bench::new();
    let mut reaper = Reaper::default();
    let tombstones = tombstones(&bench, REAP_BATCH_MAX + 1);
    meet(&mut bench, &mut reaper, &tombstones);
    bench.pass(REAP_AFTER);
    meet(&mut bench, &mut reaper, &[]);
    let first = question(&mut bench).expect("they are due");
    assert_eq!(first.keys, names(&tombstones[..REAP_BATCH_MAX]));
    agree(&mut bench, &mut reaper, &everybody(), &first, &keys(&tombstones));
    meet(&mut bench, &mut reaper, &[]);
    assert_eq!(question(&mut bench).expect("one is left").keys, names(&tombstones[REAP_BATCH_MAX..]));
}

#[test]
fn so_many_tombstones_are_remembered_and_no_more() {
    let mut bench = Bench::new();
    let mut reaper = Reaper::default();
    let tombstones = tombstones(&bench, CANDIDATES_MAX + 1);
    meet(&mut bench, &mut reaper, &tombstones);
    assert_eq!(reaper.candidates.len(), CANDIDATES_MAX);
}

#[test]
fn who_is_asked_looks_at_its_disk_unless_that_is_too_much() {
    let mut bench = Bench::with(|config| config.storage_inflight_max = 1);
    let asked = names(&tombstones(&bench, REAP_BATCH_MAX + 1));
    bench.act(|cx| Reaper::on_ask(cx, OTHERS[0], OpId(1), asked.clone()));
    assert_eq!(bench.take_asked(), [], "no node of this kind asks about so many");
    let asked = asked[..REAP_BATCH_MAX].to_vec();
    let keys: Vec<Key> = asked.iter().map(|(key, _)| key.clone()).collect();
    bench.act(|cx| Reaper::on_ask(cx, OTHERS[0], OpId(1), asked.clone()));
    assert_eq!(bench.take_asked(), [StorageOp::Names { keys }]);
    bench.act(|cx| Reaper::on_ask(cx, OTHERS[0], OpId(2), asked));
    assert_eq!(bench.take_asked(), [], "the first look is under way");
}

/// A home agrees if the tombstone is all that it holds and it owes it to nobody; any other node if it holds nothing.
#[test]
fn a_node_agrees_only_if_nothing_older_can_come_from_it() {
    let mut bench = Bench::new();
    let (here, elsewhere) = (bench.key([1, 2, 3]), bench.key([2, 3, 4]));
    let (tombstone, other) = (state(1, Value::Tombstone).digest(), state(2, Value::Tombstone).digest());
    let mut agrees = |key: &Key, digest, is_owed| {
        let asked = [(key.clone(), tombstone)];
        bench.act(|cx| Reaper::agreed(cx, &asked, &[Name { digest, is_owed }])) == [key.clone()]
    };
    assert!(agrees(&here, Some(tombstone), false));
    assert!(!agrees(&here, Some(tombstone), true));
    assert!(!agrees(&here, Some(other), false));
    assert!(!agrees(&here, None, false), "a home that lacks it may get something older");
    assert!(agrees(&elsewhere, None, false));
    assert!(!agrees(&elsewhere, Some(tombstone), false));
}

/// Drops are bounded by what is in flight; a tombstone that stays comes up again.
#[test]
fn no_more_is_dropped_than_the_disk_has_room_for() {
    let mut bench = Bench::with(|config| config.storage_inflight_max = 2);
    let names = names(&tombstones(&bench, 3));
    bench.act(|cx| Reaper::drop_tombstones(cx, names));
    assert_eq!(bench.take_updates().len(), 2);
}

/// The museum piece is what its label says: a majority of a key's homes is taken for everybody.
#[test]
fn a_museum_piece_reaps_on_a_quorum() {
    let mut bench = Bench::with(|config| {
        config.flaw = Some(Flaw::ReapOnQuorum);
        config.n = 5;
    });
    let mut reaper = Reaper::default();
    let tombstones = tombstones(&bench, 1);
    meet(&mut bench, &mut reaper, &tombstones);
    bench.pass(REAP_AFTER);
    meet(&mut bench, &mut reaper, &[]);
    let question = question(&mut bench).expect("it is due");
    assert_eq!(agree(&mut bench, &mut reaper, &everybody()[..3], &question, &keys(&tombstones)), Some(0));
}
