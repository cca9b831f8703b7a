//! Conditions on a request: the two that spare a reader bytes are kept, the others are refused.

use std::time::{Duration, SystemTime};

use cartwheel_core::Condition;
use http::HeaderMap;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};

use super::fields;
use super::refusal::Refusal;

/// What a reader has already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fresh {
    etags: Option<Vec<String>>,
    since: Option<SystemTime>,
}

impl Fresh {
    pub fn parse(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let etags = |list: &str| list.split(',').map(|tag| tag.trim().to_owned()).collect();
        let since = text(IF_MODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok());
        Self { etags: text(IF_NONE_MATCH).map(etags), since }
    }

    /// Whether the reader has what would be sent. Tags overrule dates.
    pub fn holds(&self, etag: &str, modified: SystemTime) -> bool {
        let quoted = format!("\"{etag}\"");
        match &self.etags {
            Some(tags) => {
                tags.iter().any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == quoted)
            }
            None => self.since.is_some_and(|since| modified < since + Duration::from_secs(1)),
        }
    }
}

/// A read's conditions that nobody checks yet.
pub(super) const OF_READS: &[&str] = &["If-Match", "If-Unmodified-Since"];

/// A write's conditions that nobody checks yet.
pub(super) const OF_WRITES: &[&str] = &["If-Match", "If-Modified-Since", "If-Unmodified-Since"];

/// A delete's conditions that nobody checks yet.
pub(super) const OF_DELETES: &[&str] =
    &["If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since", "X-Riak-If-Not-Modified"];

/// What a put demands of the state before it. Not atomic: two clients may both find it so.
pub(super) fn of_put(headers: &HeaderMap) -> Result<Option<Condition>, Refusal> {
    if let Some(tags) = headers.get(IF_NONE_MATCH) {
        // Whether one of several tags is there is a question about versions, which nobody answers yet.
        let anything = tags.as_bytes() == b"*";
        return if anything {
            Ok(Some(Condition::NoneMatch))
        } else {
            Err(Refusal::Condition { header: "If-None-Match" })
        };
    }
    Ok(fields::context_of(headers, "x-riak-if-not-modified")?.map(Condition::NotModified))
}

pub(super) fn refuse(headers: &HeaderMap, conditions: &[&'static str]) -> Result<(), Refusal> {
    match conditions.iter().find(|name| headers.contains_key(**name)) {
        Some(header) => Err(Refusal::Condition { header }),
        None => Ok(()),
    }
}
