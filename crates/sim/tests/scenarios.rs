//! Every scenario file holds what it expects, with several seeds.

use std::path::{Path, PathBuf};

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::fuzz::{OnFailure, fuzz};
use cartwheel_sim::{Scenario, museum, run, swarm};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sim-scenarios")
}

fn load(name: &str) -> Scenario {
    load_file(&directory().join(name))
}

fn load_file(file: &Path) -> Scenario {
    Scenario::load(file).unwrap_or_else(|error| panic!("{error}"))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("the directory is there");
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    found.sort();
    found
}

#[test]
fn every_file_holds_what_it_expects() {
    let files = files(&directory());
    assert!(files.len() >= 2, "the scenarios are where they should be: {files:?}");
    for file in files {
        let scenario = load_file(&file);
        // Those take minutes each, in a release build: a person runs them.
        let is_large = file.parent().is_some_and(|directory| directory.ends_with("large"));
        let seeds: &[u64] = if is_large { &[] } else { &[1, 2, 42] };
        for &seed in seeds {
            let report = run(&scenario, seed);
            assert!(report.expectations_hold, "{}:\n{report}", file.display());
        }
    }
}

#[test]
fn data_types_end_as_what_was_done_to_them() {
    for name in ["counter", "set", "map", "random"] {
        let scenario = load(&format!("datatypes/{name}.toml"));
        let found = fuzz(0..25, 2, OnFailure::Stop, |_| scenario.clone(), |_| true);
        assert!(found.failures.is_empty(), "{}", found.failures[0]);
    }
}

/// A coordinator that is asked again under another name counts again.
#[test]
fn an_increment_that_counts_twice_is_found() {
    let flaw = Some(Flaw::RetryNewCoordinator);
    let scenario = Scenario { flaw, ..load("datatypes/counter.toml") };
    let found = fuzz(0..100, 2, OnFailure::Stop, |_| scenario.clone(), |_| true);
    let text = found.failures.first().map(ToString::to_string).unwrap_or_default();
    assert!(text.contains("Merged"), "{text}");
}

#[test]
fn last_write_wins_loses_acknowledged_writes_and_says_why() {
    let report = run(&load("shopping-cart-lww.toml"), 42);
    assert!(report.lost_writes > 0);
    assert!(report.lost[0].contains("last-write-wins keeps the later clock"), "{}", report.lost[0]);
}

#[test]
fn last_write_wins_in_one_bucket_costs_the_others_nothing() {
    for seed in [1, 2, 42] {
        let report = run(&load("studies/one-bucket-lets-clocks-decide.toml"), seed);
        assert!(!report.lost.is_empty());
        assert!(report.lost.iter().all(|lost| lost.contains("carts-1/")), "{:#?}", report.lost);
    }
}

#[test]
fn a_coordinator_that_restarts_its_count_is_found_by_the_scenario_and_by_the_swarm() {
    let flaw = Some(Flaw::AmnesiaReusesActor);
    let scenario = Scenario { flaw, ..load("shopping-cart.toml") };
    let found = fuzz(0..100, 2, OnFailure::Stop, |_| scenario.clone(), |_| true);
    assert!(!found.failures.is_empty(), "the cart scenario does not see the flaw");
    let swarm =
        fuzz(0..400, 2, OnFailure::KeepGoing, |seed| Scenario { flaw, ..swarm::scenario(seed) }, |_| true);
    let lost = swarm.failures.iter().find(|report| report.lost_writes > 0);
    let lost = lost.expect("the swarm does not see the flaw lose a write");
    assert!(lost.lost[0].contains("whose writer had never been shown it"), "{}", lost.lost[0]);
}

/// Each piece of the museum is red by the oracles that watch what it breaks; without it its scenario is green.
#[test]
fn museum_pieces_are_seen_by_the_oracles_that_watch_for_them() {
    let mut shown: Vec<String> = Vec::new();
    for file in files(&directory().join("museum")) {
        let piece =
            museum::show(&load_file(&file)).unwrap_or_else(|| panic!("{}: no [museum]", file.display()));
        assert!(piece.is_as_expected(), "{piece:?}");
        assert_eq!(file.file_stem().and_then(|name| name.to_str()), Some(piece.flaw.as_str()));
        shown.push(piece.flaw);
    }
    let mut all: Vec<String> = Flaw::ALL.iter().map(Flaw::to_string).collect();
    all.sort();
    assert_eq!(shown, all, "each piece has a scenario");
}

#[test]
fn the_general_swarm_is_green() {
    let campaign = fuzz(0..500, 2, OnFailure::KeepGoing, swarm::scenario, |_| true);
    assert_eq!(campaign.seeds, 500);
    let failed: Vec<String> =
        campaign.failures.iter().map(|r| format!("{}: {}", r.seed, r.summary())).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
