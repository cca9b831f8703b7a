//! Listing the keys of a bucket, or the buckets of a type.
//!
//! `keys=true` is answered as one object, `keys=stream` as one after the other: `{"keys":[..]}{"keys":[..]}`. Without
//! either a client is told `{}`. Whatever goes wrong is said in the same form, as `{"error":".."}`, because the head has
//! gone by then.

use std::time::Duration;

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::coverage::{CoverageError, Entry, Listing, Query as CoreQuery, Span};
use cartwheel_core::membership::Bucket;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::call::Defaults;
use super::query::Query;
use super::refusal::Refusal;
use super::response::{self, Response};
use super::route;
use crate::index;

const JSON: &[u8] = b"application/json";

/// What is to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// The keys of a bucket.
    Keys(Bucket),
    /// The buckets of a type.
    Buckets(Vec<u8>),
}

/// How the answer is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coming {
    /// Not at all: the client asked for nothing.
    Nothing,
    /// Whole.
    Whole,
    /// As it is found.
    Stream,
}

/// A request to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    listed: Listed,
    coming: Coming,
    timeout: Option<Duration>,
}

impl List {
    pub(super) fn keys(bucket: route::Bucket, head: &Parts, defaults: &Defaults) -> Result<Self, Refusal> {
        let bucket_type = bucket.bucket_type.unwrap_or_else(|| Key::DEFAULT_TYPE.to_vec());
        Self::parse(Listed::Keys(Bucket { bucket_type, name: bucket.bucket }), head, defaults)
    }

    pub(super) fn buckets(
        bucket_type: Option<Vec<u8>>,
        head: &Parts,
        defaults: &Defaults,
    ) -> Result<Self, Refusal> {
        let bucket_type = bucket_type.unwrap_or_else(|| Key::DEFAULT_TYPE.to_vec());
        Self::parse(Listed::Buckets(bucket_type), head, defaults)
    }

    fn parse(listed: Listed, head: &Parts, defaults: &Defaults) -> Result<Self, Refusal> {
        let query = Query::parse(head.uri.query(), defaults);
        let coming = match query.text(listed.name()) {
            _ if head.method == Method::HEAD => Coming::Nothing,
            Some("true") => Coming::Whole,
            Some("stream") => Coming::Stream,
            _ => Coming::Nothing,
        };
        let timeout = query.text("timeout").map(|asked| match asked.parse::<i64>() {
            // One that is up at once is answered like one that is up later.
            Ok(millis) => Ok(Duration::from_millis(u64::try_from(millis).unwrap_or(0))),
            Err(_) => Err(Refusal::Timeout(asked.to_owned())),
        });
        Ok(Self { listed, coming, timeout: timeout.transpose()? })
    }

    /// What is to be listed.
    pub fn listed(&self) -> &Listed {
        &self.listed
    }

    /// How the answer is to come.
    pub fn coming(&self) -> Coming {
        self.coming
    }

    /// What to ask the core.
    pub fn listing(&self) -> Listing {
        let query = match &self.listed {
            Listed::Keys(bucket) => CoreQuery::Keys { bucket: bucket.clone(), span: Span::default() },
            Listed::Buckets(bucket_type) => {
                CoreQuery::Buckets { bucket_type: Bytes::copy_from_slice(bucket_type) }
            }
        };
        Listing { query, after: None, limit: None, timeout: self.timeout }
    }

    /// An answer without anything in it.
    pub fn nothing(&self) -> Response {
        whole("{}".into())
    }

    /// Some names, as a whole answer or as a part of one. Names that are not UTF-8 cannot be said in JSON: what is not
    /// is replaced.
    pub fn names<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Bytes {
        let names: Vec<Value> = entries.map(|entry| String::from_utf8_lossy(&entry.key).into()).collect();
        json!({ self.listed.name(): names }).to_string().into()
    }

    /// A whole answer with this in it.
    pub fn whole(&self, body: Bytes) -> Response {
        whole(body)
    }

    /// The head of one that comes in parts.
    pub fn head(&self) -> http::Response<()> {
        let mut response = whole(Bytes::new());
        response.headers_mut().remove(http::header::CONTENT_LENGTH);
        response.map(|_| ())
    }

    /// There is no list, or no more of it.
    pub fn error(&self, error: &CoverageError) -> Bytes {
        json!({ "error": index::reason(error) }).to_string().into()
    }

    /// What to answer instead of a list, if `error` is not one of those that are said in the list's place.
    pub fn refusal(&self, error: &CoverageError) -> Option<Response> {
        // Riak says no more of a type that is not there than that there is no such page.
        (*error == CoverageError::NoType).then(|| {
            let mut response = response::no_such_page();
            response::vary_encoding(&mut response);
            response
        })
    }
}

impl Listed {
    fn name(&self) -> &'static str {
        match self {
            Self::Keys(_) => "keys",
            Self::Buckets(_) => "buckets",
        }
    }
}

fn whole(body: Bytes) -> Response {
    let mut response = response::with_body(StatusCode::OK, JSON, body);
    response::vary_encoding(&mut response);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(target: &str) -> Result<List, Refusal> {
        let (head, ()) = http::Request::get(target).body(()).expect("a request").into_parts();
        match super::super::Call::parse(&head, &Defaults { n: 3 }) {
            Ok(super::super::Call::List(list)) => Ok(list),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal),
        }
    }

    #[test]
    fn what_is_listed_and_how_is_in_the_request() {
        let keys = list("/types/t/buckets/b%2Fc/keys?keys=stream&timeout=5").expect("understood");
        let bucket = Bucket { bucket_type: b"t".to_vec(), name: b"b/c".to_vec() };
        assert_eq!((keys.listed(), keys.coming()), (&Listed::Keys(bucket), Coming::Stream));
        assert_eq!(keys.listing().timeout, Some(Duration::from_millis(5)));
        let buckets = list("/buckets?buckets=true").expect("understood");
        assert_eq!(buckets.listed(), &Listed::Buckets(b"default".to_vec()));
        assert_eq!(buckets.coming(), Coming::Whole);
        assert_eq!(list("/buckets/b/keys").expect("understood").coming(), Coming::Nothing);
        assert_eq!(list("/buckets/b/keys?keys=true&timeout=x"), Err(Refusal::Timeout("x".to_owned())));
        let expired = list("/buckets/b/keys?keys=true&timeout=0").expect("understood");
        assert_eq!(expired.listing().timeout, Some(Duration::ZERO));
    }

    #[test]
    fn names_are_json_and_errors_are_told_in_riaks_words() {
        let keys = list("/buckets/b/keys?keys=true").expect("understood");
        let entry = |key: &'static [u8]| Entry { term: Bytes::new(), key: Bytes::from_static(key) };
        let entries = [entry(b"a\"b"), entry(b"\xff")];
        assert_eq!(keys.names(entries.iter()), "{\"keys\":[\"a\\\"b\",\"\u{fffd}\"]}");
        assert_eq!(keys.error(&CoverageError::Timeout), "{\"error\":\"timeout\"}");
        assert_eq!(keys.nothing().body(), "{}");
    }
}
