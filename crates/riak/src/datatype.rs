//! Data types in Riak's words, whatever the transport.

pub mod json;

use std::sync::Arc;

use bytes::Bytes;
use cartwheel_core::Answer;
use cartwheel_core::datatype::{DataType, Field, FieldKind, Held, Kind, Refusal};
use cartwheel_core::membership::Datatype;

use crate::content::Content;

/// The kind of value that a bucket's property `datatype` names.
pub fn kind_of(datatype: Datatype) -> Kind {
    match datatype {
        Datatype::Counter => Kind::Counter,
        Datatype::Set => Kind::Set,
        Datatype::Map => Kind::Map,
        Datatype::Hll => Kind::Hll,
        Datatype::Gset => Kind::GSet,
    }
}

/// As Riak calls it.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Set => "set",
        Kind::Map => "map",
        Kind::Hll => "hll",
        Kind::GSet => "gset",
    }
}

/// As Riak calls it.
pub fn field_name(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Counter => "counter",
        FieldKind::Register => "register",
        FieldKind::Map => "map",
        FieldKind::Flag => "flag",
        FieldKind::Set => "set",
    }
}

/// The value that an answer comes to, its siblings merged. `None`: there is none of this kind.
pub fn value_of(answer: &Answer, kind: Kind) -> Option<Arc<DataType>> {
    Held::of(&answer.siblings, kind).value
}

/// What a data type is to one who reads it like any object: its type, and bytes that mean something here only.
pub fn as_content(value: &DataType) -> Content {
    let content_type: &[u8] = match value.kind() {
        Kind::Counter => b"application/riak_counter",
        Kind::Set => b"application/riak_set",
        Kind::Map => b"application/riak_map",
        Kind::Hll => b"application/riak_hll",
        Kind::GSet => b"application/riak_gset",
    };
    Content {
        value: cartwheel_wire::encode_data_type(value),
        content_type: Some(Bytes::from_static(content_type)),
        ..Content::default()
    }
}

/// Why an operation was not done, as Riak prints it.
pub fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoElement(element) => format!("{{precondition,{{not_present,{}}}}}", binary(element)),
        Refusal::NoField(Field { name, kind }) => {
            let module = module(*kind);
            format!("{{precondition,{{not_present,{{{},{module}}}}}}}", binary(name))
        }
        Refusal::TooDeep { .. } | Refusal::TooManyDeferred { .. } => refusal.to_string(),
    }
}

/// Erlang's name of what keeps a field.
fn module(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Counter => "riak_dt_emcntr",
        FieldKind::Register => "riak_dt_lwwreg",
        FieldKind::Map => "riak_dt_map",
        FieldKind::Flag => "riak_dt_od_flag",
        FieldKind::Set => "riak_dt_orswot",
    }
}

/// As Erlang's `~p` prints a binary: text where all of it is printable, numbers otherwise.
fn binary(bytes: &[u8]) -> String {
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | 0xa0..=0xff | 8..=13 | 27);
    if !bytes.is_empty() && bytes.iter().all(is_text) {
        let text: String = bytes.iter().map(|&byte| escaped(byte)).collect();
        return format!("<<\"{text}\">>");
    }
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    format!("<<{}>>", numbers.join(","))
}

fn escaped(byte: u8) -> String {
    match byte {
        b'"' => "\\\"".into(),
        b'\\' => "\\\\".into(),
        8 => "\\b".into(),
        9 => "\\t".into(),
        10 => "\\n".into(),
        11 => "\\v".into(),
        12 => "\\f".into(),
        13 => "\\r".into(),
        27 => "\\e".into(),
        _ => char::from(byte).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_named_as_riak_names_it() {
        let element = |bytes: &'static [u8]| refused(&Refusal::NoElement(Bytes::from_static(bytes)));
        assert_eq!(element(b"zz"), "{precondition,{not_present,<<\"zz\">>}}");
        assert_eq!(element(b"a\"b"), "{precondition,{not_present,<<\"a\\\"b\">>}}");
        assert_eq!(element(&[1, 2]), "{precondition,{not_present,<<1,2>>}}");
        let field = Field { name: Bytes::from_static(b"zz"), kind: FieldKind::Counter };
        let text = "{precondition,{not_present,{<<\"zz\">>,riak_dt_emcntr}}}";
        assert_eq!(refused(&Refusal::NoField(field)), text);
    }
}
