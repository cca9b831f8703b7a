use alloc::vec;
use core::time::Duration;

use super::*;
use crate::replica::bench::{Bench, ME, data, state};
use crate::ring::Phase;

const INTERVAL: Duration = Duration::from_secs(1);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
const HOMES: [NodeId; 3] = [NodeId(2), NodeId(3), NodeId(4)];

/// What n1 holds of a key.
type Held = (Key, Siblings);
/// Whom n1 has asked about a key, and in which operation.
type Asked = (NodeId, OpId);

/// Records that n1 holds of a partition that belongs to n2, n3 and n4.
fn strays(bench: &Bench, count: usize) -> (Partition, Vec<Held>) {
    let partition = bench.partition(&bench.key([2, 3, 4]));
    let keys = bench.keys([2, 3, 4], 64 * count);
    let keys = keys.into_iter().filter(|key| bench.partition(key) == partition).take(count);
    (partition, keys.zip(1..).map(|(key, number)| (key, state(number, data(10)))).collect())
}

/// A pass through the partition begins; where it scans from, and how many records at most.
fn begin(bench: &mut Bench, handoff: &mut Handoff, partition: Partition) -> (Option<Key>, u32) {
    assert_eq!(bench.take_timer(), Timer::Handoff);
    bench.act(|cx| handoff.on_timer(cx));
    scanned_from(bench, partition).expect("a scan")
}

fn scanned_from(bench: &mut Bench, partition: Partition) -> Option<(Option<Key>, u32)> {
    match bench.take_asked().as_slice() {
        [] => None,
        [StorageOp::ScanPartition { partition: scanned, after, limit }] if *scanned == partition => {
            Some((after.clone(), *limit))
        }
        other => panic!("no scan of {partition:?}: {other:?}"),
    }
}

/// The disk names a page; whom n1 asks.
fn page(
    bench: &mut Bench,
    handoff: &mut Handoff,
    partition: Partition,
    records: &[Held],
    next: Option<Key>,
) -> Vec<Asked> {
    let page = Page { records: records.to_vec(), next };
    bench.act(|cx| handoff.on_page(cx, partition, Ok(page)));
    bench.take_ops()
}

fn answer(
    bench: &mut Bench,
    handoff: &mut Handoff,
    (from, op): Asked,
    result: Result<(), ReplicaError>,
) -> bool {
    bench.act(|cx| handoff.on_write_reply(cx, from, op, result))
}

/// n1 holds `count` strays, and has asked their homes about all of them.
fn asked(bench: &mut Bench, count: usize) -> (Handoff, Partition, Vec<Held>, Vec<Asked>) {
    let mut handoff = Handoff::default();
    let (partition, records) = strays(bench, count);
    bench.act(|cx| handoff.mark_dirty(cx, partition));
    begin(bench, &mut handoff, partition);
    let ops = page(bench, &mut handoff, partition, &records, None);
    (handoff, partition, records, ops)
}

fn drop_of((key, siblings): &Held) -> (Key, Update) {
    (key.clone(), Update::Drop { held: siblings.digest() })
}

#[test]
fn after_a_start_the_partitions_of_others_are_looked_through_one_after_the_other() {
    let mut bench = Bench::with(|config| config.handoff_batch_max = 1);
    let ring = bench.env.cluster.ring.clone();
    let others: Vec<Partition> = (0..ring.partitions())
        .map(Partition)
        .filter(|partition| !ring.is_home_of(ME, *partition, 3))
        .collect();
    let mut handoff = Handoff::default();
    assert!(handoff.is_idle());
    bench.act(|cx| handoff.look_everywhere(cx));
    assert_eq!((handoff.is_idle(), bench.next_timer()), (false, Some(INTERVAL)));
    survey(&mut bench, &mut handoff, Err(StorageError::Failed));
    assert_eq!((handoff.open(), bench.next_timer()), (others.len(), Some(INTERVAL)));

    for (at, partition) in others.iter().copied().enumerate() {
        begin(&mut bench, &mut handoff, partition);
        assert!(!handoff.is_idle());
        assert_eq!(handoff.open(), others.len() - at, "the one that is looked through is open");
        page(&mut bench, &mut handoff, partition, &[], None);
        let last = at + 1 == others.len();
        assert_eq!(handoff.is_idle(), last);
        assert_eq!(bench.next_timer(), if last { Some(PATIENCE) } else { Some(Duration::ZERO) });
    }
    bench.take_timer();
    bench.act(|cx| handoff.on_timer(cx));
    assert_eq!((bench.take_asked(), bench.next_timer()), (vec![], None));
}

/// The disk is asked what it holds anything of, and answers.
fn survey(bench: &mut Bench, handoff: &mut Handoff, held: Result<Vec<Partition>, StorageError>) {
    assert_eq!(bench.take_timer(), Timer::Handoff);
    bench.act(|cx| handoff.on_timer(cx));
    assert_eq!((bench.take_asked(), bench.next_timer()), (vec![StorageOp::Occupied], None));
    assert_eq!((handoff.is_idle(), handoff.open()), (false, 1));
    bench.act(|cx| handoff.on_occupied(cx, held));
}

#[test]
fn only_what_the_disk_holds_anything_of_is_looked_through_and_of_that_only_what_others_keep() {
    let mut bench = Bench::new();
    let ring = bench.env.cluster.ring.clone();
    let (own, others): (Vec<Partition>, Vec<Partition>) =
        (0..ring.partitions()).map(Partition).partition(|partition| ring.is_home_of(ME, *partition, 3));
    let mut handoff = Handoff::default();
    bench.act(|cx| handoff.look_everywhere(cx));
    survey(&mut bench, &mut handoff, Ok(vec![own[0], others[1]]));
    assert_eq!(handoff.open(), 1);
    begin(&mut bench, &mut handoff, others[1]);
}

#[test]
fn a_disk_is_asked_again_when_the_ring_has_changed_while_it_answered() {
    let mut bench = Bench::new();
    let mut handoff = Handoff::default();
    bench.act(|cx| handoff.look_everywhere(cx));
    assert_eq!(bench.take_timer(), Timer::Handoff);
    bench.act(|cx| handoff.on_timer(cx));
    bench.take_asked();
    bench.act(|cx| handoff.look_everywhere(cx));
    bench.act(|cx| handoff.on_occupied(cx, Ok(vec![])));
    assert!(!handoff.is_idle());
    survey(&mut bench, &mut handoff, Ok(vec![]));
    assert!(handoff.is_idle());
}

#[test]
fn a_record_is_dropped_when_every_home_has_said_that_it_holds_it() {
    let mut bench = Bench::new();
    let (mut handoff, _, records, ops) = asked(&mut bench, 2);
    assert_eq!(ops.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [HOMES, HOMES].concat());
    assert!(records.iter().all(|(key, _)| handoff.is_running(key)));
    for (at, op) in ops.into_iter().enumerate() {
        assert_eq!(bench.take_updates(), []);
        assert!(answer(&mut bench, &mut handoff, op, Ok(())));
        if at % 3 == 2 {
            assert_eq!(bench.take_updates(), [drop_of(&records[at / 3])]);
            assert!(!handoff.is_running(&records[at / 3].0));
        }
    }
    for (key, _) in &records {
        assert!(!handoff.is_idle(), "{key:?} is not gone");
        bench.act(|cx| handoff.on_dropped(cx, key.clone()));
    }
    assert!(handoff.is_idle());
    assert_eq!(handoff.records_given(), 2);
    let handed_over = records.into_iter().map(|(key, _)| Event::HandedOver { key });
    assert_eq!(bench.take_events(), handed_over.collect::<Vec<_>>());
}

#[test]
fn a_home_that_holds_something_else_is_sent_the_record_and_asked_for_its_word_again() {
    let mut bench = Bench::new();
    let (mut handoff, _, records, ops) = asked(&mut bench, 1);
    answer(&mut bench, &mut handoff, ops[0], Ok(()));
    answer(&mut bench, &mut handoff, ops[1], Ok(()));
    assert!(answer(&mut bench, &mut handoff, ops[2], Err(ReplicaError::Differs)));
    assert!(!answer(&mut bench, &mut handoff, ops[2], Ok(())), "an answer counts once");
    let sent = bench.take_sent();
    let [(to, Message::Replica(ReplicaMessage::Write { op, siblings, owed: None, .. }))] = sent.as_slice()
    else {
        panic!("no write: {sent:?}");
    };
    assert_eq!((*to, siblings), (HOMES[2], &records[0].1));
    assert_eq!(bench.take_updates(), []);
    assert!(answer(&mut bench, &mut handoff, (*to, *op), Ok(())));
    assert_eq!(bench.take_updates(), [drop_of(&records[0])]);
}

#[test]
fn one_node_does_not_speak_for_another() {
    let mut bench = Bench::new();
    let (mut handoff, _, _, ops) = asked(&mut bench, 1);
    answer(&mut bench, &mut handoff, ops[0], Ok(()));
    answer(&mut bench, &mut handoff, ops[1], Ok(()));
    assert!(answer(&mut bench, &mut handoff, (ops[1].0, ops[2].1), Ok(())));
    assert_eq!(bench.take_updates(), []);
}

/// Whatever keeps a record here, its partition is looked through again, after a while.
#[test]
fn what_cannot_be_given_now_is_tried_again() {
    for trouble in ["away", "refused", "kept", "failed"] {
        let mut bench = Bench::new();
        if trouble == "away" {
            bench.suspect(HOMES[2]);
        }
        let (mut handoff, partition, records, ops) = asked(&mut bench, 1);
        assert_eq!(ops.len(), if trouble == "away" { 2 } else { 3 });
        for (at, op) in ops.into_iter().enumerate() {
            let refused = trouble == "refused" && at == 1;
            answer(
                &mut bench,
                &mut handoff,
                op,
                if refused { Err(ReplicaError::Overloaded) } else { Ok(()) },
            );
        }
        match (trouble, bench.take_updates().len()) {
            ("away" | "refused", 0) => {}
            ("kept", 1) => bench.act(|cx| handoff.on_kept(cx, &records[0].0)),
            ("failed", 1) => bench.act(|cx| handoff.on_failed(cx)),
            (trouble, drops) => panic!("{trouble}: {drops} drops"),
        }
        assert_eq!((handoff.open(), handoff.records_given()), (1, 0), "{trouble}");
        assert_eq!(bench.next_timer(), Some(INTERVAL), "{trouble}");
        assert_eq!(begin(&mut bench, &mut handoff, partition), (None, 64), "{trouble}");
    }
}

#[test]
fn a_pass_goes_page_by_page() {
    let mut bench = Bench::with(|config| config.handoff_batch_max = 1);
    let mut handoff = Handoff::default();
    let (partition, records) = strays(&bench, 2);
    bench.act(|cx| handoff.mark_dirty(cx, partition));
    assert_eq!(begin(&mut bench, &mut handoff, partition), (None, 1));
    let first = records[0].0.clone();
    for op in page(&mut bench, &mut handoff, partition, &records[..1], Some(first.clone())) {
        answer(&mut bench, &mut handoff, op, Ok(()));
    }
    assert_eq!(bench.take_updates().len(), 1);
    bench.act(|cx| handoff.on_dropped(cx, first.clone()));
    assert_eq!(scanned_from(&mut bench, partition), Some((Some(first), 1)));
    assert!(!handoff.is_idle());
}

/// A page that the foreground leaves no room for waits, and goes on where it was.
#[test]
fn a_page_waits_until_the_foreground_leaves_room() {
    let mut bench = Bench::with(|config| config.handoff_batch_max = 1);
    let mut handoff = Handoff::default();
    let (partition, records) = strays(&bench, 1);
    let first = records[0].0.clone();
    bench.act(|cx| handoff.mark_dirty(cx, partition));
    begin(&mut bench, &mut handoff, partition);
    let again = bench.use_up_the_background();
    page(&mut bench, &mut handoff, partition, &[], Some(first.clone()));
    assert_eq!((scanned_from(&mut bench, partition), bench.next_timer()), (None, Some(again)));
    assert_eq!(begin(&mut bench, &mut handoff, partition), (Some(first), 1));
    page(&mut bench, &mut handoff, partition, &[], None);
    assert!(handoff.is_idle());
}

#[test]
fn large_records_use_up_what_the_background_may_do() {
    let mut bench = Bench::new();
    let mut handoff = Handoff::default();
    let (partition, records) = strays(&bench, 1);
    let records = [(records[0].0.clone(), state(1, data(8 << 20)))];
    bench.act(|cx| handoff.mark_dirty(cx, partition));
    begin(&mut bench, &mut handoff, partition);
    let ops = page(&mut bench, &mut handoff, partition, &records, None);
    assert!(bench.act(|cx| cx.background(1)).is_ok(), "a question is small");
    answer(&mut bench, &mut handoff, ops[0], Err(ReplicaError::Differs));
    assert!(bench.act(|cx| cx.background(1)).is_err());
}

#[test]
fn a_pass_without_answers_is_given_up_and_repeated() {
    let mut bench = Bench::new();
    let (mut handoff, partition, records, ops) = asked(&mut bench, 1);
    assert_eq!(bench.next_timer(), Some(PATIENCE));
    bench.take_timer();
    bench.act(|cx| handoff.on_timer(cx));
    assert_eq!((bench.take_asked(), bench.next_timer()), (vec![], Some(INTERVAL)));
    assert!(!handoff.is_running(&records[0].0));
    assert!(!answer(&mut bench, &mut handoff, ops[0], Ok(())), "that pass is over");
    assert_eq!(begin(&mut bench, &mut handoff, partition), (None, 64));
}

#[test]
fn nothing_is_looked_through_while_the_disk_is_busy() {
    let mut bench = Bench::with(|config| config.storage_inflight_max = 1);
    let mut handoff = Handoff::default();
    let (partition, _) = strays(&bench, 1);
    bench.act(|cx| handoff.mark_dirty(cx, partition));
    let ticket = bench.env.desk.issue(Waiter::Nobody, None);
    bench.take_timer();
    bench.act(|cx| handoff.on_timer(cx));
    assert_eq!((bench.take_asked(), bench.next_timer()), (vec![], Some(INTERVAL)));
    bench.env.desk.complete(ticket);
    assert_eq!(begin(&mut bench, &mut handoff, partition), (None, 64));
}

#[test]
fn a_page_that_fails_or_is_of_another_partition_or_an_older_ring_leads_to_no_questions() {
    let mut bench = Bench::new();
    let mut handoff = Handoff::default();
    let (partition, records) = strays(&bench, 1);
    bench.act(|cx| handoff.mark_dirty(cx, partition));
    begin(&mut bench, &mut handoff, partition);

    let elsewhere = Partition((partition.0 + 1) % 64);
    assert_eq!(page(&mut bench, &mut handoff, elsewhere, &records, None), []);
    assert_eq!(bench.next_timer(), Some(PATIENCE), "the page is still awaited");

    bench.act(|cx| handoff.on_page(cx, partition, Err(StorageError::Failed)));
    assert_eq!((bench.take_ops(), handoff.open()), (vec![], 1));
    begin(&mut bench, &mut handoff, partition);

    bench.turn_ring();
    assert_eq!(page(&mut bench, &mut handoff, partition, &records, None), []);
    assert_eq!(handoff.open(), 1, "it is looked through again, by the new ring");
}

/// The homes that said yes may not be the homes any more.
#[test]
fn nothing_is_dropped_when_the_ring_has_changed_while_homes_answered() {
    let mut bench = Bench::new();
    let (mut handoff, _, _, ops) = asked(&mut bench, 1);
    bench.turn_ring();
    for op in ops {
        answer(&mut bench, &mut handoff, op, Ok(()));
    }
    assert_eq!(bench.take_updates(), []);
    assert_eq!(handoff.open(), 1);
}

/// While ownership moves, new homes and old ones keep a key; n1, that is to keep it next, gives nothing away.
#[test]
fn a_node_that_is_to_keep_a_partition_next_keeps_it() {
    let mut bench = Bench::new();
    let (partition, records) = strays(&bench, 1);
    bench.change_cluster(|cluster| {
        let owners = cluster.ring.owners().iter().enumerate();
        let owners = owners.map(|(at, node)| if at == partition.index() { ME } else { *node }).collect();
        cluster.ring = cluster.ring.moving_to(owners);
        assert_eq!(cluster.ring.phase(), Some(Phase::Copying));
    });
    let mut handoff = Handoff::default();
    bench.act(|cx| handoff.mark_dirty(cx, partition));
    begin(&mut bench, &mut handoff, partition);
    assert_eq!(page(&mut bench, &mut handoff, partition, &records, None), []);
    assert!(handoff.is_idle());
}

#[test]
fn two_partitions_that_become_dirty_wait_for_one_timer() {
    let mut bench = Bench::new();
    let mut handoff = Handoff::default();
    bench.act(|cx| handoff.mark_dirty(cx, Partition(1)));
    bench.pass(INTERVAL / 2);
    bench.act(|cx| handoff.mark_dirty(cx, Partition(2)));
    assert_eq!(bench.next_timer(), Some(INTERVAL / 2));
    assert_eq!(handoff.open(), 2);
}
