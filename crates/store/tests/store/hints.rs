//! The hint index says, at all times, exactly which records are owed to whom.

use cartwheel_core::id::NodeId;
use cartwheel_core::replica::{Refused, Settled, Update};
use cartwheel_core::version::{Policy, Siblings};
use tempfile::TempDir;

use crate::support::{key, put, put_owed, start, values};

const HOME: NodeId = NodeId(0x0aff_ffff_ffff_ffff);
const OTHER: NodeId = NodeId(0x0b00_0000_0000_0000);

fn settle(home: NodeId, siblings: &Siblings, settled: Settled) -> Update {
    Update::Settle { home, delivered: siblings.digest(), settled }
}

#[test]
fn a_hint_survives_restarts_and_goes_when_it_is_settled() {
    let dir = TempDir::new().expect("a directory");
    let cart = key("alice");
    let store = start(dir.path());
    store.apply(&cart, put_owed(1, "milk", Some(HOME))).expect("stored").expect("applied");
    drop(store);

    let store = start(dir.path());
    let owed = store.owed_to(HOME, None, 10);
    assert_eq!(owed.len(), 1);
    let (owed_key, siblings) = &owed[0];
    assert_eq!((owed_key, values(siblings)), (&cart, vec!["milk".to_string()]));

    // A write in between: what was delivered is no longer what is here, the hint stays.
    store.apply(&cart, put(2, "bread")).expect("stored").expect("applied");
    store.apply(&cart, settle(HOME, siblings, Settled::DropRecord)).expect("stored").expect("applied");
    assert_eq!(store.keys_owed_to(HOME), std::slice::from_ref(&cart));

    let now = store.read(&cart).expect("readable");
    store.apply(&cart, settle(HOME, &now, Settled::DropRecord)).expect("stored").expect("applied");
    assert!(store.keys_owed_to(HOME).is_empty());
    assert!(store.read(&cart).expect("readable").is_empty(), "this node only stood in");
    store.close();
    assert!(start(dir.path()).keys_owed_to(HOME).is_empty());
}

#[test]
fn a_record_owed_to_two_homes_stays_until_both_have_it() {
    let dir = TempDir::new().expect("a directory");
    let cart = key("alice");
    let store = start(dir.path());
    let written =
        store.apply(&cart, put_owed(1, "milk", Some(HOME))).expect("stored").expect("applied").siblings;
    store.apply(&cart, Update::Owe { home: OTHER }).expect("stored").expect("applied");
    store.apply(&cart, settle(HOME, &written, Settled::DropRecord)).expect("stored").expect("applied");
    assert!(store.keys_owed_to(HOME).is_empty());
    assert_eq!(store.keys_owed_to(OTHER), std::slice::from_ref(&cart));
    assert!(store.read(&cart).expect("readable").is_found());
    store.apply(&cart, settle(OTHER, &written, Settled::KeepRecord)).expect("stored").expect("applied");
    assert!(store.keys_owed_to(OTHER).is_empty());
    assert!(store.read(&cart).expect("readable").is_found(), "this node is a home itself");
}

#[test]
fn a_merge_can_be_kept_as_a_hint() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let siblings = store.apply(&key("alice"), put(1, "milk")).expect("stored").expect("applied").siblings;
    let merge = Update::Merge { siblings, owed: Some(HOME), policy: Policy::KeepSiblings };
    store.apply(&key("bob"), merge).expect("stored").expect("applied");
    assert_eq!(store.keys_owed_to(HOME), [key("bob")]);
}

#[test]
fn a_scan_pages_in_key_order_and_stays_with_its_home() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let mut keys: Vec<_> = (0..25).map(|n| key(&n.to_string())).collect();
    for (n, key) in (1..).zip(&keys) {
        store.apply(key, put_owed(n, "milk", Some(HOME))).expect("stored").expect("applied");
        store.apply(key, Update::Owe { home: OTHER }).expect("stored").expect("applied");
    }
    keys.sort();
    let mut paged = Vec::new();
    loop {
        let page = store.owed_to(HOME, paged.last(), 10);
        paged.extend(page.iter().map(|(key, _)| key.clone()));
        if page.len() < 10 {
            break;
        }
    }
    assert_eq!(paged, keys);
    assert!(store.owed_to(HOME, None, 0).is_empty());
    assert!(store.keys_owed_to(NodeId(u64::MAX)).is_empty());
}

#[test]
fn nothing_is_owed_of_a_record_that_is_not_there() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let nothing = store.read(&key("alice")).expect("readable");
    assert_eq!(store.apply(&key("alice"), Update::Owe { home: HOME }), Ok(Err(Refused::NotFound)));
    let settle = settle(HOME, &nothing, Settled::DropRecord);
    assert_eq!(store.apply(&key("alice"), settle), Ok(Err(Refused::NotFound)));
    assert!(store.keys_owed_to(HOME).is_empty());
}
