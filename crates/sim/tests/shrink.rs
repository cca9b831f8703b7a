//! From a seed of the swarm that fails to a file of a few lines that fails in the same way.

use std::cell::Cell;

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::shrink::{Symptom, shrink};
use cartwheel_sim::{Scenario, run, swarm};

#[test]
fn a_failing_seed_shrinks_to_a_file_that_fails_in_the_same_way_and_only_with_the_flaw() {
    let flaw = Some(Flaw::AmnesiaReusesActor);
    let scenario = Scenario { flaw, ..swarm::scenario(2) };
    let runs = Cell::new(0);
    let within = || {
        runs.set(runs.get() + 1);
        runs.get() < 600
    };
    let shrunk = shrink(&scenario, 2, &within).expect("seed 2 fails");
    let small = &shrunk.scenario;
    assert!(small.cluster.nodes <= 6 && small.fault.len() <= 3 && small.visit.len() <= 10, "{small:?}");
    let seed = small.seed.expect("the seed is in the file");
    let read: Scenario = small.to_file().parse().expect("a scenario");
    let again = run(&Scenario { flaw, ..read.clone() }, seed);
    assert_eq!(again.trace_digest, shrunk.report.trace_digest);
    assert!(shrunk.symptom.is_in(&again));
    assert_eq!(Symptom::of(&run(&read, seed)), None, "green without the flaw");
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    assert!(shrink(&swarm::scenario(1), 1, &|| true).is_none());
}
