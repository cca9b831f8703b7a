use cartwheel_core::Key;
use cartwheel_core::id::{NodeId, OpId};
use cartwheel_core::message::{LivenessMessage, Message, ReplicaError, ReplicaMessage};
use cartwheel_core::storage::StorageError;

use super::{chosen, code, of_code, required};
use crate::error::DecodeError;
use crate::limits::SWIM_BYTES_MAX;
use crate::schema::Nothing;
use crate::schema::message::{self as schema, ReadResult, ReplicaBody, WriteResult};

impl From<&Message> for schema::Envelope {
    fn from(message: &Message) -> Self {
        let conversation = match message {
            Message::Replica(message) => schema::Conversation::Replica(message.into()),
            Message::Forward(message) => schema::Conversation::Forward(message.into()),
            Message::Liveness(message) => schema::Conversation::Liveness((*message).into()),
            Message::AntiEntropy(message) => schema::Conversation::AntiEntropy(message.into()),
            Message::Membership(message) => schema::Conversation::Membership(message.into()),
            Message::Reap(message) => schema::Conversation::Reap(message.into()),
            Message::Swim(payload) => schema::Conversation::Swim(payload.clone()),
            Message::Coverage(message) => schema::Conversation::Coverage(message.into()),
        };
        Self { conversation: Some(conversation) }
    }
}

impl TryFrom<schema::Envelope> for Message {
    type Error = DecodeError;
    fn try_from(envelope: schema::Envelope) -> Result<Self, DecodeError> {
        Ok(match chosen("envelope.conversation", envelope.conversation)? {
            schema::Conversation::Replica(message) => Self::Replica(message.try_into()?),
            schema::Conversation::Forward(message) => Self::Forward(message.try_into()?),
            schema::Conversation::Liveness(message) => Self::Liveness(message.try_into()?),
            schema::Conversation::AntiEntropy(message) => Self::AntiEntropy(message.try_into()?),
            schema::Conversation::Membership(message) => Self::Membership(message.try_into()?),
            schema::Conversation::Reap(message) => Self::Reap(message.try_into()?),
            schema::Conversation::Swim(payload) if payload.len() > SWIM_BYTES_MAX => {
                let what = "bytes of a failure-detection message";
                return Err(DecodeError::TooMany { what, max: SWIM_BYTES_MAX });
            }
            schema::Conversation::Swim(payload) => Self::Swim(payload),
            schema::Conversation::Coverage(message) => Self::Coverage(message.try_into()?),
        })
    }
}

impl From<&ReplicaMessage> for schema::Replica {
    fn from(message: &ReplicaMessage) -> Self {
        let (op, body) = match message {
            ReplicaMessage::Read { op, key } => (op, ReplicaBody::Read(key.into())),
            ReplicaMessage::ReadReply { op, result } => {
                let result = match result {
                    Ok(siblings) => ReadResult::Siblings(siblings.into()),
                    Err(error) => ReadResult::Error(error_code(*error)),
                };
                (op, ReplicaBody::ReadReply(schema::ReadReply { result: Some(result) }))
            }
            ReplicaMessage::Write { op, key, siblings, owed, fence } => {
                let owed = owed.map(|home| home.0);
                let (key, siblings) = (Some(key.into()), Some(siblings.into()));
                let write = schema::Write { key, siblings, owed, fence: *fence };
                (op, ReplicaBody::Write(write))
            }
            ReplicaMessage::Confirm { op, key, digest } => {
                (op, ReplicaBody::Confirm((&(key.clone(), *digest)).into()))
            }
            ReplicaMessage::WriteReply { op, result } => {
                let result = match result {
                    Ok(()) => WriteResult::Held(Nothing {}),
                    Err(ReplicaError::Fenced(fence)) => WriteResult::Fenced(*fence),
                    Err(error) => WriteResult::Error(error_code(*error)),
                };
                (op, ReplicaBody::WriteReply(schema::WriteReply { result: Some(result) }))
            }
        };
        Self { op: op.0, body: Some(body) }
    }
}

impl TryFrom<schema::Replica> for ReplicaMessage {
    type Error = DecodeError;
    fn try_from(message: schema::Replica) -> Result<Self, DecodeError> {
        let op = OpId(message.op);
        Ok(match chosen("replica.body", message.body)? {
            ReplicaBody::Read(key) => Self::Read { op, key: Key::try_from(key)? },
            ReplicaBody::ReadReply(reply) => {
                let result = match chosen("read_reply.result", reply.result)? {
                    ReadResult::Siblings(siblings) => Ok(siblings.try_into()?),
                    ReadResult::Error(code) => Err(error_of(code)?),
                };
                Self::ReadReply { op, result }
            }
            ReplicaBody::Write(write) => Self::Write {
                op,
                key: required("write.key", write.key)?.try_into()?,
                siblings: required("write.siblings", write.siblings)?.try_into()?,
                owed: write.owed.map(NodeId),
                fence: write.fence,
            },
            ReplicaBody::Confirm(named) => {
                let (key, digest) = named.try_into()?;
                Self::Confirm { op, key, digest }
            }
            ReplicaBody::WriteReply(reply) => {
                let result = match chosen("write_reply.result", reply.result)? {
                    WriteResult::Held(Nothing {}) => Ok(()),
                    WriteResult::Error(code) => Err(error_of(code)?),
                    WriteResult::Fenced(fence) => Err(ReplicaError::Fenced(fence)),
                };
                Self::WriteReply { op, result }
            }
        })
    }
}

/// Codes count from 1, in this order, for ever.
const ERRORS: [ReplicaError; 5] = [
    ReplicaError::Overloaded,
    ReplicaError::Storage(StorageError::Failed),
    ReplicaError::Storage(StorageError::Corrupt),
    ReplicaError::Recovering,
    ReplicaError::Differs,
];

/// A fence has a field of its own, in answers to writes; nothing else is refused for it.
fn error_code(error: ReplicaError) -> u32 {
    let is_fence = matches!(error, ReplicaError::Fenced(_));
    code(&ERRORS, if is_fence { ReplicaError::Overloaded } else { error })
}

fn error_of(code: u32) -> Result<ReplicaError, DecodeError> {
    of_code("replica error", &ERRORS, code)
}

impl From<LivenessMessage> for schema::Liveness {
    fn from(message: LivenessMessage) -> Self {
        let body = match message {
            LivenessMessage::Ping => schema::LivenessBody::Ping(Nothing {}),
            LivenessMessage::Pong => schema::LivenessBody::Pong(Nothing {}),
        };
        Self { body: Some(body) }
    }
}

impl TryFrom<schema::Liveness> for LivenessMessage {
    type Error = DecodeError;
    fn try_from(message: schema::Liveness) -> Result<Self, DecodeError> {
        Ok(match chosen("liveness.body", message.body)? {
            schema::LivenessBody::Ping(Nothing {}) => Self::Ping,
            schema::LivenessBody::Pong(Nothing {}) => Self::Pong,
        })
    }
}
