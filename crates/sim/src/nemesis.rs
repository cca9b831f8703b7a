//! Random faults, within the budget of what the cluster must survive.

use cartwheel_core::Quorum;

use crate::scenario::{ClusterSpec, Fault, FaultKind, NemesisSpec, Scenario, Span};
use crate::streams::{Component, Stream, Streams};

/// What the configured N, R and W must survive, as code. The nemesis stays within it, so that every red verdict is
/// a bug.
///
/// - Acknowledged writes are on the disks of W distinct nodes, so at most W - 1 nodes may lose data in one run.
/// - Crashes that keep the disk lose nothing, but W of the nodes must be up for writes to be accepted: at most
///   `nodes - W` are down at once (one of three, for N = 3 and W = 2).
/// - A node that stands still, and one that crashes again and again, counts as down for as long as that lasts; so does
///   whichever node a rolling restart is at.
/// - A disk that fails to read or to write, or is full, loses nothing: the node says so, and acknowledges nothing. Any
///   number of them may at once.
/// - Partitions, whole, partial, one-way and flapping, lost or late messages, slow nodes and wrong clocks are free.
#[derive(Clone, Debug)]
pub struct Budget {
    lossy_nodes_max: usize,
    down_max: usize,
    lossy: Vec<u32>,
}

impl Budget {
    /// Of a cluster.
    pub fn new(cluster: &ClusterSpec) -> Self {
        let w = cluster.w.0.resolve(Quorum::Majority, cluster.n).unwrap_or(1);
        Self {
            lossy_nodes_max: usize::from(w) - 1,
            down_max: (cluster.nodes as usize).saturating_sub(usize::from(w)),
            lossy: Vec::new(),
        }
    }

    /// Whether `node` may lose data; if so it is one of those that did.
    pub fn may_lose_data(&mut self, node: u32) -> bool {
        if self.lossy.contains(&node) {
            return true;
        }
        let within = self.lossy.len() < self.lossy_nodes_max;
        if within {
            self.lossy.push(node);
        }
        within
    }

    /// Whether one more of the nodes may go down when `down` are.
    pub fn may_go_down(&self, down: usize) -> bool {
        down < self.down_max
    }
}

impl Budget {
    /// Whether the faults that `scenario` sets are such as the cluster must survive.
    pub fn covers(mut self, scenario: &Scenario) -> bool {
        let lossless = scenario.fault.iter().all(|fault| match fault {
            Fault::WipeDisk { node, .. }
            | Fault::RestoreDisk { node, .. }
            | Fault::WipeKey { node, .. }
            | Fault::CorruptRecord { node, .. }
            | Fault::LyingSync { node, .. }
            | Fault::Replace { node, .. }
            | Fault::Remove { node, .. } => self.may_lose_data(*node),
            _ => true,
        });
        let down_at = |when: Span| {
            let falls = scenario.fault.iter().filter_map(Fault::downtime);
            falls.filter(|(from, until)| *from <= when && when < *until).count()
        };
        let falls = scenario.fault.iter().filter_map(Fault::downtime);
        let (members, n) = (scenario.cluster.nodes, u32::from(scenario.cluster.n));
        let count =
            |which: fn(&Fault) -> bool| scenario.fault.iter().filter(|fault| which(fault)).count() as u32;
        let left = count(|fault| matches!(fault, Fault::Leave { .. } | Fault::Remove { .. }));
        lossless
            && falls.into_iter().all(|(from, _)| down_at(from) <= self.down_max)
            && members + count(|fault| matches!(fault, Fault::Join { .. })) >= left + n
    }
}

/// Strikes at random.
#[derive(Debug)]
pub struct Nemesis {
    spec: NemesisSpec,
    stream: Stream,
    nodes: u32,
    spares: u32,
    spares_used: u32,
    /// Members there will be when all that operators were asked to do is done.
    members: u32,
    members_min: u32,
    keys: u32,
    budget: Budget,
    /// What strikes next, before anything is drawn.
    also: Option<Fault>,
}

impl Nemesis {
    /// With the weights of `spec`, against a cluster that keeps so many keys.
    pub fn new(spec: NemesisSpec, cluster: &ClusterSpec, keys: u32, streams: Streams) -> Self {
        let stream = streams.stream(Component::Nemesis);
        Self {
            spec,
            stream,
            nodes: cluster.nodes,
            spares: cluster.spares,
            spares_used: 0,
            members: cluster.nodes,
            members_min: u32::from(cluster.n),
            keys,
            budget: Budget::new(cluster),
            also: None,
        }
    }

    /// How long until the next strike, in nanoseconds.
    pub fn pause(&mut self) -> u64 {
        if self.also.is_some() {
            return self.stream.below(20_000_000);
        }
        exponential(&mut self.stream, self.spec.every)
    }

    /// The next fault, striking now; `None` when the budget forbids the one drawn. `up` are the nodes that run,
    /// counted from 1; so many others are `down` and will run again.
    pub fn strike(&mut self, up: &[u32], down: usize) -> Option<Fault> {
        if let Some(fault) = self.also.take() {
            return Some(fault);
        }
        let lasts = Span::from_ns(exponential(&mut self.stream, self.spec.lasts).max(1_000_000));
        let kind = self.draw_kind();
        let node = *up.get(self.stream.index(up.len()))?;
        let at = Span::default();
        match kind {
            FaultKind::Crash => self.budget.may_go_down(down).then_some(Fault::Crash { at, lasts, node }),
            FaultKind::WipeDisk => (self.budget.may_go_down(down) && self.budget.may_lose_data(node))
                .then_some(Fault::WipeDisk { at, lasts, node }),
            FaultKind::Restart => self.budget.may_go_down(down).then_some(Fault::Restart { at, lasts, node }),
            FaultKind::RestoreDisk => {
                let back = Span::from_ms(self.stream.between(1, 10_000));
                (self.budget.may_go_down(down) && self.budget.may_lose_data(node))
                    .then_some(Fault::RestoreDisk { at, lasts, node, back })
            }
            FaultKind::WipeKey => {
                let key = self.stream.below(u64::from(self.keys)) as u32;
                self.budget.may_lose_data(node).then_some(Fault::WipeKey { at, node, carts: vec![key] })
            }
            FaultKind::CorruptRecord => {
                let key = self.stream.below(u64::from(self.keys)) as u32;
                let fault = Fault::CorruptRecord { at, node, carts: vec![key] };
                self.budget.may_lose_data(node).then_some(fault)
            }
            FaultKind::ClockJump => {
                let by_ms = self.stream.between(0, 120_000) as i64 - 60_000;
                Some(Fault::ClockJump { at, node, by_ms })
            }
            FaultKind::Join => Some(Fault::Join { at, node: self.take_spare()? }),
            FaultKind::Leave => self.may_leave().then_some(Fault::Leave { at, node }),
            FaultKind::Replace => self.replacement(at, node),
            FaultKind::Pause => self.budget.may_go_down(down).then_some(Fault::Pause { at, lasts, node }),
            FaultKind::Suspend => self.budget.may_go_down(down).then_some(Fault::Suspend { at, lasts, node }),
            FaultKind::CrashLoop => {
                let every = Span::from_ms(self.stream.between(50, 1_500));
                self.budget.may_go_down(down).then_some(Fault::CrashLoop { at, lasts, node, every })
            }
            FaultKind::RollingRestart => {
                let every = Span::from_ms(self.stream.between(100, 1_500));
                let lasts = Span::from_ms(self.stream.between(10, every.ns() / 1_000_000));
                self.budget.may_go_down(down).then_some(Fault::RollingRestart { at, lasts, every })
            }
            FaultKind::LyingSync => {
                self.budget.may_lose_data(node).then_some(Fault::LyingSync { at, lasts, node })
            }
            FaultKind::ReadErrors | FaultKind::WriteErrors | FaultKind::DiskFull => {
                Some(self.disk_failure(kind, lasts, node))
            }
            FaultKind::Partition
            | FaultKind::OneWay
            | FaultKind::PartialPartition
            | FaultKind::DropAcks
            | FaultKind::SlowNode
            | FaultKind::Flapping
            | FaultKind::LateLink => self.network_failure(kind, lasts, node),
            FaultKind::SetProps => {
                self.also = self.other(node).map(|other| self.props(other));
                Some(self.props(node))
            }
        }
    }

    fn network_failure(&mut self, kind: FaultKind, lasts: Span, node: u32) -> Option<Fault> {
        let at = Span::default();
        match kind {
            FaultKind::Partition => self.side().map(|side| Fault::Partition { at, lasts, side }),
            FaultKind::OneWay => {
                self.other(node).map(|to| Fault::OneWay { at, lasts, from: vec![node], to: vec![to] })
            }
            FaultKind::PartialPartition => {
                self.pairs().map(|pairs| Fault::PartialPartition { at, lasts, pairs })
            }
            FaultKind::DropAcks => {
                self.other(node).map(|to| Fault::DropAcks { at, lasts, from: vec![node], to: vec![to] })
            }
            FaultKind::SlowNode => {
                let factor = self.stream.between(2, 200) as u32;
                Some(Fault::SlowNode { at, lasts, node, factor })
            }
            FaultKind::Flapping => {
                let every = Span::from_ms(self.stream.between(20, 1_000));
                self.side().map(|side| Fault::Flapping { at, lasts, side, every })
            }
            FaultKind::LateLink => {
                let to = self.other(node)?;
                let percent = self.stream.between(5, 100) as u32;
                let by = Span::from_ms(self.stream.between(50, 5_000));
                Some(Fault::LateLink { at, lasts, from: vec![node], to: vec![to], percent, by })
            }
            _ => None,
        }
    }

    fn disk_failure(&mut self, kind: FaultKind, lasts: Span, node: u32) -> Fault {
        let at = Span::default();
        if kind == FaultKind::DiskFull {
            return Fault::DiskFull { at, lasts, node };
        }
        let one_in = self.stream.between(1, 4) as u32;
        if kind == FaultKind::ReadErrors {
            Fault::ReadErrors { at, lasts, node, one_in }
        } else {
            Fault::WriteErrors { at, lasts, node, one_in }
        }
    }

    /// An operator at one node; another one is often at another node at the same time.
    fn props(&mut self, node: u32) -> Fault {
        let node_confirms = Some(self.stream.between(0, u64::from(self.members_min.min(2))) as u8);
        let (at, bucket, allow_mult, last_write_wins) = (Span::default(), 0, None, None);
        Fault::SetProps { at, node, bucket, node_confirms, allow_mult, last_write_wins }
    }

    /// A spare node that was not used yet.
    fn take_spare(&mut self) -> Option<u32> {
        if self.spares_used == self.spares {
            return None;
        }
        self.spares_used += 1;
        self.members += 1;
        Some(self.nodes + self.spares_used)
    }

    /// N members must be left, and so must be a majority of those that there were: they carry the change.
    fn may_leave(&mut self) -> bool {
        let may = self.members > self.members_min;
        self.members -= u32::from(may);
        may
    }

    /// A member that loses its place to a spare loses its data when it is down by then, or when nobody takes its place.
    fn replacement(&mut self, at: Span, node: u32) -> Option<Fault> {
        if !self.budget.may_lose_data(node) {
            return None;
        }
        match self.take_spare() {
            Some(with) => {
                self.members -= 1;
                Some(Fault::Replace { at, node, with })
            }
            None => self.may_leave().then_some(Fault::Remove { at, node }),
        }
    }

    fn draw_kind(&mut self) -> FaultKind {
        let weights = self.spec.weights();
        let mut drawn = self.stream.below(weights.iter().map(|(.., weight)| u64::from(*weight)).sum());
        for (kind, _, weight) in weights {
            if drawn < u64::from(weight) {
                return kind;
            }
            drawn -= u64::from(weight);
        }
        FaultKind::Crash
    }

    /// A random non-empty, proper subset.
    fn side(&mut self) -> Option<Vec<u32>> {
        let side: Vec<u32> = (1..=self.nodes).filter(|_| self.stream.below(2) == 1).collect();
        (!side.is_empty() && side.len() < self.nodes as usize).then_some(side)
    }

    /// A random node, unless that is `node`.
    fn other(&mut self, node: u32) -> Option<u32> {
        let other = self.stream.between(1, u64::from(self.nodes)) as u32;
        (other != node).then_some(other)
    }

    /// Each pair of nodes with a chance of one in three.
    fn pairs(&mut self) -> Option<Vec<[u32; 2]>> {
        let nodes = self.nodes;
        let all = (1..=nodes).flat_map(|one| (one + 1..=nodes).map(move |other| [one, other]));
        let pairs: Vec<[u32; 2]> = all.filter(|_| self.stream.below(3) == 0).collect();
        (!pairs.is_empty()).then_some(pairs)
    }
}

fn exponential(stream: &mut Stream, mean: Span) -> u64 {
    (-libm::log(stream.unit()) * mean.ns() as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_lost_on_fewer_nodes_than_acknowledge() {
        let scenario: crate::Scenario = r#"
            name = "t"
            about = "t"
            duration = "1s"
            settle = "1s"
            cluster = { nodes = 5, n = 5, w = 3 }
            workload.cart = { clients = 1, carts = 1, think = { fixed = { value = "1ms" } } }
        "#
        .parse()
        .unwrap();
        let mut budget = Budget::new(&scenario.cluster);
        assert!(budget.may_lose_data(4) && budget.may_lose_data(2) && budget.may_lose_data(4));
        assert!(!budget.may_lose_data(1), "W = 3 survives the loss of two nodes' data");
        assert!(budget.may_go_down(1) && !budget.may_go_down(2));
        let (at, lasts, one_in) = (Span::default(), Span::from_ms(500), 1);
        let failing = |node| Fault::WriteErrors { at, lasts, node, one_in };
        let all_fail = crate::Scenario { fault: (1..=5).map(failing).collect(), ..scenario.clone() };
        assert!(Budget::new(&scenario.cluster).covers(&all_fail), "a disk that says no loses nothing");
    }
}
