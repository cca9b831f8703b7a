//! What waits to be said to one peer: bounded, and what nobody waits for goes first.

use std::collections::{BTreeMap, VecDeque};

use cartwheel_core::coverage::CoverageMessage;
use cartwheel_core::message::{ForwardMessage, Message, ReplicaMessage};

/// What a message is about, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Replica,
    Forward,
    Liveness,
    Swim,
    Handoff,
    AntiEntropy,
    Gossip,
    Reap,
    Coverage,
}

impl Kind {
    pub fn of(message: &Message) -> Self {
        match message {
            Message::Replica(ReplicaMessage::Confirm { .. }) => Self::Handoff,
            Message::Replica(_) => Self::Replica,
            Message::Forward(_) => Self::Forward,
            Message::Liveness(_) => Self::Liveness,
            Message::AntiEntropy(_) => Self::AntiEntropy,
            Message::Membership(_) => Self::Gossip,
            Message::Reap(_) => Self::Reap,
            Message::Swim(_) => Self::Swim,
            Message::Coverage(_) => Self::Coverage,
        }
    }

    /// Whether it is said again some day, and no client waits for it. A hint on its way home is an ordinary replica
    /// write, and counts as one.
    fn is_background(self) -> bool {
        matches!(self, Self::Handoff | Self::AntiEntropy | Self::Gossip | Self::Reap)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Replica => "replica",
            Self::Forward => "forward",
            Self::Liveness => "liveness",
            Self::Swim => "swim",
            Self::Handoff => "handoff",
            Self::AntiEntropy => "anti_entropy",
            Self::Gossip => "gossip",
            Self::Reap => "reap",
            Self::Coverage => "coverage",
        }
    }
}

/// Values in messages that wait for one peer, in bytes: room for the largest message, and another.
const BYTES_MAX: u64 = 2 * cartwheel_wire::limits::MESSAGE_BYTES_MAX as u64;

/// How much `message` keeps in memory by its values. What else is in it is small, and bounded by how many may wait.
fn value_bytes(message: &Message) -> u64 {
    match message {
        Message::Replica(
            ReplicaMessage::Write { siblings, .. } | ReplicaMessage::ReadReply { result: Ok(siblings), .. },
        ) => siblings.value_bytes(),
        Message::Forward(ForwardMessage::Request { value, .. }) => value.value_bytes(),
        Message::Forward(ForwardMessage::Reply { result: Ok(answer), .. }) => answer.siblings.value_bytes(),
        Message::Coverage(CoverageMessage::Answer { result: Ok(found), .. }) => {
            found.entries.iter().map(|entry| entry.bytes() as u64).sum()
        }
        _ => 0,
    }
}

/// Messages in the order in which they were said.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    foreground: VecDeque<(u64, Message)>,
    background: VecDeque<(u64, Message)>,
    said: u64,
    /// Of the values in all of them.
    bytes: u64,
    dropped: BTreeMap<Kind, u64>,
}

impl Queue {
    pub fn len(&self) -> usize {
        self.foreground.len() + self.background.len()
    }

    /// Adds a message. When there are `max` already, the oldest background message goes, or else the oldest of the
    /// rest: its sender has waited longest, and gives up first. When their values take too much, the oldest of those go
    /// that may have any.
    pub fn push(&mut self, message: Message, max: usize) {
        self.said += 1;
        self.bytes += value_bytes(&message);
        let entry = (self.said, message);
        if Kind::of(&entry.1).is_background() {
            self.background.push_back(entry);
        } else {
            self.foreground.push_back(entry);
        }
        if self.len() > max {
            let oldest = self.background.pop_front().or_else(|| self.foreground.pop_front());
            self.drop_one(oldest);
        }
        while self.bytes > BYTES_MAX && !self.foreground.is_empty() {
            let oldest = self.foreground.pop_front();
            self.drop_one(oldest);
        }
    }

    fn drop_one(&mut self, entry: Option<(u64, Message)>) {
        let Some((_, message)) = entry else { return };
        self.bytes -= value_bytes(&message);
        self.count(&message);
    }

    /// Takes the next message.
    pub fn pop(&mut self) -> Option<Message> {
        let first = |queue: &VecDeque<(u64, Message)>| queue.front().map_or(u64::MAX, |(said, _)| *said);
        let next = if first(&self.background) < first(&self.foreground) {
            self.background.pop_front()
        } else {
            self.foreground.pop_front()
        };
        let (_, message) = next?;
        self.bytes -= value_bytes(&message);
        Some(message)
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        while let Some(message) = self.pop() {
            self.count(&message);
        }
    }

    /// Counts a message that is not said.
    pub fn count(&mut self, message: &Message) {
        *self.dropped.entry(Kind::of(message)).or_default() += 1;
    }

    /// Messages dropped, by what they were about.
    pub fn dropped(&self) -> &BTreeMap<Kind, u64> {
        &self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use bytes::Bytes;
    use cartwheel_core::id::{OpId, RequestId};
    use cartwheel_core::membership::ClusterDigest;
    use cartwheel_core::message::{LivenessMessage, MembershipMessage};
    use cartwheel_core::version::{Context, Value};
    use cartwheel_core::{Key, Needs};

    const PING: Message = Message::Liveness(LivenessMessage::Ping);
    const PONG: Message = Message::Liveness(LivenessMessage::Pong);

    fn gossip(number: u64) -> Message {
        Message::Membership(MembershipMessage::Digest { digest: ClusterDigest(number.into()), ready: true })
    }

    fn swim(text: &'static str) -> Message {
        Message::Swim(Bytes::from_static(text.as_bytes()))
    }

    fn rest(queue: &mut Queue) -> Vec<Message> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn messages_are_said_in_the_order_in_which_they_came() {
        let mut queue = Queue::default();
        let said = [PING, gossip(1), PONG, gossip(2), gossip(3), swim("a")];
        said.iter().for_each(|message| queue.push(message.clone(), 10));
        assert_eq!(rest(&mut queue), said);
        assert!(queue.dropped().is_empty());
    }

    #[test]
    fn values_are_bounded_however_few_they_are() {
        let value = Bytes::from(vec![0; 40 << 20]);
        let put = |number: u64| {
            Message::Forward(ForwardMessage::Request {
                op: OpId(number),
                request: RequestId(number.into()),
                key: Key::new(b"b", b"k"),
                context: Context::default(),
                value: Value::Data(value.clone()).into(),
                needs: Needs { n: 3, total: 2, homes: 0, sloppy: true },
                time_left: Duration::ZERO,
            })
        };
        let mut queue = Queue::default();
        queue.push(gossip(1), 100);
        (1..=5).for_each(|number| queue.push(put(number), 100));
        assert_eq!(queue.dropped(), &BTreeMap::from([(Kind::Forward, 2)]));
        assert_eq!(rest(&mut queue), [gossip(1), put(3), put(4), put(5)]);
        assert_eq!(queue.bytes, 0);
        (1..=5).for_each(|number| queue.push(put(number), 2));
        queue.clear();
        assert_eq!(queue.bytes, 0);
    }

    #[test]
    fn when_full_the_oldest_background_message_goes_and_then_the_oldest() {
        let mut queue = Queue::default();
        for message in [PING, gossip(1), gossip(2), PONG, swim("a")] {
            queue.push(message, 4);
        }
        assert_eq!(queue.dropped(), &BTreeMap::from([(Kind::Gossip, 1)]));
        for message in [swim("b"), swim("c")] {
            queue.push(message, 4);
        }
        assert_eq!(queue.dropped(), &BTreeMap::from([(Kind::Gossip, 2), (Kind::Liveness, 1)]));
        queue.push(gossip(3), 4);
        assert_eq!(rest(&mut queue), [PONG, swim("a"), swim("b"), swim("c")], "gossip pushes nobody out");
        assert_eq!(queue.dropped()[&Kind::Gossip], 3);
    }
}
