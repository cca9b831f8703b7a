//! Secondary indexes.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;
use cartwheel_riak::pb::message::{IndexQueryType, RpbIndexReq, RpbIndexResp};
use futures_util::stream::try_unfold;

use crate::bucket::Bucket;
use crate::call::{Call, Repeat};
use crate::error::Error;
use crate::listing::{Listing, Part};
use crate::options::setters;

/// A question to an index.
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `entries` or `page`"]
pub struct Query {
    bucket: Bucket,
    message: RpbIndexReq,
    timeout: Option<Duration>,
}

/// A key that an index has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The key.
    pub key: Bytes,
    /// The value that it is found under: the one that was asked for, or, where a range was, what
    /// [`terms`](Query::terms) shows.
    pub term: Option<Bytes>,
}

/// Some of the entries, in the order of their terms and keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// Them.
    pub entries: Vec<IndexEntry>,
    /// For [`Query::page`], to go on after them. `None`: these were the last.
    pub continuation: Option<Continuation>,
}

/// Where a page ended. Opaque.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Continuation(pub Bytes);

impl Bucket {
    /// Keys with `value` in the index of numbers `name` (without `_int`).
    pub fn query_int(&self, name: &str, value: i64) -> Query {
        Query::equal(self, format!("{name}_int"), value.to_string())
    }

    /// Keys with a value from `range`, both ends included, in the index of numbers `name` (without `_int`).
    pub fn query_int_range(&self, name: &str, range: RangeInclusive<i64>) -> Query {
        let (min, max) = range.into_inner();
        Query::range(self, format!("{name}_int"), min.to_string(), max.to_string())
    }

    /// Keys with `value` in the index of bytes `name` (without `_bin`).
    pub fn query_bin(&self, name: &str, value: impl Into<Bytes>) -> Query {
        Query::equal(self, format!("{name}_bin"), value)
    }

    /// Keys with a value from `min` to `max`, both included, in the index of bytes `name` (without `_bin`).
    pub fn query_bin_range(&self, name: &str, min: impl Into<Bytes>, max: impl Into<Bytes>) -> Query {
        Query::range(self, format!("{name}_bin"), min, max)
    }

    /// Keys from `min` to `max`, both included: every key is in the index of keys.
    pub fn query_keys(&self, min: impl Into<Bytes>, max: impl Into<Bytes>) -> Query {
        Query::range(self, "$key".to_owned(), min, max)
    }
}

impl Query {
    fn equal(bucket: &Bucket, index: String, value: impl Into<Bytes>) -> Self {
        let message =
            RpbIndexReq { key: Some(value.into()), ..Self::message(bucket, index, IndexQueryType::Eq) };
        Self { bucket: bucket.clone(), message, timeout: None }
    }

    fn range(bucket: &Bucket, index: String, min: impl Into<Bytes>, max: impl Into<Bytes>) -> Self {
        let message = RpbIndexReq {
            range_min: Some(min.into()),
            range_max: Some(max.into()),
            ..Self::message(bucket, index, IndexQueryType::Range)
        };
        Self { bucket: bucket.clone(), message, timeout: None }
    }

    fn message(bucket: &Bucket, index: String, kind: IndexQueryType) -> RpbIndexReq {
        RpbIndexReq {
            bucket: bucket.name.clone(),
            bucket_type: bucket.bucket_type.clone(),
            index: index.into(),
            qtype: kind as i32,
            ..RpbIndexReq::default()
        }
    }

    setters! {
        /// How long each request may take, with all attempts.
        timeout: timeout,
    }

    /// Show the values, too, that keys are found under in a range.
    pub fn terms(mut self) -> Self {
        self.message.return_terms = Some(true);
        self
    }

    /// Only values that match `regex`, of a range in an index of bytes.
    pub fn term_regex(mut self, regex: impl Into<Bytes>) -> Self {
        self.message.term_regex = Some(regex.into());
        self
    }

    /// No more than so many entries to a page. [`entries`](Self::entries) fetches one page after the other then, in order, and
    /// any node can give the next one.
    pub fn page_size(mut self, entries: u32) -> Self {
        self.message.max_results = Some(entries);
        self
    }

    /// One page: the first one, or the one after `continuation`. All entries where no [`page_size`](Self::page_size) is set.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn page(&self, continuation: Option<Continuation>) -> Result<Page, Error> {
        let message = RpbIndexReq { continuation: continuation.map(|it| it.0), ..self.message.clone() };
        let call = Call::new(&message, Repeat::Read, self.timeout);
        let answer: RpbIndexResp = self.bucket.client.ask(&call).await?;
        let continuation = answer.continuation.clone().filter(|it| !it.is_empty()).map(Continuation);
        Ok(Page { entries: entries(&self.message, answer), continuation })
    }

    /// All entries. In no order, unless [`page_size`](Self::page_size) is set.
    pub fn entries(self) -> Listing<IndexEntry> {
        if self.message.max_results.is_some() {
            return self.page_after_page();
        }
        let message = RpbIndexReq { stream: Some(true), ..self.message };
        let call = Call::new(&message, Repeat::Read, self.timeout);
        Listing::of(self.bucket.client, call, move |answer: RpbIndexResp| {
            let is_last = answer.done == Some(true);
            Part { items: entries(&message, answer), is_last }
        })
    }

    fn page_after_page(self) -> Listing<IndexEntry> {
        let begin = (self, VecDeque::new(), Some(None));
        Listing::new(try_unfold(begin, async |(query, mut entries, mut next)| {
            loop {
                if let Some(entry) = entries.pop_front() {
                    return Ok(Some((entry, (query, entries, next))));
                }
                // Not `None` before the first page, and after one that says where to go on.
                let Some(continuation) = next else { return Ok(None) };
                let page = query.page(continuation).await?;
                (entries, next) = (page.entries.into(), page.continuation.map(Some));
            }
        }))
    }
}

fn entries(asked: &RpbIndexReq, answer: RpbIndexResp) -> Vec<IndexEntry> {
    let found = |key| IndexEntry { key, term: asked.key.clone() };
    let keys = answer.keys.into_iter().map(found);
    let results = answer.results.into_iter();
    let pairs = results.map(|pair| IndexEntry { key: pair.value.unwrap_or_default(), term: Some(pair.key) });
    keys.chain(pairs).collect()
}
