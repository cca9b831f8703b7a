//! Listings and index queries: streams of messages, but for those that clients want at once.

use cartwheel_core::coverage::{Entry, Listing};
use cartwheel_riak::pb::message::{
    RpbIndexReq, RpbIndexResp, RpbListBucketsReq, RpbListBucketsResp, RpbListKeysReq, RpbListKeysResp,
};
use cartwheel_riak::pb::{Index, Refusal, list_buckets, list_keys, uncovered};

use super::Trouble;
use super::objects::fresh_id;
use super::outgoing::Outgoing;
use crate::http::{Api, regex};
use crate::listing::{Filtered, Parts};

/// Most that is gathered for a client that wants it at once, in bytes.
const WHOLE_BYTES_MAX: usize = 64 << 20;

/// Sends the keys of a bucket as they are found.
pub(super) async fn keys(api: &Api, request: &RpbListKeysReq, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    let mut parts = Following::begin(api, list_keys(request)?).await?;
    while let Some(entries) = parts.next().await? {
        if !entries.is_empty() {
            out.send(&RpbListKeysResp { keys: names(entries), done: None }).await?;
        }
        parts.between(out).await?;
    }
    Ok(out.send(&RpbListKeysResp { keys: Vec::new(), done: Some(true) }).await?)
}

/// Sends the buckets of a type: as they are found, or all in one message.
pub(super) async fn buckets(
    api: &Api,
    request: &RpbListBucketsReq,
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    let is_streamed = request.stream == Some(true);
    let mut parts = Following::begin(api, list_buckets(request)?).await?;
    let mut all = Gathered::default();
    while let Some(entries) = parts.next().await? {
        if !is_streamed {
            all.add(entries)?;
        } else {
            if !entries.is_empty() {
                out.send(&RpbListBucketsResp { buckets: names(entries), done: None }).await?;
            }
            parts.between(out).await?;
        }
    }
    let done = is_streamed.then_some(true);
    Ok(out.send(&RpbListBucketsResp { buckets: names(all.entries), done }).await?)
}

/// Answers a query of an index.
pub(super) async fn index(api: &Api, request: &RpbIndexReq, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    let index = Index::new(request)?;
    let matches = index.term_regex().map(regex).transpose().map_err(|why| index.bad_regex(&why))?;
    let listing = index.listing();
    let failed = |error| uncovered(&index.listing().query, &error);
    let mut found = Filtered::begin(api, listing, matches).await.map_err(failed)?;
    let (mut all, mut count, mut last) = (Gathered::default(), 0, None);
    while let Some(part) = found.next().await {
        let entries = part.map_err(failed)?;
        count += entries.len();
        last = entries.last().cloned().or(last);
        if index.has_bodies() {
            send_bodies(api, &index, &entries, out).await?;
        } else if !index.is_streamed() {
            all.add(entries)?;
            continue;
        } else if !entries.is_empty() {
            out.send(&index.found(&entries)).await?;
        }
        undisturbed(out).await?;
    }
    let continuation = index.continuation(count, last.as_ref());
    if index.has_bodies() {
        let mut end = index.bodies(Vec::new());
        (end.continuation, end.done) = (continuation, Some(true));
        return Ok(out.send(&end).await?);
    }
    let done = index.is_streamed().then_some(true);
    Ok(out.send(&RpbIndexResp { continuation, done, ..index.found(&all.entries) }).await?)
}

/// Each object is read as any other: what was found a moment ago may be gone, and is left out then.
async fn send_bodies(
    api: &Api,
    index: &Index,
    entries: &[Entry],
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    for entry in entries {
        let (key, op) = index.read(entry);
        let result = api.ask(fresh_id(), &key, op, None).await;
        if let Some(object) = index.object(&key, result)? {
            out.send(&index.bodies(vec![object])).await?;
        }
    }
    Ok(())
}

/// The parts of a listing, and what is to be said when there are no more of them.
struct Following {
    parts: Parts,
    query: cartwheel_core::coverage::Query,
}

impl Following {
    async fn begin(api: &Api, listing: Listing) -> Result<Self, Refusal> {
        let query = listing.query.clone();
        match Parts::begin(api, listing).await {
            Ok(parts) => Ok(Self { parts, query }),
            Err(error) => Err(uncovered(&query, &error)),
        }
    }

    async fn next(&mut self) -> Result<Option<Vec<Entry>>, Refusal> {
        self.parts.next().await.transpose().map_err(|error| uncovered(&self.query, &error))
    }

    /// Before the next part is looked for, what there is goes out.
    async fn between(&self, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
        undisturbed(out).await
    }
}

/// What is gathered for a client that wants it at once.
#[derive(Default)]
struct Gathered {
    entries: Vec<Entry>,
    bytes: usize,
}

impl Gathered {
    fn add(&mut self, entries: Vec<Entry>) -> Result<(), Refusal> {
        self.bytes += entries.iter().map(Entry::bytes).sum::<usize>();
        self.entries.extend(entries);
        if self.bytes <= WHOLE_BYTES_MAX {
            return Ok(());
        }
        Err(Refusal::Other(format!(
            "the list is longer than {WHOLE_BYTES_MAX} bytes: ask for it as a stream"
        )))
    }
}

/// A client that asks for something else while a stream of answers is under way is told that it cannot.
async fn undisturbed(out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    if out.is_interrupted().await { Err(Refusal::Busy.into()) } else { Ok(out.flush().await?) }
}

fn names(entries: Vec<Entry>) -> Vec<bytes::Bytes> {
    entries.into_iter().map(|entry| entry.key).collect()
}
