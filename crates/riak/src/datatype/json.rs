//! Data types as Riak's HTTP API writes them in JSON, and what it takes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use cartwheel_core::datatype::{
    DataType, Field, FieldKind, FieldOp, FieldValue, FlagOp, Kind, Map, MapOp, Op, Set, SetOp, State,
};
use cartwheel_core::version::Context;
use serde_json::Value;

use super::{binary, field_name, kind_name};
use crate::estimate::estimate;

/// What is wrong with an operation, in Riak's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOp {
    /// No JSON.
    #[error("Couldn't decode JSON: {{case_clause,{}}}\n", binary(.0))]
    Json(Bytes),
    /// Nothing that can be done to this kind of value.
    #[error("Invalid operation on datatype '{kind}': {op}\n")]
    Operation {
        /// The kind, as Riak calls it.
        kind: &'static str,
        /// The operation.
        op: String,
    },
    /// A field of no known kind.
    #[error("Invalid map field name '{0}'\n")]
    Field(String),
    /// A context that this cluster did not hand out.
    #[error("Invalid context: {0}\n")]
    Context(String),
}

/// The operation on a value of `kind` that `body` asks for, and what its client had been shown. `precision` is the
/// bucket's, of a HyperLogLog.
///
/// # Errors
///
/// [`BadOp`], where it makes no sense. Nothing was done.
pub fn read(kind: Kind, precision: u8, body: &Bytes) -> Result<(Op, Option<Context>), BadOp> {
    let mut asked: Value = serde_json::from_slice(body).map_err(|_| BadOp::Json(body.clone()))?;
    let context = asked.as_object_mut().and_then(|fields| fields.remove("context"));
    let context = context.filter(|context| !context.is_null()).map(|context| shown(&context)).transpose()?;
    let op = match kind {
        Kind::Counter => Op::Counter(counter(&asked)?),
        Kind::Set => Op::Set(set("set", &asked)?),
        Kind::Map => Op::Map(map(&asked)?),
        Kind::GSet => Op::GSet(adds("gset", &asked)?),
        Kind::Hll => Op::Hll { precision, adds: adds("hll", &asked)? },
    };
    Ok((op, context))
}

fn shown(context: &Value) -> Result<Context, BadOp> {
    let bad = |why: String| BadOp::Context(why);
    let text = context.as_str().ok_or_else(|| bad(context.to_string()))?;
    let bytes = BASE64_STANDARD.decode(text).map_err(|error| bad(error.to_string()))?;
    cartwheel_wire::decode_context(&bytes).map_err(|error| bad(error.to_string()))
}

fn bad<T>(kind: &'static str, op: &Value) -> Result<T, BadOp> {
    Err(BadOp::Operation { kind, op: op.to_string() })
}

fn counter(op: &Value) -> Result<i64, BadOp> {
    let amount = match op {
        Value::Number(_) => op.as_i64(),
        Value::String(word) if word == "increment" => Some(1),
        Value::String(word) if word == "decrement" => Some(-1),
        Value::Object(fields) => match fields.iter().next() {
            Some((word, by)) if fields.len() == 1 && word == "increment" => by.as_i64(),
            Some((word, by)) if fields.len() == 1 && word == "decrement" => {
                by.as_i64().and_then(i64::checked_neg)
            }
            _ => None,
        },
        _ => None,
    };
    amount.map_or_else(|| bad("counter", op), Ok)
}

fn set(kind: &'static str, op: &Value) -> Result<SetOp, BadOp> {
    let Value::Object(fields) = op else { return bad(kind, op) };
    let mut made = SetOp::default();
    for (verb, what) in fields {
        let (into, elements) = match verb.as_str() {
            "add" => (&mut made.adds, one(what)),
            "remove" => (&mut made.removes, one(what)),
            "add_all" => (&mut made.adds, several(what)),
            "remove_all" => (&mut made.removes, several(what)),
            "update" => {
                let SetOp { adds, removes } = set(kind, what)?;
                made.removes.extend(removes);
                (&mut made.adds, Some(adds))
            }
            _ => return bad(kind, op),
        };
        match elements {
            Some(elements) => into.extend(elements),
            None => return bad(kind, op),
        }
    }
    Ok(made)
}

/// Of a set that only grows.
fn adds(kind: &'static str, op: &Value) -> Result<Vec<Bytes>, BadOp> {
    let SetOp { adds, removes } = set(kind, op)?;
    if removes.is_empty() && !op.get("remove_all").is_some_and(Value::is_array) {
        Ok(adds)
    } else {
        bad(kind, op)
    }
}

fn map(op: &Value) -> Result<MapOp, BadOp> {
    let Value::Object(fields) = op else { return bad("map", op) };
    let mut made = MapOp::default();
    for (verb, what) in fields {
        match (verb.as_str(), what) {
            ("remove", what) => {
                let names = one(what).or_else(|| several(what));
                let Some(names) = names else { return bad("map", op) };
                made.removes = names.iter().map(field).collect::<Result<_, _>>()?;
            }
            ("update", Value::Object(updates)) => {
                for (name, change) in updates {
                    let Field { name, kind } = field(&Bytes::from(name.clone()))?;
                    made.updates.push((name, field_op(kind, change)?));
                }
            }
            _ => return bad("map", op),
        }
    }
    Ok(made)
}

fn field_op(kind: FieldKind, op: &Value) -> Result<FieldOp, BadOp> {
    Ok(match kind {
        FieldKind::Counter => FieldOp::Counter(counter(op)?),
        FieldKind::Set => FieldOp::Set(set("set", op)?),
        FieldKind::Map => FieldOp::Map(map(op)?),
        FieldKind::Flag => match op.as_str() {
            Some("enable") => FieldOp::Flag(FlagOp::Enable),
            Some("disable") => FieldOp::Flag(FlagOp::Disable),
            _ => return bad("flag", op),
        },
        FieldKind::Register => {
            let value =
                op.as_object().filter(|fields| fields.len() == 1).map_or(Some(op), |op| op.get("assign"));
            match value.and_then(Value::as_str) {
                Some(text) => FieldOp::Register(Bytes::from(text.to_owned())),
                None => return bad("register", op),
            }
        }
    })
}

/// `n_counter`: the counter `n`.
fn field(text: &Bytes) -> Result<Field, BadOp> {
    let bad = || BadOp::Field(String::from_utf8_lossy(text).into_owned());
    let at = text.iter().rposition(|byte| *byte == b'_').ok_or_else(bad)?;
    let kinds = [FieldKind::Counter, FieldKind::Set, FieldKind::Register, FieldKind::Flag, FieldKind::Map];
    let kind = kinds.into_iter().find(|kind| field_name(*kind).as_bytes() == &text[at + 1..]);
    Ok(Field { name: text.slice(..at), kind: kind.ok_or_else(bad)? })
}

fn one(what: &Value) -> Option<Vec<Bytes>> {
    what.as_str().map(|text| vec![Bytes::from(text.to_owned())])
}

fn several(what: &Value) -> Option<Vec<Bytes>> {
    let texts = what.as_array()?.iter().map(|text| text.as_str().map(|text| Bytes::from(text.to_owned())));
    texts.collect()
}

/// `{"type":"set","value":["a"],"context":"..."}`. `context`: what a client that is shown this has seen, where it wants to
/// know; counters, and what only grows, have none.
pub fn written(value: &DataType, context: Option<&Context>) -> String {
    let kind = value.kind();
    let context = context.filter(|_| matches!(kind, Kind::Set | Kind::Map)).map(|context| {
        let text = BASE64_STANDARD.encode(cartwheel_wire::encode_context(context));
        format!(",\"context\":\"{text}\"")
    });
    let said = match value.state() {
        State::Counter(counter) => counter.value().to_string(),
        State::Set(set) => of_set(set),
        State::Map(map) => of_map(map),
        State::Hll(hll) => estimate(hll).to_string(),
        State::GSet(set) => list(set.iter()),
    };
    format!("{{\"type\":\"{}\",\"value\":{said}{}}}", kind_name(kind), context.unwrap_or_default())
}

/// There is no such value.
pub fn not_found(kind: Kind) -> String {
    format!("{{\"type\":\"{}\",\"error\":\"notfound\"}}", kind_name(kind))
}

fn of_set(set: &Set) -> String {
    list(set.elements())
}

fn list<'a>(elements: impl Iterator<Item = &'a Bytes>) -> String {
    let elements: Vec<String> = elements.map(|element| text(element)).collect();
    format!("[{}]", elements.join(","))
}

fn of_map(Map(fields): &Map) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(field, entry)| {
            let name = [&field.name[..], b"_", field_name(field.kind).as_bytes()].concat();
            let value = match &entry.value {
                FieldValue::Counter(counter) => counter.value().to_string(),
                FieldValue::Register(register) => text(register.value().map_or(&b""[..], |value| &value[..])),
                FieldValue::Map(map) => of_map(map),
                FieldValue::Flag(flag) => flag.is_on().to_string(),
                FieldValue::Set(set) => of_set(set),
            };
            format!("{}:{value}", text(&name))
        })
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// As a JSON string. What is no UTF-8 cannot be said in JSON, and is replaced.
fn text(bytes: &[u8]) -> String {
    Value::from(String::from_utf8_lossy(bytes)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartwheel_core::datatype::Mutation;
    use cartwheel_core::id::{NodeId, RequestId, StoreId};
    use cartwheel_core::version::{Actor, Dot};

    fn op(kind: Kind, body: &'static str) -> Result<Op, BadOp> {
        read(kind, 14, &Bytes::from_static(body.as_bytes())).map(|(op, _)| op)
    }

    fn refusal(kind: Kind, body: &'static str) -> String {
        op(kind, body).expect_err("it makes no sense").to_string()
    }

    #[test]
    fn counters_take_numbers_and_words() {
        for (body, amount) in [
            ("5", 5),
            ("-2", -2),
            ("\"increment\"", 1),
            ("\"decrement\"", -1),
            ("{\"increment\":3}", 3),
            ("{\"decrement\":1}", -1),
        ] {
            assert_eq!(op(Kind::Counter, body), Ok(Op::Counter(amount)), "{body}");
        }
        for body in ["1.5", "{}", "[]", "{\"increment\":true}", "{\"decrement\":1,\"increment\":1}"] {
            assert!(op(Kind::Counter, body).is_err(), "{body}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_riaks_words() {
        let counter = "Invalid operation on datatype 'counter': {\"add\":\"x\"}\n";
        assert_eq!(refusal(Kind::Counter, "{\"add\":\"x\"}"), counter);
        let gset = "Invalid operation on datatype 'gset': {\"remove\":\"a\"}\n";
        assert_eq!(refusal(Kind::GSet, "{\"remove\":\"a\"}"), gset);
        assert_eq!(refusal(Kind::Map, "{\"update\":{\"bad\":1}}"), "Invalid map field name 'bad'\n");
        assert_eq!(refusal(Kind::Set, "junk"), "Couldn't decode JSON: {case_clause,<<\"junk\">>}\n");
    }

    #[test]
    fn a_map_is_written_as_it_was_changed() {
        let body = r#"{"update":{"n_counter":2,"r_register":{"assign":"hi"},"f_flag":"enable","s_set":{"add_all":["x"]},"m_map":{"update":{"e_flag":"enable"}}}}"#;
        let op = op(Kind::Map, body).expect("it makes sense");
        let actor = Actor { node: NodeId(1), store: StoreId(1), boot: 1, mint: 1 };
        let mut value = DataType::new(Kind::Map);
        let dot = Dot { actor, counter: 1 };
        value.apply(&Mutation { op, context: None }, dot, RequestId(1)).expect("nothing is removed");
        assert_eq!(
            written(&value, None),
            r#"{"type":"map","value":{"f_flag":true,"m_map":{"e_flag":true},"n_counter":2,"r_register":"hi","s_set":["x"]}}"#
        );
        let context = Context(value.clock().clone());
        let shown = written(&value, Some(&context));
        let text: Value = serde_json::from_str(&shown).expect("JSON");
        let body = format!("{{\"remove\":[\"n_counter\"],\"context\":{}}}", text["context"]);
        let (_, seen) = read(Kind::Map, 14, &Bytes::from(body)).expect("it makes sense");
        assert_eq!(seen, Some(context));
    }
}
