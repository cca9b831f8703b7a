use cartwheel_core::Key;
use cartwheel_core::id::OpId;
use cartwheel_core::message::ReapMessage;
use cartwheel_core::replica::REAP_BATCH_MAX;
use cartwheel_core::version::Digest;

use super::{all, chosen};
use crate::error::DecodeError;
use crate::schema::Repeated;
use crate::schema::message::{self as schema, NamedKey, ReapBody as Body};

impl From<&ReapMessage> for schema::Reap {
    fn from(message: &ReapMessage) -> Self {
        let (op, fence, body) = match message {
            ReapMessage::Ask { op, keys, fence } => {
                (op.0, *fence, Body::Ask(keys.iter().map(Into::into).collect()))
            }
            ReapMessage::Agree { op, keys, fence } => {
                (op.0, *fence, Body::Agree(keys.iter().map(Into::into).collect()))
            }
            ReapMessage::Drop { keys } => (0, 0, Body::Drop(keys.iter().map(Into::into).collect())),
        };
        Self { op, fence, body: Some(body) }
    }
}

impl TryFrom<schema::Reap> for ReapMessage {
    type Error = DecodeError;
    fn try_from(message: schema::Reap) -> Result<Self, DecodeError> {
        let (op, fence) = (OpId(message.op), message.fence);
        Ok(match chosen("reap.body", message.body)? {
            Body::Ask(keys) => Self::Ask { op, keys: named(keys)?, fence },
            Body::Agree(keys) => {
                let keys = all("keys to reap", keys)?;
                let keys = keys.into_iter().map(Key::try_from).collect::<Result<_, _>>()?;
                Self::Agree { op, keys, fence }
            }
            Body::Drop(keys) => Self::Drop { keys: named(keys)? },
        })
    }
}

fn named(keys: Repeated<NamedKey, REAP_BATCH_MAX>) -> Result<Vec<(Key, Digest)>, DecodeError> {
    all("keys to reap", keys)?.into_iter().map(TryInto::try_into).collect()
}
