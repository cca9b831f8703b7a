//! Clients that come before the node knows where it stands.

use alloc::vec::Vec;

use crate::boundary::ClientRequest;
use crate::time::Instant;

/// Requests that wait until the node may serve, each with the time at which its client gives up.
#[derive(Debug, Default)]
pub(crate) struct Doorstep(Vec<(ClientRequest, Instant)>);

impl Doorstep {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn wait(&mut self, request: ClientRequest, give_up: Instant) {
        self.0.push((request, give_up));
    }

    /// All of them, in the order in which they came.
    pub fn leave(&mut self) -> Vec<(ClientRequest, Instant)> {
        core::mem::take(&mut self.0)
    }

    /// Those whose clients have given up.
    pub fn expired(&mut self, now: Instant) -> Vec<ClientRequest> {
        let (gone, waiting) = self.0.drain(..).partition(|(_, give_up)| *give_up <= now);
        self.0 = waiting;
        let gone: Vec<(ClientRequest, Instant)> = gone;
        gone.into_iter().map(|(request, _)| request).collect()
    }
}
