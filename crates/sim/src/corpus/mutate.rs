//! Fault schedules are data: they can be cut, moved, aimed elsewhere, and mixed.

use crate::nemesis::Budget;
use crate::scenario::{Fault, Scenario, Span};
use crate::streams::Stream;

/// How many faults a schedule may grow to.
const FAULTS_MAX: usize = 40;
/// Mutations tried until one keeps to the fault budget.
const TRIES: usize = 20;

/// `base` with its faults changed, some of them for those of `donor`. It keeps to the fault budget where `base` does; where
/// no change does it is `base` itself, and only chance is another.
pub fn mutate(base: &Scenario, donor: &Scenario, stream: &mut Stream) -> Scenario {
    let is_covered = |scenario: &Scenario| Budget::new(&scenario.cluster).covers(scenario);
    let must_be = is_covered(base);
    for _ in 0..TRIES {
        let mut mutant = Scenario { seed: None, flaw: None, ..base.clone() };
        for _ in 0..=stream.below(3) {
            change(&mut mutant, donor, stream);
        }
        let is_new = mutant.fault != base.fault;
        if is_new && mutant.check().is_ok() && (!must_be || is_covered(&mutant)) {
            return mutant;
        }
    }
    Scenario { seed: None, flaw: None, ..base.clone() }
}

fn change(mutant: &mut Scenario, donor: &Scenario, stream: &mut Stream) {
    let chosen = stream.index(mutant.fault.len());
    let is_empty = mutant.fault.is_empty();
    match stream.below(6) {
        0 if !is_empty => drop(mutant.fault.remove(chosen)),
        1 if !is_empty => {
            let again = mutant.fault[chosen].clone();
            mutant.fault.push(again);
            let last = mutant.fault.len() - 1;
            move_it(mutant, last, stream);
        }
        2 if !is_empty => move_it(mutant, chosen, stream),
        3 if !is_empty => last_for_another_while(mutant, chosen, stream),
        4 if !is_empty => aim_elsewhere(mutant, chosen, stream),
        _ => take_from(mutant, donor, stream),
    }
    mutant.fault.truncate(FAULTS_MAX);
    mutant.fault.sort_by_key(Fault::at);
}

/// To any time, or close to another fault: trouble that comes together is what is rare.
fn move_it(mutant: &mut Scenario, chosen: usize, stream: &mut Stream) {
    let at = if stream.below(2) == 0 {
        stream.below(mutant.duration.ns())
    } else {
        let beside = mutant.fault[stream.index(mutant.fault.len())].at().ns();
        (beside + stream.below(200_000_000)).min(mutant.duration.ns())
    };
    let fault = mutant.fault[chosen].clone();
    mutant.fault[chosen] = fault.struck_at(Span::from_ns(at));
    end_in_time(&mut mutant.fault[chosen], mutant.duration);
}

fn last_for_another_while(mutant: &mut Scenario, chosen: usize, stream: &mut Stream) {
    let fault = &mut mutant.fault[chosen];
    if let Some(lasts) = fault.lasts_mut() {
        *lasts = Span::from_ns((lasts.ns() / 4).saturating_mul(1 + stream.below(15)).max(1_000_000));
    }
    end_in_time(fault, mutant.duration);
}

/// One of its nodes changes places with another node of the cluster.
fn aim_elsewhere(mutant: &mut Scenario, chosen: usize, stream: &mut Stream) {
    let named = mutant.fault[chosen].nodes();
    let members = mutant.cluster.nodes;
    let Some(from) = named.get(stream.index(named.len())).copied().filter(|node| *node <= members) else {
        return;
    };
    let to = 1 + stream.below(u64::from(members)) as u32;
    mutant.fault[chosen].retain_nodes(|node| {
        Some(if node == from {
            to
        } else if node == to {
            from
        } else {
            node
        })
    });
}

/// A fault of another schedule, where it names nodes that are here.
fn take_from(mutant: &mut Scenario, donor: &Scenario, stream: &mut Stream) {
    let Some(mut fault) = donor.fault.get(stream.index(donor.fault.len())).cloned() else { return };
    let all = mutant.cluster.nodes + mutant.cluster.spares;
    if fault.retain_nodes(|node| (node <= all).then_some(node)) {
        let at = fault.at().ns() % mutant.duration.ns().max(1);
        fault = fault.struck_at(Span::from_ns(at));
        end_in_time(&mut fault, mutant.duration);
        mutant.fault.push(fault);
    }
}

/// Faults are over when the load is: what comes after is for the cluster to mend what they did.
fn end_in_time(fault: &mut Fault, duration: Span) {
    let left = duration.ns().saturating_sub(fault.at().ns());
    if let Some(lasts) = fault.lasts_mut() {
        *lasts = Span::from_ns(lasts.ns().min(left).max(1_000_000));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{Component, Streams};
    use crate::{run_and_spell_out, swarm};

    #[test]
    fn a_mutant_is_a_scenario_that_keeps_to_the_budget_and_can_be_written() {
        let spelled_out = |seed| run_and_spell_out(&swarm::scenario(seed), seed).1;
        let (base, donor) = (spelled_out(3), spelled_out(4));
        let mut changed = 0;
        for seed in 0..50 {
            let mut stream = Streams::new(seed).stream(Component::Mutation);
            let mutant = mutate(&base, &donor, &mut stream);
            assert_eq!(mutant.check(), Ok(()));
            assert!(Budget::new(&mutant.cluster).covers(&mutant));
            assert_eq!(mutant.to_file().parse::<Scenario>().map(|read| read.fault), Ok(mutant.fault.clone()));
            changed += u32::from(mutant.fault != base.fault);
        }
        assert!(changed > 40, "{changed} of 50 differ");
    }
}
