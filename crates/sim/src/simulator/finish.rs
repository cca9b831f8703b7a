//! The last phase: faults have ceased, and the cluster must converge by itself. Hints drain, exchanges find what
//! differs, nothing is under way any more, and all replicas agree.

use std::collections::BTreeSet;
use std::time::Duration;
use std::{fmt, iter};

use cartwheel_check::diverged;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::ClusterDigest;
use cartwheel_core::{Node, Status};

use super::{Event, Process, Simulator};
use crate::scenario::KindSpec;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Something that is still under way.
enum Busy {
    /// A client waits.
    Clients,
    /// An operator's wish has not been granted.
    Operators,
    /// A node that is to run does not.
    Down { node: u32 },
    /// A node has work.
    Work { node: u32, count: usize, what: &'static str },
    /// Nodes disagree on the cluster's state.
    Disagree,
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clients => write!(f, "clients wait"),
            Self::Operators => write!(f, "operators wait"),
            Self::Down { node } => write!(f, "n{node} is down"),
            Self::Work { node, count, what } => write!(f, "n{node} has {count} {what}"),
            Self::Disagree => write!(f, "nodes disagree on the cluster's state"),
        }
    }
}

impl Simulator<'_> {
    /// Is it over?
    pub(super) fn look(&mut self) {
        if self.under_way().next().is_none() && self.homes_agree() && self.has_listed() {
            self.converged = true;
        } else {
            self.queue.push(self.now + LOOK_EVERY.as_nanos() as u64, Event::Look);
        }
    }

    /// All homes of a key hold the same, as names say or, where values are plain, as ground truth says: it calls two versions
    /// that one request made the same.
    fn homes_agree(&self) -> bool {
        let are_plain = !matches!(self.scenario.workload.kind, KindSpec::DataTypes { .. });
        self.names_agree() || are_plain && diverged(&self.copies()).is_empty()
    }

    /// All homes of a key hold the same versions.
    fn names_agree(&self) -> bool {
        let ring = self.ring_in_force();
        self.clients.keys().iter().all(|key| {
            let homes = ring.preference_list(key.token(), self.scenario.cluster.n);
            let name = |home: &NodeId| self.processes[home.0 as usize - 1].disk.read(key).digest();
            let mut names = homes.homes().iter().map(name);
            let first = names.next();
            names.all(|name| Some(name) == first)
        })
    }

    /// What is still under way, a few words each: a client that waits, an operator's wish, work of a node.
    pub(super) fn busy(&self) -> Vec<String> {
        self.under_way().map(|busy| busy.to_string()).collect()
    }

    fn under_way(&self) -> impl Iterator<Item = Busy> {
        let people = [(Busy::Clients, self.clients.is_quiet()), (Busy::Operators, self.operator.is_idle())];
        let there = self.processes.iter().zip(1..).filter(|(process, _)| process.exists);
        let nodes = there.flat_map(|(process, node)| self.work_of(process, node));
        let waiting = people.into_iter().filter(|(_, is_idle)| !is_idle).map(|(busy, _)| busy);
        // Whether all agree is looked into last: it takes most.
        let disagree = iter::once_with(|| self.all_agree()).filter(|agree| !agree).map(|_| Busy::Disagree);
        waiting.chain(nodes).chain(disagree)
    }

    fn work_of(&self, process: &Process, node: u32) -> impl Iterator<Item = Busy> + use<> {
        let counts = process.node.as_ref().map(|core| {
            let status = core.status();
            let reaps = !self.scenario.cluster.reap_after.is_zero();
            [
                ("hints", process.disk.hints()),
                // A node that counts one more than it has would never leave.
                ("hints by its own count", hints_counted(status)),
                ("requests", status.requests_running()),
                ("storage requests", status.storage_in_flight()),
                ("exchanges to fetch what it lacks", status.fetches()),
                ("partitions to hand over", status.handoff_open()),
                ("records to mend", status.mending()),
                ("tombstones", if reaps { process.disk.tombstones() } else { 0 }),
                ("news of the cluster", usize::from(!status.membership_idle())),
            ]
        });
        let down = counts.is_none().then_some(Busy::Down { node });
        let work = counts.into_iter().flatten().filter(|(_, count)| *count > 0);
        down.into_iter().chain(work.map(move |(what, count)| Busy::Work { node, count, what }))
    }

    /// Everybody knows the same of the cluster.
    fn all_agree(&self) -> bool {
        let running = self.processes.iter().filter_map(|process| process.node.as_ref());
        // Nobody listens to those that have gone.
        let there = running.map(Node::status).filter(|status| {
            let own = status.cluster().status(status.node());
            own.is_some_and(|own| !own.is_gone())
        });
        let digests: BTreeSet<ClusterDigest> = there.map(|status| status.cluster_digest()).collect();
        digests.len() <= 1
    }
}

fn hints_counted(status: Status<'_>) -> usize {
    status.hints().iter().map(|(_, total)| total.keys as usize).sum()
}
