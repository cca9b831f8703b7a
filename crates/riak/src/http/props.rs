//! Properties of a bucket: shown, set, and reset.
//!
//! What Riak has and Cartwheel does not keep (hooks, other clocks, another hash) is refused rather than kept for show,
//! unless it is just what an answer says: a client that sends back what it was shown changes nothing.

use cartwheel_core::membership::{Bucket, Props, Rules};
use cartwheel_core::version::Policy;
use cartwheel_core::{Key, Quorum};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::call::Defaults;
use super::refusal::Refusal;
use super::response::{self, Response};
use super::route;

const JSON: &[u8] = b"application/json";

/// A request about the properties of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketProps {
    bucket: Bucket,
    verb: PropsVerb,
    defaults: Defaults,
}

/// What is to be done with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropsVerb {
    /// Show them; answer with [`BucketProps::shown`].
    Show,
    /// Set those in the body, which [`BucketProps::props`] reads; answer with [`BucketProps::done`].
    Set,
    /// Give the bucket the defaults again; answer with [`BucketProps::done`].
    Reset,
}

impl BucketProps {
    pub(super) fn parse(bucket: route::Bucket, head: &Parts, defaults: &Defaults) -> Result<Self, Refusal> {
        let verb = match head.method {
            Method::PUT => PropsVerb::Set,
            Method::DELETE => PropsVerb::Reset,
            _ => PropsVerb::Show,
        };
        if verb == PropsVerb::Set && !is_json(head) {
            return Err(Refusal::NotJson);
        }
        let bucket_type = bucket.bucket_type.unwrap_or_else(|| Key::DEFAULT_TYPE.to_vec());
        Ok(Self { bucket: Bucket { bucket_type, name: bucket.bucket }, verb, defaults: *defaults })
    }

    /// The bucket.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// What is to be done.
    pub fn verb(&self) -> PropsVerb {
        self.verb
    }

    /// The properties that a body sets.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], if it is no JSON object with `props`, or names something that makes no sense or is not kept.
    pub fn props(&self, body: &[u8]) -> Result<Props, Refusal> {
        let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::PropsForm)?;
        let Some(Value::Object(asked)) = body.get("props") else { return Err(Refusal::PropsForm) };
        let mut props = Props::default();
        for (name, value) in asked {
            self.set(&mut props, name, value)?;
        }
        Ok(props)
    }

    fn set(&self, props: &mut Props, name: &str, value: &Value) -> Result<(), Refusal> {
        match name {
            "n_val" => props.n_val = Some(self.n_val(value)?),
            "r" => props.r = Some(quorum(name, value)?),
            "w" => props.w = Some(quorum(name, value)?),
            "pr" => props.pr = Some(quorum(name, value)?),
            "pw" => props.pw = Some(quorum(name, value)?),
            "dw" => props.dw = Some(quorum(name, value)?),
            "node_confirms" => match quorum(name, value)? {
                Quorum::Count(count) => props.node_confirms = Some(count),
                _ => return Err(wrong(name, NOT_A_QUORUM)),
            },
            "notfound_ok" => props.notfound_ok = Some(boolean(name, value)?),
            "basic_quorum" => props.basic_quorum = Some(boolean(name, value)?),
            "allow_mult" => props.allow_mult = Some(boolean(name, value)?),
            "last_write_wins" => props.last_write_wins = Some(boolean(name, value)?),
            _ if self.fixed().get(name) == Some(value) => {}
            _ => return Err(wrong(name, "not_supported")),
        }
        Ok(())
    }

    fn n_val(&self, value: &Value) -> Result<u8, Refusal> {
        let asked = value.as_u64().filter(|asked| *asked > 0).ok_or_else(|| wrong("n_val", "not_integer"))?;
        u8::try_from(asked).map_err(|_| Refusal::Replicas { asked: asked.to_string(), n: self.defaults.n })
    }

    /// What is so for every bucket, and cannot be set.
    fn fixed(&self) -> Map<String, Value> {
        let mut fixed = Map::new();
        fixed.insert("name".to_owned(), json!(String::from_utf8_lossy(&self.bucket.name)));
        fixed.insert("dvv_enabled".to_owned(), json!(true));
        fixed.insert("precommit".to_owned(), json!([]));
        fixed.insert("postcommit".to_owned(), json!([]));
        fixed.insert("write_once".to_owned(), json!(false));
        fixed
    }

    /// What holds for the bucket, for the client: `rules`, of which `props` were set.
    pub fn shown(&self, props: &Props, rules: &Rules) -> Response {
        let mut shown = self.fixed();
        let last_write_wins = rules.policy == Policy::LastWriteWins;
        let quorums = [("r", rules.r), ("w", rules.w), ("pr", rules.pr), ("pw", rules.pw), ("dw", rules.dw)];
        let switches = [
            ("notfound_ok", rules.notfound_ok),
            ("basic_quorum", rules.basic_quorum),
            ("allow_mult", props.allow_mult.unwrap_or(rules.policy != Policy::OneValue)),
            ("last_write_wins", last_write_wins),
        ];
        let counts = [("n_val", rules.n), ("node_confirms", rules.node_confirms)];
        shown.extend(quorums.map(|(name, quorum)| (name.to_owned(), spelled(quorum))));
        shown.extend(switches.map(|(name, on)| (name.to_owned(), json!(on))));
        shown.extend(counts.map(|(name, count)| (name.to_owned(), json!(count))));
        let body = json!({ "props": shown }).to_string();
        let mut response = response::with_body(StatusCode::OK, JSON, body.into());
        response::vary_encoding(&mut response);
        response
    }

    /// They are set, or reset, and kept.
    pub fn done(&self) -> Response {
        let mut response = response::empty(StatusCode::NO_CONTENT);
        response::set(&mut response, CONTENT_TYPE, JSON);
        response::vary_encoding(&mut response);
        response
    }

    /// They are not, and why: one line.
    pub fn failed(&self, status: StatusCode, why: &str) -> Response {
        let mut response = response::text(status, format!("{why}\n"));
        response::vary_encoding(&mut response);
        response
    }
}

fn is_json(head: &Parts) -> bool {
    let content_type = head.headers.get(CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
    content_type.split(|&byte| byte == b';').next().map(<[u8]>::trim_ascii) == Some(JSON)
}

const NOT_A_QUORUM: &str = "not_valid_quorum";

fn wrong(name: &str, problem: &'static str) -> Refusal {
    Refusal::Property { name: name.to_owned(), problem }
}

fn boolean(name: &str, value: &Value) -> Result<bool, Refusal> {
    value.as_bool().ok_or_else(|| wrong(name, "not_boolean"))
}

fn quorum(name: &str, value: &Value) -> Result<Quorum, Refusal> {
    let quorum = match value {
        Value::String(word) => match word.as_str() {
            "one" => Some(Quorum::One),
            "quorum" => Some(Quorum::Majority),
            "all" => Some(Quorum::All),
            "default" => Some(Quorum::Default),
            _ => None,
        },
        number => number.as_u64().and_then(|count| u8::try_from(count).ok()).map(Quorum::Count),
    };
    quorum.ok_or_else(|| wrong(name, NOT_A_QUORUM))
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

#[cfg(test)]
mod tests {
    use cartwheel_core::Config;
    use cartwheel_core::id::NodeId;
    use cartwheel_core::ring::Ring;

    use super::*;

    fn about(bucket: &str) -> BucketProps {
        let bucket = Bucket { bucket_type: Key::DEFAULT_TYPE.to_vec(), name: bucket.into() };
        BucketProps { bucket, verb: PropsVerb::Set, defaults: Defaults { n: 3 } }
    }

    fn defaults() -> Rules {
        let members: Vec<NodeId> = (1..=3).map(NodeId).collect();
        Config::new(NodeId(1), Ring::new(&members, 8, 3).expect("a ring")).rules()
    }

    fn refusal(props: &str) -> Refusal {
        let body = format!("{{\"props\":{{{props}}}}}");
        about("b").props(body.as_bytes()).expect_err("makes no sense")
    }

    #[test]
    fn what_was_shown_can_be_sent_back_and_means_the_same() {
        let set = Props {
            n_val: Some(2),
            r: Some(Quorum::One),
            dw: Some(Quorum::Count(1)),
            allow_mult: Some(false),
            last_write_wins: Some(true),
            ..Props::default()
        };
        let rules = defaults().with(&set);
        let shown = about("b").shown(&set, &rules);
        let again = about("b").props(shown.body()).expect("as shown");
        assert_eq!(defaults().with(&again), rules);
        assert_eq!(about("b").shown(&again, &defaults().with(&again)).body(), shown.body());
    }

    #[test]
    fn what_makes_no_sense_or_is_not_kept_is_refused_by_name() {
        assert_eq!(refusal("\"n_val\":0").to_string(), "{\"n_val\":\"not_integer\"}");
        assert_eq!(refusal("\"allow_mult\":1").to_string(), "{\"allow_mult\":\"not_boolean\"}");
        assert_eq!(refusal("\"r\":256").to_string(), "{\"r\":\"not_valid_quorum\"}");
        assert_eq!(
            refusal("\"node_confirms\":\"all\"").to_string(),
            "{\"node_confirms\":\"not_valid_quorum\"}"
        );
        let hook = "\"precommit\":[{\"mod\":\"m\",\"fun\":\"f\"}]";
        assert_eq!(refusal(hook).to_string(), "{\"precommit\":\"not_supported\"}");
        assert_eq!(refusal("\"a\\\"b\":1").to_string(), "{\"a\\\"b\":\"not_supported\"}");
        assert_eq!(refusal("\"n_val\":300").to_string(), "n_val=300: allowed are 1..=3\n");
        assert_eq!(about("b").props(b"[]"), Err(Refusal::PropsForm));
    }
}
