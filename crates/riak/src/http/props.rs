//! Properties of a bucket or a bucket type: shown, set, and reset.

use cartwheel_core::Key;
use cartwheel_core::membership::{Bucket, Props, PropsError, TypeError};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::call::Defaults;
use super::refusal::Refusal;
use super::response::{self, Response};
use super::route;
use crate::props::{self, Held, Owner, Trouble};

const JSON: &[u8] = b"application/json";

/// A request about the properties of a bucket, or a bucket type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketProps {
    owner: Owner,
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
    /// Give the bucket its type's properties again; answer with [`BucketProps::done`].
    Reset,
}

impl BucketProps {
    pub(super) fn of_bucket(
        bucket: route::Bucket,
        head: &Parts,
        defaults: &Defaults,
    ) -> Result<Self, Refusal> {
        let bucket_type = bucket.bucket_type.unwrap_or_else(|| Key::DEFAULT_TYPE.to_vec());
        Self::parse(Owner::Bucket(Bucket { bucket_type, name: bucket.bucket }), head, defaults)
    }

    pub(super) fn of_type(name: Vec<u8>, head: &Parts, defaults: &Defaults) -> Result<Self, Refusal> {
        Self::parse(Owner::Type(name), head, defaults)
    }

    fn parse(owner: Owner, head: &Parts, defaults: &Defaults) -> Result<Self, Refusal> {
        let verb = match head.method {
            Method::PUT => PropsVerb::Set,
            Method::DELETE => PropsVerb::Reset,
            _ => PropsVerb::Show,
        };
        if verb == PropsVerb::Set && !is_json(head) {
            return Err(Refusal::NotJson);
        }
        Ok(Self { owner, verb, defaults: *defaults })
    }

    /// Whose properties.
    pub fn owner(&self) -> &Owner {
        &self.owner
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
        props::read(asked, self.defaults.n).map_err(Refusal::Property)
    }

    /// What holds for them, for the client. `None`: there is no such type.
    pub fn shown(&self, held: Option<&Held>) -> Response {
        let mut response = match held {
            Some(held) => {
                let body = json!({ "props": props::shown(&self.owner, held) }).to_string();
                response::with_body(StatusCode::OK, JSON, body.into())
            }
            None => response::no_such_page(),
        };
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

    /// The core has not set those of a bucket.
    pub fn refused(&self, error: &PropsError) -> Response {
        let why = Trouble::of(error).map_or_else(|| json!("no_type"), |trouble| trouble.json());
        Self::not_set(&why)
    }

    /// The core has not set those of a type.
    pub fn type_refused(&self, error: &TypeError) -> Response {
        match error {
            TypeError::Props(error) => self.refused(error),
            TypeError::Default => Self::not_set(&json!("no_default_update")),
            TypeError::NotActive | TypeError::Undefined => Self::not_set(&json!("not_active")),
            other => Self::not_set(&json!(other.to_string())),
        }
    }

    fn not_set(why: &Value) -> Response {
        let mut response = response::with_body(StatusCode::BAD_REQUEST, JSON, why.to_string().into());
        response::vary_encoding(&mut response);
        response
    }

    /// They are not set, and why: one line.
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

#[cfg(test)]
mod tests {
    use cartwheel_core::id::NodeId;
    use cartwheel_core::membership::Rules;
    use cartwheel_core::ring::Ring;
    use cartwheel_core::{Config, Quorum};

    use super::*;

    fn about(bucket: &str) -> BucketProps {
        let bucket = Bucket { bucket_type: Key::DEFAULT_TYPE.to_vec(), name: bucket.into() };
        BucketProps { owner: Owner::Bucket(bucket), verb: PropsVerb::Set, defaults: Defaults { n: 3 } }
    }

    fn defaults() -> Rules {
        let members: Vec<NodeId> = (1..=3).map(NodeId).collect();
        Config::new(NodeId(1), Ring::new(&members, 8, 3).expect("a ring")).rules()
    }

    fn held(props: &Props) -> Held {
        Held {
            props: props.clone(),
            rules: defaults().with(props),
            is_active: true,
            claimant: "n1".to_owned(),
            riak_defaults: false,
        }
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
            others: [(b"colour".to_vec(), b"{\"r\":[1,null]}".to_vec())].into_iter().collect(),
            ..Props::default()
        };
        let shown = about("b").shown(Some(&held(&set)));
        let again = about("b").props(shown.body()).expect("as shown");
        assert_eq!(defaults().with(&again), defaults().with(&set));
        assert_eq!(about("b").shown(Some(&held(&again))).body(), shown.body());
    }

    #[test]
    fn what_makes_no_sense_or_cannot_be_done_is_refused_by_name() {
        assert_eq!(refusal("\"n_val\":0").to_string(), "{\"n_val\":\"not_integer\"}");
        assert_eq!(refusal("\"allow_mult\":[]").to_string(), "{\"allow_mult\":\"not_boolean\"}");
        assert_eq!(refusal("\"r\":256").to_string(), "{\"r\":\"not_valid_quorum\"}");
        assert_eq!(refusal("\"w\":0").to_string(), "{\"w\":\"not_valid_quorum\"}");
        assert_eq!(
            refusal("\"node_confirms\":\"all\"").to_string(),
            "{\"node_confirms\":\"not_valid_quorum\"}"
        );
        assert_eq!(refusal("\"old_vclock\":\"x\"").to_string(), "{\"old_vclock\":\"not_integer\"}");
        assert_eq!(
            refusal("\"sync_on_write\":1").to_string(),
            "{\"sync_on_write\":\"not_valid_sync_param\"}"
        );
        for erlang in [
            "\"precommit\":[{\"mod\":\"m\",\"fun\":\"f\"}]",
            "\"chash_keyfun\":{\"mod\":\"m\",\"fun\":\"f\"}",
        ] {
            let said = refusal(erlang).to_string();
            assert!(said.contains("Erlang functions, which Cartwheel does not run"), "{said}");
        }
        assert!(refusal("\"consistent\":true").to_string().contains("not built"));
        assert!(refusal("\"n_val\":300").to_string().contains("allowed are 1..=3"));
        // "tree not supported ...", as Riak's JSON has it: each character a number.
        assert!(
            refusal("\"datatype\":\"tree\"").to_string().starts_with("{\"datatype\":[116,114,101,101,32,")
        );
        assert_eq!(about("b").props(b"[]"), Err(Refusal::PropsForm));
    }

    #[test]
    fn riaks_ways_to_say_yes_are_understood() {
        let props =
            b"{\"props\":{\"allow_mult\":\"true\",\"notfound_ok\":0,\"hll_precision\":\"12\",\"my\":7}}";
        let props = about("b").props(props).expect("makes sense");
        assert_eq!((props.allow_mult, props.notfound_ok), (Some(true), Some(false)));
        assert_eq!(props.hll_precision, Some(12));
        assert_eq!(props.others.get(b"my"), Some(&b"7"[..]));
    }
}
