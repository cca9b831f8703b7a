//! SWIM failure detection (Das, Gupta, Motivala 2002, with suspicion and infection-style dissemination): who of the
//! ring's members is up, in constant load per node.
//!
//! The protocol is the crate `foca`, which owns no clock, socket or randomness: the same calls with the same seed
//! have the same effects. This module gives it our identities, times and bytes, and closes the gaps between its view
//! of the world and a ring's:
//!
//! - **The ring says who is a member**, foca would let anybody join and learn members by rumour. Others
//!   get their probes answered and are not listened to, news of others is cut out before foca sees it, and a removed
//!   member is forgotten at once.
//! - **The ring knows nodes, not their lives.** A member starts as [`Identity::unheard`], and what is addressed to an
//!   earlier life of a node is taken by its present one, whose answer then tells who it is now. (foca would have it
//!   ignored until rumour has spread the new identity: a restarted node would be suspected for its restart.)
//! - **Down is an opinion, not an end.** In SWIM nobody talks to a member that is down, so two halves of a healed
//!   partition would ignore each other for ever. Here each node goes on announcing itself to its down members, one
//!   per interval. The answer to a message from a member that is held down is a notice of that, upon which the member
//!   comes back under a greater identity. (foca can do this only for as long as anybody else is up.)
//! - **A suspect is told to its face**, by a ping that carries the suspicion, for as long as that stands (Lifeguard's
//!   buddy system, Dadgar et al. 2018). By rumour alone a refutation misses whoever missed the one before it: at a
//!   tenth of all messages lost, one suspicion in seventeen ended in a false death among eight nodes.
//! - **A refuted suspicion is over.** foca sends a down notice also when a suspicion runs out that had been refuted;
//!   the receiver would change its identity for nothing. Such notices are not sent.
//! - **Nobody is outlived by an earlier self.** A node that hears of a greater identity of its own than it has (it
//!   started from an old copy of its disk) takes a still greater one.

mod codec;
mod identity;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;
use core::num::{NonZeroU8, NonZeroUsize};
use core::ops::Bound;
use core::time::Duration;

use bytes::Bytes;
use foca::{Foca, Incarnation, Member, Message, NoCustomBroadcast, Notification, State, TimerToken};

use self::codec::{PACKET_BYTES_MAX, Packet, SwimCodec};
use self::identity::Identity;
use crate::id::NodeId;
use crate::rng::CoreRng;
use crate::time::Instant;

/// How failures are detected. The default is memberlist's for local networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SwimConfig {
    /// T': how often a node probes one other. Load falls with it, detection time grows with it.
    pub probe_interval: Duration,
    /// How long a probed node may take before others are asked to probe it: a high quantile of the round-trip time,
    /// and less than half of the interval, which must also have room for the indirect probe.
    pub probe_timeout: Duration,
    /// k: how many others are asked.
    pub indirect_probes: NonZeroU8,
    /// How long a suspect may take to refute before it is declared down, in probe intervals per decimal digit of the
    /// number of nodes: news takes logarithmic time to reach it and to come back.
    pub suspicion_mult: u32,
    /// How often one piece of news is passed on by each node, per decimal digit of the number of nodes.
    pub retransmit_mult: u32,
    /// How often a node tries to reach one of the members that it holds down: bounds how long a healed partition
    /// goes unnoticed.
    pub announce_to_down_interval: Duration,
}

impl Default for SwimConfig {
    fn default() -> Self {
        Self {
            probe_interval: Duration::from_secs(1),
            probe_timeout: Duration::from_millis(300),
            indirect_probes: NonZeroU8::new(3).expect("three is not zero"),
            suspicion_mult: 4,
            retransmit_mult: 4,
            announce_to_down_interval: Duration::from_secs(1),
        }
    }
}

impl SwimConfig {
    /// How long a suspicion stands in a cluster of `nodes`.
    pub fn suspicion(&self, nodes: usize) -> Duration {
        self.probe_interval.saturating_mul(self.suspicion_mult.saturating_mul(digits(nodes)))
    }

    /// How often news is passed on in a cluster of `nodes`.
    fn retransmissions(&self, nodes: usize) -> NonZeroU8 {
        let times = self.retransmit_mult.saturating_mul(digits(nodes));
        NonZeroU8::new(u8::try_from(times).unwrap_or(u8::MAX)).unwrap_or(NonZeroU8::MIN)
    }

    fn for_nodes(&self, nodes: usize) -> foca::Config {
        foca::Config {
            probe_period: self.probe_interval,
            probe_rtt: self.probe_timeout,
            num_indirect_probes: NonZeroUsize::from(self.indirect_probes),
            max_transmissions: self.retransmissions(nodes),
            suspect_to_down_after: self.suspicion(nodes),
            // Only the ring removes members.
            remove_down_after: None,
            max_packet_size: NonZeroUsize::new(PACKET_BYTES_MAX).expect("packets have a size"),
            notify_down_members: true,
            periodic_announce: None,
            periodic_announce_to_down_members: None,
            periodic_gossip: None,
        }
    }
}

/// ceil(log10(`nodes` + 1)), memberlist's measure of a cluster, without floats.
fn digits(nodes: usize) -> u32 {
    nodes.checked_ilog10().unwrap_or(0) + 1
}

/// What is to be done, or has become known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SwimEffect {
    /// Deliver, or lose.
    Send { to: NodeId, payload: Bytes },
    /// Call [`Swim::on_timer`] then. Timers are never disarmed; one that is out of date does nothing.
    Arm { at: Instant, timer: SwimTimer },
    /// A member that had been down is up.
    Alive(NodeId),
    /// A member that had been up is down.
    Down(NodeId),
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SwimTimer {
    /// The probed member had its time: ask others. Before [`SwimTimer::Probe`] if both are due.
    IndirectProbe { probed: Identity, token: TimerToken },
    /// Judge the last probe, start the next one.
    Probe { token: TimerToken },
    /// The suspect had its time to refute.
    Suspicion { suspect: Identity, incarnation: Incarnation, token: TimerToken },
    /// Ask the suspect again.
    Confront { suspect: Identity, incarnation: Incarnation },
    /// Try to reach a member that is down.
    AnnounceToDown,
}

/// Messages that had no effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwimIgnored {
    /// Not a message of this version.
    pub malformed: u64,
    /// From, for, or about nodes that are not members.
    pub strangers: u64,
}

/// One node's failure detector. All members are held to be up until found otherwise.
pub(crate) struct Swim {
    me: NodeId,
    config: SwimConfig,
    foca: Foca<Identity, SwimCodec, CoreRng, NoCustomBroadcast>,
    members: BTreeSet<NodeId>,
    down: BTreeSet<NodeId>,
    /// The last down member that was tried; they take turns.
    announced_to: NodeId,
    announcing: bool,
    ignored: SwimIgnored,
}

impl Swim {
    /// A node that has just started, and knows of nobody. `boot` must be greater than at any earlier start, or the
    /// node is taken for its earlier self until it has been told so.
    ///
    /// Panics if a probe has no time to be answered within its interval.
    pub fn new(me: NodeId, boot: u64, config: SwimConfig, seed: [u8; 32]) -> Self {
        assert!(!config.probe_timeout.is_zero(), "a probe needs time to be answered");
        assert!(config.probe_timeout < config.probe_interval, "an indirect probe needs time to be answered");
        assert!(!config.announce_to_down_interval.is_zero(), "announcements need a pause between them");
        let identity = Identity { boot, ..Identity::unheard(me) };
        Self {
            me,
            config,
            foca: Foca::new(identity, config.for_nodes(1), CoreRng::new(seed), SwimCodec),
            members: BTreeSet::new(),
            down: BTreeSet::new(),
            announced_to: me,
            announcing: false,
            ignored: SwimIgnored::default(),
        }
    }

    /// The ring's members, this node among them or not. Everybody else is forgotten, and heard of no more.
    pub fn set_members(&mut self, now: Instant, members: &[NodeId], out: &mut Vec<SwimEffect>) {
        let members: BTreeSet<NodeId> = members.iter().copied().filter(|&node| node != self.me).collect();
        let left: Vec<NodeId> = self.members.difference(&members).copied().collect();
        let joined: Vec<NodeId> = members.difference(&self.members).copied().collect();
        let first = self.members.is_empty();
        self.members = members;
        let config = self.config.for_nodes(self.members.len() + 1);
        self.foca.set_config(config).expect("only what may change has changed");
        for node in left {
            self.forget(now, node, out);
        }
        let joined = joined.into_iter().map(|node| Member::alive(Identity::unheard(node)));
        self.run(now, out, |foca, effects| foca.apply_many(joined, false, effects))
            .expect("only codecs fail, and nothing is encoded");
        if first {
            self.introduce(now, out);
        }
    }

    /// A message from `from`. Bytes that are no message, and messages of strangers, are counted and ignored.
    pub fn handle(&mut self, now: Instant, from: NodeId, payload: &[u8], out: &mut Vec<SwimEffect>) {
        let Ok(mut packet) = Packet::decode(payload) else {
            self.ignored.malformed += 1;
            return;
        };
        if !self.is_among_members(from, &packet) {
            self.ignored.strangers += 1;
            return self.answer_stranger(from, &packet, out);
        }
        self.outgrow(now, &packet, out);
        self.readdress(&mut packet);
        self.select_news(&mut packet.news);
        let bytes = packet.encode().expect("no more than was decoded");
        if self.run(now, out, |foca, effects| foca.handle_data(&bytes, effects)).is_err() {
            self.ignored.malformed += 1;
        }
    }

    /// A timer that was armed for `now` or earlier.
    pub fn on_timer(&mut self, now: Instant, timer: SwimTimer, out: &mut Vec<SwimEffect>) {
        let timer = match timer {
            SwimTimer::AnnounceToDown => return self.announce_to_down(now, out),
            SwimTimer::Confront { suspect, incarnation } => {
                return self.confront(now, suspect, incarnation, out);
            }
            SwimTimer::Probe { token } => foca::Timer::ProbeRandomMember(token),
            SwimTimer::IndirectProbe { probed, token } => {
                foca::Timer::SendIndirectProbe { probed_id: probed, token }
            }
            SwimTimer::Suspicion { suspect, incarnation, token } => {
                foca::Timer::ChangeSuspectToDown { member_id: suspect, incarnation, token }
            }
        };
        // The only errors are about a timer that came late or out of turn; the next probe starts afresh.
        let _late = self.run(now, out, |foca, effects| foca.handle_timer(timer, effects));
    }

    /// Whether `node` is a member that is held to be down.
    #[cfg(test)]
    pub fn is_down(&self, node: NodeId) -> bool {
        self.down.contains(&node)
    }

    /// The members held to be down.
    pub fn down(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.down.iter().copied()
    }

    /// Members that may soon be declared down, but still count as up.
    #[cfg(test)]
    pub fn suspected(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.foca
            .iter_members()
            .filter(|member| member.state() == State::Suspect)
            .map(|member| member.id().node)
    }

    /// Messages that had no effect.
    pub fn ignored(&self) -> SwimIgnored {
        self.ignored
    }

    /// Lets foca act, and keeps trying to reach who is down thereafter.
    fn run<R>(
        &mut self,
        now: Instant,
        out: &mut Vec<SwimEffect>,
        act: impl FnOnce(&mut Foca<Identity, SwimCodec, CoreRng, NoCustomBroadcast>, &mut Effects) -> R,
    ) -> R {
        let mut effects = Effects {
            now,
            probe_interval: self.config.probe_interval,
            me: *self.foca.identity(),
            members: &self.members,
            down: &mut self.down,
            out,
        };
        let result = act(&mut self.foca, &mut effects);
        if !self.down.is_empty() && !self.announcing {
            self.announcing = true;
            let at = now + self.config.announce_to_down_interval;
            out.push(SwimEffect::Arm { at, timer: SwimTimer::AnnounceToDown });
        }
        result
    }

    /// Tells a few members that this life has begun; they answer with whom they know.
    fn introduce(&mut self, now: Instant, out: &mut Vec<SwimEffect>) {
        let after_me = self.members.range((Bound::Excluded(self.me), Bound::Unbounded));
        let around = after_me.chain(self.members.range(..self.me));
        let few: Vec<NodeId> = around.copied().take(usize::from(self.config.indirect_probes.get())).collect();
        for node in few {
            self.announce(now, node, out);
        }
    }

    /// For as long as the suspicion stands.
    fn confront(&mut self, now: Instant, id: Identity, incarnation: Incarnation, out: &mut Vec<SwimEffect>) {
        let suspect = Member::new(id, incarnation, State::Suspect);
        if self.foca.iter_members().any(|member| *member == suspect) {
            self.run(now, out, |_, effects| effects.confront(id, incarnation));
        }
    }

    fn announce_to_down(&mut self, now: Instant, out: &mut Vec<SwimEffect>) {
        self.announcing = false;
        let later = (Bound::Excluded(self.announced_to), Bound::Unbounded);
        let Some(&node) = self.down.range(later).next().or(self.down.first()) else { return };
        self.announced_to = node;
        self.announce(now, node, out);
    }

    fn announce(&mut self, now: Instant, node: NodeId, out: &mut Vec<SwimEffect>) {
        if let Some(identity) = self.known_identity(node) {
            self.run(now, out, |foca, effects| foca.announce(identity, effects))
                .expect("announcements are short");
        }
    }

    fn forget(&mut self, now: Instant, node: NodeId, out: &mut Vec<SwimEffect>) {
        self.down.remove(&node);
        let Some(identity) = self.known_identity(node) else { return };
        // foca removes only what is down.
        let down = core::iter::once(Member::down(identity));
        self.run(now, out, |foca, effects| {
            foca.apply_many(down, false, &mut *effects)?;
            foca.handle_timer(foca::Timer::RemoveDown(identity), effects)
        })
        .expect("only codecs fail, and nothing is encoded");
    }

    fn known_identity(&self, node: NodeId) -> Option<Identity> {
        self.foca.iter_membership_state().map(|member| *member.id()).find(|identity| identity.node == node)
    }

    /// Whether a packet came from a member, is for this node, and asks for nothing that concerns strangers.
    fn is_among_members(&self, from: NodeId, packet: &Packet) -> bool {
        let about = match packet.header.message {
            Message::PingReq { target: about, .. }
            | Message::IndirectPing { origin: about, .. }
            | Message::IndirectAck { target: about, .. }
            | Message::ForwardedAck { origin: about, .. } => about.node,
            _ => from,
        };
        packet.header.src.node == from
            && packet.header.dst.node == self.me
            && self.members.contains(&from)
            && self.members.contains(&about)
    }

    /// A stranger may be a member of a newer or older ring than this node's. It is told that this node lives, lest it
    /// suspects it and alarms others; nothing is learnt from it.
    fn answer_stranger(&self, from: NodeId, packet: &Packet, out: &mut Vec<SwimEffect>) {
        let foca::Header { src, dst, .. } = packet.header;
        let message = match packet.header.message {
            Message::Ping(probe) => Message::Ack(probe),
            Message::IndirectPing { origin, probe_number } => {
                Message::IndirectAck { target: origin, probe_number }
            }
            _ => return,
        };
        if src.node != from || dst.node != self.me || from == self.me {
            return;
        }
        // An answer counts for the probe whatever the incarnation; this one never overrules another.
        let header = foca::Header { src: *self.foca.identity(), src_incarnation: 0, dst: src, message };
        let answer = Packet { header, news: Vec::new() }.encode().expect("an answer is short");
        out.push(SwimEffect::Send { to: from, payload: Bytes::from(answer) });
    }

    /// Takes an identity greater than any that others know of this node.
    fn outgrow(&mut self, now: Instant, packet: &Packet, out: &mut Vec<SwimEffect>) {
        let of_me = packet.news.iter().map(|news| *news.id()).filter(|identity| identity.node == self.me);
        let greatest = of_me.fold(packet.header.dst, Ord::max);
        if greatest <= *self.foca.identity() {
            return;
        }
        if let Some(greater) = greatest.successor() {
            self.run(now, out, |foca, effects| foca.change_identity(greater, effects))
                .expect("a packet holds an identity");
        }
    }

    /// Leaves what concerns members, and one piece of news at most of this node's present life: it may end that, and a
    /// second one would then be of an earlier life, which foca would take for somebody else's.
    fn select_news(&self, news: &mut Vec<Member<Identity>>) {
        let me = *self.foca.identity();
        let mut told = false;
        news.retain(|news| {
            let repeated = *news.id() == me && core::mem::replace(&mut told, true);
            !repeated && (*news.id() == me || self.members.contains(&news.id().node))
        });
    }

    /// What is meant for an earlier life of this node is taken by the present one; only that the earlier one was
    /// declared down is none of its business.
    fn readdress(&self, packet: &mut Packet) {
        if packet.header.message != Message::TurnUndead && packet.header.dst < *self.foca.identity() {
            packet.header.dst = *self.foca.identity();
        }
    }
}

impl fmt::Debug for Swim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Swim")
            .field("identity", self.foca.identity())
            .field("members", &self.members)
            .field("down", &self.down)
            .field("ignored", &self.ignored)
            .finish_non_exhaustive()
    }
}

/// Turns what foca wants into effects.
struct Effects<'a> {
    now: Instant,
    probe_interval: Duration,
    me: Identity,
    members: &'a BTreeSet<NodeId>,
    down: &'a mut BTreeSet<NodeId>,
    out: &'a mut Vec<SwimEffect>,
}

impl Effects<'_> {
    /// Tells a suspect to its face, again and again: if it hears that, its answer refutes it.
    fn confront(&mut self, suspect: Identity, incarnation: Incarnation) {
        // The incarnation is known only to foca; zero never overrules another.
        let header =
            foca::Header { src: self.me, src_incarnation: 0, dst: suspect, message: Message::Ping(0) };
        let news = alloc::vec![Member::new(suspect, incarnation, State::Suspect)];
        let ping = Packet { header, news }.encode().expect("one piece of news is short");
        self.out.push(SwimEffect::Send { to: suspect.node, payload: Bytes::from(ping) });
        let timer = SwimTimer::Confront { suspect, incarnation };
        self.out.push(SwimEffect::Arm { at: self.now + self.probe_interval, timer });
    }
}

impl foca::Runtime<Identity> for Effects<'_> {
    fn notify(&mut self, notification: Notification<'_, Identity>) {
        match notification {
            Notification::MemberUp(&Identity { node, .. }) => {
                if self.down.remove(&node) {
                    self.out.push(SwimEffect::Alive(node));
                }
            }
            Notification::MemberDown(&Identity { node, .. }) => {
                if self.members.contains(&node) && self.down.insert(node) {
                    self.out.push(SwimEffect::Down(node));
                }
            }
            Notification::Rename(..)
            | Notification::Active
            | Notification::Idle
            | Notification::Defunct
            | Notification::Rejoin(_) => {}
        }
    }

    fn send_to(&mut self, to: Identity, data: &[u8]) {
        let groundless = Packet::is_down_notice(data) && !self.down.contains(&to.node);
        if self.members.contains(&to.node) && !groundless {
            self.out.push(SwimEffect::Send { to: to.node, payload: Bytes::copy_from_slice(data) });
        }
    }

    fn submit_after(&mut self, event: foca::Timer<Identity>, after: Duration) {
        let timer = match event {
            foca::Timer::ProbeRandomMember(token) => SwimTimer::Probe { token },
            foca::Timer::SendIndirectProbe { probed_id, token } => {
                SwimTimer::IndirectProbe { probed: probed_id, token }
            }
            foca::Timer::ChangeSuspectToDown { member_id, incarnation, token } => {
                self.confront(member_id, incarnation);
                SwimTimer::Suspicion { suspect: member_id, incarnation, token }
            }
            foca::Timer::PeriodicAnnounce(_)
            | foca::Timer::PeriodicAnnounceDown(_)
            | foca::Timer::PeriodicGossip(_)
            | foca::Timer::RemoveDown(_) => unreachable!("{event:?} is switched off"),
        };
        self.out.push(SwimEffect::Arm { at: self.now + after, timer });
    }
}
