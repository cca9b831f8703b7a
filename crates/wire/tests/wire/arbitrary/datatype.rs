//! Any data type whose dots its clock has seen.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use cartwheel_core::datatype::{
    Count, Counter, DataType, Deferred, DotSet, Entry, Field, FieldKind, FieldOp, FieldValue, Flag, FlagOp,
    Hll, Map, MapOp, Mutation, Op, Recent, Refusal, Register, Removal, Removed, Set, SetOp, State,
};
use cartwheel_core::version::{Dot, VersionVector};
use quickcheck::Gen;

use super::{any, below, context, number, option, vector};

pub fn data_type(g: &mut Gen) -> DataType {
    let clock = vector(g);
    let state = match below(g, 5) {
        0 => State::Counter(counter(g, &clock)),
        1 => State::Set(set(g, &clock)),
        2 => State::Map(map(g, &clock, 3)),
        3 => State::Hll(hll(g)),
        _ => State::GSet(many(g, bytes).into_iter().collect()),
    };
    DataType::from_parts(clock, state, deferred(g))
}

fn many<T>(g: &mut Gen, mut make: impl FnMut(&mut Gen) -> T) -> Vec<T> {
    (0..below(g, 5)).map(|_| make(g)).collect()
}

fn bytes(g: &mut Gen) -> Bytes {
    Bytes::from(any::<Vec<u8>>(g))
}

fn dots(g: &mut Gen, clock: &VersionVector) -> DotSet {
    many(g, |g| seen(g, clock)).into_iter().flatten().collect()
}

fn seen(g: &mut Gen, clock: &VersionVector) -> Option<Dot> {
    let last = *g.choose(clock.entries())?;
    Some(Dot { counter: last.counter.min(number(g).max(1)), ..last })
}

fn counter(g: &mut Gen, clock: &VersionVector) -> Counter {
    let recent = |g: &mut Gen| Recent { request: any(g), amount: any(g) };
    let count = |g: &mut Gen, dot: Dot| {
        let made =
            Count { counter: dot.counter, increments: any(g), decrements: any(g), recent: many(g, recent) };
        (dot.actor, made)
    };
    Counter(dots(g, clock).dots().iter().map(|&dot| count(g, dot)).collect())
}

fn set(g: &mut Gen, clock: &VersionVector) -> Set {
    Set(many(g, |g| (bytes(g), dots(g, clock))).into_iter().collect())
}

fn map(g: &mut Gen, clock: &VersionVector, depth: usize) -> Map {
    let entry = |g: &mut Gen| {
        let value = match below(g, if depth > 1 { 5 } else { 4 }) {
            0 => FieldValue::Counter(counter(g, clock)),
            1 => {
                let values: BTreeMap<Dot, Bytes> =
                    dots(g, clock).dots().iter().map(|&dot| (dot, bytes(g))).collect();
                FieldValue::Register(Register(values))
            }
            2 => FieldValue::Flag(Flag(dots(g, clock))),
            3 => FieldValue::Set(set(g, clock)),
            _ => FieldValue::Map(map(g, clock, depth - 1)),
        };
        (Field { name: bytes(g), kind: value.kind() }, Entry { presence: dots(g, clock), value })
    };
    Map(many(g, entry).into_iter().collect())
}

fn hll(g: &mut Gen) -> Hll {
    let mut registers = vec![0; 1 << (4 + below(g, 13))];
    let len = registers.len() as u64;
    for rank in many(g, |g| below(g, 40)) {
        let at = below(g, len);
        registers[usize::try_from(at).expect("a place")] = u8::try_from(rank).expect("below 40");
    }
    if any(g) {
        registers.fill(3);
    }
    Hll::from_registers(registers).expect("within the bounds")
}

fn deferred(g: &mut Gen) -> Deferred {
    let removals = |g: &mut Gen| many(g, removal).into_iter().collect::<BTreeSet<_>>();
    Deferred(many(g, |g| (vector(g).entries().to_vec(), removals(g))).into_iter().collect())
}

fn removal(g: &mut Gen) -> Removal {
    let removed = match below(g, 3) {
        0 => Removed::Field,
        1 => Removed::Flag,
        _ => Removed::Element(bytes(g)),
    };
    Removal { path: many(g, field).into_iter().take(16).collect(), removed }
}

fn field(g: &mut Gen) -> Field {
    let kinds = [FieldKind::Counter, FieldKind::Register, FieldKind::Map, FieldKind::Flag, FieldKind::Set];
    Field { name: bytes(g), kind: *g.choose(&kinds).expect("not empty") }
}

pub fn mutation(g: &mut Gen) -> Mutation {
    let op = match below(g, 5) {
        0 => Op::Counter(any(g)),
        1 => Op::Set(set_op(g)),
        2 => Op::Map(map_op(g, 3)),
        3 => Op::Hll { precision: any(g), adds: many(g, bytes) },
        _ => Op::GSet(many(g, bytes)),
    };
    Mutation { op, context: option(g, context) }
}

fn set_op(g: &mut Gen) -> SetOp {
    SetOp { adds: many(g, bytes), removes: many(g, bytes) }
}

fn map_op(g: &mut Gen, depth: usize) -> MapOp {
    let update = |g: &mut Gen| {
        let op = match below(g, if depth > 1 { 5 } else { 4 }) {
            0 => FieldOp::Counter(any(g)),
            1 => FieldOp::Register(bytes(g)),
            2 => FieldOp::Flag(if any(g) { FlagOp::Enable } else { FlagOp::Disable }),
            3 => FieldOp::Set(set_op(g)),
            _ => FieldOp::Map(map_op(g, depth - 1)),
        };
        (bytes(g), op)
    };
    MapOp { removes: many(g, field), updates: many(g, update) }
}

fn bound(g: &mut Gen) -> usize {
    any::<u16>(g).into()
}

pub fn refusal(g: &mut Gen) -> Refusal {
    match below(g, 4) {
        0 => Refusal::NoElement(bytes(g)),
        1 => Refusal::NoField(field(g)),
        2 => Refusal::TooDeep { max: bound(g) },
        _ => Refusal::TooManyDeferred { max: bound(g) },
    }
}
