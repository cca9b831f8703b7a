//! Failure detection by all for all: [`Swim`](super::swim) as a machine of the node.
//!
//! What SWIM says of a peer adds to what this node finds itself ([`Liveness`](super::Liveness)): a node that others
//! found dead need not be waited for here first. Whatever is heard from a peer directly counts more than either.

use alloc::vec::Vec;

use bytes::Bytes;

use super::member::MemberStatus;
use super::swim::{Swim, SwimConfig, SwimEffect, SwimIgnored, SwimTimer};
use crate::config::Config;
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::id::NodeId;
use crate::message::Message;

#[derive(Debug)]
pub(crate) struct Watch {
    swim: Swim,
}

impl Watch {
    /// `boot` is the number of this start of this store.
    pub fn new(config: &Config, boot: u64, seed: [u8; 32]) -> Self {
        let interval = config.swim_interval;
        let swim = SwimConfig {
            probe_interval: interval,
            probe_timeout: interval * 3 / 10,
            announce_to_down_interval: interval,
            ..SwimConfig::default()
        };
        Self { swim: Swim::new(config.node, boot, swim, seed) }
    }

    /// Watches the active members, and nobody else. One that is no active member itself watches nobody.
    pub fn on_members_changed(&mut self, cx: &mut Cx) {
        let cluster = &cx.env.cluster;
        let takes_part = cluster.status(cx.me()).is_some_and(MemberStatus::is_active);
        let members: Vec<NodeId> = if takes_part { cluster.active().collect() } else { Vec::new() };
        let mut effects = Vec::new();
        self.swim.set_members(cx.time(), &members, &mut effects);
        Self::carry_out(cx, effects);
    }

    pub fn on_message(&mut self, cx: &mut Cx, from: NodeId, payload: &Bytes) {
        let mut effects = Vec::new();
        self.swim.handle(cx.time(), from, payload, &mut effects);
        Self::carry_out(cx, effects);
    }

    pub fn on_timer(&mut self, cx: &mut Cx, timer: SwimTimer) {
        let mut effects = Vec::new();
        self.swim.on_timer(cx.time(), timer, &mut effects);
        Self::carry_out(cx, effects);
    }

    /// Members that are held to be dead.
    pub fn down(&self) -> Vec<NodeId> {
        self.swim.down().collect()
    }

    /// Messages that had no effect.
    pub fn ignored(&self) -> SwimIgnored {
        self.swim.ignored()
    }

    fn carry_out(cx: &mut Cx, effects: Vec<SwimEffect>) {
        for effect in effects {
            match effect {
                SwimEffect::Send { to, payload } => cx.send(to, Message::Swim(payload)),
                SwimEffect::Arm { at, timer } => cx.arm(at, Timer::Swim(timer)),
                SwimEffect::Alive(node) => cx.is_alive(node),
                SwimEffect::Down(node) => cx.is_down(node),
            }
        }
    }
}
