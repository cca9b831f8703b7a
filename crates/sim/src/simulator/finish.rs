//! The last phase: faults have ceased, and the cluster must converge by itself. Hints drain, exchanges find what
//! differs, nothing is under way any more, and all replicas agree.

use std::collections::BTreeSet;
use std::time::Duration;

use cartwheel_check::diverged;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::ClusterDigest;
use cartwheel_core::version::Digest;
use cartwheel_core::{Node, Status};

use super::{Event, Simulator};
use crate::scenario::KindSpec;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Simulator<'_> {
    /// Is it over?
    pub(super) fn look(&mut self) {
        let agree = || diverged(&self.copies()).is_empty() && self.data_types_agree();
        if self.busy().is_empty() && agree() && self.has_listed() {
            self.converged = true;
        } else {
            self.queue.push(self.now + LOOK_EVERY.as_nanos() as u64, Event::Look);
        }
    }

    /// All homes of a key hold the same versions, as names say. The ground truth, which `diverged` goes by, knows writes of
    /// plain values only.
    fn data_types_agree(&self) -> bool {
        let KindSpec::DataTypes { .. } = self.scenario.workload.kind else { return true };
        let ring = self.ring_in_force();
        self.clients.keys().iter().all(|key| {
            let homes = ring.preference_list(key.token(), self.scenario.cluster.n);
            let held = |home: &NodeId| self.processes[home.0 as usize - 1].disk.read(key).digest();
            let names: BTreeSet<Digest> = homes.homes().iter().map(held).collect();
            names.len() <= 1
        })
    }

    /// What is still under way, a few words each: a client that waits, an operator's wish, work of a node.
    pub(super) fn busy(&self) -> Vec<String> {
        let mut busy = Vec::new();
        let mut note = |what: String, is_so: bool| {
            if is_so {
                busy.push(what);
            }
        };
        note("clients wait".into(), !self.clients.is_quiet());
        note("operators wait".into(), !self.operator.is_idle());
        for (process, number) in self.processes.iter().zip(1..).filter(|(process, _)| process.exists) {
            let Some(node) = process.node.as_ref() else {
                note(format!("n{number} is down"), true);
                continue;
            };
            let status = node.status();
            for (what, count) in [
                ("hints", process.disk.hints()),
                // A node that counts one more than it has would never leave.
                ("hints by its own count", hints_counted(status)),
                ("requests", status.requests_running()),
                ("storage requests", status.storage_in_flight()),
                ("exchanges to fetch what it lacks", status.fetches()),
                ("partitions to hand over", status.handoff_open()),
                ("records to mend", status.mending()),
                (
                    "tombstones",
                    if self.scenario.cluster.reap_after.is_zero() { 0 } else { process.disk.tombstones() },
                ),
                ("news of the cluster", usize::from(!status.membership_idle())),
            ] {
                note(format!("n{number} has {count} {what}"), count > 0);
            }
        }
        note("nodes disagree on the cluster's state".into(), !self.all_agree());
        busy
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
