//! Directed links: latency, loss, duplication, reordering, and what faults do to them.

mod asked;
mod topic;

use std::collections::BTreeMap;

use cartwheel_core::message::{Message, ReplicaMessage};

use self::asked::Asked;
use self::topic::Topic;
use crate::latency::Latency;
use crate::luck::{Cause, Luck, Place, Subject};
use crate::scenario::NetworkSpec;
use crate::streams::Streams;
use crate::trace::size;

/// All links between nodes. Messages overtake each other as their latencies will have it.
#[derive(Debug)]
pub struct Network {
    spec: NetworkSpec,
    luck: Luck,
    asked: Asked,
    nodes: usize,
    links: Vec<Link>,
    troubles: BTreeMap<(u32, u32), Vec<Trouble>>,
    /// When a link's trouble last began or ended.
    changed_ns: BTreeMap<(u32, u32), u64>,
    faultless: bool,
    /// Messages that nodes sent, whether or not they arrived.
    pub sent: u64,
    /// Messages that were lost, by chance or in a cut.
    pub lost: u64,
    /// Messages that were delivered twice.
    pub duplicated: u64,
    /// Messages that were held back, so that later ones overtook them.
    pub delayed: u64,
}

/// One directed link.
#[derive(Clone, Debug, Default)]
struct Link {
    /// When it has carried all that it was given.
    free_at_ns: u64,
}

impl Link {
    /// How long a message of so many bytes queues, and takes, on a link of this bandwidth.
    fn carry(&mut self, now_ns: u64, bytes: u64, bandwidth_kib: u64) -> u64 {
        let took = bytes.saturating_mul(1_000_000_000) / (bandwidth_kib * 1_024);
        self.free_at_ns = self.free_at_ns.max(now_ns).saturating_add(took);
        self.free_at_ns - now_ns
    }
}

/// What a fault does to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing arrives.
    Cut,
    /// Answers to reads and writes do not arrive; everything else does.
    AcksDropped,
    /// Everything takes so many times as long.
    Slow(u32),
    /// So many percent come late, by so many nanoseconds on average.
    Late { percent: u32, by_ns: u64 },
}

impl Network {
    /// All links of `nodes` nodes, none in trouble.
    pub fn new(spec: NetworkSpec, nodes: usize, streams: Streams) -> Self {
        Self {
            spec,
            luck: Luck::new(streams),
            asked: Asked::default(),
            nodes,
            links: vec![Link::default(); nodes * nodes],
            troubles: BTreeMap::new(),
            changed_ns: BTreeMap::new(),
            faultless: false,
            sent: 0,
            lost: 0,
            duplicated: 0,
            delayed: 0,
        }
    }

    /// When the copies of `message`, sent now, arrive: after so many nanoseconds each. None: lost.
    pub fn send(
        &mut self,
        now_ns: u64,
        (from, to): (u32, u32),
        message: &Message,
    ) -> impl Iterator<Item = u64> + use<> {
        self.sent += 1;
        let mut draws = self.cause(now_ns, (from, to), message).draws();
        // What is drawn depends on the message alone: a fault is no matter.
        let first = self.spec.latency.sample(&mut draws);
        let is_lost = draws.happens(self.spec.loss.chance());
        let is_doubled = draws.happens(self.spec.duplication.chance());
        let second = if is_doubled { self.spec.latency.sample(&mut draws) } else { 0 };
        let is_late = draws.happens(self.spec.reordering.chance());
        let late_by = if is_late { self.spec.reordering_delay.sample(&mut draws) } else { 0 };
        let luck = draws.unit();
        let troubles = self.troubles.get(&(from, to)).map_or(&[][..], Vec::as_slice);
        let is_dropped = troubles.iter().any(|trouble| trouble.drops(message));
        let slowness = troubles.iter().map(|trouble| trouble.slowness()).max().unwrap_or(1);
        let late_by = late_by + troubles.iter().map(|trouble| trouble.lateness(luck)).sum::<u64>();
        if is_dropped || (is_lost && !self.faultless) {
            self.lost += 1;
            return [None, None].into_iter().flatten();
        }
        let doubled = is_doubled && !self.faultless;
        let late_by = if self.faultless { 0 } else { late_by };
        self.duplicated += u64::from(doubled);
        self.delayed += u64::from(late_by > 0);
        // A peace without faults is one without queues, too.
        let limited = self.spec.bandwidth_kib > 0 && !self.faultless;
        let link = &mut self.links[from as usize * self.nodes + to as usize];
        let carried = if limited { link.carry(now_ns, size(message), self.spec.bandwidth_kib) } else { 0 };
        let first = first.saturating_mul(slowness).saturating_add(late_by).saturating_add(carried);
        [Some(first), doubled.then_some(second.saturating_mul(slowness))].into_iter().flatten()
    }

    /// What the luck of `message` is for.
    fn cause(&mut self, now_ns: u64, (from, to): (u32, u32), message: &Message) -> Cause {
        let (kind, topic) = topic::of(message);
        let (question, subject) = match topic {
            Topic::Asks(_, subject) => (None, subject),
            Topic::Answers(op) => (self.asked.what((to, from), op), Subject::NONE),
            Topic::Ends(op) => (self.asked.take((to, from), op), Subject::NONE),
            Topic::Says => (None, Subject::NONE),
        };
        if let Some(question) = question {
            return self.luck.answer(now_ns, question, kind);
        }
        let cause = self.luck.cause(now_ns, Place::Link { from, to, kind }, subject);
        if let Topic::Asks(op, _) = topic {
            self.asked.note(now_ns, (from, to), op, cause);
        }
        cause
    }

    /// `from` → `to` gets into trouble, until it is relieved of it.
    pub fn trouble(&mut self, now_ns: u64, from: u32, to: u32, trouble: Trouble) {
        self.troubles.entry((from, to)).or_default().push(trouble);
        self.changed_ns.insert((from, to), now_ns);
    }

    /// Ends one such trouble of `from` → `to`.
    pub fn relieve(&mut self, now_ns: u64, from: u32, to: u32, trouble: Trouble) {
        let Some(troubles) = self.troubles.get_mut(&(from, to)) else { return };
        if let Some(at) = troubles.iter().position(|other| *other == trouble) {
            troubles.remove(at);
            self.changed_ns.insert((from, to), now_ns);
        }
        if troubles.is_empty() {
            self.troubles.remove(&(from, to));
        }
    }

    /// No more loss, duplication, reordering or trouble.
    pub fn heal(&mut self, now_ns: u64) {
        for link in std::mem::take(&mut self.troubles).into_keys() {
            self.changed_ns.insert(link, now_ns);
        }
        self.faultless = true;
    }

    /// Since when `from` → `to` has been free of trouble; `None` while it is not.
    pub fn clear_since(&self, from: u32, to: u32) -> Option<u64> {
        let is_clear = !self.troubles.contains_key(&(from, to));
        is_clear.then(|| self.changed_ns.get(&(from, to)).copied().unwrap_or(0))
    }

    /// The latency of a healthy link.
    pub fn latency(&self) -> &Latency {
        &self.spec.latency
    }
}

impl Trouble {
    fn drops(self, message: &Message) -> bool {
        match self {
            Self::Cut => true,
            Self::AcksDropped => matches!(
                message,
                Message::Replica(ReplicaMessage::ReadReply { .. } | ReplicaMessage::WriteReply { .. })
            ),
            Self::Slow(_) | Self::Late { .. } => false,
        }
    }

    fn slowness(self) -> u64 {
        if let Self::Slow(factor) = self { u64::from(factor) } else { 1 }
    }

    /// How late a message of this luck, from 0 to 1, is, in nanoseconds: the unlucky ones exponentially.
    fn lateness(self, luck: f64) -> u64 {
        let Self::Late { percent, by_ns } = self else { return 0 };
        let share = f64::from(percent) / 100.0;
        if luck > share { 0 } else { (-libm::log(luck / share) * by_ns as f64) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Probability, Span};
    use cartwheel_core::id::OpId;
    use cartwheel_core::message::LivenessMessage;

    const PING: Message = Message::Liveness(LivenessMessage::Ping);
    const ACK: Message = Message::Replica(ReplicaMessage::WriteReply { op: OpId(1), result: Ok(()) });

    fn network(reordering: f64) -> Network {
        let spec = NetworkSpec {
            latency: Latency::Fixed { value: Span::from_ms(1) },
            reordering: Probability::new(reordering).unwrap(),
            reordering_delay: Latency::Fixed { value: Span::from_ms(7) },
            ..NetworkSpec::default()
        };
        Network::new(spec, 2, Streams::new(1))
    }

    fn sent(network: &mut Network, message: &Message) -> Vec<u64> {
        network.send(0, (0, 1), message).map(|ns| ns / 1_000_000).collect()
    }

    #[test]
    fn each_trouble_does_what_it_says_in_one_direction() {
        let mut network = network(0.0);
        network.trouble(5, 0, 1, Trouble::AcksDropped);
        assert_eq!((sent(&mut network, &PING), sent(&mut network, &ACK)), (vec![1], vec![]));
        assert_eq!((network.clear_since(0, 1), network.clear_since(1, 0)), (None, Some(0)));
        network.trouble(6, 0, 1, Trouble::Slow(20));
        assert_eq!(sent(&mut network, &PING), [20]);
        network.trouble(7, 0, 1, Trouble::Cut);
        assert_eq!(sent(&mut network, &PING), [] as [u64; 0]);
        for trouble in [Trouble::AcksDropped, Trouble::Cut, Trouble::Slow(20)] {
            network.relieve(8, 0, 1, trouble);
        }
        assert_eq!(sent(&mut network, &ACK), [1]);
        assert_eq!(network.clear_since(0, 1), Some(8));
    }

    #[test]
    fn a_link_that_is_cut_twice_stays_cut_until_both_are_mended() {
        let mut network = network(0.0);
        network.trouble(1, 0, 1, Trouble::Cut);
        network.trouble(1, 0, 1, Trouble::Cut);
        network.relieve(2, 0, 1, Trouble::Cut);
        assert_eq!(network.clear_since(0, 1), None);
        network.heal(3);
        assert_eq!(network.clear_since(0, 1), Some(3));
    }

    #[test]
    fn messages_queue_for_a_narrow_link() {
        let spec = NetworkSpec {
            latency: Latency::Fixed { value: Span::from_ms(1) },
            bandwidth_kib: 1,
            ..NetworkSpec::default()
        };
        let mut network = Network::new(spec, 2, Streams::new(1));
        let took = size(&PING) * 1_000 / 1_024;
        assert_eq!(sent(&mut network, &PING), [1 + took]);
        assert_eq!(sent(&mut network, &PING), [1 + 2 * size(&PING) * 1_000 / 1_024], "behind the first");
        network.heal(1);
        assert_eq!(sent(&mut network, &PING), [1]);
    }

    #[test]
    fn late_messages_are_overtaken_until_the_network_is_healed() {
        let mut network = network(1.0);
        assert_eq!(sent(&mut network, &PING), [8]);
        network.heal(1);
        assert_eq!(sent(&mut network, &PING), [1]);
    }
}
