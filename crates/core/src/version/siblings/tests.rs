use super::*;
use crate::id::{NodeId, StoreId};

const A: Actor = Actor { node: NodeId(1), store: StoreId(1), boot: 1, mint: 1 };
const B: Actor = Actor { node: NodeId(2), store: StoreId(1), boot: 1, mint: 1 };

/// The `counter`th write under `actor`, at a moment of its own, by somebody who had seen `seen`.
fn write(actor: Actor, counter: u64, written_at: u64, seen: &[Dot]) -> Version {
    let mut past = VersionVector::EMPTY;
    seen.iter().for_each(|dot| past.insert(*dot));
    Version {
        dot: Dot { actor, counter },
        past,
        request: RequestId(u128::from(counter) << 64 | u128::from(actor.node.0)),
        written_at: WallTime(written_at),
        value: Value::Data(Bytes::from_static(b"milk")),
    }
}

fn state<'a>(versions: impl IntoIterator<Item = &'a Version>) -> Siblings {
    Siblings::from_versions(versions.into_iter().cloned().collect())
}

fn dots(state: &Siblings) -> Vec<(u64, u64)> {
    state.versions().iter().map(|version| (version.dot.actor.node.0, version.dot.counter)).collect()
}

const LAST_WRITE_WINS: [Policy; 2] = [Policy::LastWriteWins, Policy::LastWriteWinsFirstOfEquals];

#[test]
fn versions_from_elsewhere_are_put_in_order_and_what_is_superseded_is_dropped() {
    let first = write(A, 1, 0, &[]);
    let second = write(A, 2, 0, &[first.dot]);
    let other = write(B, 1, 0, &[]);
    let received = state([&other, &second, &first, &second]);
    assert_eq!(dots(&received), [(1, 2), (2, 1)]);
    assert_eq!(received, state([&second, &other]));
    assert_eq!(received.by_request(other.request), Some(&other));
    assert_eq!(received.by_request(first.request), None);
}

#[test]
fn a_reader_is_shown_what_the_policy_says_and_has_seen_it_all() {
    let (early, late) = (write(B, 1, 5, &[]), write(A, 1, 9, &[]));
    let (both, three) = (state([&early, &late]), state([&early, &late, &write(B, 2, 7, &[])]));
    assert_eq!(dots(&both.shown(Policy::KeepSiblings)), [(1, 1), (2, 1)]);
    for policy in [Policy::OneValue, Policy::LastWriteWins, Policy::LastWriteWinsFirstOfEquals] {
        assert_eq!(dots(&both.shown(policy)), [(1, 1)], "{policy:?}");
        assert_eq!(dots(&three.shown(policy)), [(1, 1)], "{policy:?}");
        assert_eq!(dots(&state([&early]).shown(policy)), [(2, 1)], "{policy:?}");
        assert!(Siblings::default().shown(policy).is_empty());
    }
    let Context(seen) = both.context();
    assert!(seen.contains(early.dot) && seen.contains(late.dot));
}

#[test]
fn a_delete_is_a_version_without_a_value() {
    let put = write(A, 1, 0, &[]);
    let delete = Version { value: Value::Tombstone, ..write(B, 1, 0, &[]) };
    assert_eq!(state([&put, &write(B, 2, 0, &[])]).value_bytes(), 8);
    let both = state([&put, &delete]);
    assert!(both.is_found() && both.value_bytes() == 4);
    let deleted = state([&delete]);
    assert!(!deleted.is_empty() && !deleted.is_found() && deleted.value_bytes() == 0);
    assert!(Siblings::default().is_empty() && !Siblings::default().is_found());
}

#[test]
fn the_highest_count_of_an_actor_is_found_in_dots_and_in_pasts() {
    let (first, other) = (write(A, 3, 0, &[]), write(B, 2, 0, &[]));
    let after = write(B, 3, 0, &[first.dot, other.dot]);
    assert_eq!(state([&first, &other]).counter(A), 3);
    assert_eq!((state([&after]).counter(A), state([&after]).counter(B)), (3, 3));
    assert_eq!(state([&first]).counter(B), 0);
}

#[test]
fn a_digest_names_the_dots_and_nothing_else() {
    let version = write(A, 1, 0, &[]);
    let named = |actor, counter| state([&write(actor, counter, 0, &[])]).digest();
    assert_eq!(state([&Version { value: Value::Tombstone, ..version }]).digest(), named(A, 1));
    let others = [
        (B, 1),
        (A, 2),
        (Actor { boot: 2, ..A }, 1),
        (Actor { mint: 2, ..A }, 1),
        (Actor { store: StoreId(2), ..A }, 1),
    ];
    others.iter().for_each(|(actor, counter)| assert_ne!(named(*actor, *counter), named(A, 1)));
}

/// Names are dear to make and cheap to say: two states at hand are compared without.
#[test]
fn the_same_set_is_what_has_the_same_name() {
    let (first, other) = (write(A, 1, 0, &[]), write(B, 1, 0, &[]));
    let delete = Version { value: Value::Tombstone, ..first.clone() };
    let states =
        [&[][..], &[&first], &[&other], &[&first, &other], &[&delete]].map(|of| state(of.iter().copied()));
    for (at, one) in states.iter().enumerate() {
        for (beside, another) in states.iter().enumerate() {
            assert_eq!(one.is_same_set(another), one.digest() == another.digest(), "{at} and {beside}");
        }
        let made_again = Siblings::from_versions(one.versions().to_vec());
        assert!(one.is_same_set(&made_again), "{at}");
    }
}

#[test]
fn a_write_replaces_what_its_writer_had_seen_and_stays_beside_the_rest() {
    let (seen, unseen) = (write(A, 1, 0, &[]), write(B, 1, 0, &[]));
    let before = state([&seen, &unseen]);
    let after = before.with(write(A, 2, 0, &[seen.dot]), Policy::KeepSiblings);
    assert_eq!(dots(&after), [(1, 2), (2, 1)]);
}

/// Copies of large states are made where something changes, and nowhere else.
#[test]
fn a_state_that_stays_as_it_is_is_not_copied() {
    let (first, other) = (write(A, 1, 0, &[]), write(B, 1, 0, &[]));
    let both = state([&first, &other]);
    for known in [both.clone(), state([&first]), Siblings::default()] {
        assert!(Arc::ptr_eq(&both.merge(&known, Policy::KeepSiblings).0, &both.0));
    }
    assert!(Arc::ptr_eq(&Siblings::default().merge(&both, Policy::KeepSiblings).0, &both.0));
    assert!(Arc::ptr_eq(&both.shown(Policy::KeepSiblings).0, &both.0));
    let one = state([&first]);
    assert!(Arc::ptr_eq(&one.shown(Policy::OneValue).0, &one.0));
    let after = state([&write(A, 2, 0, &[first.dot])]);
    assert!(Arc::ptr_eq(&one.merge(&after, Policy::KeepSiblings).0, &after.0), "it replaces all");
}

#[test]
fn the_later_clock_wins_whichever_came_first_and_of_equals_the_higher_dot() {
    let (early, late) = (write(B, 1, 5, &[]), write(A, 1, 9, &[]));
    for policy in LAST_WRITE_WINS {
        for (mine, theirs) in [(&early, &late), (&late, &early)] {
            let merged = state([mine]).merge(&state([theirs]), policy);
            assert_eq!(dots(&merged), [(1, 1)], "{policy:?}");
        }
    }
    let (low, high) = (write(A, 1, 5, &[]), write(B, 1, 5, &[]));
    let merged =
        |mine: &Version, theirs: &Version, policy| dots(&state([mine]).merge(&state([theirs]), policy));
    assert_eq!(merged(&low, &high, Policy::LastWriteWins), [(2, 1)]);
    assert_eq!(merged(&high, &low, Policy::LastWriteWins), [(2, 1)]);
    assert_eq!(merged(&low, &high, Policy::LastWriteWinsFirstOfEquals), [(1, 1)]);
    assert_eq!(merged(&high, &low, Policy::LastWriteWinsFirstOfEquals), [(2, 1)]);
}

/// A bucket that has kept siblings until now and lets clocks decide from now on.
#[test]
fn siblings_kept_earlier_give_way_to_the_latest_when_something_is_merged() {
    let both = state([&write(A, 1, 5, &[]), &write(B, 1, 7, &[])]);
    for policy in LAST_WRITE_WINS {
        assert_eq!(dots(&both.merge(&state([&write(A, 2, 6, &[])]), policy)), [(2, 1)]);
        assert_eq!(both.merge(&Siblings::default(), policy), both, "nothing was merged");
        assert_eq!(both.merge(&both.clone(), policy), both, "nothing was merged");
    }
}

#[test]
fn a_museum_piece_cuts_pasts_and_nothing_else() {
    let seen: Vec<Dot> = (0..4).map(|mint| Dot { actor: Actor { mint, ..A }, counter: 1 }).collect();
    let cut = state([&write(B, 1, 0, &seen), &write(B, 2, 0, &[])]).pruned(2);
    assert_eq!(dots(&cut), [(2, 1), (2, 2)]);
    let kept = seen.iter().filter(|dot| cut.versions()[0].past.contains(**dot));
    assert_eq!(kept.count(), 2);
}
