//! `Merged`: data types end as what was done to them.
//!
//! After peace all homes of a key hold one value. In a counter every acknowledged increment counts once, and others at
//! most once, however often and wherever they were tried. An element is in a set if some acknowledged add of it had been
//! seen by no remove; it is not if all dots that it was ever added under had been seen by acknowledged removes. A
//! register shows what somebody has assigned.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::datatype::{DataType, Held};
use cartwheel_core::id::{NodeId, RequestId};
use cartwheel_core::ring::Ring;
use cartwheel_core::version::{Context, Dot};

use super::{Findings, Promise, Scene};
use crate::workload::changes::{Change, Effect, Path, assigned, counted, effect, holds};

/// Sums of so many increments of which nobody knows whether they were done are all tried; with more, only bounds are.
const UNKNOWN_MAX: usize = 14;

/// Under which dots changes were made, anywhere.
#[derive(Debug, Default)]
pub struct Merged {
    dots: BTreeMap<RequestId, BTreeSet<Dot>>,
}

impl Merged {
    /// Some store made `request` under `dot`.
    pub fn made(&mut self, request: RequestId, dot: Dot) {
        self.dots.entry(request).or_default().insert(dot);
    }

    /// The run is over.
    pub fn finish(&self, scene: &Scene<'_>, ring: &Ring, findings: &mut Findings) {
        let changes = scene.truth.changes();
        let keys: BTreeMap<usize, &Key> = changes.iter().map(|change| (change.0.key, &change.1)).collect();
        for (at, key) in keys {
            let of_key: Vec<&Change> =
                changes.iter().filter(|change| change.0.key == at).map(|change| &change.0).collect();
            let homes = ring.preference_list(key.token(), scene.n).homes().to_vec();
            let mut broken = |what: String| findings.add(Promise::Merged, || format!("at the end {what}"));
            let Some(value) = one_value(scene, key, &homes, &mut broken) else { continue };
            self.judge(key, &value, &of_key, &mut broken);
        }
    }

    fn judge(&self, key: &Key, value: &DataType, changes: &[&Change], broken: &mut dyn FnMut(String)) {
        let mut counts: BTreeMap<Path, Vec<(&Change, i64)>> = BTreeMap::new();
        let mut adds: BTreeMap<(Path, Bytes), Vec<&Change>> = BTreeMap::new();
        let mut removes: Vec<(Path, Option<Bytes>, &Change)> = Vec::new();
        let mut registers: BTreeMap<Path, Vec<(&Change, Bytes)>> = BTreeMap::new();
        for change in changes {
            match effect(&change.op) {
                Some(Effect::Count(path, amount)) => counts.entry(path).or_default().push((change, amount)),
                Some(Effect::Add(path, element)) => adds.entry((path, element)).or_default().push(change),
                Some(Effect::Remove(path, element)) => removes.push((path, element, change)),
                Some(Effect::Assign(path, value)) => {
                    registers.entry(path).or_default().push((change, value));
                }
                None => {}
            }
        }
        for (path, counted_ones) in &counts {
            if let Some(what) = miscounted(counted(value, path), counted_ones) {
                broken(format!("{key}{path:?}: {what}"));
            }
        }
        for ((path, element), added) in &adds {
            let is_here = |of: &Path, what: &Option<Bytes>| {
                of == path && what.as_ref().is_none_or(|what| what == element)
            };
            let removed: Vec<&Change> = removes
                .iter()
                .filter(|(of, what, _)| is_here(of, what))
                .map(|(_, _, change)| *change)
                .collect();
            let is_there = holds(value, path, element);
            if !is_there && self.must_be_there(added, &removed) {
                broken(format!(
                    "{key}{path:?} lacks {element:?}, of which no remove had seen an acknowledged add"
                ));
            }
            if is_there && self.must_be_gone(added, &removed) {
                broken(format!(
                    "{key}{path:?} has {element:?}, all of whose adds an acknowledged remove had seen"
                ));
            }
        }
        for (path, assignments) in &registers {
            let shown = assigned(value, path);
            let is_acked = assignments.iter().any(|(change, _)| change.is_acked);
            let is_known = |shown: &Bytes| assignments.iter().any(|(_, value)| value == shown);
            match shown {
                None if is_acked => broken(format!("{key}{path:?} shows nothing of what was assigned")),
                Some(shown) if !is_known(&shown) => {
                    broken(format!("{key}{path:?} shows {shown:?}, which nobody assigned"));
                }
                _ => {}
            }
        }
    }

    fn dots(&self, change: &Change) -> impl Iterator<Item = Dot> {
        self.dots.get(&change.request).into_iter().flatten().copied()
    }

    fn must_be_there(&self, added: &[&Change], removed: &[&Change]) -> bool {
        let is_unseen = |add: &&&Change| {
            let has_seen =
                |remove: &&Change| self.dots(add).any(|dot| has_seen(remove.context.as_ref(), dot));
            add.is_acked && !removed.iter().any(has_seen)
        };
        added.iter().any(|add| is_unseen(&add))
    }

    fn must_be_gone(&self, added: &[&Change], removed: &[&Change]) -> bool {
        let is_seen =
            |dot: Dot| removed.iter().any(|remove| remove.is_acked && has_seen(remove.context.as_ref(), dot));
        added.iter().flat_map(|add| self.dots(add)).all(is_seen)
    }
}

fn has_seen(context: Option<&Context>, dot: Dot) -> bool {
    context.is_none_or(|context| context.0.contains(dot))
}

/// What the homes of `key` hold, if they agree.
fn one_value(
    scene: &Scene<'_>,
    key: &Key,
    homes: &[NodeId],
    broken: &mut dyn FnMut(String),
) -> Option<DataType> {
    let held = |home: &NodeId| Held::of_any(&scene.disk(*home).read(key));
    let values: Vec<_> = homes.iter().map(held).collect();
    if values.windows(2).any(|pair| pair[0] != pair[1]) {
        broken(format!("the homes of {key} hold different values"));
    }
    values.into_iter().flatten().next().map(|value| (*value).clone())
}

/// What is wrong with `sum`.
fn miscounted(sum: i128, increments: &[(&Change, i64)]) -> Option<String> {
    let of = |is_acked: bool| {
        increments.iter().filter(move |(change, _)| change.is_acked == is_acked).map(|(_, amount)| *amount)
    };
    let acked: i128 = of(true).map(i128::from).sum();
    let unknown: Vec<i64> = of(false).collect();
    let rest = sum - acked;
    let most: i128 = unknown.iter().copied().map(i128::from).sum();
    if rest < 0 {
        return Some(format!("{sum} of {acked} acknowledged: something was not counted"));
    }
    if rest > most {
        return Some(format!("{sum}, although only {acked} was acknowledged and {most} more tried"));
    }
    if unknown.len() <= UNKNOWN_MAX {
        let mut sums = BTreeSet::from([0_i128]);
        for amount in unknown {
            let with: Vec<i128> = sums.iter().map(|sum| sum + i128::from(amount)).collect();
            sums.extend(with);
        }
        if !sums.contains(&rest) {
            return Some(format!("{sum} is no sum of increments that were tried, each once"));
        }
    }
    None
}
