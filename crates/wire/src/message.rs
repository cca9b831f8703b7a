use bytes::Bytes;
use cartwheel_core::message::Message;
use prost::Message as _;

use crate::error::DecodeError;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::schema::message::Envelope;

/// A peer message as bytes. Framing (length, checksum) is the driver's.
///
/// A message past [`MESSAGE_BYTES_MAX`] is refused by its receiver. None is as long that carries only stored states
/// (see [`encode_record`](crate::encode_record)) and client requests of less than that.
pub fn encode_message(message: &Message) -> Bytes {
    Envelope::from(message).encode_to_vec().into()
}

/// The peer message in `bytes`. Its values are slices of `bytes`.
///
/// # Errors
///
/// Whatever is wrong with it, as [`DecodeError`] says; the message is to be dropped, like one that was lost.
pub fn decode_message(bytes: Bytes) -> Result<Message, DecodeError> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(DecodeError::TooMany { what: "bytes of a message", max: MESSAGE_BYTES_MAX });
    }
    Envelope::decode(bytes)?.try_into()
}
