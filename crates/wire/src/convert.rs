//! Core types <-> schema. Whatever comes out of a schema struct is checked here.

mod anti_entropy;
mod birth;
mod cluster;
mod coverage;
mod datatype;
mod forward;
mod input;
mod membership;
mod message;
mod reap;
mod version;

use cartwheel_core::Key;
use cartwheel_core::id::{NodeId, RequestId};
use cartwheel_core::version::Digest;

use crate::error::DecodeError;
use crate::key::check_parts;
use crate::limits::NODES_MAX;
use crate::schema::{self, Repeated};

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

fn all<T, const MAX: usize>(what: &'static str, list: Repeated<T, MAX>) -> Result<Vec<T>, DecodeError> {
    if list.overflow { Err(DecodeError::TooMany { what, max: MAX }) } else { Ok(list.items) }
}

fn out_of_range(field: &'static str, got: u32) -> DecodeError {
    DecodeError::OutOfRange { field, got: u64::from(got) }
}

/// The code of `of`, which counts from 1 in the order of `codes`. The order is frozen.
fn code<T: PartialEq + Copy>(codes: &[T], of: T) -> u32 {
    codes.iter().zip(1..).find(|(known, _)| **known == of).map_or(0, |(_, code)| code)
}

fn of_code<T: Copy>(what: &'static str, codes: &[T], code: u32) -> Result<T, DecodeError> {
    let at = usize::try_from(code).ok().and_then(|code| code.checked_sub(1));
    at.and_then(|at| codes.get(at)).copied().ok_or(DecodeError::UnknownCode { what, code })
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

impl From<&(Key, Digest)> for schema::message::NamedKey {
    fn from((key, Digest(digest)): &(Key, Digest)) -> Self {
        let (digest_high, digest_low) = halves(*digest);
        Self { key: Some(key.into()), digest_high, digest_low }
    }
}

impl TryFrom<schema::message::NamedKey> for (Key, Digest) {
    type Error = DecodeError;
    fn try_from(named: schema::message::NamedKey) -> Result<Self, DecodeError> {
        let key = required("named_key.key", named.key)?.try_into()?;
        Ok((key, Digest(whole(named.digest_high, named.digest_low))))
    }
}
