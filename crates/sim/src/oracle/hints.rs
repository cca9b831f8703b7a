//! `HintLive`: a hint whose home is up, and reachable in both directions, is delivered within a bound.
//!
//! It is looked at every so often. A hint is the same as before while the state that is owed is the same; it may be
//! delivered while its keeper and its home are up, their disks do not fail, and neither link between them is in any trouble. When that has lasted
//! longer than the bound, nobody is delivering it.

use std::collections::BTreeMap;

use cartwheel_core::Key;
use cartwheel_core::id::NodeId;
use cartwheel_core::version::Digest;

use super::{Findings, Promise, Scene, seconds};
use crate::scenario::Scenario;

/// Hints in flight to one home (`hint_batch_max`, which no scenario sets).
const PAGE: u64 = 64;

/// How long delivery may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    attempt_ns: u64,
    attempts: u64,
    page_ns: u64,
    /// What one record waits for when the background is held back to its least rate.
    record_ns: u64,
}

/// When the background is held back to its least rate, hints share that with exchanges and handoff, and a failed
/// delivery is paid for again.
const BACKGROUND_SHARE: u64 = 4;
/// What exchanges and handoff may take before a pass has its turn, in records.
const BACKGROUND_QUEUE: u64 = 200;

impl Bound {
    /// One attempt takes at most: a pass that waits in vain, the pause after it, and, as the silence made the home a
    /// suspect, the pause until it is pinged and the pause until the next pass. A page that is answered takes at most
    /// what a pass may wait. On a network without loss the pass that was under way fails, and one that met the tail of
    /// the latency, and one that met a write; with loss (one message in fifty, each way) nine failures in a row are less
    /// likely than one in 10^12. Clocks may drift.
    pub fn of(scenario: &Scenario) -> Self {
        let cluster = &scenario.cluster;
        let (pause, wait) = (cluster.hint_interval.ns(), cluster.request_timeout.ns());
        let drifted = |ns: u64| ns + ns / 1_000_000 * u64::from(scenario.clock.drift_max_ppm) * 3 / 2;
        let attempts = if scenario.network.loss.value() == 0.0 { 4 } else { 9 };
        let throttled = cluster.background_latency_target.0.is_some();
        let record_ns = if throttled { 1_000_000_000 / u64::from(cluster.background_rate_min) } else { 0 };
        let attempt_ns = drifted(wait + 3 * pause);
        Self { attempt_ns, attempts, page_ns: drifted(wait), record_ns: drifted(record_ns) }
    }

    /// Within which a home that is owed so many keys has each of them, when its keeper owes so many to all.
    pub fn ns(self, keys: usize, all: usize) -> u64 {
        self.attempts * self.attempt_ns
            + (keys as u64).div_ceil(PAGE) * self.page_ns
            + (all as u64 * BACKGROUND_SHARE + BACKGROUND_QUEUE) * self.record_ns
    }
}

/// The hints on all disks, as they were when last looked at.
#[derive(Debug)]
pub struct Hints {
    bound: Bound,
    waiting: BTreeMap<(NodeId, NodeId, Key), Waiting>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    state: Digest,
    since_ns: u64,
    /// The longest bound since then: it waits behind what was there before it.
    bound_ns: u64,
    told: bool,
}

/// One hint, seen now.
#[derive(Clone, Debug)]
struct Seen {
    keeper: NodeId,
    home: NodeId,
    key: Key,
    state: Digest,
    /// Since when nothing stands in the way of its delivery.
    clear_since: Option<u64>,
    bound_ns: u64,
}

impl Hints {
    /// With this bound.
    pub fn new(bound: Bound) -> Self {
        Self { bound, waiting: BTreeMap::new() }
    }

    /// Looks at every disk.
    pub fn inspect(&mut self, scene: &Scene<'_>, findings: &mut Findings) {
        let mut seen = Vec::new();
        for (keeper, process) in scene.processes.iter().enumerate() {
            for (&home, keys) in process.disk.owed() {
                let clear_since = clear_since(scene, keeper, home.0 as usize - 1);
                let bound_ns = self.bound.ns(keys.len(), process.disk.hints());
                let keeper = NodeId(keeper as u64 + 1);
                seen.extend(keys.iter().map(|key| {
                    let (key, state) = (key.clone(), process.disk.read(key).digest());
                    Seen { keeper, home, key, state, clear_since, bound_ns }
                }));
            }
        }
        self.judge(scene.at_ns, seen, findings);
    }

    fn judge(&mut self, now_ns: u64, seen: Vec<Seen>, findings: &mut Findings) {
        let before = std::mem::take(&mut self.waiting);
        for hint in seen {
            let Seen { keeper, home, key, state, clear_since, bound_ns } = hint;
            let name = (keeper, home, key);
            let known = before.get(&name).filter(|waiting| waiting.state == state).copied();
            let mut waiting = known.unwrap_or(Waiting { state, since_ns: now_ns, bound_ns, told: false });
            waiting.bound_ns = waiting.bound_ns.max(bound_ns);
            let bound_ns = waiting.bound_ns;
            let deliverable = clear_since.map(|clear| clear.max(waiting.since_ns));
            if let Some(since) = deliverable.filter(|since| !waiting.told && now_ns > since + bound_ns) {
                waiting.told = true;
                findings.add(Promise::HintLive, || {
                    let (now, since, bound) = (seconds(now_ns), seconds(since), seconds(bound_ns));
                    format!(
                        "{keeper} owes {} to {home} at {now}, and could have delivered it since {since}: longer than \
                         {bound}",
                        name.2
                    )
                });
            }
            self.waiting.insert(name, waiting);
        }
    }
}

/// Since when two nodes are up, with disks that do not fail, and hear each other.
fn clear_since(scene: &Scene<'_>, keeper: usize, home: usize) -> Option<u64> {
    let well_since = |node: usize| scene.processes.get(node)?.well_since(scene.at_ns);
    let link = |from: usize, to: usize| scene.network.clear_since(from as u32, to as u32);
    let since = [well_since(keeper)?, well_since(home)?, link(keeper, home)?, link(home, keeper)?];
    since.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::key;
    use cartwheel_core::version::Policy;

    const BOUND: Bound = Bound { attempt_ns: 1_000_000_000, attempts: 4, page_ns: 500_000_000, record_ns: 0 };

    fn seen(state: u128, clear_since: Option<u64>) -> Vec<Seen> {
        let (keeper, home, key) = (NodeId(4), NodeId(2), key());
        vec![Seen { keeper, home, key, state: Digest(state), clear_since, bound_ns: BOUND.ns(1, 1) }]
    }

    /// Looks once a second for ten seconds at a hint that `at` describes.
    fn watched(at: impl Fn(u64) -> Vec<Seen>) -> Vec<String> {
        let (mut oracle, mut findings) = (Hints::new(BOUND), Findings::new(Policy::KeepSiblings));
        (0..10).for_each(|second| oracle.judge(second * 1_000_000_000, at(second), &mut findings));
        findings.examples(Promise::HintLive).to_vec()
    }

    #[test]
    fn a_hint_that_nobody_delivers_is_found_once() {
        assert_eq!(
            watched(|_| seen(1, Some(500_000_000))),
            ["n4 owes b/k to n2 at 6.000 s, and could have delivered it since 0.500 s: longer than 4.500 s"]
        );
    }

    #[test]
    fn a_home_out_of_reach_a_changing_state_and_a_delivery_are_innocent() {
        assert_eq!(watched(|_| seen(1, None)), [] as [&str; 0]);
        assert_eq!(watched(|second| seen(u128::from(second / 3), Some(0))), [] as [&str; 0]);
        let delivered = |second| if second == 4 { Vec::new() } else { seen(1, Some(0)) };
        assert_eq!(watched(delivered), [] as [&str; 0]);
        let cut_again = |second: u64| seen(1, Some(second / 4 * 4_000_000_000));
        assert_eq!(watched(cut_again), [] as [&str; 0]);
    }

    #[test]
    fn a_longer_queue_takes_longer() {
        assert_eq!((BOUND.ns(64, 64), BOUND.ns(65, 65)), (4_500_000_000, 5_000_000_000));
    }
}
