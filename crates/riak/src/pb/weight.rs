//! What a message takes once it has been read, beyond its bytes: each element of a list becomes a structure of its own, though
//! two bytes are enough to send one.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::code;
use super::frame::Frame;

/// Most that an element takes which is a message, in bytes.
const MESSAGE_BYTES: usize = 256;
/// Most that one takes which is a string, in bytes.
const STRING_BYTES: usize = 48;
/// Messages within messages are read no deeper.
const DEPTH_MAX: u32 = 100;

/// Where lists are.
#[derive(Clone, Copy)]
enum Within {
    Put,
    Content,
    Update,
    Op,
    Set,
    Map,
    MapUpdate,
}

/// What a field of a message is.
enum Field {
    /// A message that has lists.
    Message(Within),
    /// An element of a list.
    Element(usize),
    /// An element that has lists.
    MessageElement(Within),
}

impl Within {
    fn field(self, tag: u32) -> Option<Field> {
        Some(match (self, tag) {
            (Self::Put, 4) => Field::Message(Self::Content),
            (Self::Content, 6 | 9 | 10) | (Self::Map, 1) => Field::Element(MESSAGE_BYTES),
            (Self::Update, 5) => Field::Message(Self::Op),
            // Sets, HyperLogLogs and sets that only grow have lists of strings.
            (Self::Op, 2 | 4 | 5) | (Self::MapUpdate, 3) => Field::Message(Self::Set),
            (Self::Op, 3) | (Self::MapUpdate, 6) => Field::Message(Self::Map),
            (Self::Set, 1 | 2) => Field::Element(STRING_BYTES),
            (Self::Map, 2) => Field::MessageElement(Self::MapUpdate),
            _ => return None,
        })
    }

    /// What the lists of such a message take. What cannot be read is not read by whoever decodes it, either.
    fn weigh(self, mut bytes: &[u8], depth: u32) -> usize {
        let mut weight = 0;
        while !bytes.is_empty() && depth <= DEPTH_MAX {
            let Ok((tag, wire_type)) = decode_key(&mut bytes) else { break };
            if wire_type != WireType::LengthDelimited {
                if skip_field(wire_type, tag, &mut bytes, DecodeContext::default()).is_err() {
                    break;
                }
                continue;
            }
            let length = decode_varint(&mut bytes).ok().and_then(|length| usize::try_from(length).ok());
            let Some((field, rest)) = length.and_then(|length| bytes.split_at_checked(length)) else { break };
            bytes = rest;
            weight += match self.field(tag) {
                Some(Field::Message(within)) => within.weigh(field, depth + 1),
                Some(Field::Element(weight)) => weight,
                Some(Field::MessageElement(within)) => MESSAGE_BYTES + within.weigh(field, depth + 1),
                None => 0,
            };
        }
        weight
    }
}

/// About how many bytes the lists of a request take.
pub fn weight(frame: &Frame) -> usize {
    match frame.code {
        code::PUT_REQ => Within::Put.weigh(&frame.body, 0),
        code::DT_UPDATE_REQ => Within::Update.weigh(&frame.body, 0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use bytes::Bytes;
    use prost::Message;

    use super::super::message::{DtOp, DtUpdateReq, MapOp, MapUpdate, RpbContent, RpbLink, RpbPutReq, SetOp};
    use super::*;

    fn weight_of(code: u8, message: &impl Message) -> usize {
        weight(&Frame { code, body: message.encode_to_vec().into() })
    }

    #[test]
    fn elements_weigh_what_they_take_however_deep_they_are() {
        let empty = |elements| vec![Bytes::new(); elements];
        let inner = MapOp { updates: vec![MapUpdate::default(); 10], ..MapOp::default() };
        let set = SetOp { adds: empty(3), removes: empty(4) };
        let outer = MapUpdate {
            map_op: Some(inner),
            set_op: Some(set),
            register_op: Some("x".into()),
            ..MapUpdate::default()
        };
        let op = MapOp { updates: vec![outer], ..MapOp::default() };
        let op = DtOp { map_op: Some(op), ..DtOp::default() };
        let update = DtUpdateReq { op, ..DtUpdateReq::default() };
        let expected = 11 * MESSAGE_BYTES + 7 * STRING_BYTES;
        assert_eq!(weight_of(code::DT_UPDATE_REQ, &update), expected);
        assert!(size_of::<MapUpdate>() <= MESSAGE_BYTES && size_of::<Bytes>() <= STRING_BYTES);

        let links = vec![RpbLink::default(); 5];
        let content = RpbContent { links, value: vec![0x32; 100].into(), ..RpbContent::default() };
        let put = RpbPutReq { content, ..RpbPutReq::default() };
        assert_eq!(weight_of(code::PUT_REQ, &put), 5 * MESSAGE_BYTES);
        assert!(size_of::<RpbLink>() <= MESSAGE_BYTES);
        assert_eq!(weight_of(code::GET_REQ, &put), 0);
    }

    #[test]
    fn what_is_no_message_is_weighed_as_far_as_it_goes() {
        for cut in [&[0x2a][..], &[0x2a, 0x05, 0x1a], &[0x2a, 0x02, 0x1a, 0xff], &[0xff; 40]] {
            assert_eq!(weight(&Frame { code: code::DT_UPDATE_REQ, body: Bytes::copy_from_slice(cut) }), 0);
        }
    }
}
