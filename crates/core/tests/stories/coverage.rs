//! Stories of a listing.

use std::collections::BTreeSet;
use std::time::Duration;

use cartwheel_core::Key;
use cartwheel_core::coverage::{
    CoverageError, CoverageMessage, CoverageOp, Entry, Listing, Query, Scan, Span,
};
use cartwheel_core::id::OpId;
use cartwheel_core::membership::Bucket;
use cartwheel_core::message::Message;
use cartwheel_core::ring::Partition;
use cartwheel_core::version::Value;

use crate::lab::Lab;
use crate::{LONG, SHORT};

fn bucket(name: &str) -> Bucket {
    Bucket { bucket_type: Key::DEFAULT_TYPE.to_vec(), name: name.into() }
}

fn all(query: Query) -> Listing {
    Listing { query, after: None, limit: None, timeout: None }
}

fn keys_of(name: &str) -> Listing {
    all(Query::Keys { bucket: bucket(name), span: Span::default() })
}

fn name(number: u32) -> String {
    format!("{number:05}")
}

/// Numbers are keys and values: of `carts` those that are even, of `orders` the others.
fn fill(lab: &mut Lab, count: u32) {
    for number in 0..count {
        let bucket = if number % 2 == 0 { "carts" } else { "orders" };
        let key = Key::new(bucket.as_bytes(), name(number).as_bytes());
        lab.put_key(1 + u64::from(number % 3), key, Value::Data(name(number).into()));
    }
}

fn texts(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| String::from_utf8_lossy(&entry.key).into_owned()).collect()
}

fn even(count: u32) -> Vec<String> {
    (0..count).filter(|number| number % 2 == 0).map(name).collect()
}

fn asked(lab: &Lab) -> usize {
    lab.log.iter().filter(|line| line.contains("what do you hold")).count()
}

#[test]
fn every_key_of_a_bucket_is_listed_once_in_order_whoever_is_asked() {
    let mut lab = Lab::new(5);
    fill(&mut lab, 400);
    for node in 1..=5 {
        lab.log.clear();
        let call = lab.list(node, keys_of("carts"));
        assert_eq!(texts(&lab.take_all(node, call).unwrap()), even(400), "asked n{node}");
        assert!(
            asked(&lab) <= 2,
            "three of five nodes hold everything, and the first is the one that was asked"
        );
        assert_eq!(lab.listings(node), 0);
    }
}

#[test]
fn deleted_keys_are_not_there_and_buckets_without_keys_neither() {
    let mut lab = Lab::new(3);
    fill(&mut lab, 20);
    lab.put_key(1, Key::new(b"lists", b"only"), Value::Data("x".into()));
    let buckets = |lab: &mut Lab| {
        let call = lab.list(2, all(Query::Buckets { bucket_type: "default".into() }));
        texts(&lab.take_all(2, call).unwrap())
    };
    assert_eq!(buckets(&mut lab), ["carts", "lists", "orders"]);
    // A delete that has seen what it deletes.
    let read = lab.get_key(1, Key::new(b"lists", b"only"));
    let context = lab.reply(read).unwrap().as_ref().unwrap().context();
    lab.delete_key(1, Key::new(b"lists", b"only"), context);
    assert_eq!(buckets(&mut lab), ["carts", "orders"]);
    let call = lab.list(1, keys_of("lists"));
    assert_eq!(lab.take_all(1, call), Ok(vec![]));
}

#[test]
fn nothing_is_asked_before_the_last_part_was_taken() {
    let mut lab = Lab::new(5);
    fill(&mut lab, 5_000);
    lab.log.clear();
    let call = lab.list(1, keys_of("carts"));
    lab.pass(SHORT);
    let before = asked(&lab);
    lab.pass(LONG);
    assert_eq!(asked(&lab), before, "the caller has its part, and does nothing");
    assert_eq!(texts(&lab.take_all(1, call).unwrap()), even(5_000));
    assert!(asked(&lab) > before);
}

#[test]
fn what_a_silent_node_still_owes_others_are_asked_for() {
    let mut lab = Lab::new(5);
    fill(&mut lab, 6_000);
    let call = lab.list(1, keys_of("carts"));
    let plan: BTreeSet<u64> =
        (2..=5).filter(|node| lab.log.iter().any(|line| is_asked(line, *node))).collect();
    assert!(!plan.is_empty(), "somebody else is asked, too");
    // After it gave a page or more.
    lab.cut.extend(plan);
    assert_eq!(texts(&lab.take_all(1, call).unwrap()), even(6_000));
}

fn is_asked(line: &str, node: u64) -> bool {
    line.starts_with(&format!("n1 > n{node}: what do you hold"))
}

#[test]
fn a_message_that_gets_lost_is_sent_again() {
    let mut lab = Lab::new(5);
    fill(&mut lab, 40);
    lab.silent.insert(1);
    let call = lab.list(1, keys_of("carts"));
    lab.silent.clear();
    assert_eq!(texts(&lab.take_all(1, call).unwrap()), even(40));
    let nodes = (2..=5).filter(|node| lab.log.iter().any(|line| is_asked(line, *node))).count();
    assert_eq!(asked(&lab), nodes, "each is asked once more, and nobody stands in");
}

#[test]
fn without_a_home_that_answers_there_is_no_list() {
    let mut lab = Lab::new(5);
    fill(&mut lab, 40);
    lab.cut.extend([2, 3, 4]);
    let call = lab.list(1, keys_of("carts"));
    let error = lab.take_all(1, call).unwrap_err();
    assert!(matches!(error, CoverageError::Uncovered { .. }), "{error:?}");
    assert_eq!(lab.listings(1), 0);
    // Suspected by now: nobody waits for them.
    lab.pass(LONG);
    let call = lab.list(1, keys_of("carts"));
    assert!(lab.parts[&call][0].is_err());
}

#[test]
fn a_node_whose_disk_fails_is_passed_over() {
    let mut lab = Lab::new(5);
    fill(&mut lab, 40);
    lab.broken.insert(1);
    let call = lab.list(1, keys_of("carts"));
    assert_eq!(texts(&lab.take_all(1, call).unwrap()), even(40));
}

#[test]
fn a_home_that_lost_its_disk_is_not_asked_before_it_holds_again_what_it_should() {
    let mut lab = Lab::new(5);
    fill(&mut lab, 40);
    // So that it cannot be filled.
    lab.cut.insert(3);
    lab.lose_disk(2);
    lab.pass(LONG);
    assert!(lab.recovering(2) > 0);
    for node in [1, 2, 4, 5] {
        let call = lab.list(node, keys_of("carts"));
        assert_eq!(texts(&lab.take_all(node, call).unwrap()), even(40), "asked n{node}");
    }
}

#[test]
fn pages_of_an_index_follow_each_other_without_gap_or_repetition() {
    let mut lab = Lab::new(5);
    fill(&mut lab, 100);
    for number in 0..10 {
        let key = Key::new(b"carts", format!("same-{number}").as_bytes());
        lab.put_key(1, key, Value::Data(name(20).into()));
    }
    let span = Span { from: name(10).into(), to: Some(name(30).into()) };
    let query = Query::Index { bucket: bucket("carts"), field: "value".into(), span };
    let call = lab.list(3, all(query.clone()));
    let whole = lab.take_all(3, call).unwrap();
    assert_eq!(whole.len(), 11 + 10);
    assert!(whole.is_sorted());
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let listing = Listing { query: query.clone(), after, limit: Some(4), timeout: None };
        let call = lab.list(3, listing);
        let page = lab.take_all(3, call).unwrap();
        assert!(page.len() <= 4);
        pages.extend(page.clone());
        after = page.last().cloned();
        if page.len() < 4 {
            break;
        }
    }
    assert_eq!(pages, whole);
}

#[test]
fn time_is_up_also_for_one_that_nobody_takes_further() {
    let mut lab = Lab::new(5);
    fill(&mut lab, 5_000);
    let listing = Listing { timeout: Some(Duration::from_millis(500)), ..keys_of("carts") };
    let call = lab.list(1, listing.clone());
    lab.pass(LONG);
    assert_eq!(lab.parts[&call].last(), Some(&Err(CoverageError::Timeout)));
    lab.cut.extend([2, 3, 4, 5]);
    let call = lab.list(1, listing);
    assert_eq!(lab.take_all(1, call), Err(CoverageError::Timeout));
    assert_eq!(lab.listings(1), 0);
}

#[test]
fn one_that_is_given_up_leaves_nothing_behind() {
    let mut lab = Lab::new(5);
    fill(&mut lab, 40);
    lab.cut.extend([2, 3, 4, 5]);
    let call = lab.list(1, keys_of("carts"));
    assert_eq!(lab.listings(1), 1);
    lab.go_on(1, call, CoverageOp::Cancel);
    lab.cut.clear();
    lab.pass(LONG);
    assert_eq!((lab.listings(1), lab.parts.get(&call)), (0, None));
}

#[test]
fn nobody_answers_for_what_it_does_not_keep() {
    let mut lab = Lab::new(5);
    let partitions: Vec<Partition> = (0..65).map(Partition).collect();
    let query = Query::Buckets { bucket_type: "default".into() };
    let scan = Box::new(Scan { query, partitions: partitions.into(), after: None, limit: 10 });
    lab.deliver(2, 1, Message::Coverage(CoverageMessage::Ask { op: OpId(1), n: 3, scan }));
    let line = lab.log.iter().find(|line| line.starts_with("n1 > n2: NotHere")).expect("it refuses");
    assert!(line.contains("Partition(64)"), "of a ring of 64: {line}");
}
