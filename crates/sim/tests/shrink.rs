//! From a seed of the swarm that fails to a file of a few lines that fails in the same way.

use std::cell::Cell;

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::shrink::{Symptom, shrink};
use cartwheel_sim::{Scenario, run, swarm};

/// Shrinks what `flaw` makes of a seed of the swarm: to what a person can hold in mind, and what fails in the same way, and only
/// with the flaw.
fn becomes_small(flaw: Flaw, seed: u64, runs_max: u64) {
    let flaw = Some(flaw);
    let scenario = Scenario { flaw, ..swarm::scenario(seed) };
    let runs = Cell::new(0);
    let within = || {
        runs.set(runs.get() + 1);
        runs.get() < runs_max
    };
    let shrunk = shrink(&scenario, seed, &within).expect("it fails");
    let small = &shrunk.scenario;
    let nodes = small.cluster.nodes + small.cluster.spares;
    assert!(nodes <= 5 && small.fault.len() <= 3 && small.visit.len() <= 10, "{small:?}");
    let seed = small.seed.expect("the seed is in the file");
    let read: Scenario = small.to_file().parse().expect("a scenario");
    let again = run(&Scenario { flaw, ..read.clone() }, seed);
    assert_eq!(again.trace_digest, shrunk.report.trace_digest);
    assert!(shrunk.symptom.is_in(&again));
    assert_eq!(Symptom::of(&run(&read, seed)), None, "green without the flaw");
}

#[test]
fn a_failing_seed_shrinks_to_a_file_that_fails_in_the_same_way_and_only_with_the_flaw() {
    becomes_small(Flaw::AmnesiaReusesActor, 1, 600);
}

/// A coincidence of a lost record, a read, a delete and a late message.
#[test]
fn a_rare_coincidence_outlives_what_is_taken_away_around_it() {
    becomes_small(Flaw::RepairTreatsMissingAsStale, 1_115, 1_500);
}

/// It shows where all members are homes and one more comes: N and members have to become fewer at once.
#[test]
fn a_cluster_of_homes_alone_becomes_smaller_as_a_whole() {
    becomes_small(Flaw::ClaimIgnoresWrap, 4, 600);
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    assert!(shrink(&swarm::scenario(1), 1, &|| true).is_none());
}
