//! The last phase: faults have ceased, and the cluster must converge by itself. Hints drain, exchanges find what
//! differs, nothing is under way any more, and all replicas agree.

use std::time::Duration;

use cartwheel_check::diverged;

use super::{Event, Simulator};

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Simulator<'_> {
    /// Is it over?
    pub(super) fn look(&mut self) {
        if self.is_quiet() && diverged(&self.copies()).is_empty() {
            self.converged = true;
        } else {
            self.queue.push(self.now + LOOK_EVERY.as_nanos() as u64, Event::Look);
        }
    }

    /// No client waits, no hint is owed, no node has anything under way.
    fn is_quiet(&self) -> bool {
        self.carts.is_quiet()
            && self.operator.is_idle()
            && self.processes.iter().filter(|process| process.exists).all(|process| {
                process.disk.hints() == 0
                    && process.node.as_ref().is_some_and(|node| {
                        let status = node.status();
                        status.requests_running() == 0
                            && status.storage_in_flight() == 0
                            && status.membership_idle()
                            && status.fetches() == 0
                            && status.handoff_open() == 0
                    })
            })
            && self.all_agree()
    }

    /// Everybody knows the same of the cluster.
    fn all_agree(&self) -> bool {
        let running = self.processes.iter().filter_map(|process| process.node.as_ref());
        let digests: std::collections::BTreeSet<_> =
            running.map(|node| node.status().cluster().digest()).collect();
        digests.len() <= 1
    }
}
