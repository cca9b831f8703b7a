use cartwheel_core::Quorum;
use cartwheel_core::membership::{Datatype, Props};
use serde_json::{Map, Value};

use super::fixed;
use super::trouble::Trouble;

const NOT_A_QUORUM: &str = "not_valid_quorum";

/// What `asked` sets, in a cluster of N `n`.
///
/// # Errors
///
/// The first property that makes no sense, or that is not kept.
pub fn read(asked: &Map<String, Value>, n: u8) -> Result<Props, Trouble> {
    let mut props = Props::default();
    for (name, value) in asked {
        set(&mut props, name, value, n)?;
    }
    Ok(props)
}

fn set(props: &mut Props, name: &str, value: &Value, n: u8) -> Result<(), Trouble> {
    match name {
        "n_val" => props.n_val = Some(n_val(value, n)?),
        "r" => props.r = Some(quorum(name, value, 1)?),
        "w" => props.w = Some(quorum(name, value, 1)?),
        "pr" => props.pr = Some(quorum(name, value, 0)?),
        "pw" => props.pw = Some(quorum(name, value, 0)?),
        "dw" => props.dw = Some(quorum(name, value, 0)?),
        "node_confirms" => match quorum(name, value, 0)? {
            Quorum::Count(count) => props.node_confirms = Some(count),
            _ => return Err(Trouble::word(name, NOT_A_QUORUM)),
        },
        "notfound_ok" => props.notfound_ok = Some(boolean(name, value)?),
        "basic_quorum" => props.basic_quorum = Some(boolean(name, value)?),
        "allow_mult" => props.allow_mult = Some(boolean(name, value)?),
        "last_write_wins" => props.last_write_wins = Some(boolean(name, value)?),
        "write_once" => props.write_once = Some(boolean(name, value)?),
        "datatype" => props.datatype = Some(datatype(value)?),
        "hll_precision" => props.hll_precision = Some(precision(value)?),
        "consistent" if boolean(name, value) == Ok(false) => {}
        "consistent" => return Err(Trouble::ours(name, "strong consistency is not built")),
        // What is said of a bucket or a type, not set.
        "name" | "active" | "claimant" => {}
        "precommit" | "postcommit" | "chash_keyfun" | "linkfun" => unchanged(name, value)?,
        _ => {
            check_kept(name, value)?;
            props.others.insert(name.as_bytes().to_vec(), value.to_string().into_bytes());
        }
    }
    Ok(())
}

/// Erlang functions are named here, and there is nobody to run them.
fn unchanged(name: &str, value: &Value) -> Result<(), Trouble> {
    if fixed().iter().any(|(known, as_it_is)| *known == name && as_it_is == value) {
        return Ok(());
    }
    let why = "it names Erlang functions, which Cartwheel does not run; allowed is what is shown";
    Err(Trouble::ours(name, why))
}

fn check_kept(name: &str, value: &Value) -> Result<(), Trouble> {
    let trouble = |word| Err(Trouble::word(name, word));
    match name {
        "big_vclock" | "small_vclock" | "old_vclock" if value.as_u64().is_none_or(|count| count == 0) => {
            trouble("not_integer")
        }
        "rw" => quorum(name, value, 1).map(drop),
        "sync_on_write" if !["one", "all", "backend"].iter().any(|word| value == word) => {
            trouble("not_valid_sync_param")
        }
        "stat_tracked" | "dvv_enabled" => boolean(name, value).map(drop),
        _ => Ok(()),
    }
}

/// What is only kept, as a switch; `None` if nobody has set it.
pub(super) fn switch(props: &Props, name: &str) -> Option<bool> {
    boolean(name, &other(props, name)?).ok()
}

/// What is only kept.
pub(super) fn other(props: &Props, name: &str) -> Option<Value> {
    serde_json::from_slice(props.others.get(name.as_bytes())?).ok()
}

fn n_val(value: &Value, n: u8) -> Result<u8, Trouble> {
    let asked = value.as_u64().filter(|asked| *asked > 0);
    let asked = asked.ok_or_else(|| Trouble::word("n_val", "not_integer"))?;
    let beyond =
        |_| Trouble::ours("n_val", format!("n_val = {asked}: allowed are 1..={n} (the cluster's n)"));
    u8::try_from(asked).map_err(beyond)
}

/// Riak takes numbers and words for switches, too.
fn boolean(name: &str, value: &Value) -> Result<bool, Trouble> {
    let is_on = match value {
        Value::Bool(is_on) => Some(*is_on),
        Value::Number(number) => number.as_i64().map(|number| number > 0),
        Value::String(word) if word.eq_ignore_ascii_case("true") => Some(true),
        Value::String(word) if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    };
    is_on.ok_or_else(|| Trouble::word(name, "not_boolean"))
}

fn quorum(name: &str, value: &Value, least: u8) -> Result<Quorum, Trouble> {
    let quorum = match value {
        Value::String(word) => match word.as_str() {
            "one" => Some(Quorum::One),
            "quorum" => Some(Quorum::Majority),
            "all" => Some(Quorum::All),
            "default" => Some(Quorum::Default),
            _ => None,
        },
        number => {
            let count = number.as_u64().and_then(|count| u8::try_from(count).ok());
            count.filter(|count| *count >= least).map(Quorum::Count)
        }
    };
    quorum.ok_or_else(|| Trouble::word(name, NOT_A_QUORUM))
}

fn datatype(value: &Value) -> Result<Datatype, Trouble> {
    let known = value.as_str().and_then(|name| Datatype::ALL.into_iter().find(|known| known.name() == name));
    known.ok_or_else(|| {
        let asked = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Trouble::datatype(&asked)
    })
}

fn precision(value: &Value) -> Result<u8, Trouble> {
    let bits = match value {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64().and_then(|bits| u8::try_from(bits).ok()),
    };
    bits.ok_or_else(|| Trouble::precision(value))
}
