//! What clients do to data types: each change is drawn from the name of its request, so that a change is the same
//! however a run is spelled out or cut down.

use bytes::Bytes;
use cartwheel_core::Answer;
use cartwheel_core::datatype::{
    DataType, Field, FieldKind, FieldOp, FieldValue, Held, Map, MapOp, Op, SetOp, State,
};
use cartwheel_core::id::RequestId;
use cartwheel_core::version::Context;

use crate::scenario::TypeSpec;

/// So many elements there are: clients add and remove the same ones.
const ELEMENTS: u64 = 8;
/// Increments are so large that no two sums of few of them are equal.
const AMOUNTS: u64 = 1_000_000_007;

/// A change on its way, and how it ended.
#[derive(Clone, Debug)]
pub struct Change {
    /// The place of its key.
    pub key: usize,
    /// The request that carried it through all its attempts.
    pub request: RequestId,
    /// The change.
    pub op: Op,
    /// What its client had been shown, where that mattered.
    pub context: Option<Context>,
    /// Whether it was acknowledged; otherwise nobody knows, or it was refused.
    pub is_acked: bool,
}

/// What one change does, with where in the value it does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It counts.
    Count(Path, i64),
    /// It adds an element.
    Add(Path, Bytes),
    /// It removes what its client had been shown of an element, or of all that is there.
    Remove(Path, Option<Bytes>),
    /// It assigns.
    Assign(Path, Bytes),
}

/// The names of the fields that lead there.
pub type Path = Vec<&'static str>;

/// What the fields of maps are called.
const COUNTER: &str = "count";
const SET: &str = "set";
const REGISTER: &str = "name";
const MAP: &str = "map";

/// The change that `request` makes without having read anything.
pub(super) fn blindly(of: TypeSpec, request: RequestId) -> Op {
    let drawn = drawn(request);
    let amount = (1 + drawn % AMOUNTS) as i64;
    let adds = SetOp { adds: vec![element(drawn)], removes: Vec::new() };
    match of {
        TypeSpec::Counter => Op::Counter(amount),
        TypeSpec::Set => Op::Set(adds),
        TypeSpec::Map => match drawn / ELEMENTS % 4 {
            0 => update(COUNTER, FieldOp::Counter(amount)),
            1 => update(SET, FieldOp::Set(adds)),
            2 => update(REGISTER, FieldOp::Register(Bytes::from(drawn.to_string()))),
            _ => {
                let within = MapOp { removes: Vec::new(), updates: vec![(name(SET), FieldOp::Set(adds))] };
                update(MAP, FieldOp::Map(within))
            }
        },
    }
}

/// The change that `request` makes of what its client has read: it removes something of that. `None`: nothing is there.
pub(super) fn removing(of: TypeSpec, request: RequestId, read: &Answer) -> Option<(Op, Context)> {
    let value = Held::of_any(&read.siblings)?;
    let drawn = drawn(request);
    let op = match (of, value.state()) {
        (TypeSpec::Set, State::Set(set)) => {
            let element = nth(set.elements(), drawn)?;
            Op::Set(SetOp { adds: Vec::new(), removes: vec![element] })
        }
        (TypeSpec::Map, State::Map(map)) if drawn.is_multiple_of(2) => {
            let set = in_map(map, SET, FieldKind::Set)?;
            let FieldValue::Set(set) = set else { return None };
            let removes = vec![nth(set.elements(), drawn / 2)?];
            update(SET, FieldOp::Set(SetOp { adds: Vec::new(), removes }))
        }
        (TypeSpec::Map, State::Map(_)) => {
            let field = Field { name: name(MAP), kind: FieldKind::Map };
            Op::Map(MapOp { removes: vec![field], updates: Vec::new() })
        }
        _ => return None,
    };
    Some((op, read.context()))
}

/// What `op` does. The workload's changes do one thing each.
pub fn effect(op: &Op) -> Option<Effect> {
    match op {
        Op::Counter(amount) => Some(Effect::Count(Path::new(), *amount)),
        Op::Set(op) => of_set(Path::new(), op),
        Op::Map(op) => of_map(Path::new(), op),
        Op::Hll { .. } | Op::GSet(_) => None,
    }
}

fn of_map(path: Path, op: &MapOp) -> Option<Effect> {
    if let Some(field) = op.removes.first() {
        let path = [path, vec![known(&field.name)?, SET]].concat();
        return Some(Effect::Remove(path, None));
    }
    let (name, op) = op.updates.first()?;
    let path = [path, vec![known(name)?]].concat();
    match op {
        FieldOp::Counter(amount) => Some(Effect::Count(path, *amount)),
        FieldOp::Register(value) => Some(Effect::Assign(path, value.clone())),
        FieldOp::Map(op) => of_map(path, op),
        FieldOp::Set(op) => of_set(path, op),
        FieldOp::Flag(_) => None,
    }
}

fn of_set(path: Path, op: &SetOp) -> Option<Effect> {
    let adds = op.adds.first().map(|element| Effect::Add(path.clone(), element.clone()));
    adds.or_else(|| op.removes.first().map(|element| Effect::Remove(path, Some(element.clone()))))
}

/// What a value says at `path`.
pub fn counted(value: &DataType, path: &Path) -> i128 {
    match (value.state(), path.as_slice()) {
        (State::Counter(counter), []) => counter.value(),
        (State::Map(map), [field]) => match in_map(map, field, FieldKind::Counter) {
            Some(FieldValue::Counter(counter)) => counter.value(),
            _ => 0,
        },
        _ => 0,
    }
}

/// Whether `element` is in the set at `path`.
pub fn holds(value: &DataType, path: &Path, element: &Bytes) -> bool {
    let is_in = |map: &Map, field| match in_map(map, field, FieldKind::Set) {
        Some(FieldValue::Set(set)) => set.0.contains_key(element),
        _ => false,
    };
    match (value.state(), path.as_slice()) {
        (State::Set(set), []) => set.0.contains_key(element),
        (State::Map(map), [field]) => is_in(map, field),
        (State::Map(map), [outer, field]) => match in_map(map, outer, FieldKind::Map) {
            Some(FieldValue::Map(map)) => is_in(map, field),
            _ => false,
        },
        _ => false,
    }
}

/// What the register at `path` shows.
pub fn assigned(value: &DataType, path: &Path) -> Option<Bytes> {
    match (value.state(), path.as_slice()) {
        (State::Map(map), [field]) => match in_map(map, field, FieldKind::Register)? {
            FieldValue::Register(register) => register.value().cloned(),
            _ => None,
        },
        _ => None,
    }
}

fn in_map<'a>(map: &'a Map, text: &'static str, kind: FieldKind) -> Option<&'a FieldValue> {
    map.0.get(&Field { name: name(text), kind }).map(|entry| &entry.value)
}

fn nth<'a>(elements: impl Iterator<Item = &'a Bytes>, drawn: u64) -> Option<Bytes> {
    let elements: Vec<&Bytes> = elements.collect();
    let at = drawn.checked_rem(elements.len() as u64)?;
    Some(elements[at as usize].clone())
}

fn update(text: &'static str, op: FieldOp) -> Op {
    Op::Map(MapOp { removes: Vec::new(), updates: vec![(name(text), op)] })
}

fn name(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn known(name: &Bytes) -> Option<&'static str> {
    [COUNTER, SET, REGISTER, MAP].into_iter().find(|known| known.as_bytes() == &**name)
}

fn element(drawn: u64) -> Bytes {
    Bytes::from(format!("e{}", drawn % ELEMENTS))
}

/// Any 64 bits, always the same for one request.
fn drawn(request: RequestId) -> u64 {
    xxhash_rust::xxh3::xxh3_64(&request.0.to_le_bytes())
}
