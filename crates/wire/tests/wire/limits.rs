//! Nothing is decoded past a limit, and nothing is stored past one that could not be read back.

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::anti_entropy::{LEAVES_PER_STEP, Leaf};
use cartwheel_core::coverage::{CoverageMessage, ENTRIES_PER_PAGE_MAX, Entry, Found, Query, Scan};
use cartwheel_core::id::{NodeId, OpId, RequestId, StoreId};
use cartwheel_core::membership::{
    Bucket, BucketType, Change, Cluster, Contact, LastBoot, METADATA_BYTES_MAX, METADATA_ENTRIES_MAX,
    METADATA_NAME_BYTES_MAX, Member, OTHERS_BYTES_OF_ALL_MAX, PROPS_BUCKETS_MAX, PROPS_NAME_BYTES_MAX, Props,
    Register, TYPES_MAX,
};
use cartwheel_core::message::{AntiEntropyMessage, Message, ReapMessage, ReplicaMessage};
use cartwheel_core::replica::{REAP_BATCH_MAX, Record};
use cartwheel_core::ring::{Partition, Ring, RingEpoch};
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Context, Digest, Dot, Siblings, Value, Version, VersionVector};
use cartwheel_wire::limits::{
    ADDRESS_BYTES_MAX, BUCKETS_MAX, CLUSTER_BYTES_MAX, KEY_BYTES_MAX, LIVES_MAX, MEMBERS_MAX,
    MESSAGE_BYTES_MAX, NAME_BYTES_MAX, NODES_MAX, PARTITIONS_MAX, SIBLINGS_MAX, STORES_MAX, SWIM_BYTES_MAX,
    TERM_BYTES_MAX, VECTOR_ENTRIES_MAX,
};
use cartwheel_wire::{
    DecodeError, EncodeError, decode_cluster, decode_context, decode_key, decode_message, decode_record,
    encode_cluster, encode_context, encode_key, encode_message, encode_record, key_fits,
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

fn too_many(what: &'static str, max: usize) -> DecodeError {
    DecodeError::TooMany { what, max }
}

#[test]
fn a_step_of_an_exchange_names_as_many_leaves_as_the_core_sends_and_no_more() {
    let keys = |count: usize| {
        let leaves = (0..count).map(|leaf| Leaf(u16::try_from(leaf).expect("small"))).collect();
        Message::AntiEntropy(AntiEntropyMessage::Keys {
            op: OpId(1),
            partition: Partition(0),
            leaves,
            keys: vec![],
        })
    };
    let full = keys(LEAVES_PER_STEP);
    assert_eq!(decode_message(encode_message(&full)), Ok(full));
    let refused = decode_message(encode_message(&keys(LEAVES_PER_STEP + 1)));
    assert_eq!(refused, Err(too_many("leaves of an exchange", LEAVES_PER_STEP)));
}

#[test]
fn no_more_keys_are_reaped_at_once_than_the_core_asks_about() {
    let ask = |count: usize| {
        let keys = (0..count).map(|n| (Key::new(b"b", &n.to_le_bytes()), Digest(1))).collect();
        Message::Reap(ReapMessage::Ask { op: OpId(1), keys, fence: 1 })
    };
    let full = ask(REAP_BATCH_MAX);
    assert_eq!(decode_message(encode_message(&full)), Ok(full));
    let refused = decode_message(encode_message(&ask(REAP_BATCH_MAX + 1)));
    assert_eq!(refused, Err(too_many("keys to reap", REAP_BATCH_MAX)));
}

#[test]
fn a_message_of_failure_detection_fits_into_a_packet() {
    let message = |bytes: usize| Message::Swim(vec![1; bytes].into());
    let full = message(SWIM_BYTES_MAX);
    assert_eq!(decode_message(encode_message(&full)), Ok(full));
    let refused = decode_message(encode_message(&message(SWIM_BYTES_MAX + 1)));
    assert_eq!(refused, Err(too_many("bytes of a failure-detection message", SWIM_BYTES_MAX)));
}

#[test]
fn a_page_of_a_listing_is_no_longer_than_the_core_asks_for() {
    let answer = |count: usize, bytes: usize| {
        let entry = |n: usize| Entry { term: vec![b't'; bytes].into(), key: n.to_le_bytes().to_vec().into() };
        let found = Found { entries: (0..count).map(entry).collect(), next: None };
        Message::Coverage(CoverageMessage::Answer { op: OpId(1), result: Ok(found) })
    };
    let full = answer(ENTRIES_PER_PAGE_MAX, 1);
    assert_eq!(decode_message(encode_message(&full)), Ok(full));
    let refused = decode_message(encode_message(&answer(ENTRIES_PER_PAGE_MAX + 1, 1)));
    assert_eq!(refused, Err(too_many("entries of a page", ENTRIES_PER_PAGE_MAX)));
    let longest = answer(1, TERM_BYTES_MAX);
    assert_eq!(decode_message(encode_message(&longest)), Ok(longest));
    let refused = decode_message(encode_message(&answer(1, TERM_BYTES_MAX + 1)));
    assert_eq!(refused, Err(too_many("bytes of an index term", TERM_BYTES_MAX)));
}

#[test]
fn a_node_can_be_asked_about_every_partition_of_the_widest_ring() {
    let ask = |count: usize| {
        let partitions =
            (0..count).map(|at| Partition(u32::try_from(at).expect("small"))).collect::<Vec<_>>();
        let query = Query::Buckets { bucket_type: "default".into() };
        let scan = Box::new(Scan { query, partitions: partitions.into(), after: None, limit: 1 });
        Message::Coverage(CoverageMessage::Ask { op: OpId(1), n: 3, scan })
    };
    let all = ask(PARTITIONS_MAX);
    let bytes = encode_message(&all);
    assert!(bytes.len() < PARTITIONS_MAX + 100, "a byte each: {}", bytes.len());
    assert_eq!(decode_message(bytes), Ok(all));
    let refused = decode_message(encode_message(&ask(PARTITIONS_MAX + 1)));
    assert_eq!(refused, Err(too_many("partitions", PARTITIONS_MAX)));
}

/// The widest ring, owned by `owners` nodes in turn.
fn ring(owners: usize) -> Ring {
    let owners = (0..PARTITIONS_MAX).map(|at| NodeId((at % owners) as u64)).collect();
    Ring::from_parts(RingEpoch(1), owners, None).expect("a ring")
}

fn state() -> Cluster {
    let (members, props) = ([].into(), [].into());
    let (types, metadata) = ([].into(), [].into());
    let (ring, staged) = (ring(3), Register::default());
    Cluster { members, ring, staged, n: 3, founding: None, fence: 0, props, types, metadata }
}

fn named(name: usize, address: usize) -> Member {
    let value = Contact { name: "n".repeat(name), address: "a".repeat(address) };
    Member { contact: Register { count: 1, by: NodeId(1), value }, ..Member::default() }
}

fn members(count: usize) -> Cluster {
    let members = (0..count as u64).map(|node| (NodeId(node), named(16, 64))).collect();
    Cluster { members, ..state() }
}

fn buckets(count: usize, name_bytes: usize) -> Cluster {
    let bucket = |number: usize| {
        let mut name = number.to_le_bytes().to_vec();
        name.resize(name_bytes, b'b');
        Bucket { bucket_type: Key::DEFAULT_TYPE.to_vec(), name }
    };
    let props = Props { n_val: Some(2), last_write_wins: Some(false), ..Props::default() };
    let set = Register { count: 1, by: NodeId(1), value: props };
    Cluster { props: (0..count).map(|number| (bucket(number), set.clone())).collect(), ..state() }
}

/// Types whose properties take as much room as all may that only keep.
fn types(count: usize, name_bytes: usize) -> Cluster {
    let room = OTHERS_BYTES_OF_ALL_MAX / count;
    let others = (0..room / 32).map(|at| (format!("{at:016}").into_bytes(), vec![b'1'; 16])).collect();
    let props = Register { count: 1, by: NodeId(1), value: Props { others, ..Props::default() } };
    let bucket_type = |number: usize| {
        let mut name = number.to_le_bytes().to_vec();
        name.resize(name_bytes, b't');
        (name, BucketType { is_active: true, props: props.clone() })
    };
    Cluster { types: (0..count).map(bucket_type).collect(), ..state() }
}

fn entries(count: usize, name_bytes: usize) -> Cluster {
    let entry = |number: usize| {
        let mut name = number.to_le_bytes().to_vec();
        name.resize(name_bytes, b'e');
        (name, Register { count: 1, by: NodeId(1), value: None })
    };
    Cluster { metadata: (0..count).map(entry).collect(), ..state() }
}

#[test]
fn properties_that_no_node_would_have_let_pass_are_not_read() {
    let mut cluster = buckets(1, 8);
    for register in cluster.props.values_mut() {
        register.value.n_val = Some(4);
    }
    assert_eq!(encode_cluster(&cluster), Err(DecodeError::OutOfRange { field: "props", got: 4 }));
}

#[test]
fn a_cluster_state_at_its_limits_is_kept_and_told() {
    let mut full = members(MEMBERS_MAX);
    full.ring = ring(NODES_MAX);
    full.staged.value = (0..MEMBERS_MAX as u64).map(|node| (NodeId(node), Change::Leave)).collect();
    let longest = named(NAME_BYTES_MAX, ADDRESS_BYTES_MAX);
    let boots = (0..STORES_MAX as u64).map(|store| (StoreId(store), LastBoot::new(1, store))).collect();
    full.members.update(NodeId(0), |member| *member = Member { boots, ..longest });
    full.props = buckets(PROPS_BUCKETS_MAX, PROPS_NAME_BYTES_MAX - Key::DEFAULT_TYPE.len()).props;
    full.types = types(TYPES_MAX, PROPS_NAME_BYTES_MAX - Key::DEFAULT_TYPE.len()).types;
    full.metadata = entries(METADATA_ENTRIES_MAX, METADATA_BYTES_MAX / METADATA_ENTRIES_MAX).metadata;
    let bytes = encode_cluster(&full).expect("at the limits");
    assert!(bytes.len() < CLUSTER_BYTES_MAX / 2, "{}", bytes.len());
    assert_eq!(decode_cluster(&bytes), Ok(full));
}

#[test]
fn a_cluster_state_past_a_limit_is_neither_kept_nor_read() {
    let one = |member| Cluster { members: [(NodeId(1), member)].into(), ..state() };
    let lives = (0..=LIVES_MAX as u64).collect();
    let copied = [(StoreId(1), LastBoot { number: 1, lives })].into();
    let boots = (0..=STORES_MAX as u64).map(|store| (StoreId(store), LastBoot::new(1, store))).collect();
    for (cluster, what, max) in [
        (members(MEMBERS_MAX + 1), "members", MEMBERS_MAX),
        (Cluster { ring: ring(NODES_MAX + 1), ..state() }, "nodes", NODES_MAX),
        (one(named(NAME_BYTES_MAX + 1, 0)), "bytes of a member's name", NAME_BYTES_MAX),
        (one(named(0, ADDRESS_BYTES_MAX + 1)), "bytes of a member's address", ADDRESS_BYTES_MAX),
        (one(Member { boots, ..Member::default() }), "stores of a member", STORES_MAX),
        (one(Member { boots: copied, ..Member::default() }), "boots of one number", LIVES_MAX),
        (buckets(BUCKETS_MAX + 1, 8), "buckets with properties", BUCKETS_MAX),
        (types(4 * TYPES_MAX + 1, 8), "bucket types", 4 * TYPES_MAX),
        (entries(4 * METADATA_ENTRIES_MAX + 1, 8), "entries kept for drivers", 4 * METADATA_ENTRIES_MAX),
        (entries(1, METADATA_NAME_BYTES_MAX + 1), "bytes of an entry's name", METADATA_NAME_BYTES_MAX),
        (buckets(1, PROPS_NAME_BYTES_MAX), "bytes of a bucket's name", PROPS_NAME_BYTES_MAX),
    ] {
        assert_eq!(encode_cluster(&cluster), Err(too_many(what, max)));
    }
    let refused = decode_cluster(&vec![0; CLUSTER_BYTES_MAX + 1]);
    assert_eq!(refused, Err(too_many("bytes of a cluster state", CLUSTER_BYTES_MAX)));
}
