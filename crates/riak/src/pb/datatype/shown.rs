//! Values, for clients.

use bytes::Bytes;
use cartwheel_core::datatype::{Counter, Field, FieldKind, FieldValue, Kind, Map, Set, State};

use crate::estimate::estimate;
use crate::pb::message::{DtType, DtUpdateResp, DtValue, MapEntry, MapField, MapFieldType};

pub(super) fn type_of(kind: Kind) -> DtType {
    match kind {
        Kind::Counter => DtType::Counter,
        Kind::Set => DtType::Set,
        Kind::Map => DtType::Map,
        Kind::Hll => DtType::Hll,
        Kind::GSet => DtType::Gset,
    }
}

pub(super) fn value(state: &State) -> DtValue {
    let mut value = DtValue::default();
    match state {
        State::Counter(counter) => value.counter_value = Some(count(counter)),
        State::Set(set) => value.set_value = elements(set),
        State::Map(map) => value.map_value = entries(map),
        State::Hll(hll) => value.hll_value = Some(estimate(hll)),
        State::GSet(set) => value.gset_value = set.iter().cloned().collect(),
    }
    value
}

/// The answer to a change has the same in fields of its own.
pub(super) fn into_update(state: &State, response: &mut DtUpdateResp) {
    let DtValue { counter_value, set_value, map_value, hll_value, gset_value } = value(state);
    response.counter_value = counter_value;
    response.set_value = set_value;
    response.map_value = map_value;
    response.hll_value = hll_value;
    response.gset_value = gset_value;
}

/// A count beyond what a message can say is as large as it can be.
fn count(counter: &Counter) -> i64 {
    i64::try_from(counter.value().clamp(i64::MIN.into(), i64::MAX.into())).unwrap_or_default()
}

fn elements(set: &Set) -> Vec<Bytes> {
    set.elements().cloned().collect()
}

/// In the order of their names.
fn entries(map: &Map) -> Vec<MapEntry> {
    map.0.iter().map(|(field, entry)| self::entry(field, &entry.value)).collect()
}

fn entry(Field { name, kind }: &Field, value: &FieldValue) -> MapEntry {
    let field_type = match kind {
        FieldKind::Counter => MapFieldType::Counter,
        FieldKind::Set => MapFieldType::Set,
        FieldKind::Register => MapFieldType::Register,
        FieldKind::Flag => MapFieldType::Flag,
        FieldKind::Map => MapFieldType::Map,
    };
    let mut entry = MapEntry {
        field: MapField { name: name.clone(), field_type: field_type.into() },
        ..MapEntry::default()
    };
    match value {
        FieldValue::Counter(counter) => entry.counter_value = Some(count(counter)),
        FieldValue::Set(set) => entry.set_value = elements(set),
        FieldValue::Register(register) => {
            entry.register_value = Some(register.value().cloned().unwrap_or_default());
        }
        FieldValue::Flag(flag) => entry.flag_value = Some(flag.is_on()),
        FieldValue::Map(map) => entry.map_value = entries(map),
    }
    entry
}
