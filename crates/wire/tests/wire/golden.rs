//! The frozen formats, byte for byte. A change here is a change of what disks, peers and clients hold: do not
//! adapt these bytes, add a field.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use cartwheel_core::anti_entropy::{Leaf, TreeHash, TreeNode};
use cartwheel_core::coverage::{CoverageMessage, Entry, Found, Query, Refusal, Scan, Span};
use cartwheel_core::datatype::{Count, Counter, DataType, Deferred, Recent, Set, State};
use cartwheel_core::id::{NodeId, OpId, RequestId, StoreId};
use cartwheel_core::membership::{
    Bucket, BucketType, Change, Cluster, ClusterDigest, Contact, Datatype, Departure, LastBoot, Member,
    MemberStatus, Opaque, Progress, Props, Register, Share,
};
use cartwheel_core::message::{
    AntiEntropyMessage, ForwardMessage, LivenessMessage, MembershipMessage, Message, ReapMessage,
    ReplicaError, ReplicaMessage,
};
use cartwheel_core::replica::Record;
use cartwheel_core::ring::{Partition, Phase, Ring, RingEpoch, RingVersion};
use cartwheel_core::storage::StorageError;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Context, Digest, Dot, Siblings, Value, Version, VersionVector};
use cartwheel_core::{Answer, ClientError, Key, Needs, Quorum, QuorumKind};
use cartwheel_wire::{
    decode_cluster, decode_context, decode_data_type, decode_key, decode_message, decode_record,
    encode_cluster, encode_context, encode_data_type, encode_key, encode_message, encode_record,
};

pub fn dot(node: u64, counter: u64) -> Dot {
    Dot { actor: Actor { node: NodeId(node), store: StoreId(0xabc), boot: 3, mint: 1 }, counter }
}

fn version(dot: Dot, past: &[Dot], value: Value) -> Version {
    Version {
        dot,
        past: past.iter().copied().collect(),
        request: RequestId(0x0102),
        written_at: WallTime(1_000),
        value,
    }
}

pub fn siblings() -> Siblings {
    Siblings::from_versions(vec![
        version(dot(1, 2), &[dot(1, 1)], Value::Data(Bytes::from_static(b"milk"))),
        version(dot(2, 300), &[], Value::Tombstone),
    ])
}

fn key() -> Key {
    Key::new(b"carts", b"a\0b")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn message_is(message: Message, golden: &str) {
    let bytes = encode_message(&message);
    assert_eq!(hex(&bytes), golden, "{message:?}");
    assert_eq!(decode_message(bytes), Ok(message));
}

/// Two versions, each a dot, a past, a request, a time and a value.
const SIBLINGS: &str = concat!(
    "0a480a1809010000000000000011bc0a000000000000180320012802",
    "121a0a1809010000000000000011bc0a000000000000180320012801",
    "21020100000000000028e80732046d696c6b",
    "0a2b0a1909020000000000000011bc0a0000000000001803200128ac02",
    "120021020100000000000028e8073a00",
);

#[test]
fn a_record() {
    let record = Record { siblings: siblings(), kept: Some(dot(1, 2)), owed: vec![NodeId(7), NodeId(8)] };
    let bytes = encode_record(&record).expect("within the limits");
    assert_eq!(
        hex(&bytes),
        format!(
            "0a77{SIBLINGS}121809010000000000000011bc0a0000000000001803200128021a1007000000000000000800000000000000"
        )
    );
    assert_eq!(decode_record(bytes.into()), Ok(record));
}

#[test]
fn a_disk_key() {
    let bytes = encode_key(&key());
    assert_eq!(hex(&bytes), "f92601927449585364656661756c740001636172747300016100ff620001");
    assert_eq!(decode_key(&bytes), Ok(key()));
}

#[test]
fn a_context() {
    let context = Context(VersionVector::from_iter([dot(2, 300), dot(1, 2)]));
    let bytes = encode_context(&context);
    assert_eq!(
        hex(&bytes),
        "01961798910a1809010000000000000011bc0a0000000000001803200128020a1909020000000000000011bc0a0000000000001803200128ac02"
    );
    assert_eq!(decode_context(&bytes), Ok(context));
    assert_eq!(hex(&encode_context(&Context::EMPTY)), "0152d016a0");
}

#[test]
fn replica_messages() {
    let op = OpId(5);
    message_is(
        Message::Replica(ReplicaMessage::Read { op, key: key() }),
        "0a17090500000000000000120c120563617274731a03610062",
    );
    message_is(
        Message::Replica(ReplicaMessage::ReadReply { op, result: Ok(siblings()) }),
        &format!("0a84010905000000000000001a790a77{SIBLINGS}"),
    );
    message_is(
        Message::Replica(ReplicaMessage::ReadReply { op, result: Err(ReplicaError::Overloaded) }),
        "0a0d0905000000000000001a021001",
    );
    let key = Key::typed(b"t", b"b", b"k");
    let write =
        ReplicaMessage::Write { op, key, siblings: Siblings::default(), owed: Some(NodeId(9)), fence: 0 };
    message_is(
        Message::Replica(write),
        "0a2109050000000000000022160a090a01741201621a016b1200190900000000000000",
    );
    message_is(
        Message::Replica(ReplicaMessage::WriteReply { op, result: Ok(()) }),
        "0a0d0905000000000000002a020a00",
    );
    let corrupt = Err(ReplicaError::Storage(StorageError::Corrupt));
    message_is(
        Message::Replica(ReplicaMessage::WriteReply { op, result: corrupt }),
        "0a0d0905000000000000002a021003",
    );
}

#[test]
fn data_types() {
    let clock = || VersionVector::from_iter([dot(1, 2)]);
    let is = |state: State, golden: &str| {
        let value = DataType::from_parts(clock(), state, Deferred::default());
        let bytes = encode_data_type(&value);
        assert_eq!(hex(&bytes), format!("{CLOCK}{golden}"));
        assert_eq!(decode_data_type(bytes), Ok(value));
    };
    let recent = vec![Recent { request: 0x0102, amount: 5 }];
    let count = Count { counter: 2, increments: 5, decrements: 0, recent };
    let counter = Counter([(dot(1, 2).actor, count)].into());
    is(State::Counter(counter), "12130a11100220053a08020100000000000042010a");
    let milk = Bytes::from_static(b"milk");
    let set = Set([(milk, [dot(1, 2)].into_iter().collect())].into());
    is(State::Set(set), "1a0c0a0a0a046d696c6b12020002");
}

/// One dot.
const CLOCK: &str = "0a1a0a1809010000000000000011bc0a000000000000180320012802";

#[test]
fn forward_messages() {
    let op = OpId(5);
    let request = ForwardMessage::Request {
        op,
        request: RequestId(0x0102),
        key: key(),
        context: Context(VersionVector::from_iter([dot(1, 2)])),
        value: Value::Data(Bytes::from_static(b"milk")).into(),
        needs: Needs { n: 3, total: 2, homes: 0, sloppy: true },
        time_left: Duration::from_millis(250),
    };
    message_is(
        Message::Forward(request),
        "124d09050000000000000012421102010000000000001a0c120563617274731a036100622080e59a772a1a0a1809010000000000000011bc0a0000000000001803200128023002380342046d696c6b",
    );
    message_is(Message::Forward(ForwardMessage::Accepted { op }), "120b0905000000000000001a00");
    let answer =
        Answer { siblings: Siblings::default(), seen: None, dot: Some(dot(1, 2)), by: vec![NodeId(1)] };
    message_is(
        Message::Forward(ForwardMessage::Reply { op, result: Ok(answer) }),
        "123309050000000000000022280a260a00121809010000000000000011bc0a0000000000001803200128021a080100000000000000",
    );
    let result = Err(ClientError::QuorumUnmet { quorum: QuorumKind::W, needed: 2, got: 1 });
    message_is(
        Message::Forward(ForwardMessage::Reply { op, result }),
        "1215090500000000000000220a12082a06080210011803",
    );
}

#[test]
fn anti_entropy_messages() {
    let (op, partition) = (OpId(5), Partition(7));
    let node = TreeNode::new(1, 2).expect("within its level");
    let compare =
        AntiEntropyMessage::Compare { op, partition, nodes: vec![(node, TreeHash(0x0102 << 64 | 0x0304))] };
    message_is(
        Message::AntiEntropy(compare),
        "2229090500000000000000121e0807121a0a180a0408011002110201000000000000190403000000000000",
    );
    message_is(
        Message::AntiEntropy(AntiEntropyMessage::Differ { op, nodes: vec![node] }),
        "22110905000000000000001a060a0408011002",
    );
    let keys = vec![(key(), Digest(0x0506))];
    let keys = AntiEntropyMessage::Keys { op, partition, leaves: vec![Leaf(300)], keys };
    message_is(
        Message::AntiEntropy(keys),
        "222c090500000000000000222108071202ac021a190a170a0c120563617274731a03610062190605000000000000",
    );
    message_is(
        Message::AntiEntropy(AntiEntropyMessage::KeysDiffer { op, keys: vec![key()] }),
        "22190905000000000000002a0e0a0c120563617274731a03610062",
    );
}

#[test]
fn liveness_messages() {
    message_is(Message::Liveness(LivenessMessage::Ping), "1a020a00");
    message_is(Message::Liveness(LivenessMessage::Pong), "1a021200");
    message_is(Message::Swim(Bytes::from_static(b"ping")), "3a0470696e67");
}

#[test]
fn coverage_messages() {
    let op = OpId(5);
    let entry = || Entry { term: Bytes::from_static(b"7"), key: Bytes::from_static(b"k") };
    let span = Span { from: Bytes::from_static(b"1"), to: Some(Bytes::from_static(b"9")) };
    let bucket = Bucket { bucket_type: b"t".to_vec(), name: b"b".to_vec() };
    let query = Query::Index { bucket, field: Bytes::from_static(b"n_int"), span };
    let partitions: Vec<Partition> = [0, 1, 300].map(Partition).to_vec();
    let scan = Scan { query, partitions: partitions.clone().into(), after: Some(entry()), limit: 10 };
    message_is(
        Message::Coverage(CoverageMessage::Ask { op, n: 3, scan: Box::new(scan) }),
        "4238090500000000000000122d080312171a150a0c0a01741201621a013122013912056e5f696e741a060a040000aa0222060a013712016b280a",
    );
    let found = Found { entries: vec![entry()], next: Some(entry()) };
    message_is(
        Message::Coverage(CoverageMessage::Answer { op, result: Ok(found) }),
        "421d0905000000000000001a120a080a060a013712016b12060a013712016b",
    );
    let refused = |refusal| Message::Coverage(CoverageMessage::Answer { op, result: Err(refusal) });
    message_is(refused(Refusal::NotHere(partitions)), "421109050000000000000022060a040000aa02");
    message_is(refused(Refusal::Overloaded), "420b0905000000000000002a00");
    message_is(refused(Refusal::StorageFailed), "420b0905000000000000003200");
}

/// A state with something in every field but the properties of buckets, which came later.
pub fn cluster() -> Cluster {
    let (a, b) = (NodeId(0xa), NodeId(0xb));
    let member = Member {
        status: MemberStatus::Leaving,
        contact: Register {
            count: 2,
            by: a,
            value: Contact { name: "n1".into(), address: "peer=127.0.0.1:8099".into() },
        },
        share: Register { count: 1, by: NodeId(0), value: Share { weight: 3, zone: "east".into() } },
        progress: Progress {
            seen: RingVersion { epoch: RingEpoch(4), fingerprint: 0x0102 },
            received: [Partition(1), Partition(300)].into(),
        },
        boots: [(StoreId(0xabc), LastBoot::new(7, 0x0506))].into(),
        lost: Register { count: 1, by: a, value: true },
    };
    let changes = [
        (NodeId(1), Change::Join(Share { weight: 1, zone: String::new() })),
        (NodeId(2), Change::Reshare(Share { weight: 2, zone: "w".into() })),
        (NodeId(3), Change::Leave),
        (NodeId(4), Change::Replace { with: NodeId(5), departure: Departure::Dead }),
        (NodeId(6), Change::Remove),
    ];
    let next = Some((Phase::Copying, vec![b; 8]));
    Cluster {
        members: [(a, member)].into(),
        ring: Ring::from_parts(RingEpoch(4), [a, b].repeat(4), next).expect("a ring"),
        staged: Register { count: 9, by: b, value: changes.into() },
        n: 3,
        founding: Some(0x0304),
        fence: 5,
        props: BTreeMap::new(),
        types: BTreeMap::new(),
        metadata: BTreeMap::new(),
    }
}

const CLUSTER: &str = "0a7d0a7b090a0000000000000010031a240802110a000000000000001a026e312213706565723d3132372e302e302e313a38303939220c08011a0808031204656173742a120a0b0804110201000000000000120301ac0232170a1509bc0a00000000000010071a0806050000000000003a0d0801110a000000000000001801122c080412100a000000000000000b000000000000001a080001000100010001220c0801120801010101010101011a600809110b000000000000001a530a0d090100000000000000120208010a100902000000000000001a0508021201770a0b09030000000000000022000a160904000000000000002a0b09050000000000000010020a0b090600000000000000320020032904030000000000003005";

#[test]
fn a_cluster_state() {
    let bytes = encode_cluster(&cluster()).expect("within the limits");
    assert_eq!(hex(&bytes), CLUSTER);
    assert_eq!(decode_cluster(&bytes), Ok(cluster()));
    let state = MembershipMessage::State { cluster: Arc::new(cluster()), ready: true };
    message_is(Message::Membership(state), &format!("2aa40212a1020a9c02{CLUSTER}1001"));
    let digest = MembershipMessage::Digest { digest: ClusterDigest(0x0102 << 64 | 0x0304), ready: false };
    message_is(Message::Membership(digest), "2a140a12090201000000000000110403000000000000");
}

/// Properties of one bucket, with something in every field.
pub fn cluster_with_props() -> Cluster {
    let props = Props {
        n_val: Some(2),
        r: Some(Quorum::One),
        w: Some(Quorum::Majority),
        pr: Some(Quorum::Count(0)),
        pw: Some(Quorum::All),
        dw: Some(Quorum::Count(2)),
        node_confirms: Some(1),
        notfound_ok: Some(false),
        basic_quorum: Some(true),
        allow_mult: Some(false),
        last_write_wins: Some(true),
        ..Props::default()
    };
    let bucket = |bucket_type: &[u8]| Bucket { bucket_type: bucket_type.into(), name: b"carts".into() };
    let set = |count, value| Register { count, by: NodeId(0xa), value };
    let props = [(bucket(b"default"), set(1, Props::default())), (bucket(b"t"), set(3, props))];
    Cluster { props: props.into(), ..cluster() }
}

const PROPS: &str = "3a4d0a12120563617274731801210a000000000000000a370a0174120563617274731803210a00000000000000280230feffffff0f38fdffffff0f400048fcffffff0f500258016000680170007801";

#[test]
fn a_cluster_state_with_properties_of_buckets() {
    let bytes = encode_cluster(&cluster_with_props()).expect("within the limits");
    assert_eq!(hex(&bytes), format!("{CLUSTER}{PROPS}"));
    assert_eq!(decode_cluster(&bytes), Ok(cluster_with_props()));
}

/// Two bucket types and what is kept for drivers, with something in every field that properties of buckets had not from the
/// beginning.
pub fn cluster_with_types() -> Cluster {
    let set = |count, value| Register { count, by: NodeId(0xa), value };
    let props = Props {
        datatype: Some(Datatype::Hll),
        hll_precision: Some(14),
        write_once: Some(false),
        others: [(b"search_index".to_vec(), b"\"i\"".to_vec())].into_iter().collect(),
        ..Props::default()
    };
    let types = [
        (b"hlls".to_vec(), BucketType { is_active: true, props: set(2, props) }),
        (b"plain".to_vec(), BucketType { is_active: false, props: set(1, Props::default()) }),
    ];
    let entry = |value: Option<&[u8]>| Register {
        count: 3,
        by: NodeId(0xa),
        value: value.map(|value| Opaque(value.to_vec())),
    };
    let metadata = [(b"gone".to_vec(), entry(None)), (b"user".to_vec(), entry(Some(b"{}")))];
    Cluster { types: types.into(), metadata: metadata.into(), ..cluster() }
}

const TYPES: &str = "424e0a360a321204686c6c731802210a0000000000000080010588010e9001009a01150a130a0c7365617263685f696e646578120322692210010a140a121205706c61696e1801210a000000000000004a2a0a110a04676f6e651003190a000000000000000a150a04757365721003190a0000000000000022027b7d";

#[test]
fn a_cluster_state_with_bucket_types() {
    let bytes = encode_cluster(&cluster_with_types()).expect("within the limits");
    assert_eq!(hex(&bytes), format!("{CLUSTER}{TYPES}"));
    assert_eq!(decode_cluster(&bytes), Ok(cluster_with_types()));
}

#[test]
fn an_answer_that_shows_less_than_was_seen() {
    let seen = Some(Context(VersionVector::from_iter([dot(1, 2)])));
    let answer = Answer { siblings: Siblings::default(), seen, dot: None, by: vec![NodeId(1)] };
    message_is(
        Message::Forward(ForwardMessage::Reply { op: OpId(5), result: Ok(answer) }),
        "1235090500000000000000222a0a280a001a080100000000000000221a0a1809010000000000000011bc0a000000000000180320012802",
    );
}

#[test]
fn reap_messages() {
    let op = OpId(5);
    let keys = vec![(key(), Digest(0x0506))];
    message_is(
        Message::Reap(ReapMessage::Ask { op, keys: keys.clone(), fence: 3 }),
        "322609050000000000000012190a170a0c120563617274731a036100621906050000000000002803",
    );
    message_is(
        Message::Reap(ReapMessage::Agree { op, keys: vec![key()], fence: 3 }),
        "321b0905000000000000001a0e0a0c120563617274731a036100622803",
    );
    message_is(
        Message::Reap(ReapMessage::Drop { keys }),
        "321b22190a170a0c120563617274731a03610062190605000000000000",
    );
}

#[test]
fn messages_of_a_handoff() {
    let op = OpId(5);
    let confirm = ReplicaMessage::Confirm { op, key: key(), digest: Digest(0x0506) };
    message_is(
        Message::Replica(confirm),
        "0a2209050000000000000032170a0c120563617274731a03610062190605000000000000",
    );
    for (error, golden) in [
        (ReplicaError::Recovering, "0a0d0905000000000000002a021004"),
        (ReplicaError::Differs, "0a0d0905000000000000002a021005"),
    ] {
        message_is(Message::Replica(ReplicaMessage::WriteReply { op, result: Err(error) }), golden);
    }
    let result = Err(ClientError::NotAMember);
    message_is(Message::Forward(ForwardMessage::Reply { op, result }), "120f090500000000000000220412024200");
}
