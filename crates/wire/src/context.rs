//! What clients get as `X-Riak-Vclock`, base64 on top, and hand back with a put:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 1 |
//! | 4 | crc32c of the format byte and the body, little-endian |
//! | rest | body: the version vector in protobuf, entries in the order of their actors |
//!
//! The checksum is for accidents (truncated headers, a context pasted with a typo): a context that says too much
//! makes a put drop versions that its writer never saw. It is no defence against a client that wants to lie.

use bytes::{Bytes, BytesMut};
use cartwheel_core::version::{Context, VersionVector};
use prost::Message as _;

use crate::error::DecodeError;
use crate::limits::CONTEXT_BYTES_MAX;
use crate::schema::version::Vector;

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 5;

/// A context as bytes: always the same ones for the same context.
pub fn encode_context(context: &Context) -> Bytes {
    let body = Vector::from(&context.0).encode_to_vec();
    let mut bytes = BytesMut::with_capacity(HEADER_BYTES + body.len());
    bytes.extend_from_slice(&[FORMAT]);
    bytes.extend_from_slice(&checksum(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes.freeze()
}

/// The context in `bytes`.
///
/// # Errors
///
/// A context that this cluster's software did not hand out like that: cut, mangled, of another format, too long; or one that claims to have seen
/// what nobody has written ([`Dot::COUNTER_MAX`](cartwheel_core::version::Dot::COUNTER_MAX)).
pub fn decode_context(bytes: &[u8]) -> Result<Context, DecodeError> {
    if bytes.len() > CONTEXT_BYTES_MAX {
        return Err(DecodeError::TooMany { what: "bytes of a context", max: CONTEXT_BYTES_MAX });
    }
    if let Some(&found) = bytes.first()
        && found != FORMAT
    {
        return Err(DecodeError::ContextFormat { found, known: FORMAT });
    }
    let Some((header, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(DecodeError::ContextShort { len: bytes.len() });
    };
    let [_, crc @ ..] = *header;
    if u32::from_le_bytes(crc) != checksum(body) {
        return Err(DecodeError::ContextChecksum);
    }
    VersionVector::try_from(Vector::decode(body)?).map(Context)
}

fn checksum(body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&[FORMAT]), body)
}
