//! Querying a secondary index.

use bytes::Bytes;
use cartwheel_core::coverage::{Entry, Listing};
use cartwheel_core::{Answer, ClientError, ClientOp, Key, ReadOptions};

use super::get::timeout;
use super::message::{
    IndexQueryType, RpbGetResp, RpbIndexBodyResp, RpbIndexObject, RpbIndexReq, RpbIndexResp,
};
use super::names::bucket_of;
use super::refusal::Refusal;
use super::shown::{self, Extent};
use crate::content::Pair;
use crate::index::{self, Asked, Kind, Wanted};

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    asked: Asked,
    listing: Listing,
    terms: bool,
    is_streamed: bool,
    has_bodies: bool,
    term_regex: Option<String>,
}

impl Index {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// It makes no sense; nothing was done.
    pub fn new(request: &RpbIndexReq) -> Result<Self, Refusal> {
        if request.bucket.is_empty() {
            return Err(Refusal::EmptyBucket);
        }
        if request.cover_context.is_some() {
            return Err(Refusal::Unsupported("a coverage plan"));
        }
        let bucket = bucket_of(request.bucket_type.as_deref(), &request.bucket);
        let invalid = |error: index::BadQuery| Refusal::Other(format!("Invalid query: {error}"));
        let asked = Asked::new(bucket, &request.index, &wanted(request)?).map_err(invalid)?;
        let term_regex = request.term_regex.as_deref().filter(|text| !text.is_empty());
        if term_regex.is_some() && asked.kind == Some(Kind::Int) {
            let why = "Can not use term regular expression in integer query";
            return Err(Refusal::Other(why.to_owned()));
        }
        if request.max_results == Some(0) {
            return Err(Refusal::Other("Invalid max_results 0: it must be positive".to_owned()));
        }
        let after = request.continuation.as_deref().filter(|it| !it.is_empty());
        let listing = Listing {
            query: asked.query.clone(),
            after: after.map(index::continued).transpose().map_err(invalid)?,
            limit: request.max_results,
            timeout: timeout(request.timeout.filter(|millis| *millis > 0))?,
        };
        Ok(Self {
            terms: request.return_terms == Some(true) && asked.has_terms,
            asked,
            listing,
            is_streamed: request.stream == Some(true),
            has_bodies: request.return_body == Some(true),
            term_regex: term_regex.map(|text| String::from_utf8_lossy(text).into_owned()),
        })
    }

    /// What to ask the core.
    pub fn listing(&self) -> Listing {
        self.listing.clone()
    }

    /// What terms are to match, where a client says so.
    pub fn term_regex(&self) -> Option<&str> {
        self.term_regex.as_deref()
    }

    /// An expression that makes no sense.
    pub fn bad_regex(&self, why: &str) -> Refusal {
        let text = self.term_regex.as_deref().unwrap_or_default();
        Refusal::Other(format!("Invalid term regular expression {text:?} : {why}"))
    }

    /// Whether what is found is to be sent as it is found.
    pub fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    /// Whether the objects are wanted, too.
    pub fn has_bodies(&self) -> bool {
        self.has_bodies
    }

    /// How a client goes on after a page that is full; `entries` in all, of which `last` is the last.
    pub fn continuation(&self, entries: usize, last: Option<&Entry>) -> Option<Bytes> {
        let is_full = self.listing.limit.is_some_and(|most| entries >= most as usize);
        last.filter(|_| is_full).map(|last| index::continuation(last).into())
    }

    /// Some of what is found.
    pub fn found(&self, entries: &[Entry]) -> RpbIndexResp {
        if self.terms {
            let pair = |entry: &Entry| Pair { key: self.asked.term(entry), value: Some(entry.key.clone()) };
            return RpbIndexResp { results: entries.iter().map(pair).collect(), ..RpbIndexResp::default() };
        }
        let keys = entries.iter().map(|entry| entry.key.clone()).collect();
        RpbIndexResp { keys, ..RpbIndexResp::default() }
    }

    /// The key of what was found, and how to read it.
    pub fn read(&self, entry: &Entry) -> (Key, ClientOp) {
        let bucket = match &self.asked.query {
            cartwheel_core::coverage::Query::Keys { bucket, .. }
            | cartwheel_core::coverage::Query::Index { bucket, .. } => bucket,
            cartwheel_core::coverage::Query::Buckets { .. } => unreachable!("no index is one of buckets"),
        };
        let key = Key::typed(&bucket.bucket_type, &bucket.name, &entry.key);
        (key, ClientOp::Get(ReadOptions::default()))
    }

    /// An object that was read; nothing where it has gone since it was found.
    ///
    /// # Errors
    ///
    /// It could not be read.
    pub fn object(
        &self,
        key: &Key,
        result: Result<Answer, ClientError>,
    ) -> Result<Option<RpbIndexObject>, Refusal> {
        let answer = result?;
        if !answer.siblings.is_found() {
            return Ok(None);
        }
        let object = RpbGetResp {
            content: shown::contents(&answer, Extent::Whole)?,
            vclock: Some(shown::vclock_of(&answer.context())),
            ..RpbGetResp::default()
        };
        Ok(Some(RpbIndexObject { key: Bytes::copy_from_slice(key.key()), object }))
    }

    /// Some of what is found, with the objects.
    pub fn bodies(&self, objects: Vec<RpbIndexObject>) -> RpbIndexBodyResp {
        RpbIndexBodyResp { objects, ..RpbIndexBodyResp::default() }
    }
}

fn wanted(request: &RpbIndexReq) -> Result<Wanted, Refusal> {
    let text = |bytes: &Option<Bytes>| {
        bytes.as_deref().map_or("undefined".into(), String::from_utf8_lossy).into_owned()
    };
    match IndexQueryType::try_from(request.qtype) {
        Ok(IndexQueryType::Eq) => match &request.key {
            Some(key) => Ok(Wanted::Eq(key.clone())),
            // All keys of a bucket have no term to be named.
            None if request.index == index::BUCKET_FIELD => Ok(Wanted::Eq(Bytes::new())),
            None => Err(Refusal::Other("Invalid equality query undefined".to_owned())),
        },
        Ok(IndexQueryType::Range) => match (&request.range_min, &request.range_max) {
            (Some(min), Some(max)) => Ok(Wanted::Range(min.clone(), max.clone())),
            (min, max) => Err(Refusal::Other(format!("Invalid range query: {} -> {}", text(min), text(max)))),
        },
        Err(_) => Err(Refusal::Other(format!("Invalid query type {}", request.qtype))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(index: &str, min: &'static str, max: &'static str) -> RpbIndexReq {
        RpbIndexReq {
            bucket: "b".into(),
            index: Bytes::copy_from_slice(index.as_bytes()),
            qtype: IndexQueryType::Range.into(),
            range_min: Some(min.into()),
            range_max: Some(max.into()),
            ..RpbIndexReq::default()
        }
    }

    #[test]
    fn a_page_says_how_to_go_on_and_terms_are_numbers_again() {
        let paged =
            RpbIndexReq { return_terms: Some(true), max_results: Some(1), ..request("n_int", "-2", "9") };
        let index = Index::new(&paged).expect("understood");
        let entry = Entry { term: Kind::Int.encode(b"-2").expect("an integer"), key: "k".into() };
        let found = index.found(std::slice::from_ref(&entry));
        assert_eq!(found.results, [Pair::new(b"-2", b"k")]);
        let continuation = index.continuation(1, Some(&entry)).expect("the page is full");
        let next = RpbIndexReq { continuation: Some(continuation), ..paged };
        assert_eq!(Index::new(&next).expect("understood").listing().after, Some(entry));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let said = |request: &RpbIndexReq| Index::new(request).expect_err("it makes no sense").to_string();
        assert_eq!(said(&request("bad", "1", "2")), "Invalid query: {unknown_field_type,<<\"bad\">>}");
        let half = RpbIndexReq { range_max: None, ..request("f_bin", "1", "2") };
        assert_eq!(said(&half), "Invalid range query: 1 -> undefined");
        let eq = RpbIndexReq { qtype: IndexQueryType::Eq.into(), ..request("f_bin", "1", "2") };
        assert_eq!(said(&eq), "Invalid equality query undefined");
        let no_time_of_its_own = RpbIndexReq { timeout: Some(0), ..request("f_bin", "1", "2") };
        assert_eq!(Index::new(&no_time_of_its_own).map(|index| index.listing().timeout), Ok(None));
    }
}
