//! What holds of data types whatever is done to them, at three stores that hear of each other now and then.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;
use quickcheck::{TestResult, quickcheck};

use super::{
    DataType, Field, FieldKind, FieldOp, FieldValue, FlagOp, Held, Kind, MapOp, Mutation, Op, SetOp, State,
};
use crate::id::{NodeId, RequestId, StoreId};
use crate::replica::{Record, Update, Write, Written};
use crate::time::WallTime;
use crate::version::{Actor, Context, Dot, Policy, Value, VersionVector};

const STORES: usize = 3;
/// Two a store at most, so that there is room for all of them in what counters remember.
const REQUESTS: u8 = 24;

struct World {
    records: [Record; STORES],
    /// Whatever a client was ever shown.
    contexts: Vec<Context>,
    minted: u64,
    requests: u64,
    past_entries_max: u32,
}

impl Default for World {
    /// Pasts are short, so that versions come back that have been replaced.
    fn default() -> Self {
        let records = Default::default();
        Self { records, contexts: Vec::new(), minted: 0, requests: 0, past_entries_max: 4 }
    }
}

impl World {
    fn coordinate(&mut self, at: usize, request: RequestId, value: Written, context: Context) -> Option<Dot> {
        self.minted += 1;
        let mint = Actor { node: NodeId(at as u64), store: StoreId(at as u64), boot: 1, mint: self.minted };
        let update = Update::Coordinate {
            write: Arc::new(Write { request, context, value, written_at: WallTime(0) }),
            made: None,
            mint,
            continuous_since: 1,
            past_entries_max: self.past_entries_max,
            owed: None,
            policy: Policy::KeepSiblings,
            flaw: None,
        };
        let (record, change) = update.apply(Some(&self.records[at])).ok()?;
        self.records[at] = record.unwrap();
        self.contexts.push(self.records[at].siblings.context());
        change.dot
    }

    fn change(&mut self, at: usize, op: Op, context: Option<Context>) -> Option<Dot> {
        self.requests += 1;
        let request = RequestId(u128::from(self.requests) << 64);
        self.coordinate(at, request, Written::Changed(Arc::new(Mutation { op, context })), Context::EMPTY)
    }

    fn send(&mut self, from: usize, to: usize) {
        let siblings = self.records[from].siblings.clone();
        let update = Update::Merge { siblings, owed: None, policy: Policy::KeepSiblings };
        let (record, _) = update.apply(Some(&self.records[to])).unwrap();
        self.records[to] = record.unwrap();
    }

    fn held(&self, at: usize, kind: Kind) -> DataType {
        let held = Held::of(&self.records[at].siblings, kind).value;
        held.map_or_else(|| DataType::new(kind), |value| (*value).clone())
    }

    /// All stores after everybody has told everybody; they agree.
    fn agreed(&mut self, kind: Kind) -> DataType {
        for _ in 0..2 {
            for from in 0..STORES {
                (0..STORES).for_each(|to| self.send(from, to));
            }
        }
        let values: Vec<DataType> = (0..STORES).map(|at| self.held(at, kind)).collect();
        assert_eq!(values[0], values[1]);
        assert_eq!(values[1], values[2]);
        values[0].clone()
    }

    fn context(&self, n: u8) -> Option<Context> {
        let at = usize::from(n).checked_rem(self.contexts.len())?;
        Some(self.contexts[at].clone())
    }
}

fn element(n: u8) -> Bytes {
    Bytes::from(vec![b'a' + n % 3])
}

fn field(n: u8) -> (Bytes, FieldOp) {
    let op = match n % 7 {
        0 => FieldOp::Counter(i64::from(n)),
        1 => FieldOp::Register(element(n / 7)),
        2 => FieldOp::Flag(FlagOp::Enable),
        3 => FieldOp::Flag(FlagOp::Disable),
        4 => FieldOp::Set(SetOp { adds: vec![element(n / 7)], removes: vec![] }),
        5 => FieldOp::Set(SetOp { adds: vec![], removes: vec![element(n / 7)] }),
        _ => FieldOp::Map(MapOp { removes: vec![], updates: vec![field(n / 7)] }),
    };
    (element(n / 3), op)
}

fn op(kind: Kind, n: u8) -> Op {
    match kind {
        Kind::Counter => Op::Counter(i64::from(n) - 100),
        Kind::Set if n.is_multiple_of(2) => Op::Set(SetOp { adds: vec![element(n / 2)], removes: vec![] }),
        Kind::Set => Op::Set(SetOp { adds: vec![], removes: vec![element(n / 2)] }),
        Kind::Map if n.is_multiple_of(4) => {
            let (name, op) = field(n / 4);
            Op::Map(MapOp { removes: vec![Field { name, kind: op.kind() }], updates: vec![] })
        }
        Kind::Map => Op::Map(MapOp { removes: vec![], updates: vec![field(n)] }),
        Kind::Hll => Op::Hll { precision: 4 + n % 3, adds: vec![element(n)] },
        Kind::GSet => Op::GSet(vec![element(n)]),
    }
}

const KINDS: [Kind; 5] = [Kind::Counter, Kind::Set, Kind::Map, Kind::Hll, Kind::GSet];

/// A store, what is done there, and with what.
type Step = (u8, u8, u8);

fn run(kind: Kind, steps: &[Step]) -> World {
    let mut world = World::default();
    for &(at, what, n) in steps {
        let at = usize::from(at) % STORES;
        match what % 8 {
            0 | 1 => world.send(usize::from(n) % STORES, at),
            2 => {
                let context = world.context(n);
                world.change(at, op(kind, what), context);
            }
            3 if n < 40 => {
                let shown = world.records[at].siblings.context();
                world.coordinate(at, RequestId(n.into()), Value::Tombstone.into(), shown);
            }
            _ => _ = world.change(at, op(kind, n), None),
        }
    }
    world
}

quickcheck! {
    fn merging_is_commutative_associative_and_idempotent(kind: u8, steps: Vec<Step>) -> bool {
        let kind = KINDS[usize::from(kind) % KINDS.len()];
        let world = run(kind, &steps);
        let [a, b, c] = [0, 1, 2].map(|at| world.held(at, kind));
        a.merge(&b) == b.merge(&a)
            && a.merge(&b).merge(&c) == a.merge(&b.merge(&c))
            && a.merge(&a) == a
            && a.merge(&b).merge(&a) == a.merge(&b)
    }

    fn stores_that_have_heard_everything_agree(kind: u8, steps: Vec<Step>) -> bool {
        let kind = KINDS[usize::from(kind) % KINDS.len()];
        let mut world = run(kind, &steps);
        let agreed = world.agreed(kind);
        // Everything that a client had been shown has arrived.
        agreed.deferred().is_empty()
    }

    /// One change of the key leaves one version of it.
    fn a_change_takes_the_place_of_all_siblings(kind: u8, steps: Vec<Step>) -> bool {
        let kind = KINDS[usize::from(kind) % KINDS.len()];
        let mut world = run(kind, &steps);
        let before = world.agreed(kind);
        let is_done = world.change(0, op(kind, 6), None).is_some();
        let after = world.held(0, kind);
        !is_done || (world.records[0].siblings.versions().len() == 1 && after.clock().covers(before.clock()))
    }

    /// However often a request is made, and wherever, it counts once.
    fn a_request_counts_once(steps: Vec<Step>) -> bool {
        let mut world = World::default();
        let mut counted = BTreeMap::new();
        for (at, what, n) in steps {
            let at = usize::from(at) % STORES;
            if what % 4 == 0 {
                world.send(usize::from(n) % STORES, at);
                continue;
            }
            let request = n % REQUESTS;
            let amount = i64::from(request) * 7 - 50;
            let mutation = Mutation { op: Op::Counter(amount), context: None };
            world.coordinate(at, RequestId(request.into()), Written::Changed(Arc::new(mutation)), Context::EMPTY);
            counted.insert(request, i128::from(amount));
        }
        let State::Counter(counter) = world.agreed(Kind::Counter).state().clone() else { return false };
        // What others have counted, too, is taken back for good by whoever writes next.
        let sum = counted.values().sum::<i128>();
        let before = counter.value();
        for at in 0..STORES {
            world.change(at, Op::Counter(1), None);
        }
        let State::Counter(counter) = world.agreed(Kind::Counter).state().clone() else { return false };
        before == sum && counter.value() == sum + 3
    }

    /// An element is there if some add of it has not been seen by any remove.
    fn an_add_that_no_remove_had_seen_is_there(steps: Vec<Step>) -> TestResult {
        let mut world = World::default();
        let mut adds: Vec<(Bytes, Dot)> = Vec::new();
        let mut removes: Vec<(Bytes, VersionVector)> = Vec::new();
        for (at, what, n) in steps {
            let at = usize::from(at) % STORES;
            match what % 4 {
                0 => world.send(usize::from(n) % STORES, at),
                1 | 2 => {
                    let op = Op::Set(SetOp { adds: vec![element(n)], removes: vec![] });
                    let Some(dot) = world.change(at, op, None) else { return TestResult::failed() };
                    adds.push((element(n), dot));
                }
                _ => {
                    let context = if what & 4 == 0 { None } else { world.context(n) };
                    let seen = context.clone().unwrap_or(Context(world.held(at, Kind::Set).clock().clone())).0;
                    let op = Op::Set(SetOp { adds: vec![], removes: vec![element(what / 8)] });
                    if world.change(at, op, context).is_some() {
                        removes.push((element(what / 8), seen));
                    }
                }
            }
        }
        let survives = |(element, dot): &&(Bytes, Dot)| {
            !removes.iter().any(|(removed, seen)| removed == element && seen.contains(*dot))
        };
        let expected: BTreeSet<Bytes> = adds.iter().filter(survives).map(|(element, _)| element.clone()).collect();
        let State::Set(set) = world.agreed(Kind::Set).state().clone() else { return TestResult::failed() };
        TestResult::from_bool(set.elements().cloned().collect::<BTreeSet<_>>() == expected)
    }

    /// A remove waits for nothing where all is that its client had been shown, whatever stays beside the data type.
    fn a_remove_of_what_is_shown_here_does_not_wait(kind: bool, steps: Vec<Step>) -> bool {
        let kind = if kind { Kind::Set } else { Kind::Map };
        let mut world = World { past_entries_max: 100, ..World::default() };
        for (at, what, n) in steps {
            let at = usize::from(at) % STORES;
            match what % 4 {
                0 => world.send(usize::from(n) % STORES, at),
                1 => {
                    let request = RequestId(world.minted.into());
                    world.coordinate(at, request, Value::Data(element(n)).into(), Context::EMPTY);
                }
                2 => _ = world.change(at, op(kind, n), None),
                _ => {
                    let shown = world.records[at].siblings.context();
                    world.change(at, op(kind, n), Some(shown));
                }
            }
        }
        (0..STORES).all(|at| world.held(at, kind).deferred().is_empty())
    }

    /// What a plain value was put in place of arrives no more, and no remove waits for it: once all stores have heard
    /// everything, and the key is changed, none waits for anything that a client was shown.
    fn no_remove_waits_for_what_was_replaced(kind: bool, steps: Vec<Step>) -> bool {
        let kind = if kind { Kind::Set } else { Kind::Map };
        let mut world = World { past_entries_max: 100, ..World::default() };
        for (at, what, n) in steps {
            let at = usize::from(at) % STORES;
            let context = world.context(n);
            match what % 6 {
                0 => world.send(usize::from(n) % STORES, at),
                1 => {
                    let value = if n % 4 == 0 { Value::Tombstone } else { Value::Data(element(n)) };
                    let request = RequestId(world.minted.into());
                    world.coordinate(at, request, value.into(), context.unwrap_or_default());
                }
                2 | 3 => _ = world.change(at, op(kind, what), context),
                _ => _ = world.change(at, op(kind, n), None),
            }
        }
        world.agreed(kind);
        world.change(0, op(kind, 6), None);
        world.agreed(kind).deferred().is_empty()
    }

    /// Whatever was put in its place: of what was added the rest stays.
    fn what_a_plain_write_or_a_delete_had_been_shown_is_gone(steps: Vec<Step>) -> TestResult {
        let mut world = World { past_entries_max: 100, ..World::default() };
        let mut adds: Vec<(Bytes, Dot)> = Vec::new();
        let mut replaced: Vec<VersionVector> = Vec::new();
        for (at, what, n) in steps {
            let at = usize::from(at) % STORES;
            match what % 4 {
                0 => world.send(usize::from(n) % STORES, at),
                1 => {
                    let value = if n % 2 == 0 { Value::Tombstone } else { Value::Data(element(n)) };
                    let (request, context) = (RequestId(world.minted.into()), world.context(n / 2));
                    let seen = context.unwrap_or_default();
                    world.coordinate(at, request, value.into(), seen.clone());
                    replaced.push(seen.0);
                }
                _ => {
                    let op = Op::Set(SetOp { adds: vec![element(n)], removes: vec![] });
                    let Some(dot) = world.change(at, op, None) else { return TestResult::failed() };
                    adds.push((element(n), dot));
                }
            }
        }
        let stays = |(_, dot): &&(Bytes, Dot)| !replaced.iter().any(|seen| seen.contains(*dot));
        let expected: BTreeSet<Bytes> = adds.iter().filter(stays).map(|(element, _)| element.clone()).collect();
        let State::Set(set) = world.agreed(Kind::Set).state().clone() else { return TestResult::failed() };
        TestResult::from_bool(set.elements().cloned().collect::<BTreeSet<_>>() == expected)
    }

    /// Plain versions stay beside a data type, and nobody's change takes one away unseen.
    fn plain_siblings_survive_changes(steps: Vec<Step>) -> bool {
        let mut world = World { past_entries_max: 100, ..World::default() };
        let mut plain = BTreeSet::new();
        for (at, what, n) in steps {
            let at = usize::from(at) % STORES;
            match what % 4 {
                0 => world.send(usize::from(n) % STORES, at),
                1 => {
                    let (minted, value) = (world.minted, Value::Data(element(n)));
                    world.coordinate(at, RequestId(minted.into()), value.into(), Context::EMPTY);
                    plain.insert(minted);
                }
                _ => _ = world.change(at, Op::Counter(1), None),
            }
        }
        world.agreed(Kind::Counter);
        let here = world.records[0].siblings.versions();
        let data = here.iter().filter(|version| matches!(version.value, Value::Data(_)));
        let data_types = here.len() - data.clone().count();
        data.map(|version| version.request.0 as u64).collect::<BTreeSet<_>>() == plain && data_types <= STORES
    }
}

#[test]
fn maps_in_maps_are_as_deep_as_they_are_said_to_be() {
    let world = run(Kind::Map, &[(0, 4, 6)]);
    let State::Map(map) = world.held(0, Kind::Map).state().clone() else { panic!("a map") };
    assert_eq!(map.depth(), 2);
    let entry = map.0.values().next().unwrap();
    assert!(matches!(entry.value, FieldValue::Map(_)));
    assert_eq!(map.0.keys().next().unwrap().kind, FieldKind::Map);
}

#[test]
fn a_plain_value_takes_the_place_of_what_its_writer_was_shown_and_of_nothing_else() {
    let mut world = World::default();
    let adds = |n| Op::Set(SetOp { adds: vec![element(n)], removes: vec![] });
    world.change(0, adds(0), None);
    world.send(0, 1);
    world.change(1, adds(1), None);
    let shown = world.records[0].siblings.context();
    world.coordinate(0, RequestId(1), Value::Data(element(2)).into(), shown.clone());
    let removes = Op::Set(SetOp { adds: vec![], removes: vec![element(0)] });
    world.change(0, removes, Some(shown));
    assert!(world.held(0, Kind::Set).deferred().is_empty());
    // The other one has merged what was replaced, and has something new.
    world.send(1, 0);
    let State::Set(set) = world.agreed(Kind::Set).state().clone() else { panic!("a set") };
    assert_eq!(set.elements().collect::<Vec<_>>(), [&element(1)]);
}
