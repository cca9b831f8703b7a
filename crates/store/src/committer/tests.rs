//! Batches whose content is known: the queue is filled before the committer looks at it.

use std::sync::{Arc, Mutex, mpsc};

use cartwheel_core::id::{NodeId, RequestId, StoreId};
use cartwheel_core::replica::Write;
use cartwheel_core::storage::StorageError;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Context, Policy, Value};
use tempfile::TempDir;

use super::*;
use crate::identity::Identity;
use crate::open::{Opened, Store};

fn opened(dir: &TempDir) -> Opened {
    let identity = Identity { cluster: "shop".into(), node: "alpha".into() };
    Store::open(dir.path(), &identity).expect("a fresh directory")
}

fn key(name: &str) -> Key {
    Key::new(b"carts", name.as_bytes())
}

/// The write of a client that has read nothing; `n` names the request.
fn put(n: u64, value: &[u8]) -> Update {
    Update::Coordinate {
        write: Arc::new(Write {
            request: RequestId(n.into()),
            context: Context::EMPTY,
            value: Value::Data(value.to_vec().into()).into(),
            written_at: WallTime(n),
        }),
        made: None,
        mint: Actor { node: NodeId(1), store: StoreId(1), boot: 1, mint: n },
        continuous_since: 1,
        past_entries_max: 10,
        owed: None,
        policy: Policy::KeepSiblings,
        flaw: None,
    }
}

/// Runs one committer over a queue of exactly `updates`, ticketed from 1; gives its completions.
fn committed(opened: &Opened, updates: Vec<(Key, Update)>) -> Vec<StorageCompletion> {
    let (queue, to_apply) = mpsc::channel();
    for (ticket, (key, update)) in (1..).map(Ticket).zip(updates) {
        queue.send(Apply { ticket, key, update }).expect("the other end is here");
    }
    drop(queue);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let completions: Completions = Arc::new(move |new| sink.lock().expect("no panic").extend(new));
    Committer::new(Arc::clone(&opened.engine), completions).run(&to_apply);
    std::mem::take(&mut *seen.lock().expect("no panic"))
}

fn watermarks(completions: &[StorageCompletion]) -> Vec<u64> {
    completions
        .iter()
        .filter_map(|completion| match completion {
            StorageCompletion::Synced { through } => Some(through.0),
            _ => None,
        })
        .collect()
}

fn failed(ticket: u64) -> StorageCompletion {
    refused_update(Ticket(ticket))
}

#[test]
fn updates_of_one_key_in_one_batch_see_each_other() {
    let dir = TempDir::new().expect("a directory");
    let opened = opened(&dir);
    let cart = key("alice");
    let home = NodeId(9);
    let updates = [put(1, b"milk"), put(2, b"bread"), Update::Owe { home }];
    let done = committed(&opened, updates.map(|update| (cart.clone(), update)).into());
    let counts: Vec<usize> = done
        .iter()
        .filter_map(|completion| match completion {
            StorageCompletion::Applied { result: Ok(Ok(change)), .. } => {
                Some(change.siblings.versions().len())
            }
            _ => None,
        })
        .collect();
    assert_eq!(counts, [1, 2, 2]);
    assert_eq!(watermarks(&done), [3], "one batch, one sync");
    let record = opened.engine.read(&cart).expect("readable").expect("stored");
    let counters: Vec<u64> = record.siblings.versions().iter().map(|version| version.dot.counter).collect();
    assert_eq!(counters, [1, 2], "one actor went on counting");
    assert_eq!(record.owed, [home]);
    assert_eq!(opened.engine.commits(), 1);
}

#[test]
fn a_long_queue_is_cut_into_batches_with_rising_watermarks() {
    let dir = TempDir::new().expect("a directory");
    let opened = opened(&dir);
    let many = u64::try_from(2 * BATCH_UPDATES_MAX + 1).expect("small");
    let updates = (1..=many).map(|n| (key(&n.to_string()), put(n, b"milk"))).collect();
    assert_eq!(watermarks(&committed(&opened, updates)), [512, 1_024, 1_025]);
    let large = vec![0; BATCH_BYTES_MAX / 2];
    let updates = (1..=5).map(|n| (key("large"), put(many + n, &large))).collect();
    assert_eq!(watermarks(&committed(&opened, updates)), [2, 4, 5], "a full MiB closes a batch");
}

#[test]
fn a_repeated_request_changes_nothing_and_is_durable_without_another_commit() {
    let dir = TempDir::new().expect("a directory");
    let opened = opened(&dir);
    committed(&opened, vec![(key("alice"), put(1, b"milk"))]);
    let again = committed(&opened, vec![(key("alice"), put(1, b"milk"))]);
    assert_eq!(watermarks(&again), [1]);
    assert_eq!(opened.engine.commits(), 1);
}

/// A home is asked whether it holds a state durably: a yes covers everything that was applied before.
#[test]
fn a_confirmation_is_durable_after_what_came_before_it() {
    let dir = TempDir::new().expect("a directory");
    let opened = opened(&dir);
    let updates = vec![(key("alice"), put(1, b"milk")), (key("alice"), Update::Confirm)];
    assert_eq!(watermarks(&committed(&opened, updates)), [2], "in one batch");
    assert_eq!(watermarks(&committed(&opened, vec![(key("alice"), Update::Confirm)])), [1], "alone");
    assert_eq!(watermarks(&committed(&opened, vec![(key("bob"), Update::Confirm)])), [1], "of nothing");
    assert_eq!(opened.engine.commits(), 1);
}

#[test]
fn a_merge_that_changes_nothing_is_durable_without_another_commit() {
    let dir = TempDir::new().expect("a directory");
    let opened = opened(&dir);
    committed(&opened, vec![(key("alice"), put(1, b"milk"))]);
    let siblings = opened.engine.read(&key("alice")).expect("readable").expect("stored").siblings;
    let merge = Update::Merge { siblings, owed: None, policy: Policy::KeepSiblings };
    assert_eq!(watermarks(&committed(&opened, vec![(key("alice"), merge)])), [1]);
    assert_eq!(opened.engine.commits(), 1);
}

#[test]
fn a_refused_update_awaits_no_sync() {
    let dir = TempDir::new().expect("a directory");
    let opened = opened(&dir);
    let done = committed(&opened, vec![(key("nobody"), Update::Owe { home: NodeId(2) })]);
    let refused = Ok(Err(cartwheel_core::replica::Refused::NotFound));
    assert_eq!(done, [StorageCompletion::Applied { ticket: Ticket(1), result: refused }]);
}

#[test]
fn after_a_failed_sync_everything_is_refused() {
    let dir = TempDir::new().expect("a directory");
    let opened = opened(&dir);
    opened.faults().fail_syncs();
    let done = committed(&opened, vec![(key("alice"), put(1, b"milk"))]);
    assert!(matches!(done[0], StorageCompletion::Applied { result: Ok(Ok(_)), .. }));
    assert_eq!(done[1..], [StorageCompletion::SyncFailed], "applied, and nothing said about its durability");
    assert_eq!(committed(&opened, vec![(key("bob"), put(2, b"bread"))]), [failed(1)]);
    assert_eq!(opened.engine.read(&key("alice")), Err(StorageError::Failed));
    assert_eq!(opened.engine.scan_hints(NodeId(2), None, 1), Err(StorageError::Failed));
}

#[test]
fn a_failed_commit_fails_its_whole_batch_and_all_that_follow() {
    let dir = TempDir::new().expect("a directory");
    let opened = opened(&dir);
    opened.faults().fail_commits();
    let done = committed(&opened, vec![(key("alice"), put(1, b"milk")), (key("bob"), put(2, b"bread"))]);
    assert_eq!(done, [failed(1), failed(2), StorageCompletion::SyncFailed]);
    assert_eq!(committed(&opened, vec![(key("alice"), put(3, b"milk"))]), [failed(1)]);
}

#[test]
fn an_update_that_makes_a_record_unreadable_is_refused_alone() {
    let dir = TempDir::new().expect("a directory");
    let opened = opened(&dir);
    let too_large = vec![0; cartwheel_wire::limits::RECORD_BYTES_MAX];
    let long = Key::new(b"carts", &vec![b'k'; cartwheel_wire::limits::KEY_BYTES_MAX]);
    let updates = vec![
        (key("alice"), put(1, b"milk")),
        (key("alice"), put(2, &too_large)),
        (long.clone(), put(3, b"milk")),
    ];
    let done = committed(&opened, updates);
    assert!(matches!(done[0], StorageCompletion::Applied { result: Ok(Ok(_)), .. }));
    assert!(done.contains(&failed(2)) && done.contains(&failed(3)), "{done:?}");
    let record = opened.engine.read(&key("alice")).expect("readable").expect("stored");
    assert_eq!(record.siblings.versions().len(), 1);
    assert_eq!(opened.engine.read(&long), Err(StorageError::Failed));
}
