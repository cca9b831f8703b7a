//! Querying a secondary index: `/buckets/B/index/FIELD/V1[/V2]`.

use std::time::Duration;

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::coverage::{CoverageError, Entry, Listing};
use cartwheel_core::membership::Bucket;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::call::Defaults;
use super::query::Query;
use super::refusal::Refusal;
use super::response::{self, Response, set};
use super::route;
use crate::index::{self, Asked, BadQuery, Kind, Wanted};

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    bucket: Bucket,
    asked: Asked,
    /// Beside each key its term.
    terms: bool,
    is_streamed: bool,
    is_head: bool,
    max_results: Option<u32>,
    after: Option<Entry>,
    timeout: Option<Duration>,
    term_regex: Option<String>,
}

impl Index {
    pub(super) fn parse(
        bucket: route::Bucket,
        field: &[u8],
        values: Vec<Vec<u8>>,
        head: &Parts,
        defaults: &Defaults,
    ) -> Result<Self, Refusal> {
        let query = Query::parse(head.uri.query(), defaults);
        let wanted = match <[Vec<u8>; 2]>::try_from(values) {
            Ok([from, to]) => Wanted::Range(from.into(), to.into()),
            Err(one) => Wanted::Eq(one.into_iter().next().unwrap_or_default().into()),
        };
        let bucket_type = bucket.bucket_type.unwrap_or_else(|| Key::DEFAULT_TYPE.to_vec());
        let bucket = Bucket { bucket_type, name: bucket.bucket };
        let bad = |error: BadQuery| Refusal::IndexQuery(error.to_string());
        let asked = Asked::new(bucket.clone(), field, &wanted).map_err(bad)?;
        let term_regex = query.text("term_regex").map(str::to_owned);
        if term_regex.is_some() && asked.kind == Some(Kind::Int) {
            return Err(Refusal::TermRegex(
                "Can not use term regular expressions on integer queries".to_owned(),
            ));
        }
        Ok(Self {
            bucket,
            terms: flag(&query, "return_terms")? && asked.has_terms,
            asked,
            is_streamed: flag(&query, "stream")?,
            is_head: head.method == Method::HEAD,
            max_results: max_results(&query)?,
            after: query
                .text("continuation")
                .map(|it| index::continued(it.as_bytes()))
                .transpose()
                .map_err(bad)?,
            timeout: query.timeout_unless_zero()?,
            term_regex,
        })
        .and_then(|index: Self| flag(&query, "pagination_sort").map(|_| index))
    }

    /// The bucket.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// What terms are to match, where a client says so. Riak's syntax is PCRE; what is asked for here is without
    /// look-around and back references.
    pub fn term_regex(&self) -> Option<&str> {
        self.term_regex.as_deref()
    }

    /// An expression that makes no sense.
    pub fn bad_regex(&self, why: &str) -> Refusal {
        let text = self.term_regex.as_deref().unwrap_or_default();
        Refusal::TermRegex(format!("Invalid term regular expression {text:?} : {why}"))
    }

    /// Whether the answer is to come as it is found.
    pub fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    /// Whether nothing but the head is wanted.
    pub fn is_head(&self) -> bool {
        self.is_head
    }

    /// What to ask the core.
    pub fn listing(&self) -> Listing {
        let query = self.asked.query.clone();
        Listing { query, after: self.after.clone(), limit: self.max_results, timeout: self.timeout }
    }

    /// How a client goes on after a page that is full; `entries` in all, of which `last` is the last.
    pub fn continuation(&self, entries: usize, last: Option<&Entry>) -> Option<String> {
        let is_full = self.max_results.is_some_and(|most| entries >= most as usize);
        last.filter(|_| is_full).map(index::continuation)
    }

    /// Some of what is found.
    fn found<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Map<String, Value> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (name, found): (&str, Vec<Value>) = if self.terms {
            let pair = |entry: &Entry| json!({ text(&self.asked.term(entry)): text(&entry.key) });
            ("results", entries.map(pair).collect())
        } else {
            ("keys", entries.map(|entry| text(&entry.key).into()).collect())
        };
        Map::from_iter([(name.to_owned(), found.into())])
    }

    /// All of it.
    pub fn whole(&self, entries: &[Entry]) -> Response {
        let mut body = self.found(entries.iter());
        if let Some(continuation) = self.continuation(entries.len(), entries.last()) {
            body.insert("continuation".to_owned(), continuation.into());
        }
        let body = Value::Object(body).to_string();
        let mut response = response::with_body(StatusCode::OK, b"application/json", body.into());
        response::vary_encoding(&mut response);
        response
    }

    /// A query that failed before anything was said.
    pub fn failed(&self, error: &CoverageError) -> Response {
        let mut response = match error {
            CoverageError::NoType => response::refused(&Refusal::UnknownType(
                String::from_utf8_lossy(&self.bucket.bucket_type).into_owned(),
            )),
            CoverageError::Timeout => {
                response::text(StatusCode::SERVICE_UNAVAILABLE, Refusal::TimedOut.to_string())
            }
            error => response::text(StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", index::reason(error))),
        };
        set(&mut response, response::ERROR, error.to_string().as_bytes());
        response
    }

    /// The head of an answer that comes in parts.
    pub fn head(&self, boundary: &str) -> http::Response<()> {
        let mut response = response::empty(StatusCode::OK);
        response.headers_mut().remove(CONTENT_LENGTH);
        set(&mut response, CONTENT_TYPE, format!("multipart/mixed;boundary={boundary}").as_bytes());
        response::vary_encoding(&mut response);
        response.map(|_| ())
    }

    /// Some of what is found, as a part of the answer.
    pub fn part<'a>(&self, boundary: &str, entries: impl Iterator<Item = &'a Entry>) -> Bytes {
        part(boundary, &Value::Object(self.found(entries)))
    }

    /// How to go on, as a part of the answer.
    pub fn continuation_part(&self, boundary: &str, continuation: &str) -> Bytes {
        part(boundary, &json!({ "continuation": continuation }))
    }

    /// What went wrong, as a part of the answer.
    pub fn error_part(&self, boundary: &str, error: &CoverageError) -> Bytes {
        part(boundary, &json!({ "error": index::reason(error) }))
    }

    /// The end of an answer in parts.
    pub fn end(&self, boundary: &str) -> Bytes {
        format!("\r\n--{boundary}--\r\n").into()
    }
}

fn part(boundary: &str, body: &Value) -> Bytes {
    format!("\r\n--{boundary}\r\nContent-Type: application/json\r\n\r\n{body}").into()
}

fn flag(query: &Query<'_>, name: &'static str) -> Result<bool, Refusal> {
    let asked = query.text(name).unwrap_or("false");
    match asked.to_ascii_lowercase().as_str() {
        "false" => Ok(false),
        "true" => Ok(true),
        _ => Err(Refusal::Parameter { name, value: asked.to_owned(), allowed: "a boolean" }),
    }
}

fn max_results(query: &Query<'_>) -> Result<Option<u32>, Refusal> {
    let name = "max_results";
    let Some(text) = query.text(name) else { return Ok(None) };
    match text.parse() {
        Ok(most) if most > 0 => Ok(Some(most)),
        _ => Err(Refusal::Parameter { name, value: text.to_owned(), allowed: "a positive integer" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(target: &str) -> Result<Index, Refusal> {
        let (head, ()) = http::Request::get(target).body(()).expect("a request").into_parts();
        match super::super::Call::parse(&head, &Defaults { n: 3 }) {
            Ok(super::super::Call::Index(index)) => Ok(*index),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal),
        }
    }

    fn said(target: &str) -> String {
        index(target).expect_err("it makes no sense").to_string()
    }

    fn entry(number: &str, key: &str) -> Entry {
        let term = Kind::Int.encode(number.as_bytes()).expect("an integer");
        Entry { term, key: Bytes::copy_from_slice(key.as_bytes()) }
    }

    #[test]
    fn answers_are_riaks() {
        let entries = [entry("-1", "a"), entry("5", "b")];
        let body = |target: &str| {
            let response = index(target).expect("understood").whole(&entries);
            String::from_utf8(response.body().to_vec()).expect("text")
        };
        assert_eq!(body("/buckets/x/index/n_int/-1/9"), "{\"keys\":[\"a\",\"b\"]}");
        let terms = body("/buckets/x/index/n_int/-1/9?return_terms=true");
        assert_eq!(terms, "{\"results\":[{\"-1\":\"a\"},{\"5\":\"b\"}]}");
        assert_eq!(body("/buckets/x/index/n_int/5?return_terms=true"), "{\"keys\":[\"a\",\"b\"]}");
        let page = body("/types/t/buckets/x/index/n_int/-1/9?max_results=2");
        let continuation = index::continuation(&entries[1]);
        assert_eq!(page, format!("{{\"continuation\":\"{continuation}\",\"keys\":[\"a\",\"b\"]}}"));
        assert!(!body("/buckets/x/index/n_int/-1/9?max_results=3").contains("continuation"));
    }

    #[test]
    fn a_streamed_answer_is_as_riak_sends_it() {
        let streamed = index("/buckets/x1/index/b_bin/a/z?stream=true").expect("understood");
        let entries =
            [Entry { term: "aa".into(), key: "i2".into() }, Entry { term: "bb".into(), key: "i2".into() }];
        let body = [streamed.part("B", entries.iter()), streamed.end("B")].concat();
        assert_eq!(
            String::from_utf8_lossy(&body),
            "\r\n--B\r\nContent-Type: application/json\r\n\r\n{\"keys\":[\"i2\",\"i2\"]}\r\n--B--\r\n"
        );
        assert_eq!(streamed.head("B").headers()["content-type"], "multipart/mixed;boundary=B");
    }

    #[test]
    fn what_makes_no_sense_is_said_in_riaks_words() {
        let bad_field = said("/buckets/p1/index/f_bad/1");
        assert_eq!(bad_field, "Invalid query: {unknown_field_type,<<\"f_bad\">>}\n");
        assert_eq!(
            said("/buckets/b/index/f_bin/1?max_results=0"),
            "Invalid \"max_results\". \"0\" is not a positive integer"
        );
        assert_eq!(
            said("/buckets/b/index/f_bin/1?return_terms=x"),
            "Invalid \"return_terms\". \"x\" is not a boolean"
        );
        assert!(said("/buckets/b/index/f_bin/1?continuation=x").contains("invalid_continuation"));
        assert!(said("/buckets/b/index/n_int/1/2?term_regex=.").contains("integer queries"));
    }
}
