//! kill -9 of a real process, at several points: whatever it had reported as synced is there.
//!
//! The child is this test binary, told by an environment variable to write instead of to test.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cartwheel_core::storage::{StorageCompletion, StorageOp};
use tempfile::TempDir;

use crate::support::{Running, key, open, put, start, values};

const CHILD_DIRECTORY: &str = "CARTWHEEL_STORE_KILL_CHILD";
const TEST: &str = "kill::what_was_synced_survives_kill_9";
/// What precedes a ticket on the child's output, which the test harness shares.
const SYNCED: &str = "synced ";
/// Writes in flight at a time.
const IN_FLIGHT: u64 = 40;

#[test]
fn what_was_synced_survives_kill_9() {
    if let Some(dir) = std::env::var_os(CHILD_DIRECTORY) {
        write_for_ever(&PathBuf::from(dir));
    }
    let dir = TempDir::new().expect("a directory");
    for (round, kill_after) in [1, 60, 700, 25, 350].into_iter().enumerate() {
        let through = killed_child(dir.path(), kill_after);
        assert!(through >= kill_after, "the child wrote");
        let opened = open(dir.path());
        // Each child opens once, each round opens twice more: here and below.
        assert_eq!(opened.number, 3 * round as u64 + 2);
        assert_eq!(opened.continuous_since, opened.number, "a kill is not a clean stop");
        let childs_boot = opened.number - 1;
        drop(opened);
        let store = start(dir.path());
        for ticket in 1..=through {
            let name = name(childs_boot, ticket);
            let siblings = store.read(&key(&name)).expect("readable");
            assert_eq!(values(&siblings), [name], "one of {through} is gone");
        }
    }
}

/// Starts a child, kills it once it has reported `kill_after` or more, gives the last ticket that it reported.
fn killed_child(dir: &Path, kill_after: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", TEST, "--nocapture"])
        .env(CHILD_DIRECTORY, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let mut through = 0;
    // After the kill the pipe still holds what the child had reported: all of it counts.
    for line in output.lines() {
        let line = line.expect("text");
        let Some(ticket) = line.strip_prefix(SYNCED) else { continue };
        let Ok(ticket) = ticket.parse() else { break };
        through = ticket;
        if through >= kill_after {
            // A second kill of a dead child is refused or ignored; both will do.
            drop(child.kill());
        }
    }
    child.wait().expect("it is ours");
    through
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
    let (mut submitted, mut through) = (0, 0);
    writeln!(stdout).expect("the parent reads");
    loop {
        while submitted < through + IN_FLIGHT {
            submitted += 1;
            let name = name(boot, submitted);
            store.submit(StorageOp::Apply { key: key(&name), update: put(submitted, &name) });
        }
        for completion in store.receive() {
            if let StorageCompletion::Synced { through: now } = completion {
                through = now.0;
                writeln!(stdout, "{SYNCED}{through}").expect("the parent reads");
                stdout.flush().expect("the parent reads");
            }
        }
    }
}
