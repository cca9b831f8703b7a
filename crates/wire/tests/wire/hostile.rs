//! Bytes from nowhere, from a broken disk, from a client that edits its context.

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::id::OpId;
use cartwheel_core::message::{Message, ReplicaMessage};
use cartwheel_core::replica::Record;
use cartwheel_core::version::{Context, Dot, VersionVector};
use cartwheel_wire::{
    DecodeError, decode_cluster, decode_context, decode_key, decode_message, decode_record, encode_cluster,
    encode_context, encode_key, encode_message, encode_record,
};
use quickcheck::quickcheck;

use crate::arbitrary::{AnyCluster, AnyContext, AnyKey, AnyMessage, AnyRecord};
use crate::golden::{dot, siblings};

fn decode_as_anything(bytes: &[u8]) {
    let shared = Bytes::copy_from_slice(bytes);
    drop(decode_message(shared.clone()));
    drop(decode_record(shared));
    drop(decode_context(bytes));
    drop(decode_cluster(bytes));
    drop(decode_key(bytes));
}

/// `bytes` with one byte changed, and cut.
fn mutilated(bytes: &[u8], at: usize, flip: u8, cut: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.is_empty() {
        return bytes;
    }
    let len = bytes.len();
    bytes[at % len] ^= flip;
    bytes.truncate(len - cut % len.min(4));
    bytes
}

quickcheck! {
    fn random_bytes_never_panic(bytes: Vec<u8>) -> bool {
        decode_as_anything(&bytes);
        true
    }

    fn mutilated_messages_never_panic(message: AnyMessage, at: usize, flip: u8, cut: usize) -> bool {
        decode_as_anything(&mutilated(&encode_message(&message.0), at, flip, cut));
        true
    }

    fn mutilated_records_never_panic(record: AnyRecord, at: usize, flip: u8, cut: usize) -> bool {
        let bytes = encode_record(&record.0).expect("within the limits");
        decode_as_anything(&mutilated(&bytes, at, flip, cut));
        true
    }

    /// What can be decoded can be joined to a state, and acted upon.
    fn mutilated_clusters_never_panic(cluster: AnyCluster, at: usize, flip: u8, cut: usize) -> bool {
        let bytes = encode_cluster(&cluster.0).expect("within the limits");
        if let Ok(mut hostile) = decode_cluster(&mutilated(&bytes, at, flip, cut)) {
            let ours = cluster.0;
            if ours.is_same_cluster(&hostile) {
                let again = hostile.clone();
                hostile.merge(&ours);
                hostile.merge(&again);
                drop(hostile.plan());
            }
        }
        true
    }

    /// A disk key is refused unless it is exactly what its key encodes to.
    fn mutilated_keys_are_refused(key: AnyKey, at: usize, flip: u8, cut: usize) -> bool {
        let bytes = encode_key(&key.0);
        let mutilated = mutilated(&bytes, at, flip, cut);
        mutilated == bytes || decode_key(&mutilated).is_err()
    }

    fn mangled_contexts_are_refused(context: AnyContext, at: usize, flip: u8, cut: usize) -> bool {
        let bytes = encode_context(&context.0);
        let mutilated = mutilated(&bytes, at, flip, cut);
        mutilated == bytes || decode_context(&mutilated).is_err()
    }
}

#[test]
fn a_context_that_is_no_context_is_told_so() {
    let bytes = encode_context(&Context(VersionVector::from_iter([dot(1, 2)])));
    assert_eq!(decode_context(b""), Err(DecodeError::ContextShort { len: 0 }));
    assert_eq!(decode_context(&bytes[..4]), Err(DecodeError::ContextShort { len: 4 }));
    assert_eq!(decode_context(&bytes[..9]), Err(DecodeError::ContextChecksum));
    let mut newer = bytes.to_vec();
    newer[0] = 2;
    assert_eq!(decode_context(&newer), Err(DecodeError::ContextFormat { found: 2, known: 1 }));
}

#[test]
fn a_key_under_a_foreign_token_is_refused() {
    let key = Key::new(b"carts", b"alice");
    let mut bytes = encode_key(&key).to_vec();
    bytes[7] ^= 1;
    let expected = key.token().0;
    assert_eq!(decode_key(&bytes), Err(DecodeError::Token { stored: expected ^ 1, expected }));
}

fn read_reply_with(siblings: cartwheel_core::version::Siblings) -> Vec<u8> {
    encode_message(&Message::Replica(ReplicaMessage::ReadReply { op: OpId(1), result: Ok(siblings) }))
        .to_vec()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Bytes {
    assert_eq!(from.len(), to.len(), "lengths around it must stay right");
    let at = bytes.windows(from.len()).position(|window| window == from).expect("it is there");
    let mut bytes = bytes.to_vec();
    bytes[at..at + from.len()].copy_from_slice(to);
    bytes.into()
}

/// Field 3 (boot 3), field 4 (mint 1), field 5 (the counter) of a dot: its last six bytes.
fn tail(dot: Dot) -> [u8; 6] {
    let counter = u8::try_from(dot.counter).expect("a small counter");
    [0x18, 3, 0x20, 1, 0x28, counter]
}

#[test]
fn a_dot_that_counts_from_zero_is_refused() {
    let bytes = read_reply_with(siblings());
    let mut zero = tail(dot(1, 2));
    zero[5] = 0;
    assert_eq!(decode_message(replaced(&bytes, &tail(dot(1, 2)), &zero)), Err(DecodeError::ZeroCounter));
}

/// Whoever sends it: after the last count there is no next one.
#[test]
fn a_dot_beyond_the_last_one_is_refused() {
    let context = |counter| Context(VersionVector::from_iter([dot(1, counter)]));
    let last = context(Dot::COUNTER_MAX);
    assert_eq!(decode_context(&encode_context(&last)), Ok(last));
    for got in [Dot::COUNTER_MAX + 1, u64::MAX - 1, u64::MAX] {
        let refused = DecodeError::OutOfRange { field: "counter of a dot", got };
        assert_eq!(decode_context(&encode_context(&context(got))), Err(refused.clone()));
        let kept = Record { kept: Some(dot(1, got)), ..Record::default() };
        assert_eq!(decode_record(encode_record(&kept).expect("it is short").into()), Err(refused));
    }
}

#[test]
fn a_version_in_its_own_past_is_refused() {
    let bytes = read_reply_with(siblings());
    let claimed = replaced(&bytes, &tail(dot(1, 1)), &tail(dot(1, 2)));
    assert_eq!(decode_message(claimed), Err(DecodeError::OwnPast(dot(1, 2))));
}

/// `bytes` under a length-delimited field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let len = u8::try_from(bytes.len()).expect("short");
    [&[number << 3 | 2, len], bytes].concat()
}

/// A state with no members and nothing staged, whose ring is `ring`.
fn with_ring(ring: &[u8]) -> Result<cartwheel_core::membership::Cluster, DecodeError> {
    decode_cluster(&[field(1, b""), field(2, ring), field(3, &field(3, b""))].concat())
}

#[test]
fn a_ring_that_is_none_is_refused() {
    let node = field(2, &7_u64.to_le_bytes());
    let owners = |owners: &[u8]| field(3, owners);
    assert!(with_ring(&[&node[..], &owners(&[0; 8])].concat()).is_ok());
    for ring in [
        vec![],
        owners(&[0; 8]),
        [&node[..], &owners(&[0; 7])].concat(),
        [&node[..], &owners(&[0, 0, 0, 1, 0, 0, 0, 0])].concat(),
    ] {
        assert!(matches!(with_ring(&ring), Err(DecodeError::OutOfRange { .. })), "{ring:?}");
    }
    // Next owners of another number of partitions.
    let next = field(4, &[&[8, 1][..], &field(2, &[0; 16])].concat());
    let ring = [&node[..], &owners(&[0; 8]), &next].concat();
    assert!(matches!(with_ring(&ring), Err(DecodeError::OutOfRange { .. })));
    // A phase that this version does not know.
    let next = field(4, &[&[8, 3][..], &field(2, &[0; 8])].concat());
    let ring = [&node[..], &owners(&[0; 8]), &next].concat();
    assert_eq!(with_ring(&ring), Err(DecodeError::UnknownCode { what: "phase", code: 3 }));
}
