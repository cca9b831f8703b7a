//! What a message is about, as far as its luck goes.

use cartwheel_core::coverage::CoverageMessage;
use cartwheel_core::id::OpId;
use cartwheel_core::message::{
    AntiEntropyMessage, ForwardMessage, LivenessMessage, MembershipMessage, Message, ReapMessage,
    ReplicaMessage,
};

use crate::luck::Subject;

/// A message's part in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// It wants an answer that names this operation of the sender.
    Asks(OpId, Subject),
    /// It answers what the receiver asked in this operation, and more of it may follow.
    Answers(OpId),
    /// It answers that, and is the last to do so.
    Ends(OpId),
    /// It stands alone.
    Says,
}

/// A number for each kind of message, and what it is about.
pub fn of(message: &Message) -> (u8, Topic) {
    match message {
        Message::Replica(message) => replica(message),
        Message::Forward(message) => forward(message),
        Message::Liveness(LivenessMessage::Ping) => (30, Topic::Says),
        Message::Liveness(LivenessMessage::Pong) => (31, Topic::Says),
        Message::AntiEntropy(message) => anti_entropy(message),
        Message::Membership(MembershipMessage::Digest { .. }) => (50, Topic::Says),
        Message::Membership(MembershipMessage::State { .. }) => (51, Topic::Says),
        // Each is about as many keys as there happened to be.
        Message::Reap(ReapMessage::Ask { op, .. }) => (60, Topic::Asks(*op, Subject::NONE)),
        Message::Reap(ReapMessage::Agree { op, .. }) => (61, Topic::Ends(*op)),
        Message::Reap(ReapMessage::Drop { .. }) => (62, Topic::Says),
        Message::Swim(_) => (70, Topic::Says),
        Message::Coverage(CoverageMessage::Ask { op, .. }) => (80, Topic::Asks(*op, Subject::NONE)),
        Message::Coverage(CoverageMessage::Answer { op, .. }) => (81, Topic::Ends(*op)),
    }
}

fn replica(message: &ReplicaMessage) -> (u8, Topic) {
    match message {
        ReplicaMessage::Read { op, key } => (10, Topic::Asks(*op, Subject::key(key))),
        ReplicaMessage::ReadReply { op, .. } => (11, Topic::Ends(*op)),
        ReplicaMessage::Write { op, key, .. } => (12, Topic::Asks(*op, Subject::key(key))),
        ReplicaMessage::Confirm { op, key, .. } => (13, Topic::Asks(*op, Subject::key(key))),
        ReplicaMessage::WriteReply { op, .. } => (14, Topic::Ends(*op)),
    }
}

fn forward(message: &ForwardMessage) -> (u8, Topic) {
    match message {
        ForwardMessage::Request { op, key, .. } => (20, Topic::Asks(*op, Subject::key(key))),
        ForwardMessage::Accepted { op } => (21, Topic::Answers(*op)),
        ForwardMessage::Reply { op, .. } => (22, Topic::Ends(*op)),
    }
}

fn anti_entropy(message: &AntiEntropyMessage) -> (u8, Topic) {
    match message {
        AntiEntropyMessage::Compare { op, partition, .. } => {
            (40, Topic::Asks(*op, Subject::number(partition.0)))
        }
        AntiEntropyMessage::Differ { op, .. } => (41, Topic::Ends(*op)),
        AntiEntropyMessage::Keys { op, partition, .. } => {
            (42, Topic::Asks(*op, Subject::number(partition.0)))
        }
        AntiEntropyMessage::KeysDiffer { op, .. } => (43, Topic::Ends(*op)),
    }
}
