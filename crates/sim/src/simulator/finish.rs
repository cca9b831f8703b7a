//! The last phase: hints drain, every cart is read from all its homes (which repairs them), and all replicas agree.

use std::time::Duration;

use cartwheel_check::diverged;
use cartwheel_core::id::RequestId;
use cartwheel_core::{Answer, ClientError, ClientOp, Quorum};

use super::{Caller, Event, Simulator};
use crate::workload::Ask;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where the reading of all carts stands.
#[derive(Debug, Default)]
pub(super) struct Finish {
    /// The next cart to read, while a sweep is under way.
    sweep: Option<usize>,
    swept: bool,
    reads: u64,
    done: bool,
}

impl Finish {
    pub fn is_done(&self) -> bool {
        self.done
    }
}

impl Simulator<'_> {
    /// Is it over, and if not, is it time to read all carts?
    pub(super) fn look(&mut self) {
        self.queue.push(self.now + LOOK_EVERY.as_nanos() as u64, Event::Look);
        if self.finish.sweep.is_some() || !self.is_quiet() {
            return;
        }
        if std::mem::take(&mut self.finish.swept) && diverged(&self.copies()).is_empty() {
            self.finish.done = true;
            return;
        }
        self.finish.sweep = Some(0);
        self.read_next();
    }

    /// No client waits, no hint is owed, no node has anything under way.
    fn is_quiet(&self) -> bool {
        self.carts.is_quiet()
            && self.processes.iter().all(|process| {
                process.disk.hints() == 0
                    && process.node.as_ref().is_some_and(|node| {
                        let status = node.status();
                        status.requests_running() == 0 && status.storage_in_flight() == 0
                    })
            })
    }

    fn read_next(&mut self) {
        let Some(cart) = self.finish.sweep else { return };
        let Some(key) = self.carts.keys().get(cart).cloned() else {
            self.finish.sweep = None;
            self.finish.swept = true;
            return;
        };
        self.finish.reads += 1;
        let ask = Ask {
            node: cart % self.processes.len(),
            request: RequestId(u128::MAX - u128::from(self.finish.reads)),
            key,
            op: ClientOp::Get { r: Quorum::All, n: None },
        };
        self.ask(Caller::Reader, ask, None);
    }

    /// A cart was read; one that could not be read is read again.
    pub(super) fn reader_answered(&mut self, result: Option<Result<Answer, ClientError>>) {
        if let (Some(Ok(_)), Some(cart)) = (result, &mut self.finish.sweep) {
            *cart += 1;
        }
        self.read_next();
    }
}
