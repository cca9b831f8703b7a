//! Core types <-> schema. Whatever comes out of a schema struct is checked here.

mod anti_entropy;
mod forward;
mod message;
mod version;

use cartwheel_core::Key;
use cartwheel_core::id::{NodeId, RequestId};

use crate::error::DecodeError;
use crate::key::check_parts;
use crate::limits::NODES_MAX;
use crate::schema;

/// A field that every version of the format writes.
fn required<T>(field: &'static str, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Missing { field })
}

/// A choice: absent when the sender made one that this version does not know.
fn chosen<T>(choice: &'static str, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::UnknownMessage { choice })
}

fn small(field: &'static str, got: u32) -> Result<u8, DecodeError> {
    u8::try_from(got).map_err(|_| DecodeError::OutOfRange { field, got: u64::from(got) })
}

fn nodes(ids: Vec<u64>) -> Result<Vec<NodeId>, DecodeError> {
    if ids.len() > NODES_MAX {
        return Err(DecodeError::TooMany { what: "nodes", max: NODES_MAX });
    }
    Ok(ids.into_iter().map(NodeId).collect())
}

/// The high and the low half.
fn split(request: RequestId) -> (u64, u64) {
    halves(request.0)
}

fn halves(whole: u128) -> (u64, u64) {
    let [high, low] = [whole >> 64, whole & u128::from(u64::MAX)]
        .map(|half| u64::try_from(half).expect("half of 128 bits"));
    (high, low)
}

fn join(high: u64, low: u64) -> RequestId {
    RequestId(whole(high, low))
}

fn whole(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

impl From<&Key> for schema::Key {
    fn from(key: &Key) -> Self {
        let copy = bytes::Bytes::copy_from_slice;
        let bucket_type = (key.bucket_type() != Key::DEFAULT_TYPE).then(|| copy(key.bucket_type()));
        Self { bucket_type, bucket: copy(key.bucket()), key: copy(key.key()) }
    }
}

impl TryFrom<schema::Key> for Key {
    type Error = DecodeError;
    fn try_from(key: schema::Key) -> Result<Self, DecodeError> {
        let bucket_type = key.bucket_type.as_deref().unwrap_or(Self::DEFAULT_TYPE);
        check_parts([bucket_type, &key.bucket, &key.key])?;
        Ok(Self::typed(bucket_type, &key.bucket, &key.key))
    }
}
