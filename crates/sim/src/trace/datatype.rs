//! Data types in words.

use cartwheel_core::datatype::{DataType, FieldOp, FieldValue, FlagOp, Map, MapOp, Op, SetOp, State};
use cartwheel_core::version::Context;

use super::words::text_of;

/// `+3`, `{+"a" -"b"}`, having seen ...
pub(super) fn asked(op: &Op, context: Option<&Context>) -> String {
    let seen = context.map(|context| {
        let seen: Vec<String> = context.0.entries().iter().map(ToString::to_string).collect();
        format!(", having seen {{{}}}", seen.join(" "))
    });
    format!("{}{}", change(op), seen.unwrap_or_default())
}

pub(super) fn change(op: &Op) -> String {
    match op {
        Op::Counter(amount) => format!("{amount:+}"),
        Op::Set(op) => of_set(op),
        Op::Map(op) => of_map(op),
        Op::Hll { adds, .. } | Op::GSet(adds) => of_set(&SetOp { adds: adds.clone(), removes: Vec::new() }),
    }
}

fn of_set(SetOp { adds, removes }: &SetOp) -> String {
    let adds = adds.iter().map(|element| format!("+{}", text(element)));
    let removes = removes.iter().map(|element| format!("-{}", text(element)));
    braced(adds.chain(removes))
}

fn of_map(MapOp { removes, updates }: &MapOp) -> String {
    let removes = removes.iter().map(|field| format!("-{} {:?}", text(&field.name), field.kind));
    let updates = updates.iter().map(|(name, op)| {
        let change = match op {
            FieldOp::Counter(amount) => format!("{amount:+}"),
            FieldOp::Register(value) => format!(":= {}", text(value)),
            FieldOp::Map(op) => of_map(op),
            FieldOp::Flag(FlagOp::Enable) => "on".into(),
            FieldOp::Flag(FlagOp::Disable) => "off".into(),
            FieldOp::Set(op) => of_set(op),
        };
        format!("{} {change}", text(name))
    });
    braced(removes.chain(updates))
}

/// What a data type says: `7`, `{"a" "b"}`.
pub fn value(value: &DataType) -> String {
    match value.state() {
        State::Counter(counter) => counter.value().to_string(),
        State::Set(set) => braced(set.elements().map(|element| text(element))),
        State::Map(map) => of_fields(map),
        State::Hll(hll) => {
            format!("{} registers in use", hll.registers().iter().filter(|rank| **rank > 0).count())
        }
        State::GSet(set) => braced(set.iter().map(|element| text(element))),
    }
}

fn of_fields(Map(fields): &Map) -> String {
    braced(fields.iter().map(|(field, entry)| {
        let value = match &entry.value {
            FieldValue::Counter(counter) => counter.value().to_string(),
            FieldValue::Register(register) => register.value().map_or_else(String::new, |value| text(value)),
            FieldValue::Map(map) => of_fields(map),
            FieldValue::Flag(flag) => if flag.is_on() { "on" } else { "off" }.into(),
            FieldValue::Set(set) => braced(set.elements().map(|element| text(element))),
        };
        format!("{} {value}", text(&field.name))
    }))
}

fn braced(words: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", words.collect::<Vec<_>>().join(" "))
}

fn text(bytes: &[u8]) -> String {
    text_of(bytes).unwrap_or_else(|| format!("{} bytes", bytes.len()))
}
