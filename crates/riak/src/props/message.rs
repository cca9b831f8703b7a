//! Properties in messages of the protocol-buffers API: the same names, each a field.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::pb::message::{ReplMode, RpbBucketProps, RpbCommitHook, RpbModFun};
use crate::pb::{code_of, quorum_of};
use cartwheel_core::Quorum;

/// What a message sets, by name.
pub fn of_message(message: &RpbBucketProps) -> Map<String, Value> {
    let mut asked = Map::new();
    let mut ask = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            asked.insert(name.to_owned(), value);
        }
    };
    let text = |bytes: &Bytes| json!(String::from_utf8_lossy(bytes));
    let number = |number: Option<u32>| number.map(|number| json!(number));
    let quorum = |code: Option<u32>| code.map(spelled);
    let switch = |switch: Option<bool>| switch.map(|is_on| json!(is_on));
    let hooks = |has: Option<bool>, hooks: &[RpbCommitHook]| {
        has.filter(|has| *has).map(|_| hooks.iter().map(hook).collect())
    };
    let m = message;
    ask("n_val", number(m.n_val));
    ask("allow_mult", switch(m.allow_mult));
    ask("last_write_wins", switch(m.last_write_wins));
    ask("precommit", hooks(m.has_precommit, &m.precommit));
    ask("postcommit", hooks(m.has_postcommit, &m.postcommit));
    ask("chash_keyfun", m.chash_keyfun.as_ref().map(function));
    ask("linkfun", m.linkfun.as_ref().map(function));
    ask("old_vclock", number(m.old_vclock));
    ask("young_vclock", number(m.young_vclock));
    ask("big_vclock", number(m.big_vclock));
    ask("small_vclock", number(m.small_vclock));
    ask("pr", quorum(m.pr));
    ask("r", quorum(m.r));
    ask("w", quorum(m.w));
    ask("pw", quorum(m.pw));
    ask("dw", quorum(m.dw));
    ask("rw", quorum(m.rw));
    ask("basic_quorum", switch(m.basic_quorum));
    ask("notfound_ok", switch(m.notfound_ok));
    ask("backend", m.backend.as_ref().map(text));
    ask("search", switch(m.search));
    ask("repl", m.repl.map(|mode| repl(ReplMode::try_from(mode))));
    ask("search_index", m.search_index.as_ref().map(text));
    ask("datatype", m.datatype.as_ref().map(text));
    ask("consistent", switch(m.consistent));
    ask("write_once", switch(m.write_once));
    ask("hll_precision", number(m.hll_precision));
    asked
}

/// All that a message has a field for, of what is [`shown`](super::shown()).
pub fn to_message(shown: &Map<String, Value>) -> RpbBucketProps {
    let number = |name: &str| shown.get(name)?.as_u64().and_then(|number| u32::try_from(number).ok());
    let quorum = |name: &str| shown.get(name).and_then(code);
    let switch = |name: &str| shown.get(name)?.as_bool();
    let text = |name: &str| Some(Bytes::copy_from_slice(shown.get(name)?.as_str()?.as_bytes()));
    let function = |name: &str| {
        let part =
            |part: &str| Some(Bytes::copy_from_slice(shown.get(name)?.get(part)?.as_str()?.as_bytes()));
        Some(RpbModFun { module: part("mod")?, function: part("fun")? })
    };
    RpbBucketProps {
        n_val: number("n_val"),
        allow_mult: switch("allow_mult"),
        last_write_wins: switch("last_write_wins"),
        precommit: Vec::new(),
        has_precommit: Some(true),
        postcommit: Vec::new(),
        has_postcommit: Some(true),
        chash_keyfun: function("chash_keyfun"),
        linkfun: function("linkfun"),
        old_vclock: number("old_vclock"),
        young_vclock: number("young_vclock"),
        big_vclock: number("big_vclock"),
        small_vclock: number("small_vclock"),
        pr: quorum("pr"),
        r: quorum("r"),
        w: quorum("w"),
        pw: quorum("pw"),
        dw: quorum("dw"),
        rw: quorum("rw"),
        basic_quorum: switch("basic_quorum"),
        notfound_ok: switch("notfound_ok"),
        backend: text("backend"),
        search: switch("search"),
        repl: shown.get("repl").map(|value| mode(value) as i32),
        search_index: text("search_index"),
        datatype: text("datatype"),
        consistent: switch("consistent"),
        write_once: switch("write_once"),
        hll_precision: number("hll_precision"),
    }
}

fn spelled(code: u32) -> Value {
    match quorum_of(code) {
        Some(Quorum::One) => json!("one"),
        Some(Quorum::Majority) => json!("quorum"),
        Some(Quorum::All) => json!("all"),
        Some(Quorum::Default) => json!("default"),
        Some(Quorum::Count(_)) | None => json!(code),
    }
}

fn code(value: &Value) -> Option<u32> {
    Some(match value.as_str() {
        Some("one") => code_of(Quorum::One),
        Some("quorum") => code_of(Quorum::Majority),
        Some("all") => code_of(Quorum::All),
        Some("default") => code_of(Quorum::Default),
        _ => u32::try_from(value.as_u64()?).ok()?,
    })
}

/// A function; one that is just what holds anyway, as it is shown.
fn function(function: &RpbModFun) -> Value {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    json!({ "mod": text(&function.module), "fun": text(&function.function) })
}

fn hook(hook: &RpbCommitHook) -> Value {
    match (&hook.modfun, &hook.name) {
        (Some(named), _) => function(named),
        (None, Some(name)) => json!({ "name": String::from_utf8_lossy(name) }),
        (None, None) => json!({}),
    }
}

fn repl(mode: Result<ReplMode, prost::UnknownEnumValue>) -> Value {
    match mode {
        Ok(ReplMode::False) => json!(false),
        Ok(ReplMode::Realtime) => json!("realtime"),
        Ok(ReplMode::Fullsync) => json!("fullsync"),
        Ok(ReplMode::True) | Err(_) => json!(true),
    }
}

fn mode(value: &Value) -> ReplMode {
    match value {
        Value::Bool(false) => ReplMode::False,
        Value::String(word) if word == "realtime" => ReplMode::Realtime,
        Value::String(word) if word == "fullsync" => ReplMode::Fullsync,
        _ => ReplMode::True,
    }
}
