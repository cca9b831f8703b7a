//! What a few seconds can show of the whole protocol: a few short seeds of the swarm, and the scripted scenarios. Every
//! oracle watches, and what matters must have happened. `just mutants` runs this against each mutant of the core that its own
//! tests have let through. No digest is compared here: a change that breaks no promise is no failure.

use std::path::{Path, PathBuf};

use cartwheel_sim::report::Counter;
use cartwheel_sim::scenario::Span;
use cartwheel_sim::{Report, Scenario, museum, run, swarm};

fn scenarios(directory: &str) -> Vec<(PathBuf, Scenario)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sim-scenarios").join(directory);
    let entries = std::fs::read_dir(directory).expect("the directory is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry can be read").path()).collect();
    files.sort();
    let load = |file: PathBuf| {
        let scenario = Scenario::load(&file).unwrap_or_else(|error| panic!("{error}"));
        (file, scenario)
    };
    files.into_iter().map(load).collect()
}

fn holds(directory: &str) {
    for (file, scenario) in scenarios(directory) {
        let report = run(&scenario, scenario.seed.unwrap_or(1));
        assert!(report.expectations_hold, "{}:\n{report}", file.display());
    }
}

#[test]
fn faults_are_survived() {
    holds("faults");
}

#[test]
fn ownership_moves() {
    holds("membership");
}

#[test]
fn what_was_mended_stays_mended() {
    holds("regressions");
}

/// Green without the flaw, red with it.
#[test]
fn the_museum_is_as_its_labels_say() {
    for (file, scenario) in scenarios("museum") {
        let piece = museum::show(&scenario).expect("it is a museum piece");
        assert!(piece.is_as_expected(), "{}: {piece:?}", file.display());
    }
}

/// What the seeds below must reach together: a green run that never stored a hint proves nothing about hints.
const REACHED: [Counter; 12] = [
    Counter::HintsStored,
    Counter::HintsRefused,
    Counter::HintsDelivered,
    Counter::HintsRedirected,
    Counter::SloppyWrites,
    Counter::ReadRepairs,
    Counter::AntiEntropyRepairs,
    Counter::SiblingReads,
    Counter::RequestsRepeated,
    Counter::RecordsHandedOver,
    Counter::PartitionsReceived,
    Counter::TombstonesReaped,
];

#[test]
fn a_few_seeds_of_the_swarm_are_green_and_reach_what_matters() {
    let short = |seed| {
        let scenario = swarm::scenario(seed);
        let duration = Span::from_ns(scenario.duration.ns() / 2);
        Scenario { duration, ..scenario }
    };
    let reports: Vec<Report> = (0..30).map(|seed| run(&short(seed), seed)).collect();
    for report in &reports {
        assert!(report.expectations_hold, "swarm seed {}:\n{report}", report.seed);
    }
    for mark in REACHED {
        let times: u64 = reports.iter().map(|report| report.counters.get(&mark).copied().unwrap_or(0)).sum();
        assert!(times > 0, "no seed reaches {}", mark.name());
    }
}
