//! Nothing is decoded past a limit, and nothing is stored past one that could not be read back.

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::id::{NodeId, OpId, RequestId};
use cartwheel_core::message::{Message, ReplicaMessage};
use cartwheel_core::replica::Record;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Context, Dot, Siblings, Value, Version, VersionVector};
use cartwheel_wire::limits::{KEY_BYTES_MAX, MESSAGE_BYTES_MAX, NODES_MAX, SIBLINGS_MAX, VECTOR_ENTRIES_MAX};
use cartwheel_wire::{
    DecodeError, EncodeError, decode_context, decode_key, decode_message, decode_record, encode_context,
    encode_key, encode_message, encode_record, key_fits,
};

use crate::golden::dot;

fn vector(entries: usize) -> VersionVector {
    (0..entries).map(|node| dot(100 + node as u64, 1)).collect()
}

fn version(dot: Dot, past: VersionVector) -> Version {
    let (request, written_at) = (RequestId(0), WallTime(0));
    Version { dot, past, request, written_at, value: Value::Tombstone }
}

fn siblings(count: usize) -> Siblings {
    let concurrent = (0..count).map(|node| version(dot(node as u64, 1), VersionVector::EMPTY));
    Siblings::from_versions(concurrent.collect())
}

fn reply(siblings: Siblings) -> Bytes {
    encode_message(&Message::Replica(ReplicaMessage::ReadReply { op: OpId(1), result: Ok(siblings) }))
}

#[test]
fn the_limits_themselves_are_allowed() {
    let full = Record {
        siblings: siblings(SIBLINGS_MAX),
        kept: None,
        owed: (0..NODES_MAX as u64).map(NodeId).collect(),
    };
    let bytes = encode_record(&full).expect("at the limit");
    assert_eq!(decode_record(bytes.into()), Ok(full));
    let longest = Context(vector(VECTOR_ENTRIES_MAX));
    assert_eq!(decode_context(&encode_context(&longest)), Ok(longest));
    let zeros = vec![0; KEY_BYTES_MAX - Key::DEFAULT_TYPE.len()];
    let key = Key::new(b"", &zeros);
    assert!(key_fits(&key));
    let bytes = encode_key(&key);
    assert!(bytes.len() + 8 <= usize::from(u16::MAX), "the engine's longest key, behind a hint's home");
    assert_eq!(decode_key(&bytes), Ok(key));
}

#[test]
fn too_many_siblings_are_neither_stored_nor_read() {
    let record = Record { siblings: siblings(SIBLINGS_MAX + 1), ..Record::default() };
    let refused = EncodeError { what: "siblings", got: SIBLINGS_MAX + 1, max: SIBLINGS_MAX };
    assert_eq!(encode_record(&record), Err(refused));
    let refused = DecodeError::TooMany { what: "siblings", max: SIBLINGS_MAX };
    assert_eq!(decode_message(reply(record.siblings)), Err(refused));
}

#[test]
fn a_past_that_is_too_long_is_neither_stored_nor_read() {
    let version = version(dot(1, 1), vector(VECTOR_ENTRIES_MAX + 1));
    let record = Record { siblings: Siblings::from_versions(vec![version]), ..Record::default() };
    assert_eq!(encode_record(&record).map_err(|e| e.what), Err("entries of a past"));
    let refused = DecodeError::TooMany { what: "entries of a past", max: VECTOR_ENTRIES_MAX };
    assert_eq!(decode_message(reply(record.siblings)), Err(refused));
}

#[test]
fn a_key_that_is_too_long_is_not_read() {
    let key = Key::new(b"b", &vec![b'k'; KEY_BYTES_MAX]);
    assert!(!key_fits(&key));
    let refused = DecodeError::TooMany { what: "bytes of a key", max: KEY_BYTES_MAX };
    assert_eq!(decode_key(&encode_key(&key)), Err(refused.clone()));
    let read = Message::Replica(ReplicaMessage::Read { op: OpId(1), key });
    assert_eq!(decode_message(encode_message(&read)), Err(refused));
}

#[test]
fn a_message_that_is_too_long_is_not_even_parsed() {
    let refused = DecodeError::TooMany { what: "bytes of a message", max: MESSAGE_BYTES_MAX };
    assert_eq!(decode_message(vec![0; MESSAGE_BYTES_MAX + 1].into()), Err(refused));
}
