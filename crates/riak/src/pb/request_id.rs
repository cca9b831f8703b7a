//! The client's own name for its request, which makes a retry safe.
//!
//! Riak's messages have none. Here those that write carry it in field 1000, `request_id`: 16 bytes, the big-endian form of what
//! HTTP's `X-Cartwheel-Request-Id` spells in 32 digits. Riak skips fields that it does not know, so a client may send it to both.

use bytes::Bytes;
use cartwheel_core::id::RequestId;

use super::refusal::Refusal;

/// What `field`, the `request_id` of a message, says; `None`: the client gives the request no name.
///
/// # Errors
///
/// [`Refusal::RequestId`], if it has another length than 16 bytes; nothing was done.
pub fn request_id(field: Option<&Bytes>) -> Result<Option<RequestId>, Refusal> {
    let Some(field) = field else { return Ok(None) };
    let id = <[u8; 16]>::try_from(field.as_ref()).map_err(|_| Refusal::RequestId { bytes: field.len() })?;
    Ok(Some(RequestId(u128::from_be_bytes(id))))
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::super::message::RpbPutReq;
    use super::*;

    #[test]
    fn a_request_id_is_16_bytes() {
        let id = |bytes: &'static [u8]| request_id(Some(&Bytes::from_static(bytes)));
        assert_eq!(id(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02"), Ok(Some(RequestId(258))));
        assert_eq!(id(b"short"), Err(Refusal::RequestId { bytes: 5 }));
        assert_eq!(request_id(None), Ok(None));
    }

    #[test]
    fn it_travels_in_field_1000() {
        let request = RpbPutReq { request_id: Some(Bytes::from_static(&[7; 16])), ..RpbPutReq::default() };
        let bytes = request.encode_to_vec();
        let field = [[0xc2, 0x3e, 16].as_slice(), &[7; 16]].concat();
        assert!(bytes.ends_with(&field), "{bytes:x?}");
    }
}
