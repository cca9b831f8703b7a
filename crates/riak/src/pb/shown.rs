//! Versions as clients see them, and vclocks.

use bytes::Bytes;
use cartwheel_core::Answer;
use cartwheel_core::version::{Context, Value, Version};

use super::message::RpbContent;
use super::refusal::Refusal;
use crate::content::Content;
use crate::vtag;

/// How much of a version is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// Everything but the value, which is empty then, but there.
    Head,
}

/// The context that a client hands back. One of no bytes is that of a client that has seen nothing.
pub(super) fn context_of(vclock: &[u8]) -> Result<Context, Refusal> {
    if vclock.is_empty() {
        return Ok(Context::default());
    }
    cartwheel_wire::decode_context(vclock).map_err(|error| Refusal::Vclock(error.to_string()))
}

/// A context as a client carries it.
pub(super) fn vclock_of(context: &Context) -> Bytes {
    cartwheel_wire::encode_context(context)
}

/// All versions of an answer.
pub(super) fn contents(answer: &Answer, extent: Extent) -> Result<Vec<RpbContent>, Refusal> {
    answer.siblings.versions().iter().map(|version| content(version, extent)).collect()
}

fn content(version: &Version, extent: Extent) -> Result<RpbContent, Refusal> {
    let written = match &version.value {
        Value::Data(data) => Content::from_data(data)?,
        Value::DataType(value) => crate::datatype::as_content(value),
        Value::Tombstone => Content::default(),
    };
    // 32 bits of seconds end in 2106.
    let seconds = u32::try_from(version.written_at.0 / 1_000_000).unwrap_or(u32::MAX);
    Ok(RpbContent {
        value: match extent {
            Extent::Whole => written.value,
            Extent::Head => Bytes::new(),
        },
        content_type: written.content_type,
        charset: written.charset,
        content_encoding: written.content_encoding,
        vtag: Some(vtag::of_version(version.dot).into()),
        links: written.links,
        last_mod: Some(seconds),
        last_mod_usecs: Some((version.written_at.0 % 1_000_000) as u32),
        usermeta: written.user_meta,
        indexes: written.indexes,
        deleted: (version.value == Value::Tombstone).then_some(true),
    })
}
