//! What was synced is there after a stop of any kind; what was applied is seen.

use cartwheel_core::storage::{StorageCompletion, StorageOp, Ticket};
use tempfile::TempDir;

use crate::support::{key, put, start, values};

#[test]
fn a_write_is_there_after_a_clean_stop_and_after_an_unclean_one() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    store.apply(&key("alice"), put(1, "milk")).expect("stored").expect("applied");
    store.close();
    let store = start(dir.path());
    assert_eq!(values(&store.read(&key("alice")).expect("readable")), ["milk"]);
    store.apply(&key("alice"), put(2, "bread")).expect("stored").expect("applied");
    drop(store);
    let store = start(dir.path());
    assert_eq!(values(&store.read(&key("alice")).expect("readable")), ["bread", "milk"]);
    assert!(store.read(&key("bob")).expect("readable").is_empty(), "nothing was ever written there");
}

/// Contract, point 1. Many rounds, because the threads race.
#[test]
fn a_read_sees_every_update_whose_completion_was_handed_out() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    for n in 1..=200 {
        let (cart, before) = (key("alice"), usize::try_from(n).expect("small"));
        let ticket = store.submit(StorageOp::Apply { key: cart.clone(), update: put(n, &n.to_string()) });
        // The applied comes first; the sync is not waited for.
        let applied = store.receive();
        assert!(matches!(applied[..], [StorageCompletion::Applied { ticket: of, .. }] if of == ticket));
        let read = store.submit(StorageOp::Read { key: cart });
        let (mut synced, mut seen) = (false, None);
        while !synced || seen.is_none() {
            for completion in store.receive() {
                match completion {
                    StorageCompletion::Synced { through } => synced = through == ticket,
                    StorageCompletion::Read { ticket, result } if ticket == read => seen = Some(result),
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
        assert_eq!(seen.expect("answered").expect("readable").versions().len(), before);
    }
}

/// Contract, points 2 and 3.
#[test]
fn each_of_many_requests_completes_once_and_the_watermark_rises_to_the_last() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    let last = (1..=2_000)
        .map(|n| store.submit(StorageOp::Apply { key: key(&(n % 300).to_string()), update: put(n, "milk") }))
        .last();
    let (mut applied, mut through): (Vec<Ticket>, _) = (Vec::new(), Ticket(0));
    while Some(through) != last {
        for completion in store.receive() {
            match completion {
                StorageCompletion::Applied { ticket, result } => {
                    result.expect("stored").expect("applied");
                    applied.push(ticket);
                }
                StorageCompletion::Synced { through: now } => {
                    assert!(now > through, "the watermark rises");
                    assert_eq!(applied.last(), Some(&now), "it covers what was applied, and nothing else");
                    through = now;
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }
    assert!(applied.iter().copied().eq((1..=2_000).map(Ticket)), "each once, in order");
}

#[test]
fn a_clean_stop_carries_out_what_is_queued() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    for n in 1..=1_000 {
        store.submit(StorageOp::Apply { key: key(&n.to_string()), update: put(n, "milk") });
    }
    store.close();
    let store = start(dir.path());
    for n in 1..=1_000 {
        assert!(store.read(&key(&n.to_string())).expect("readable").is_found(), "{n}");
    }
}
