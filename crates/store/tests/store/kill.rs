//! kill -9 of a real process, at several points: whatever it had reported as synced is there, the index of tombstones
//! names exactly the tombstones, and the cluster's state is one that was saved, no older than the last one reported.
//!
//! The child is this test binary, told by an environment variable to write instead of to test.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cartwheel_core::Key;
use cartwheel_core::membership::Cluster;
use cartwheel_core::storage::{StorageCompletion, StorageOp};
use cartwheel_core::version::Siblings;
use tempfile::TempDir;

use crate::kept::{cluster, save};
use crate::support::{Running, delete, key, open, put, start, values};

const CHILD_DIRECTORY: &str = "CARTWHEEL_STORE_KILL_CHILD";
const TEST: &str = "kill::what_was_synced_survives_kill_9";
/// What precedes a ticket on the child's output, which the test harness shares.
const SYNCED: &str = "synced ";
/// What precedes the count of a cluster state that was reported as kept.
const KEPT: &str = "kept ";
/// Writes in flight at a time.
const IN_FLIGHT: u64 = 40;

#[test]
fn what_was_synced_survives_kill_9() {
    if let Some(dir) = std::env::var_os(CHILD_DIRECTORY) {
        write_for_ever(&PathBuf::from(dir));
    }
    let dir = TempDir::new().expect("a directory");
    for (round, kill_after) in [1, 60, 700, 25, 350].into_iter().enumerate() {
        let Reported { through, kept } = killed_child(dir.path(), kill_after);
        assert!(through >= kill_after, "the child wrote");
        let opened = open(dir.path());
        // Each child opens once, each round opens twice more: here and below.
        assert_eq!(opened.number, 3 * round as u64 + 2);
        assert_eq!(opened.continuous_since, opened.number, "a kill is not a clean stop");
        let childs_boot = opened.number - 1;
        let state = opened.cluster.as_ref().map_or(0, |cluster| cluster.staged.count);
        assert!(state >= kept, "state {state}, although {kept} was kept");
        drop(opened);
        let store = start(dir.path());
        for ticket in (1..=through).filter(|ticket| !ticket.is_multiple_of(7)) {
            let name = name(childs_boot, ticket);
            let siblings = store.read(&key(&name)).expect("readable");
            let expected = if is_delete(ticket) { vec![] } else { vec![name] };
            assert_eq!(values(&siblings), expected, "one of {through} is gone");
            assert!(!siblings.is_empty(), "one of {through} is gone");
        }
        let mut graves: Vec<Key> = (1..=through + IN_FLIGHT)
            .map(|ticket| key(&name(childs_boot, ticket)))
            .filter(|key| store.read(key).is_ok_and(|it| !it.is_empty() && !it.is_found()))
            .collect();
        graves.sort();
        let indexed = store.tombstones().into_iter().filter(|key| graves.contains(key)).collect::<Vec<_>>();
        assert_eq!(indexed, graves);
        let all_graves = store.tombstones();
        assert!(all_graves.iter().all(|key| store.read(key).is_ok_and(|it| !it.is_found())));
    }
}

/// What a child had said before its death.
#[derive(Default)]
struct Reported {
    /// The last ticket that was synced.
    through: u64,
    /// The last cluster state that was kept.
    kept: u64,
}

/// Starts a child, kills it once it has reported `kill_after` or more.
fn killed_child(dir: &Path, kill_after: u64) -> Reported {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", TEST, "--nocapture"])
        .env(CHILD_DIRECTORY, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let mut reported = Reported::default();
    // After the kill the pipe still holds what the child had reported: all of it counts.
    for line in output.lines() {
        let line = line.expect("text");
        let number = |prefix| line.strip_prefix(prefix).and_then(|number: &str| number.parse().ok());
        reported.through = number(SYNCED).unwrap_or(reported.through);
        reported.kept = number(KEPT).unwrap_or(reported.kept);
        if reported.through >= kill_after {
            // A second kill of a dead child is refused or ignored; both will do.
            drop(child.kill());
        }
    }
    child.wait().expect("it is ours");
    reported
}

/// Every third write is a delete.
fn is_delete(ticket: u64) -> bool {
    ticket.is_multiple_of(3)
}

/// The cluster state that a child of that boot keeps as its `n`th.
fn state(boot: u64, n: u64) -> Cluster {
    let mut state = cluster(3);
    state.staged.count = boot * 1_000_000 + n;
    state
}

/// The key and the value of the write that a child of that boot makes under `ticket`.
fn name(boot: u64, ticket: u64) -> String {
    format!("{boot}-{ticket}")
}

/// The child: keeps writes in flight and reports each watermark.
fn write_for_ever(dir: &Path) -> ! {
    let opened = open(dir);
    let boot = opened.number;
    let store = Running::start(opened);
    let mut stdout = std::io::stdout();
    let (mut submitted, mut through, mut states, mut kept) = (0, 0, 0, 0);
    writeln!(stdout).expect("the parent reads");
    loop {
        while submitted < through + IN_FLIGHT {
            submitted += 1;
            // Every seventh ticket is a cluster state's.
            if submitted.is_multiple_of(7) {
                states += 1;
                store.submit(save(state(boot, states)));
                continue;
            }
            let name = name(boot, submitted);
            let write = put(submitted, &name);
            let update =
                if is_delete(submitted) { delete(submitted, &Siblings::default(), None) } else { write };
            store.submit(StorageOp::Apply { key: key(&name), update });
        }
        for completion in store.receive() {
            match completion {
                StorageCompletion::Synced { through: now } => {
                    through = now.0;
                    writeln!(stdout, "{SYNCED}{through}").expect("the parent reads");
                }
                StorageCompletion::Saved { result: Ok(()), .. } => {
                    kept += 1;
                    writeln!(stdout, "{KEPT}{}", state(boot, kept).staged.count).expect("the parent reads");
                }
                _ => {}
            }
            stdout.flush().expect("the parent reads");
        }
    }
}
