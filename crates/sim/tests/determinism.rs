//! Same seed, same digest: whatever else is different.

use cartwheel_sim::fuzz::{OnFailure, fuzz};
use cartwheel_sim::{Scenario, run, run_and_spell_out, swarm};

/// Digests of swarm seeds, frozen: a change of the core's behaviour changes them, on purpose or not. To accept a
/// change, put the new ones here; a platform or a build profile that disagrees is a bug.
#[rustfmt::skip]
const FROZEN: [(u64, &str); 3] = [
    (1, "f4627754df55c2dd469b9037c6ea0e85"),
    (2, "3ba6c1f06ffdf9cb6ecca9db75a70e33"),
    (3, "11533bfbe1dd702f2f7f9c08a3a44220"),
];

fn digest(seed: u64) -> String {
    run(&swarm::scenario(seed), seed).trace_digest
}

#[test]
fn the_same_seed_gives_the_same_report_and_another_one_another() {
    let first = run(&swarm::scenario(7), 7);
    assert_eq!(first, run(&swarm::scenario(7), 7));
    assert_ne!(first.trace_digest, run(&swarm::scenario(7), 8).trace_digest);
}

#[test]
fn threads_do_not_matter() {
    let digests = |threads| {
        let seen = std::sync::Mutex::new(Vec::new());
        let note = |report: &cartwheel_sim::Report| {
            seen.lock().unwrap().push((report.seed, report.trace_digest.clone()));
            true
        };
        fuzz(0..20, threads, OnFailure::KeepGoing, swarm::scenario, note);
        let mut seen = seen.into_inner().unwrap();
        seen.sort();
        seen
    };
    assert_eq!(digests(1), digests(2));
}

#[test]
fn a_run_that_is_spelled_out_goes_as_it_went() {
    for seed in 0..10 {
        let (report, explicit) = run_and_spell_out(&swarm::scenario(seed), seed);
        assert!(!explicit.visit.is_empty() && explicit.nemesis.is_none());
        let text = toml::to_string(&explicit).unwrap();
        let again = run(&text.parse().unwrap(), seed);
        assert_eq!(again.trace_digest, report.trace_digest, "swarm seed {seed}");
    }
}

/// Every kind of workload, with each way to choose keys and clients that crash.
#[test]
fn workloads_go_the_same_way_again_and_when_spelled_out() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sim-scenarios/workloads");
    for entry in std::fs::read_dir(directory).unwrap() {
        let file = entry.unwrap().path();
        let scenario = Scenario::load(&file).unwrap_or_else(|error| panic!("{error}"));
        let (report, explicit) = run_and_spell_out(&scenario, 5);
        let again = run(&explicit.to_file().parse().unwrap(), 5);
        assert_eq!(again.trace_digest, report.trace_digest, "{}", file.display());
    }
}

#[test]
fn digests_are_the_frozen_ones_in_every_build() {
    for (seed, frozen) in FROZEN {
        assert_eq!(digest(seed), frozen, "swarm seed {seed}");
    }
}
