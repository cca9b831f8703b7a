//! Conditions on a request: what a reader has already, and what a request demands of what is there.
//!
//! A write's and a delete's are checked by a read before it, as Riak does it. **Not atomic**: two clients may both find what
//! they demand.

use std::time::{Duration, SystemTime};

use cartwheel_core::version::Siblings;
use cartwheel_core::{Answer, Condition};
use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};

use super::refusal::Refusal;
use super::response::{self, Response};
use super::{fields, object};
use crate::vtag;

/// What a reader has already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fresh {
    etags: Option<Vec<String>>,
    since: Option<SystemTime>,
}

impl Fresh {
    pub fn parse(headers: &HeaderMap) -> Self {
        Self { etags: etags(headers, &IF_NONE_MATCH), since: date(headers, &IF_MODIFIED_SINCE) }
    }

    /// Whether the reader has what would be sent. Tags overrule dates.
    pub fn holds(&self, etag: &str, modified: SystemTime) -> bool {
        match &self.etags {
            Some(tags) => is_among(tags, etag),
            None => self.since.is_some_and(|since| modified < since + Duration::from_secs(1)),
        }
    }
}

fn etags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let list = headers.get(name)?.to_str().ok()?;
    Some(list.split(',').map(|tag| tag.trim().to_owned()).collect())
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

fn is_among(tags: &[String], etag: &str) -> bool {
    let quoted = format!("\"{etag}\"");
    tags.iter().any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == quoted)
}

/// What a request demands of what is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Demands {
    /// It is one of these; `*`: something is there.
    matches: Option<Vec<String>>,
    /// It was not written later.
    unmodified_since: Option<SystemTime>,
    /// It is none of these, or was written later: otherwise a write is none either.
    fresh: Fresh,
}

/// Why a demand is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmet {
    /// 412.
    Failed,
    /// 304: what is there is what the client has.
    NotModified,
}

impl Demands {
    /// Those of a read; what spares it bytes is in [`Fresh`].
    pub fn of_read(headers: &HeaderMap) -> Self {
        Self { fresh: Fresh::default(), ..Self::of_write(headers) }
    }

    /// Those of a write or a delete that take a read.
    pub fn of_write(headers: &HeaderMap) -> Self {
        // That there is nothing is the coordinator's to check: see [`of_put`].
        let any = headers.get(IF_NONE_MATCH).is_some_and(|tags| tags.as_bytes() == b"*");
        let mut fresh = Fresh::parse(headers);
        fresh.etags = fresh.etags.filter(|_| !any);
        Self {
            matches: etags(headers, &IF_MATCH),
            unmodified_since: date(headers, &IF_UNMODIFIED_SINCE),
            fresh,
        }
    }

    /// Those of a delete: there, that there is nothing is a demand like the others.
    pub fn of_delete(headers: &HeaderMap) -> Self {
        Self { fresh: Fresh::parse(headers), ..Self::of_write(headers) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is not met by what is there: a tag, and when it was written; `None`: nothing is there.
    pub fn unmet(&self, there: Option<(&str, SystemTime)>) -> Option<Unmet> {
        let Some((etag, modified)) = there else {
            return self.matches.as_ref().map(|_| Unmet::Failed);
        };
        let is_another = self.matches.as_ref().is_some_and(|tags| !is_among(tags, etag));
        let is_later = self.unmodified_since.is_some_and(|since| modified >= since + Duration::from_secs(1));
        if is_another || is_later {
            return Some(Unmet::Failed);
        }
        match &self.fresh.etags {
            Some(tags) => is_among(tags, etag).then_some(Unmet::Failed),
            None => self.fresh.holds(etag, modified).then_some(Unmet::NotModified),
        }
    }

    /// The response to a write that is not made because of what a read has found.
    pub fn refusal(&self, found: &Answer) -> Option<Response> {
        let there = tag_of(&found.siblings);
        let there = there.as_ref().map(|(etag, modified)| (etag.as_str(), *modified));
        self.unmet(there).map(|unmet| match (unmet, there) {
            (Unmet::NotModified, Some((etag, _))) => object::not_modified(etag),
            _ => response::precondition_failed(),
        })
    }
}

/// The entity tag of what is there, and when it was written; `None`: nothing is.
fn tag_of(siblings: &Siblings) -> Option<(String, SystemTime)> {
    if !siblings.is_found() {
        return None;
    }
    let etag = match siblings.versions() {
        [version] => vtag::of_version(version.dot),
        _ => vtag::of_siblings(siblings),
    };
    let latest = siblings.versions().iter().map(|version| version.written_at).max()?;
    Some((etag, object::modified(latest)))
}

/// What a put demands of the state before it that its coordinator checks. Not atomic: two clients may both find it so.
pub(super) fn of_put(headers: &HeaderMap) -> Result<Option<Condition>, Refusal> {
    if headers.get(IF_NONE_MATCH).is_some_and(|tags| tags.as_bytes() == b"*") {
        return Ok(Some(Condition::NoneMatch));
    }
    Ok(fields::context_of(headers, "x-riak-if-not-modified")?.map(Condition::NotModified))
}

/// What a delete cannot demand.
pub(super) const OF_DELETES: &[&str] = &["X-Riak-If-Not-Modified"];

pub(super) fn refuse(headers: &HeaderMap, conditions: &[&'static str]) -> Result<(), Refusal> {
    match conditions.iter().find(|name| headers.contains_key(**name)) {
        Some(header) => Err(Refusal::Condition { header }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn demands(name: &HeaderName, value: &str) -> Demands {
        Demands::of_write(&HeaderMap::from_iter([(name.clone(), value.parse().expect("a value"))]))
    }

    #[test]
    fn a_write_may_demand_to_replace_what_it_knows() {
        let now = httpdate::parse_http_date("Sun, 22 Nov 2026 08:36:55 GMT").expect("a date");
        let there = Some(("t1", now));
        assert!(Demands::of_write(&HeaderMap::new()).is_empty());
        for (name, value, with_t1, with_nothing) in [
            (&IF_MATCH, "\"t1\"", None, Some(Unmet::Failed)),
            (&IF_MATCH, "\"t0\", \"t1\"", None, Some(Unmet::Failed)),
            (&IF_MATCH, "*", None, Some(Unmet::Failed)),
            (&IF_MATCH, "\"t2\"", Some(Unmet::Failed), Some(Unmet::Failed)),
            (&IF_NONE_MATCH, "\"t1\"", Some(Unmet::Failed), None),
            (&IF_NONE_MATCH, "\"t2\"", None, None),
            (&IF_UNMODIFIED_SINCE, "Sun, 22 Nov 2026 08:36:55 GMT", None, None),
            (&IF_UNMODIFIED_SINCE, "Sun, 22 Nov 2026 08:36:54 GMT", Some(Unmet::Failed), None),
            (&IF_MODIFIED_SINCE, "Sun, 22 Nov 2026 08:36:55 GMT", Some(Unmet::NotModified), None),
            (&IF_MODIFIED_SINCE, "Sun, 22 Nov 2026 08:36:54 GMT", None, None),
        ] {
            let demands = demands(name, value);
            assert_eq!(demands.unmet(there), with_t1, "{name}: {value}");
            assert_eq!(demands.unmet(None), with_nothing, "{name}: {value}, and nothing is there");
        }
        let later = Some(("t1", now + HOUR));
        let old = demands(&IF_UNMODIFIED_SINCE, "Sun, 22 Nov 2026 08:36:55 GMT");
        assert_eq!(old.unmet(later), Some(Unmet::Failed));
    }

    #[test]
    fn that_there_is_nothing_is_checked_where_it_is_written() {
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, "*".parse().expect("a value"))]);
        assert!(Demands::of_write(&headers).is_empty());
        assert_eq!(of_put(&headers), Ok(Some(Condition::NoneMatch)));
        assert_eq!(
            Demands::of_delete(&headers).unmet(Some(("t1", SystemTime::UNIX_EPOCH))),
            Some(Unmet::Failed)
        );
    }
}
