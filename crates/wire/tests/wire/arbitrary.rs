//! Random core values. Small numbers are likely, so that actors, dots and pasts meet.

#[path = "arbitrary/datatype.rs"]
mod datatype;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use cartwheel_core::anti_entropy::{Leaf, TreeHash, TreeNode};
use cartwheel_core::coverage::{
    CoverageMessage, CoverageOp, CoverageRequest, Entry, Found, Listing, Query, Refusal as NoAnswer, Scan,
    Span,
};
use cartwheel_core::datatype::Mutation;
use cartwheel_core::id::{CallId, NodeId, OpId, RequestId, StoreId};
use cartwheel_core::membership::{
    Bucket, BucketType, Change, Cluster, ClusterDigest, Contact, Datatype, Departure, LastBoot, Member,
    MemberStatus, Opaque, Plan, Progress, Props, Register, Share,
};
use cartwheel_core::message::{
    AntiEntropyMessage, ForwardMessage, LivenessMessage, MembershipMessage, Message, ReapMessage,
    ReplicaError, ReplicaMessage,
};
use cartwheel_core::replica::{Change as Applied, HintTotal, Record, Refused, Written};
use cartwheel_core::ring::{Partition, Phase, Ring, RingEpoch, RingVersion};
use cartwheel_core::storage::{Name, Page, StorageCompletion, StorageError, Ticket};
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Context, Digest, Dot, Policy, Siblings, Value, Version, VersionVector};
use cartwheel_core::{
    AdminOp, AdminRequest, Answer, Boot, ClientError, ClientOp, ClientRequest, Condition, Config, Input,
    Invalid, Key, Needs, Quorum, QuorumKind, ReadOptions, Unfit, WriteOptions,
};
use quickcheck::{Arbitrary, Gen};

use self::datatype::{data_type, mutation, refusal};

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
    AnyInput(Input) = input;
    AnyConfig(Config) = config;
    AnyBoot(Boot) = boot;
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
    Dot { actor, counter: number(g).clamp(1, Dot::COUNTER_MAX) }
}

fn vector(g: &mut Gen) -> VersionVector {
    list(g, dot).into_iter().collect()
}

fn context(g: &mut Gen) -> Context {
    Context(vector(g))
}

fn value(g: &mut Gen) -> Value {
    match below(g, 4) {
        0 => Value::Tombstone,
        1 | 2 => Value::Data(Bytes::from(any::<Vec<u8>>(g))),
        _ => Value::DataType(Arc::new(data_type(g))),
    }
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
    match below(g, 11) {
        9 => ClientError::NoType,
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
        7 => ClientError::Refused(refusal(g)),
        8 => ClientError::Invalid(Invalid::OneValue),
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
            value: if any(g) { value(g).into() } else { Written::Changed(Arc::new(mutation(g))) },
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
        types: if n == 0 { BTreeMap::new() } else { types(g, n) },
        metadata: list(g, |g| (any(g), register(g, |g| option(g, opaque)))).into_iter().collect(),
    }
}

fn types(g: &mut Gen, n: u8) -> BTreeMap<Vec<u8>, BucketType> {
    let one = |g: &mut Gen| {
        let props = Register { count: number(g), by: node(g), value: props_of_one(g, n) };
        (any(g), BucketType { is_active: any(g), props })
    };
    (0..below(g, 4)).map(|_| one(g)).collect()
}

fn opaque(g: &mut Gen) -> Opaque {
    Opaque(any(g))
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
        datatype: option(g, |g| *g.choose(&Datatype::ALL).expect("five")),
        hll_precision: option(g, any),
        write_once: option(g, any),
        others: (0..below(g, 4)).map(|at| (vec![at as u8], any(g))).collect(),
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
    match below(g, 13) {
        12 => Message::Coverage(coverage(g)),
        11 => Message::Swim(Bytes::from(any::<Vec<u8>>(g))),
        7 | 8 => Message::Membership(membership(g)),
        9 | 10 => Message::Reap(reap(g)),
        5 | 6 => Message::AntiEntropy(anti_entropy(g)),
        0 | 1 => Message::Replica(replica(g)),
        2 | 3 => Message::Forward(forward(g)),
        _ => Message::Liveness(if any(g) { LivenessMessage::Ping } else { LivenessMessage::Pong }),
    }
}

fn entry(g: &mut Gen) -> Entry {
    Entry { term: Bytes::from(any::<Vec<u8>>(g)), key: Bytes::from(any::<Vec<u8>>(g)) }
}

fn query(g: &mut Gen) -> Query {
    let bytes = |g: &mut Gen| Bytes::from(any::<Vec<u8>>(g));
    let bucket = Bucket { bucket_type: any(g), name: any(g) };
    let span = Span { from: bytes(g), to: option(g, bytes) };
    match below(g, 3) {
        0 => Query::Buckets { bucket_type: bytes(g) },
        1 => Query::Keys { bucket, span },
        _ => Query::Index { bucket, field: bytes(g), span },
    }
}

fn partitions(g: &mut Gen) -> Vec<Partition> {
    let all: BTreeSet<u32> = list(g, |g| any::<u32>(g) % (1 << 16)).into_iter().collect();
    all.into_iter().map(Partition).collect()
}

fn found(g: &mut Gen) -> Found {
    Found { entries: list(g, entry), next: option(g, entry) }
}

fn coverage(g: &mut Gen) -> CoverageMessage {
    let op = OpId(any(g));
    let result = match below(g, 6) {
        0..2 => {
            let scan = Scan {
                query: query(g),
                partitions: partitions(g).into(),
                after: option(g, entry),
                limit: any(g),
            };
            return CoverageMessage::Ask { op, n: any(g), scan: Box::new(scan) };
        }
        2 => Err(NoAnswer::NotHere(partitions(g))),
        3 => Err(NoAnswer::Overloaded),
        4 => Err(NoAnswer::StorageFailed),
        _ => Ok(found(g)),
    };
    CoverageMessage::Answer { op, result }
}

fn coverage_op(g: &mut Gen) -> CoverageOp {
    match below(g, 3) {
        0 => CoverageOp::Next,
        1 => CoverageOp::Cancel,
        _ => CoverageOp::Begin(Box::new(Listing {
            query: query(g),
            after: option(g, entry),
            limit: option(g, any),
            timeout: option(g, |g| Duration::from_nanos(any(g))),
        })),
    }
}

fn any_quorum(g: &mut Gen) -> Quorum {
    *g.choose(&[Quorum::Default, Quorum::One, Quorum::Majority, Quorum::All, Quorum::Count(3)])
        .expect("not empty")
}

fn client_op(g: &mut Gen) -> ClientOp {
    if any(g) {
        return ClientOp::Get(ReadOptions {
            r: any_quorum(g),
            pr: option(g, any_quorum),
            node_confirms: option(g, any),
            notfound_ok: option(g, any),
            basic_quorum: option(g, any),
            sloppy: any(g),
            n: option(g, any),
        });
    }
    let condition = |g: &mut Gen| {
        if any(g) { Condition::NoneMatch } else { Condition::NotModified(context(g)) }
    };
    let options = WriteOptions {
        w: any_quorum(g),
        pw: option(g, any_quorum),
        dw: option(g, any_quorum),
        node_confirms: option(g, any),
        sloppy: any(g),
        n: option(g, any),
        condition: option(g, condition),
    };
    if any(g) {
        let Mutation { op, context } = mutation(g);
        return ClientOp::Update { op, context, options };
    }
    ClientOp::Put { context: context(g), value: value(g), options }
}

fn admin_op(g: &mut Gen) -> AdminOp {
    let bucket = |g: &mut Gen| Bucket { bucket_type: any(g), name: any(g) };
    let plan = |g: &mut Gen| Plan {
        changes: list(g, change).into_iter().collect(),
        before: list(g, node),
        after: list(g, node),
    };
    match below(g, 10) {
        6 => AdminOp::CreateType { name: any(g), props: props_of_one(g, 3) },
        7 => AdminOp::ActivateType { name: any(g) },
        8 => AdminOp::SetTypeProps { name: any(g), props: props_of_one(g, 3) },
        9 => AdminOp::SetMetadata { changes: list(g, |g| (any(g), option(g, opaque))) },
        0 => {
            let (node, change) = change(g);
            AdminOp::Stage { node, change }
        }
        1 => AdminOp::Clear,
        2 => AdminOp::Plan,
        3 => AdminOp::Commit { shown: option(g, plan) },
        4 => {
            let n = any::<u8>(g).max(1);
            let bucket_type = if any(g) { Key::DEFAULT_TYPE.to_vec() } else { any(g) };
            let bucket = Bucket { bucket_type, name: any(g) };
            // Whatever an operator asks for, also what the core refuses.
            AdminOp::SetProps { bucket, props: Props { n_val: option(g, any), ..props_of_one(g, n) } }
        }
        _ => AdminOp::ResetProps { bucket: bucket(g) },
    }
}

fn result<T>(g: &mut Gen, make: impl Fn(&mut Gen) -> T) -> Result<T, StorageError> {
    match below(g, 4) {
        0 => Err(StorageError::Failed),
        1 => Err(StorageError::Corrupt),
        _ => Ok(make(g)),
    }
}

fn completion(g: &mut Gen) -> StorageCompletion {
    let ticket = Ticket(number(g));
    let held = |g: &mut Gen| (key(g), siblings(g));
    let applied = |g: &mut Gen| match below(g, 7) {
        0 => Err(Refused::NotFound),
        1 => Err(Refused::MovedOn),
        2 => Err(Refused::Mutation(refusal(g))),
        3 => Err(Refused::Spent),
        _ => Ok(Applied { siblings: siblings(g), dot: option(g, dot), newly_owed: list(g, node) }),
    };
    let name = |g: &mut Gen| Name { digest: option(g, |g| Digest(any(g))), is_owed: any(g) };
    match below(g, 12) {
        10 => StorageCompletion::Found { ticket, result: result(g, found) },
        0 => StorageCompletion::Read { ticket, result: result(g, siblings) },
        1 | 2 => StorageCompletion::Applied { ticket, result: result(g, applied) },
        3 => StorageCompletion::Hints { ticket, result: result(g, |g| list(g, held)) },
        4 => StorageCompletion::TreeHashes { ticket, result: result(g, |g| list(g, |g| TreeHash(any(g)))) },
        5 => StorageCompletion::LeafKeys { ticket, result: result(g, |g| list(g, named_key)) },
        6 => {
            let page = |g: &mut Gen| Page { records: list(g, held), next: option(g, key) };
            StorageCompletion::Page { ticket, result: result(g, page) }
        }
        7 => StorageCompletion::Names { ticket, result: result(g, |g| list(g, name)) },
        8 => StorageCompletion::Saved { ticket, result: result(g, |_| ()) },
        9 => StorageCompletion::Occupied { ticket, result: result(g, |g| list(g, |g| Partition(any(g)))) },
        _ if any(g) => StorageCompletion::SyncFailed,
        _ => StorageCompletion::Synced { through: ticket },
    }
}

fn input(g: &mut Gen) -> Input {
    let call = CallId(number(g));
    match below(g, 11) {
        10 => Input::Coverage(CoverageRequest { call, op: coverage_op(g) }),
        0..3 => Input::Client(ClientRequest {
            call,
            request: request(g),
            key: key(g),
            op: client_op(g),
            timeout: option(g, |g| Duration::from_nanos(any(g))),
        }),
        3..5 => Input::Peer { from: node(g), message: message(g) },
        5..8 => Input::Storage(completion(g)),
        8 => Input::Timeout,
        _ => Input::Admin(AdminRequest { call, op: admin_op(g) }),
    }
}

fn span(g: &mut Gen) -> Duration {
    Duration::from_nanos(any(g))
}

fn config(g: &mut Gen) -> Config {
    let policies = [Policy::KeepSiblings, Policy::LastWriteWins, Policy::OneValue];
    Config {
        node: node(g),
        contact: contact(g),
        founders: list(g, node),
        ring: ring(g),
        shares: list(g, |g| (node(g), share(g))).into_iter().collect(),
        n: any(g),
        r: any_quorum(g),
        w: any_quorum(g),
        policy: *g.choose(&policies).expect("not empty"),
        request_timeout: span(g),
        replica_timeout: span(g),
        forward_timeout: span(g),
        suspect_after: any(g),
        swim_interval: span(g),
        probe_interval: span(g),
        hint_interval: span(g),
        hint_batch_max: any(g),
        hint_bytes_max: any(g),
        anti_entropy_interval: span(g),
        gossip_interval: span(g),
        start_wait: span(g),
        handoff_interval: span(g),
        handoff_batch_max: any(g),
        reap_after: option(g, span),
        background_latency_target: option(g, span),
        background_window: span(g),
        background_rate_min: any(g),
        background_rate_max: any(g),
        past_entries_max: any(g),
        requests_max: any(g),
        storage_inflight_max: any(g),
        request_memory_max: any(g),
        flaw: None,
    }
}

fn boot(g: &mut Gen) -> Boot {
    let hint = |g: &mut Gen| (node(g), HintTotal { keys: any(g), bytes: any(g) });
    Boot {
        store: StoreId(any(g)),
        number: any(g),
        continuous_since: any(g),
        owed: list(g, hint),
        cluster: option(g, |g| Arc::new(cluster(g))),
        seed: core::array::from_fn(|_| any(g)),
    }
}
