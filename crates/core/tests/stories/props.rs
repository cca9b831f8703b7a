//! Stories of buckets that are not like others.

use cartwheel_core::membership::{Bucket, Props};
use cartwheel_core::version::Context;
use cartwheel_core::{AdminOp, ClientError, Event, Invalid, Quorum, QuorumKind, ReadOptions, WriteOptions};

use crate::lab::{Lab, key};
use crate::{LONG, SHORT};

fn set(lab: &mut Lab, node: u64, props: Props) {
    lab.administer(node, AdminOp::SetProps { bucket: Bucket::of(&key()), props });
}

/// A lab in which everybody has heard of `props`.
fn lab_with(props: Props) -> Lab {
    let mut lab = Lab::new(5);
    set(&mut lab, 4, props.clone());
    lab.pass(LONG);
    assert_eq!((1..=5).map(|node| lab.props(node)).collect::<Vec<_>>(), vec![props; 5]);
    lab
}

/// Writes `bread` at n1 and `eggs` at n2, a little later, while they do not hear each other; n3 hears both.
fn write_apart(lab: &mut Lab) {
    let one = || WriteOptions { w: Quorum::One, ..WriteOptions::default() };
    lab.cut.insert(2);
    lab.put_with(1, "bread", one());
    lab.cut = [1].into();
    lab.pass(SHORT);
    lab.put_with(2, "eggs", one());
    lab.cut.clear();
}

#[test]
fn a_bucket_of_one_value_keeps_siblings_shows_the_latest_and_the_next_write_replaces_them_all() {
    let mut lab = lab_with(Props { allow_mult: Some(false), ..Props::default() });
    write_apart(&mut lab);
    let (mut held, _) = lab.disk(3);
    held.sort();
    assert_eq!(held, ["bread", "eggs"], "no merge drops one");
    let read = lab.get(4, Quorum::Default);
    assert_eq!(lab.values(read), ["eggs"]);
    let context = lab.reply(read).unwrap().as_ref().unwrap().context();
    lab.put(1, "bread eggs", context);
    lab.pass(LONG);
    for node in 1..=3 {
        assert_eq!(lab.disk(node).0, ["bread eggs"]);
    }
}

#[test]
fn in_a_bucket_of_one_value_a_write_that_has_seen_nothing_replaces_what_its_coordinator_holds() {
    let mut lab = lab_with(Props { allow_mult: Some(false), ..Props::default() });
    lab.put(1, "bread", Context::EMPTY);
    lab.put(2, "eggs", Context::EMPTY);
    assert_eq!(lab.disk(3).0, ["eggs"], "versions that nobody is shown do not pile up");
}

#[test]
fn last_write_wins_drops_what_was_acknowledged_and_every_node_says_so_beforehand() {
    let mut lab = lab_with(Props { last_write_wins: Some(true), ..Props::default() });
    assert_eq!(lab.saw(|event| matches!(event, Event::LastWriteWins { .. })), 5, "once at each node");
    write_apart(&mut lab);
    assert_eq!(lab.disk(3).0, ["eggs"]);
}

#[test]
fn a_bucket_may_have_fewer_homes_and_the_others_get_their_copies_later() {
    let mut lab = lab_with(Props { n_val: Some(1), ..Props::default() });
    let put = lab.put(1, "milk", Context::EMPTY);
    let by: Vec<u64> = lab.reply(put).unwrap().as_ref().unwrap().by.iter().map(|node| node.0).collect();
    assert_eq!(by, [1], "a majority of one");
    assert_eq!((lab.disk(2).0, lab.disk(3).0), (vec![], vec![]));
    let two = lab.get(4, Quorum::Count(2));
    let beyond = ClientError::Invalid(Invalid::Quorum { asked: 2, n: 1 });
    assert_eq!(lab.reply(two), Some(&Err(beyond)));
    lab.pass(6 * LONG);
    assert_eq!((lab.disk(2).0, lab.disk(3).0), (vec!["milk".into()], vec!["milk".into()]));
}

#[test]
fn quorums_of_a_bucket_hold_where_a_request_names_none() {
    let all = Some(Quorum::All);
    let mut lab = lab_with(Props { pw: all, pr: all, ..Props::default() });
    lab.cut.insert(3);
    let careful = lab.put(1, "milk", Context::EMPTY);
    let bold =
        lab.put_with(1, "bread", WriteOptions { pw: Some(Quorum::Count(0)), ..WriteOptions::default() });
    lab.pass(LONG);
    let refused = |result: Option<&Result<_, ClientError>>, kind| match result {
        Some(Err(ClientError::QuorumUnmet { quorum, needed: 3, got: 2 })) => *quorum == kind,
        Some(Err(ClientError::Timeout { needed: 3, got: 2 })) => true,
        _ => false,
    };
    assert!(refused(lab.reply(careful), QuorumKind::Pw), "{:?}", lab.reply(careful));
    assert!(lab.reply(bold).unwrap().is_ok());
    let careful = lab.get(4, Quorum::Default);
    let bold = lab.get_as(4, ReadOptions { pr: Some(Quorum::Count(0)), ..ReadOptions::default() });
    lab.pass(LONG);
    assert!(refused(lab.reply(careful), QuorumKind::Pr), "{:?}", lab.reply(careful));
    assert!(lab.reply(bold).unwrap().is_ok());
}

#[test]
fn properties_set_on_two_sides_of_a_partition_come_to_one() {
    let mut lab = Lab::new(5);
    lab.cut.insert(1);
    set(&mut lab, 1, Props { n_val: Some(2), ..Props::default() });
    set(&mut lab, 5, Props { r: Some(Quorum::One), ..Props::default() });
    lab.pass(LONG);
    assert_ne!(lab.props(1), lab.props(5));
    lab.cut.clear();
    lab.pass(LONG);
    for node in 1..=5 {
        let of_the_higher = Props { r: Some(Quorum::One), ..Props::default() };
        assert_eq!(lab.props(node), of_the_higher, "n{node}: the higher name wins, whole");
    }
    lab.administer(2, AdminOp::ResetProps { bucket: Bucket::of(&key()) });
    lab.pass(LONG);
    assert!((1..=5).all(|node| lab.props(node) == Props::default()));
}

#[test]
fn properties_are_said_to_be_set_once_they_are_on_the_disk() {
    let mut lab = Lab::new(3);
    let props = Props { n_val: Some(2), ..Props::default() };
    lab.broken.insert(1);
    set(&mut lab, 1, props.clone());
    assert!(lab.log.iter().any(|line| line.starts_with("n1 refuses: ")), "{:?}", lab.log);
    lab.log.clear();
    set(&mut lab, 2, props.clone());
    set(&mut lab, 2, props.clone());
    let told = lab.log.iter().filter(|line| *line == "n2 has nothing staged").count();
    assert_eq!(told, 2, "what is set already is on the disk already: {:?}", lab.log);
    lab.restart(2);
    assert_eq!(lab.props(2), props);
    set(&mut lab, 2, Props { n_val: Some(4), ..Props::default() });
    let refused = "n2 refuses: n_val = 4: allowed are 1..=3 (the cluster's n)";
    assert_eq!(lab.log.last().map(String::as_str), Some(refused));
}
