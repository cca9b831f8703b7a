//! Data types and what is done to them.

mod op;

use std::collections::{BTreeMap, BTreeSet};

use cartwheel_core::datatype::{
    Count, Counter, DEPTH_MAX, DataType, Deferred, DotSet, Entry, Field, FieldKind, FieldValue, Flag, Hll,
    Map, PRECISION_MAX, PRECISION_MIN, Recent, Register, Removal, Removed, Set, State,
};
use cartwheel_core::version::{Actor, Dot, VersionVector};

use super::{all, chosen, code, halves, of_code, out_of_range, required, whole};
use crate::error::DecodeError;
use crate::limits::RECENT_REQUESTS_MAX;
use crate::schema::Nothing;
use crate::schema::datatype as schema;

/// Codes count from 1, in this order, for ever.
const FIELD_KINDS: [FieldKind; 5] =
    [FieldKind::Counter, FieldKind::Register, FieldKind::Map, FieldKind::Flag, FieldKind::Set];

impl From<&DataType> for schema::DataType {
    fn from(value: &DataType) -> Self {
        let places = Places(value.clock());
        let state = match value.state() {
            State::Counter(counter) => schema::State::Counter(places.counter(counter)),
            State::Set(set) => schema::State::Set(places.set(set)),
            State::Map(map) => schema::State::Map(places.map(map)),
            State::Hll(hll) => schema::State::Hll(hll.into()),
            State::GSet(set) => {
                let element = |value: &bytes::Bytes| schema::Element { value: value.clone(), dots: vec![] };
                schema::State::GSet(set.iter().map(element).collect())
            }
        };
        let deferred = value.deferred();
        Self {
            clock: Some(value.clock().into()),
            state: Some(state),
            deferred: (!deferred.is_empty()).then(|| deferred.into()),
        }
    }
}

impl TryFrom<schema::DataType> for DataType {
    type Error = DecodeError;
    fn try_from(value: schema::DataType) -> Result<Self, DecodeError> {
        let clock = VersionVector::try_from(required("data_type.clock", value.clock)?)?;
        let places = Places(&clock);
        let state = match chosen("data_type.state", value.state)? {
            schema::State::Counter(counter) => State::Counter(places.counter_of(counter)?),
            schema::State::Set(set) => State::Set(places.set_of(set)?),
            schema::State::Map(map) => State::Map(places.map_of(map, 1)?),
            schema::State::Hll(hll) => State::Hll(hll.try_into()?),
            schema::State::GSet(set) => {
                State::GSet(all("elements", set)?.into_iter().map(|element| element.value).collect())
            }
        };
        let deferred = value.deferred.map(TryInto::try_into).transpose()?.unwrap_or_default();
        Ok(Self::from_parts(clock, state, deferred))
    }
}

/// The clock of a value, in which its dots find their actors.
struct Places<'a>(&'a VersionVector);

impl Places<'_> {
    fn place(&self, actor: Actor) -> u32 {
        let at = self.0.entries().binary_search_by_key(&actor, |dot| dot.actor);
        u32::try_from(at.expect("a value has seen all of its dots")).expect("clocks are short")
    }

    fn dots<'b>(&self, dots: impl IntoIterator<Item = &'b Dot>) -> Vec<u64> {
        dots.into_iter().flat_map(|dot| [u64::from(self.place(dot.actor)), dot.counter]).collect()
    }

    fn actor_at(&self, place: u64) -> Result<Dot, DecodeError> {
        let entry = usize::try_from(place).ok().and_then(|place| self.0.entries().get(place));
        entry.copied().ok_or(DecodeError::OutOfRange { field: "place of an actor", got: place })
    }

    fn dot_of(&self, place: u64, counter: u64) -> Result<Dot, DecodeError> {
        let last = self.actor_at(place)?;
        match counter {
            0 => Err(DecodeError::ZeroCounter),
            _ if counter > last.counter => {
                Err(DecodeError::OutOfRange { field: "counter of a dot", got: counter })
            }
            _ => Ok(Dot { counter, ..last }),
        }
    }

    fn dots_of(&self, numbers: &[u64]) -> Result<DotSet, DecodeError> {
        let (pairs, rest) = numbers.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(DecodeError::OutOfRange { field: "numbers of dots", got: numbers.len() as u64 });
        }
        pairs.iter().map(|&[place, counter]| self.dot_of(place, counter)).collect()
    }

    fn counter(&self, Counter(counts): &Counter) -> schema::Counter {
        counts.iter().map(|(&actor, count)| self.count(actor, count)).collect()
    }

    fn count(&self, actor: Actor, count: &Count) -> schema::Count {
        let (increments_high, increments_low) = halves(count.increments);
        let (decrements_high, decrements_low) = halves(count.decrements);
        schema::Count {
            actor: self.place(actor),
            counter: count.counter,
            increments_high,
            increments_low,
            decrements_high,
            decrements_low,
            requests: count.recent.iter().map(|recent| recent.request).collect(),
            amounts: count.recent.iter().map(|recent| recent.amount).collect(),
        }
    }

    fn counter_of(&self, counter: schema::Counter) -> Result<Counter, DecodeError> {
        let count = |count: schema::Count| {
            let dot = self.dot_of(count.actor.into(), count.counter)?;
            let (requests, amounts) = (count.requests, count.amounts);
            if requests.len() > RECENT_REQUESTS_MAX {
                return Err(DecodeError::TooMany { what: "recent requests", max: RECENT_REQUESTS_MAX });
            }
            if requests.len() != amounts.len() {
                return Err(DecodeError::OutOfRange {
                    field: "amounts of requests",
                    got: amounts.len() as u64,
                });
            }
            let recent = requests.into_iter().zip(amounts);
            let made = Count {
                counter: dot.counter,
                increments: whole(count.increments_high, count.increments_low),
                decrements: whole(count.decrements_high, count.decrements_low),
                recent: recent.map(|(request, amount)| Recent { request, amount }).collect(),
            };
            Ok((dot.actor, made))
        };
        Ok(Counter(all("counts", counter)?.into_iter().map(count).collect::<Result<_, DecodeError>>()?))
    }

    fn set(&self, Set(elements): &Set) -> schema::Elements {
        let element = |(value, dots): (&bytes::Bytes, &DotSet)| schema::Element {
            value: value.clone(),
            dots: self.dots(dots.dots()),
        };
        elements.iter().map(element).collect()
    }

    fn set_of(&self, set: schema::Elements) -> Result<Set, DecodeError> {
        let element = |element: schema::Element| {
            let dots = self.dots_of(&element.dots)?;
            Ok((element.value, dots))
        };
        Ok(Set(all("elements", set)?.into_iter().map(element).collect::<Result<_, DecodeError>>()?))
    }

    fn register(&self, Register(values): &Register) -> schema::Elements {
        let element = |(dot, value): (&Dot, &bytes::Bytes)| schema::Element {
            value: value.clone(),
            dots: self.dots([dot]),
        };
        values.iter().map(element).collect()
    }

    fn register_of(&self, register: schema::Elements) -> Result<Register, DecodeError> {
        let mut values = BTreeMap::new();
        for schema::Element { value, dots } in all("values of a register", register)? {
            for &dot in self.dots_of(&dots)?.dots() {
                values.insert(dot, value.clone());
            }
        }
        Ok(Register(values))
    }

    fn map(&self, Map(fields): &Map) -> schema::Map {
        let entry = |(field, entry): (&Field, &Entry)| schema::Entry {
            name: field.name.clone(),
            presence: self.dots(entry.presence.dots()),
            value: Some(match &entry.value {
                FieldValue::Counter(counter) => schema::FieldValue::Counter(self.counter(counter)),
                FieldValue::Register(register) => schema::FieldValue::Register(self.register(register)),
                FieldValue::Map(map) => schema::FieldValue::Map(self.map(map)),
                FieldValue::Flag(Flag(dots)) => {
                    schema::FieldValue::Flag(schema::Dots { dots: self.dots(dots.dots()) })
                }
                FieldValue::Set(set) => schema::FieldValue::Set(self.set(set)),
            }),
        };
        fields.iter().map(entry).collect()
    }

    fn map_of(&self, map: schema::Map, depth: usize) -> Result<Map, DecodeError> {
        if depth > DEPTH_MAX {
            return Err(DecodeError::TooMany { what: "maps within maps", max: DEPTH_MAX });
        }
        let entry = |entry: schema::Entry| {
            let presence = self.dots_of(&entry.presence)?;
            let value = match chosen("entry.value", entry.value)? {
                schema::FieldValue::Counter(counter) => FieldValue::Counter(self.counter_of(counter)?),
                schema::FieldValue::Register(values) => FieldValue::Register(self.register_of(values)?),
                schema::FieldValue::Map(map) => FieldValue::Map(self.map_of(map, depth + 1)?),
                schema::FieldValue::Flag(flag) => FieldValue::Flag(Flag(self.dots_of(&flag.dots)?)),
                schema::FieldValue::Set(set) => FieldValue::Set(self.set_of(set)?),
            };
            Ok((Field { name: entry.name, kind: value.kind() }, Entry { presence, value }))
        };
        Ok(Map(all("fields", map)?.into_iter().map(entry).collect::<Result<_, DecodeError>>()?))
    }
}

impl From<&Hll> for schema::Hll {
    fn from(hll: &Hll) -> Self {
        let registers = hll.registers();
        let counting = (0..=u16::MAX).zip(registers).filter(|(_, rank)| **rank > 0);
        let few = 3 * counting.clone().count() < registers.len();
        let sparse = counting.flat_map(|(at, &rank)| {
            let [low, high] = at.to_le_bytes();
            [low, high, rank]
        });
        Self {
            precision: hll.precision().into(),
            dense: if few { Vec::new() } else { registers.to_vec() },
            sparse: if few { sparse.collect() } else { Vec::new() },
        }
    }
}

impl TryFrom<schema::Hll> for Hll {
    type Error = DecodeError;
    fn try_from(hll: schema::Hll) -> Result<Self, DecodeError> {
        if !(u32::from(PRECISION_MIN)..=u32::from(PRECISION_MAX)).contains(&hll.precision) {
            return Err(out_of_range("hll.precision", hll.precision));
        }
        let mut registers = hll.dense;
        if registers.is_empty() {
            registers.resize(1 << hll.precision, 0);
        }
        let bad = |at: usize| DecodeError::OutOfRange { field: "registers of a HyperLogLog", got: at as u64 };
        let (triples, rest) = hll.sparse.as_chunks::<3>();
        if !rest.is_empty() {
            return Err(bad(hll.sparse.len()));
        }
        for &[low, high, rank] in triples {
            let at = usize::from(u16::from_le_bytes([low, high]));
            *registers.get_mut(at).ok_or_else(|| bad(at))? = rank;
        }
        let len = registers.len();
        let is_precise = len == 1 << hll.precision;
        Self::from_registers(registers).filter(|_| is_precise).ok_or_else(|| bad(len))
    }
}

impl From<&Deferred> for schema::Deferred {
    fn from(Deferred(waiting): &Deferred) -> Self {
        let group = |(seen, removals): (&Vec<Dot>, &BTreeSet<Removal>)| schema::Waiting {
            seen: Some(seen.iter().map(|&dot| dot.into()).collect()),
            removals: Some(removals.iter().map(Into::into).collect()),
        };
        waiting.iter().map(group).collect()
    }
}

impl TryFrom<schema::Deferred> for Deferred {
    type Error = DecodeError;
    fn try_from(deferred: schema::Deferred) -> Result<Self, DecodeError> {
        let group = |waiting: schema::Waiting| {
            let seen = VersionVector::try_from(required("waiting.seen", waiting.seen)?)?;
            let removals = all("deferred removes", required("waiting.removals", waiting.removals)?)?;
            let removals = removals.into_iter().map(TryInto::try_into).collect::<Result<_, DecodeError>>()?;
            Ok((seen.entries().to_vec(), removals))
        };
        let waiting = all("contexts of deferred removes", deferred)?.into_iter().map(group);
        Ok(Self(waiting.collect::<Result<_, DecodeError>>()?))
    }
}

impl From<&Removal> for schema::Removal {
    fn from(Removal { path, removed }: &Removal) -> Self {
        let removed = match removed {
            Removed::Field => schema::Removed::Field(Nothing {}),
            Removed::Element(element) => schema::Removed::Element(element.clone()),
            Removed::Flag => schema::Removed::Flag(Nothing {}),
        };
        Self { path: path.iter().map(Into::into).collect(), removed: Some(removed) }
    }
}

impl TryFrom<schema::Removal> for Removal {
    type Error = DecodeError;
    fn try_from(removal: schema::Removal) -> Result<Self, DecodeError> {
        if removal.path.len() > DEPTH_MAX {
            return Err(DecodeError::TooMany { what: "maps within maps", max: DEPTH_MAX });
        }
        Ok(Self {
            path: removal.path.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            removed: match chosen("removal.removed", removal.removed)? {
                schema::Removed::Field(Nothing {}) => Removed::Field,
                schema::Removed::Element(element) => Removed::Element(element),
                schema::Removed::Flag(Nothing {}) => Removed::Flag,
            },
        })
    }
}

impl From<&Field> for schema::Field {
    fn from(Field { name, kind }: &Field) -> Self {
        Self { name: name.clone(), kind: code(&FIELD_KINDS, *kind) }
    }
}

impl TryFrom<schema::Field> for Field {
    type Error = DecodeError;
    fn try_from(field: schema::Field) -> Result<Self, DecodeError> {
        Ok(Self { name: field.name, kind: of_code("kind of field", &FIELD_KINDS, field.kind)? })
    }
}
