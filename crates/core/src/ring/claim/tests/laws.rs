//! Laws for random clusters.

use alloc::vec::Vec;

use quickcheck::{Arbitrary, Gen, quickcheck};

use super::super::{Claimant, claim};
use super::judge::Judge;
use crate::id::NodeId;

/// A cluster, and how its nodes change.
#[derive(Clone, Debug)]
struct History {
    partitions: u32,
    n: u8,
    steps: Vec<Vec<Claimant>>,
}

impl Arbitrary for History {
    fn arbitrary(g: &mut Gen) -> Self {
        let below = |g: &mut Gen, bound: u64| u64::arbitrary(g) % bound;
        let zones = 1 + below(g, 4);
        let weights = 1 + below(g, 3);
        let mut nodes: Vec<Claimant> = Vec::new();
        let mut steps = Vec::new();
        for step in 0..6 {
            for node in 0..if step == 0 { 2 + below(g, 9) } else { 1 } {
                let joins = nodes.len() < 2 || nodes.len() < 12 && bool::arbitrary(g);
                if joins {
                    let weight = 1 + u16::try_from(below(g, weights)).unwrap();
                    nodes.push(Claimant { node: NodeId(100 * step + node), weight, zone: below(g, zones) });
                } else {
                    nodes.swap_remove(usize::try_from(below(g, nodes.len() as u64)).unwrap());
                }
            }
            steps.push(nodes.clone());
        }
        let partitions = 8 << below(g, 6);
        Self { partitions, n: 1 + u8::try_from(below(g, 5)).unwrap(), steps }
    }
}

quickcheck! {
    fn every_step_of_a_history_is_distinct_and_balanced(history: History) -> bool {
        let mut owners = Vec::new();
        for nodes in &history.steps {
            let judge = Judge::new(nodes, history.partitions, history.n).lenient();
            if owners.is_empty() {
                owners = claim(&[], nodes, history.partitions, history.n);
                judge.check(&owners);
            } else {
                owners = judge.check_change(&owners);
            }
        }
        true
    }

    fn the_order_of_claimants_does_not_matter(history: History) -> bool {
        let (partitions, n) = (history.partitions, history.n);
        let claim_reversed = |before: &[NodeId], nodes: &[Claimant]| {
            claim(before, &nodes.iter().rev().copied().collect::<Vec<_>>(), partitions, n)
        };
        let before = claim(&[], &history.steps[0], partitions, n);
        before == claim_reversed(&[], &history.steps[0])
            && claim(&before, &history.steps[1], partitions, n) == claim_reversed(&before, &history.steps[1])
    }

    fn a_balanced_ring_without_fault_stays(history: History) -> bool {
        let nodes = &history.steps[0];
        let judge = Judge::new(nodes, history.partitions, history.n);
        let before = claim(&[], nodes, history.partitions, history.n);
        judge.fair(1).is_none() || claim(&before, nodes, history.partitions, history.n) == before
    }
}
