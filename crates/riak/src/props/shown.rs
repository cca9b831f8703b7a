use cartwheel_core::membership::{Props, Rules};
use cartwheel_core::version::Policy;
use cartwheel_core::{Key, Quorum};
use serde_json::{Map, Value, json};

use super::read::{other, switch};
use super::{Owner, fixed, kept};

/// What holds for a bucket, or the buckets of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What is set: a bucket's own properties over those of its type.
    pub props: Props,
    /// What comes of it.
    pub rules: Rules,
    /// Of a type other than the default, and its buckets: whether clients find it.
    pub is_active: bool,
    /// Of the same: the member that Riak would say answers for it.
    pub claimant: String,
    /// Whether untyped buckets are said to be as Riak's are.
    pub riak_defaults: bool,
}

/// All properties of `owner`, by name: those that Riak shows of it, and whatever else was set.
pub fn shown(owner: &Owner, held: &Held) -> Map<String, Value> {
    let Held { props, rules, is_active, claimant, riak_defaults } = held;
    let is_untyped = owner.bucket_type() == Key::DEFAULT_TYPE;
    let mut shown: Map<String, Value> = Map::new();
    let mut show = |name: &str, value: Value| _ = shown.insert(name.to_owned(), value);
    for (name, value) in fixed().into_iter().chain(kept()) {
        show(name, value);
    }
    if is_untyped {
        show("repl", json!(true));
        show("write_once", json!(false));
    } else {
        show("active", json!(is_active));
        show("claimant", json!(claimant));
    }
    show("dvv_enabled", json!(switch(props, "dvv_enabled").unwrap_or(!(is_untyped && *riak_defaults))));
    // Every copy that counts toward W is a durable one.
    let dw = if rules.dw == Quorum::Count(0) { rules.w } else { rules.dw };
    for (name, quorum) in [("r", rules.r), ("w", rules.w), ("pr", rules.pr), ("pw", rules.pw), ("dw", dw)] {
        show(name, spelled(quorum));
    }
    show("n_val", json!(rules.n));
    show("node_confirms", json!(rules.node_confirms));
    show("notfound_ok", json!(rules.notfound_ok));
    show("basic_quorum", json!(rules.basic_quorum));
    show("allow_mult", json!(props.allow_mult.unwrap_or(rules.policy != Policy::OneValue)));
    show("last_write_wins", json!(rules.policy == Policy::LastWriteWins));
    if let Some(datatype) = props.datatype {
        show("datatype", json!(datatype.name()));
    }
    if let Some(bits) = props.hll_precision {
        show("hll_precision", json!(bits));
    }
    if let Some(is_on) = props.write_once {
        show("write_once", json!(is_on));
    }
    for (name, _) in props.others.iter() {
        let name = String::from_utf8_lossy(name);
        show(&name, other(props, &name).unwrap_or(Value::Null));
    }
    if let Owner::Bucket(bucket) = owner {
        show("name", json!(String::from_utf8_lossy(&bucket.name)));
    }
    shown
}

fn spelled(quorum: Quorum) -> Value {
    match quorum {
        Quorum::Default => json!("default"),
        Quorum::One => json!("one"),
        Quorum::Majority => json!("quorum"),
        Quorum::All => json!("all"),
        Quorum::Count(count) => json!(count),
    }
}
