//! Random core values. Small numbers are likely, so that actors, dots and pasts meet.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use cartwheel_core::anti_entropy::{Leaf, TreeHash, TreeNode};
use cartwheel_core::id::{NodeId, OpId, RequestId, StoreId};
use cartwheel_core::membership::{
    Bucket, Change, Cluster, ClusterDigest, Contact, Departure, LastBoot, Member, MemberStatus, Progress,
    Props, Register, Share,
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
use cartwheel_core::{Answer, ClientError, Invalid, Key, Needs, Quorum, QuorumKind, Unfit};
use quickcheck::{Arbitrary, Gen};

macro_rules! newtypes {
    ($($name:ident($inner:ty) = $make:path;)*) => {$(
        #[derive(Clone, Debug)]
        pub struct $name(pub $inner);
        impl Arbitrary for $name {
            fn arbitrary(g: &mut Gen) -> Self {
                Self($make(g))
            }
        }
    )*};
}

newtypes! {
    AnyMessage(Message) = message;
    AnyRecord(Record) = record;
    AnyContext(Context) = context;
    AnyKey(Key) = key;
    AnyCluster(Cluster) = cluster;
}

fn any<T: Arbitrary>(g: &mut Gen) -> T {
    T::arbitrary(g)
}

fn below(g: &mut Gen, bound: u64) -> u64 {
    any::<u64>(g) % bound
}

fn number(g: &mut Gen) -> u64 {
    if any(g) { below(g, 4) } else { any(g) }
}

fn list<T>(g: &mut Gen, make: fn(&mut Gen) -> T) -> Vec<T> {
    let len = below(g, 5);
    (0..len).map(|_| make(g)).collect()
}

fn option<T>(g: &mut Gen, make: fn(&mut Gen) -> T) -> Option<T> {
    any::<bool>(g).then(|| make(g))
}

fn key(g: &mut Gen) -> Key {
    let (bucket, key) = (any::<Vec<u8>>(g), any::<Vec<u8>>(g));
    if any(g) { Key::new(&bucket, &key) } else { Key::typed(&any::<Vec<u8>>(g), &bucket, &key) }
}

fn node(g: &mut Gen) -> NodeId {
    NodeId(number(g))
}

fn request(g: &mut Gen) -> RequestId {
    RequestId(any(g))
}

fn dot(g: &mut Gen) -> Dot {
    let actor = Actor { node: node(g), store: StoreId(number(g)), boot: number(g), mint: number(g) };
    Dot { actor, counter: number(g).max(1) }
}

fn vector(g: &mut Gen) -> VersionVector {
    list(g, dot).into_iter().collect()
}

fn context(g: &mut Gen) -> Context {
    Context(vector(g))
}

fn value(g: &mut Gen) -> Value {
    if any(g) { Value::Data(Bytes::from(any::<Vec<u8>>(g))) } else { Value::Tombstone }
}

fn version(g: &mut Gen) -> Version {
    let dot = dot(g);
    let past = vector(g).entries().iter().copied().filter(|seen| seen.actor != dot.actor).collect();
    Version { dot, past, request: request(g), written_at: WallTime(number(g)), value: value(g) }
}

fn siblings(g: &mut Gen) -> Siblings {
    Siblings::from_versions(list(g, version))
}

fn record(g: &mut Gen) -> Record {
    let mut owed = list(g, node);
    owed.sort_unstable();
    owed.dedup();
    Record { siblings: siblings(g), kept: option(g, dot), owed }
}

fn replica_error(g: &mut Gen) -> ReplicaError {
    let errors = [
        ReplicaError::Overloaded,
        ReplicaError::Recovering,
        ReplicaError::Differs,
        ReplicaError::Storage(StorageError::Failed),
        ReplicaError::Storage(StorageError::Corrupt),
    ];
    *g.choose(&errors).expect("not empty")
}

fn replica(g: &mut Gen) -> ReplicaMessage {
    let op = OpId(number(g));
    match below(g, 5) {
        3 => ReplicaMessage::Confirm { op, key: key(g), digest: Digest(any(g)) },
        0 => ReplicaMessage::Read { op, key: key(g) },
        1 => {
            let result = if any(g) { Ok(siblings(g)) } else { Err(replica_error(g)) };
            ReplicaMessage::ReadReply { op, result }
        }
        2 => ReplicaMessage::Write {
            op,
            key: key(g),
            siblings: siblings(g),
            owed: option(g, node),
            fence: u64::arbitrary(g),
        },
        _ => {
            let result = if any(g) { Ok(()) } else { Err(replica_error(g)) };
            ReplicaMessage::WriteReply { op, result }
        }
    }
}

fn answer(g: &mut Gen) -> Answer {
    Answer { siblings: siblings(g), seen: option(g, context), dot: option(g, dot), by: list(g, node) }
}

fn client_error(g: &mut Gen) -> ClientError {
    let (a, b) = (any(g), any(g));
    match below(g, 8) {
        6 => ClientError::NotAMember,
        0 => ClientError::Invalid(Invalid::Quorum { asked: a, n: b }),
        1 => ClientError::Invalid(Invalid::Replicas { asked: a, n: b }),
        2 => ClientError::Overloaded { limit: any(g) },
        3 => ClientError::Timeout { needed: a, got: b },
        4 => {
            let kinds = [QuorumKind::R, QuorumKind::Pr, QuorumKind::W, QuorumKind::Pw];
            ClientError::QuorumUnmet { quorum: *g.choose(&kinds).expect("not empty"), needed: a, got: b }
        }
        5 => {
            let unfit = [Unfit::Found, Unfit::NotFound, Unfit::Modified];
            ClientError::Unfit(*g.choose(&unfit).expect("not empty"))
        }
        _ => ClientError::StorageFailed,
    }
}

fn forward(g: &mut Gen) -> ForwardMessage {
    let op = OpId(number(g));
    match below(g, 3) {
        0 => ForwardMessage::Request {
            op,
            request: request(g),
            key: key(g),
            context: context(g),
            value: value(g),
            needs: Needs { n: any(g), total: any(g), homes: any(g), sloppy: any(g) },
            time_left: Duration::from_nanos(any(g)),
        },
        1 => ForwardMessage::Accepted { op },
        _ => {
            let result = if any(g) { Ok(answer(g)) } else { Err(client_error(g)) };
            ForwardMessage::Reply { op, result }
        }
    }
}

fn tree_node(g: &mut Gen) -> TreeNode {
    let level = below(g, 5) as u8;
    let index = below(g, 16_u64.pow(level.into())) as u16;
    TreeNode::new(level, index).expect("within its level")
}

fn named_key(g: &mut Gen) -> (Key, Digest) {
    (key(g), Digest(any(g)))
}

fn anti_entropy(g: &mut Gen) -> AntiEntropyMessage {
    let op = OpId(number(g));
    let partition = Partition(any(g));
    match below(g, 4) {
        0 => {
            let nodes = list(g, |g| (tree_node(g), TreeHash(any(g))));
            AntiEntropyMessage::Compare { op, partition, nodes }
        }
        1 => AntiEntropyMessage::Differ { op, nodes: list(g, tree_node) },
        2 => {
            let leaves = list(g, |g| Leaf(any(g)));
            AntiEntropyMessage::Keys { op, partition, leaves, keys: list(g, named_key) }
        }
        _ => AntiEntropyMessage::KeysDiffer { op, keys: list(g, key) },
    }
}

fn reap(g: &mut Gen) -> ReapMessage {
    let op = OpId(number(g));
    match below(g, 3) {
        0 => ReapMessage::Ask { op, keys: list(g, named_key), fence: u64::arbitrary(g) },
        1 => ReapMessage::Agree { op, keys: list(g, key), fence: u64::arbitrary(g) },
        _ => ReapMessage::Drop { keys: list(g, named_key) },
    }
}

fn share(g: &mut Gen) -> Share {
    Share { weight: any(g), zone: text(g) }
}

fn text(g: &mut Gen) -> String {
    any::<String>(g).chars().take(60).collect()
}

fn contact(g: &mut Gen) -> Contact {
    Contact { name: text(g), address: text(g) }
}

fn register<T>(g: &mut Gen, value: fn(&mut Gen) -> T) -> Register<T> {
    Register { count: number(g), by: node(g), value: value(g) }
}

fn member(g: &mut Gen) -> (NodeId, Member) {
    let statuses = [
        MemberStatus::Joining,
        MemberStatus::Member,
        MemberStatus::Leaving,
        MemberStatus::Left,
        MemberStatus::Removed,
    ];
    let seen = RingVersion { epoch: RingEpoch(number(g)), fingerprint: any(g) };
    let received = list(g, |g| Partition(any(g))).into_iter().collect();
    let member = Member {
        status: *g.choose(&statuses).expect("not empty"),
        contact: register(g, contact),
        share: register(g, share),
        progress: Progress { seen, received },
        boots: list(g, |g| (StoreId(number(g)), last_boot(g))).into_iter().collect(),
        lost: register(g, any),
    };
    (node(g), member)
}

fn last_boot(g: &mut Gen) -> LastBoot {
    LastBoot { number: number(g), lives: list(g, any).into_iter().collect() }
}

fn change(g: &mut Gen) -> (NodeId, Change) {
    let change = match below(g, 5) {
        0 => Change::Join(share(g)),
        1 => Change::Reshare(share(g)),
        2 => Change::Leave,
        3 => {
            let departure = if any(g) { Departure::Alive } else { Departure::Dead };
            Change::Replace { with: node(g), departure }
        }
        _ => Change::Remove,
    };
    (node(g), change)
}

fn ring(g: &mut Gen) -> Ring {
    let partitions = 8_usize << below(g, 3);
    let owners = |g: &mut Gen| (0..partitions).map(|_| node(g)).collect::<Vec<_>>();
    let now = owners(g);
    let phase = if any(g) { Phase::Copying } else { Phase::Switching };
    let next = any::<bool>(g).then(|| (phase, owners(g)));
    Ring::from_parts(RingEpoch(number(g)), now, next).expect("a ring")
}

fn cluster(g: &mut Gen) -> Cluster {
    let n = any(g);
    Cluster {
        members: list(g, member).into_iter().collect(),
        ring: ring(g),
        staged: register(g, |g| list(g, change).into_iter().collect()),
        n,
        founding: option(g, any),
        fence: any(g),
        props: if n == 0 { BTreeMap::new() } else { props(g, n) },
    }
}

fn props(g: &mut Gen, n: u8) -> BTreeMap<Bucket, Register<Props>> {
    let one = |g: &mut Gen| {
        let bucket_type = if any(g) { Key::DEFAULT_TYPE.to_vec() } else { any(g) };
        let bucket = Bucket { bucket_type, name: any(g) };
        (bucket, Register { count: number(g), by: node(g), value: props_of_one(g, n) })
    };
    (0..below(g, 4)).map(|_| one(g)).collect()
}

fn props_of_one(g: &mut Gen, n: u8) -> Props {
    let n_val = 1 + any::<u8>(g) % n;
    let quorum = |g: &mut Gen| match below(g, 5) {
        0 => None,
        1 => Some(Quorum::One),
        2 => Some(Quorum::Majority),
        3 => Some(Quorum::All),
        _ => Some(Quorum::Count(1 + any::<u8>(g) % n_val)),
    };
    Props {
        n_val: if n_val == n && any(g) { None } else { Some(n_val) },
        r: quorum(g),
        w: quorum(g),
        pr: quorum(g),
        pw: quorum(g),
        dw: quorum(g),
        node_confirms: any::<bool>(g).then_some(n_val),
        notfound_ok: option(g, any),
        basic_quorum: option(g, any),
        allow_mult: option(g, any),
        last_write_wins: option(g, any),
    }
}

fn membership(g: &mut Gen) -> MembershipMessage {
    let ready = any(g);
    if any(g) {
        MembershipMessage::Digest { digest: ClusterDigest(any(g)), ready }
    } else {
        MembershipMessage::State { cluster: Arc::new(cluster(g)), ready }
    }
}

fn message(g: &mut Gen) -> Message {
    match below(g, 12) {
        11 => Message::Swim(Bytes::from(any::<Vec<u8>>(g))),
        7 | 8 => Message::Membership(membership(g)),
        9 | 10 => Message::Reap(reap(g)),
        5 | 6 => Message::AntiEntropy(anti_entropy(g)),
        0 | 1 => Message::Replica(replica(g)),
        2 | 3 => Message::Forward(forward(g)),
        _ => Message::Liveness(if any(g) { LivenessMessage::Ping } else { LivenessMessage::Pong }),
    }
}
