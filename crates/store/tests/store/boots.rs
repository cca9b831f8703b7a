//! What the core is told of a start: which store, the how-manieth boot, continuous since when.

use std::fs;
use std::path::Path;

use cartwheel_store::CloseError;
use tempfile::TempDir;

use crate::support::{Running, identity, key, open, put, start};

/// Store id, boot number, continuous since; and a stop by a crash.
fn boot(dir: &Path) -> (u64, u64, u64) {
    let opened = open(dir);
    (opened.store.0, opened.number, opened.continuous_since)
}

fn boot_and_close(dir: &Path) -> (u64, u64, u64) {
    let opened = open(dir);
    let seen = (opened.store.0, opened.number, opened.continuous_since);
    Running::start(opened).close();
    seen
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("created");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("listed");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

#[test]
fn clean_stops_are_continuous_and_a_crash_is_not() {
    let dir = TempDir::new().expect("a directory");
    let (store, number, since) = boot_and_close(dir.path());
    assert_eq!((number, since), (1, 1));
    assert_eq!(boot_and_close(dir.path()), (store, 2, 1));
    assert_eq!(boot(dir.path()), (store, 3, 1), "the stop before it was clean");
    assert_eq!(boot_and_close(dir.path()), (store, 4, 4), "its marker had been consumed");
    assert_eq!(boot(dir.path()), (store, 5, 4));
}

#[test]
fn a_running_store_that_is_dropped_has_crashed() {
    let dir = TempDir::new().expect("a directory");
    let store = start(dir.path());
    store.apply(&key("alice"), put(1, "milk")).expect("stored").expect("applied");
    drop(store);
    let (_, number, since) = boot(dir.path());
    assert_eq!((number, since), (2, 2));
}

#[test]
fn a_store_that_failed_leaves_no_marker() {
    let dir = TempDir::new().expect("a directory");
    let opened = open(dir.path());
    let faults = opened.faults();
    let store = Running::start(opened);
    faults.fail_syncs();
    assert!(matches!(store.into_handle().close(), Err(CloseError::Failed)));
    let (_, number, since) = boot(dir.path());
    assert_eq!((number, since), (2, 2));
}

#[test]
fn two_stores_have_two_ids() {
    let (one, two) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
    assert_ne!(boot(one.path()).0, boot(two.path()).0);
}

#[test]
fn a_store_whose_engine_was_deleted_is_another_store() {
    let dir = TempDir::new().expect("a directory");
    let (store, ..) = boot_and_close(dir.path());
    fs::remove_dir_all(dir.path().join("engine")).expect("removed");
    let (reborn, number, since) = boot_and_close(dir.path());
    assert_ne!(reborn, store);
    assert_eq!((number, since), (2, 2), "although the stop was clean");
    assert_eq!(boot(dir.path()).0, reborn, "and stays what it has become");
}

#[test]
fn a_store_whose_boot_file_was_deleted_is_another_store() {
    let dir = TempDir::new().expect("a directory");
    let (store, ..) = boot_and_close(dir.path());
    fs::remove_file(dir.path().join("boot")).expect("removed");
    let (reborn, ..) = boot(dir.path());
    assert_ne!(reborn, store);
}

/// An old copy of the engine, be it by a restore or by a journal that was cut in the middle.
#[test]
fn a_store_whose_engine_lost_durable_commits_is_another_store() {
    let dir = TempDir::new().expect("a directory");
    let (store, ..) = boot_and_close(dir.path());
    let old = TempDir::new().expect("a directory");
    copy(&dir.path().join("engine"), old.path());
    let running = start(dir.path());
    running.apply(&key("alice"), put(1, "milk")).expect("stored").expect("applied");
    running.close();
    assert_eq!(boot(dir.path()).0, store, "nothing is wrong so far");

    fs::remove_dir_all(dir.path().join("engine")).expect("removed");
    copy(old.path(), &dir.path().join("engine"));
    let (reborn, number, since) = boot(dir.path());
    assert_ne!(reborn, store);
    assert_eq!(number, since);
    assert_eq!(boot(dir.path()).0, reborn);
}

#[test]
fn the_identity_file_can_be_read_by_a_human() {
    let dir = TempDir::new().expect("a directory");
    let (store, ..) = boot(dir.path());
    let text = fs::read_to_string(dir.path().join("identity")).expect("text");
    let identity = identity();
    for line in [
        "format = 1".to_string(),
        format!("cluster = {}", identity.cluster),
        format!("node = {}", identity.node),
        format!("store = {store:016x}"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} in {text}");
    }
}
