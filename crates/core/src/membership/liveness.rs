//! Local failure suspicion from unanswered requests (the paper's section 4.8.3).
//!
//! A purely local opinion: if A does not get answers from B, A uses other nodes, whatever C thinks. A wrong
//! suspicion costs a hint, never a write.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::id::NodeId;
use crate::message::{LivenessMessage, Message};
use crate::time::Instant;

#[derive(Debug)]
pub(crate) struct Liveness {
    peers: BTreeMap<NodeId, Peer>,
    probing: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    /// Requests left unanswered since it was last heard.
    missed: u32,
    last_heard: Instant,
    suspected: bool,
}

impl Liveness {
    pub fn new(me: NodeId, members: impl Iterator<Item = NodeId>) -> Self {
        let peers = members.filter(|member| *member != me).map(|member| (member, Peer::default()));
        Self { peers: peers.collect(), probing: false }
    }

    /// Those that are asked from now on; of the others nothing is remembered.
    pub fn set_peers(&mut self, me: NodeId, members: impl Iterator<Item = NodeId>) {
        let known = core::mem::take(&mut self.peers);
        let peer = |member: NodeId| (member, known.get(&member).copied().unwrap_or_default());
        self.peers = members.filter(|member| *member != me).map(peer).collect();
    }

    pub fn is_suspected(&self, node: NodeId) -> bool {
        self.peers.get(&node).is_some_and(|peer| peer.suspected)
    }

    pub fn suspected(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.peers.iter().filter(|(_, peer)| peer.suspected).map(|(&node, _)| node)
    }

    /// Any message proves that its sender lives. Whether it had been suspected.
    pub fn heard(&mut self, node: NodeId, now: Instant) -> bool {
        let Some(peer) = self.peers.get_mut(&node) else { return false };
        peer.last_heard = now;
        peer.missed = 0;
        core::mem::take(&mut peer.suspected)
    }

    /// A request of `asked_at` went unanswered; it counts unless the node was heard since. Whether this made the
    /// node suspected.
    pub fn missed(&mut self, node: NodeId, asked_at: Instant, suspect_after: u32) -> bool {
        let Some(peer) = self.peers.get_mut(&node) else { return false };
        if peer.suspected || (peer.last_heard >= asked_at && peer.last_heard > Instant(0)) {
            return false;
        }
        peer.missed += 1;
        peer.suspected = peer.missed >= suspect_after;
        peer.suspected
    }

    /// Others have found that `node` does not answer. Whether this made it suspected here.
    pub fn declared_down(&mut self, node: NodeId) -> bool {
        let Some(peer) = self.peers.get_mut(&node) else { return false };
        !core::mem::replace(&mut peer.suspected, true)
    }

    /// When to arm the probe timer; `None` if it is running.
    pub fn start_probing(&mut self, at: Instant) -> Option<Instant> {
        (!core::mem::replace(&mut self.probing, true)).then_some(at)
    }
}

/// Pings every suspected peer, for as long as there are some.
pub(crate) fn on_probe_timer(cx: &mut Cx) {
    let suspected: Vec<NodeId> = cx.env.liveness.suspected().collect();
    cx.env.liveness.probing = !suspected.is_empty();
    if cx.env.liveness.probing {
        cx.arm(cx.time() + cx.env.config.probe_interval, Timer::Probe);
    }
    for node in suspected {
        cx.send(node, Message::Liveness(LivenessMessage::Ping));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: NodeId = NodeId(2);

    fn liveness() -> Liveness {
        Liveness::new(NodeId(1), [NodeId(1), PEER].into_iter())
    }

    #[test]
    fn enough_unanswered_requests_in_a_row_make_a_suspect_and_one_message_clears_it() {
        let mut liveness = liveness();
        assert!(!liveness.missed(PEER, Instant(1), 2));
        assert!(liveness.missed(PEER, Instant(2), 2));
        assert!(liveness.is_suspected(PEER));
        assert!(liveness.heard(PEER, Instant(3)));
        assert!(!liveness.is_suspected(PEER));
    }

    #[test]
    fn a_request_older_than_the_last_message_proves_nothing() {
        let mut liveness = liveness();
        liveness.heard(PEER, Instant(5));
        assert!(!liveness.missed(PEER, Instant(4), 1));
        assert!(liveness.missed(PEER, Instant(6), 1));
    }
}
