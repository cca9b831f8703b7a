//! `cartwheel sweep`, as the built binary: tables that can be relied on.

mod merging;
mod readers;
mod refused;
mod table;

use std::path::Path;
use std::process::{Command, Output};

/// A small scenario: a run takes milliseconds.
const SCENARIO: &str = r#"name = "small"
about = "A test."
duration = "500ms"
settle = "30s"
[cluster]
nodes = 3
[workload.cart]
clients = 3
carts = 2
think = { exponential = { mean = "20ms" } }
"#;

/// Six runs: three values, two seeds.
const SIX: [&str; 4] = ["--vary", "r=1,2,3", "--seeds", "2"];

/// A directory with the scenario in it, as `small.toml`.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("small.toml"), SCENARIO).unwrap();
    directory
}

/// Runs `cartwheel sweep` there.
fn sweep(directory: &Path, args: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_cartwheel");
    Command::new(binary).arg("sweep").args(args).current_dir(directory).output().unwrap()
}

/// The same, which must succeed; what it prints.
fn done(directory: &Path, args: &[&str]) -> String {
    let output = sweep(directory, args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The same, with the scenario and six runs.
fn six(directory: &Path, args: &[&str]) -> String {
    done(directory, &[&["small.toml"], &SIX[..], args].concat())
}

/// The same, which must be refused as bad input: in one line.
fn refused(directory: &Path, args: &[&str]) -> String {
    let output = sweep(directory, args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
    assert_eq!(error.lines().count(), 1, "{args:?}: {error}");
    error.trim_end().strip_prefix("cartwheel: ").unwrap().to_owned()
}

fn bytes(directory: &Path, name: &str) -> Vec<u8> {
    std::fs::read(directory.join(name)).unwrap()
}

/// The names of all files there but the scenario.
fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "small.toml");
    names.sort();
    names
}
