//! Maps: fields that are data types themselves.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use cartwheel_riak::pb::message::{FlagOp, MapEntry, MapField, MapFieldType, MapOp, MapUpdate};

use super::ops::{CounterOps, FlagOps, RegisterOps, SetOps};

/// The type of a field. Two fields of one name and two types are two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldType {
    /// A counter.
    Counter,
    /// A set.
    Set,
    /// A register.
    Register,
    /// A flag.
    Flag,
    /// A map.
    Map,
}

/// What is in a map, by the fields' names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapValue {
    /// Numbers.
    pub counters: BTreeMap<Bytes, i64>,
    /// Sets.
    pub sets: BTreeMap<Bytes, BTreeSet<Bytes>>,
    /// Registers, which hold bytes.
    pub registers: BTreeMap<Bytes, Bytes>,
    /// Flags.
    pub flags: BTreeMap<Bytes, bool>,
    /// Maps.
    pub maps: BTreeMap<Bytes, MapValue>,
}

/// What is to be done with a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapOps {
    counters: BTreeMap<Bytes, CounterOps>,
    sets: BTreeMap<Bytes, SetOps>,
    registers: BTreeMap<Bytes, RegisterOps>,
    flags: BTreeMap<Bytes, FlagOps>,
    maps: BTreeMap<Bytes, MapOps>,
    removes: BTreeSet<(Bytes, FieldType)>,
}

impl MapValue {
    pub(super) fn of(entries: Vec<MapEntry>) -> Self {
        let mut map = Self::default();
        for entry in entries {
            let name = entry.field.name.clone();
            match entry.field.field_type() {
                MapFieldType::Counter => {
                    map.counters.insert(name, entry.counter_value.unwrap_or_default());
                }
                MapFieldType::Set => {
                    map.sets.insert(name, entry.set_value.into_iter().collect());
                }
                MapFieldType::Register => {
                    map.registers.insert(name, entry.register_value.unwrap_or_default());
                }
                MapFieldType::Flag => {
                    map.flags.insert(name, entry.flag_value.unwrap_or_default());
                }
                MapFieldType::Map => {
                    map.maps.insert(name, Self::of(entry.map_value));
                }
            }
        }
        map
    }
}

impl MapOps {
    /// A counter of the map, to be added to.
    pub fn counter(&mut self, name: impl Into<Bytes>) -> &mut CounterOps {
        self.counters.entry(name.into()).or_default()
    }

    /// A set of the map, to be changed.
    pub fn set(&mut self, name: impl Into<Bytes>) -> &mut SetOps {
        self.sets.entry(name.into()).or_default()
    }

    /// A register of the map, to be assigned.
    pub fn register(&mut self, name: impl Into<Bytes>) -> &mut RegisterOps {
        self.registers.entry(name.into()).or_default()
    }

    /// A flag of the map, to be switched.
    pub fn flag(&mut self, name: impl Into<Bytes>) -> &mut FlagOps {
        self.flags.entry(name.into()).or_default()
    }

    /// A map in the map, to be changed.
    pub fn map(&mut self, name: impl Into<Bytes>) -> &mut MapOps {
        self.maps.entry(name.into()).or_default()
    }

    /// Takes a field out. Of a field that somebody else changes at the same time the change stays.
    pub fn remove(&mut self, field_type: FieldType, name: impl Into<Bytes>) -> &mut Self {
        self.removes.insert((name.into(), field_type));
        self
    }

    pub(super) fn op(&self) -> Option<MapOp> {
        let removes = self.removes.iter().map(|(name, kind)| kind.field(name)).collect();
        let op = MapOp { removes, updates: self.updates() };
        (op != MapOp::default()).then_some(op)
    }

    fn updates(&self) -> Vec<MapUpdate> {
        let update = |kind: FieldType, name| MapUpdate { field: kind.field(name), ..MapUpdate::default() };
        let counters = self.counters.iter().filter_map(|(name, ops)| {
            Some(MapUpdate { counter_op: Some(ops.op()?), ..update(FieldType::Counter, name) })
        });
        let sets = self.sets.iter().filter_map(|(name, ops)| {
            Some(MapUpdate { set_op: Some(ops.op()?), ..update(FieldType::Set, name) })
        });
        let registers = self.registers.iter().filter_map(|(name, ops)| {
            Some(MapUpdate { register_op: Some(ops.value.clone()?), ..update(FieldType::Register, name) })
        });
        let flags = self.flags.iter().filter_map(|(name, ops)| {
            let op = if ops.on? { FlagOp::Enable } else { FlagOp::Disable };
            Some(MapUpdate { flag_op: Some(op as i32), ..update(FieldType::Flag, name) })
        });
        let maps = self.maps.iter().filter_map(|(name, ops)| {
            Some(MapUpdate { map_op: Some(ops.op()?), ..update(FieldType::Map, name) })
        });
        counters.chain(sets).chain(registers).chain(flags).chain(maps).collect()
    }

    pub(super) fn removes(&self) -> bool {
        !self.removes.is_empty()
            || self.sets.values().any(SetOps::removes)
            || self.flags.values().any(|ops| ops.on == Some(false))
            || self.maps.values().any(Self::removes)
    }

    pub(super) fn adds_up(&self) -> bool {
        self.counters.values().any(|ops| ops.op().is_some()) || self.maps.values().any(Self::adds_up)
    }
}

impl FieldType {
    fn field(self, name: &Bytes) -> MapField {
        let field_type = match self {
            Self::Counter => MapFieldType::Counter,
            Self::Set => MapFieldType::Set,
            Self::Register => MapFieldType::Register,
            Self::Flag => MapFieldType::Flag,
            Self::Map => MapFieldType::Map,
        };
        MapField { name: name.clone(), field_type: field_type as i32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_deep_in_a_map_are_one_operation_of_it() {
        let mut ops = MapOps::default();
        assert_eq!(ops.op(), None);
        ops.map("address").register("city").assign("Berlin");
        ops.map("address").flag("gift");
        let op = ops.op().expect("something to do");
        let [address] = op.updates.as_slice() else { panic!("one field: {op:?}") };
        let city = &address.map_op.as_ref().expect("a map").updates;
        assert_eq!(city.len(), 1, "the flag is not touched: {city:?}");
        assert_eq!(city[0].register_op.as_deref(), Some(&b"Berlin"[..]));
        assert!(!ops.removes() && !ops.adds_up());
    }

    #[test]
    fn what_takes_a_context_and_what_must_not_be_done_twice_is_seen_however_deep_it_is() {
        let mut ops = MapOps::default();
        ops.map("a").map("b").flag("gift").disable();
        assert!(ops.removes() && !ops.adds_up());
        ops.map("a").map("b").counter("visits").increment(1);
        assert!(ops.adds_up());
        let mut ops = MapOps::default();
        ops.remove(FieldType::Set, "items");
        assert!(ops.removes());
    }
}
