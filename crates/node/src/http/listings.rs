//! Listings and index queries over HTTP: whole, or in pieces as they are found.

use cartwheel_core::coverage::{CoverageError, Entry};
use cartwheel_riak::http::{Call, Coming, Index, List, Refusal};
use regex::bytes::{Regex, RegexBuilder};

use super::Api;
use super::stream::{Filler, Gone, Reply, pieces};
use crate::listing::{Filtered, Parts};
use crate::runtime;

/// Longest answer that is sent whole, in bytes.
const WHOLE_BYTES_MAX: usize = 64 << 20;
/// Most memory that a client's expression takes, in bytes.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// The expression that a client wants terms to match.
pub(crate) fn regex(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(REGEX_BYTES_MAX).build().map_err(|error| error.to_string())
}

impl Api {
    pub(super) async fn list(&self, list: List) -> Reply {
        if list.coming() == Coming::Nothing {
            return list.nothing().into();
        }
        let mut parts = match Parts::begin(self, list.listing()).await {
            Ok(parts) => parts,
            Err(error) => return list.whole(list.error(&error)).into(),
        };
        // The first part decides what is answered: after that, the head is gone.
        let first = parts.next().await.unwrap_or(Ok(Vec::new()));
        if let Err(error) = &first
            && let Some(refused) = list.refusal(error)
        {
            return refused.into();
        }
        match list.coming() {
            Coming::Stream => {
                let (filler, body) = pieces();
                let response = list.head().map(|()| body);
                tokio::spawn(fill_list(list, parts, first, filler));
                Reply::Streamed(response)
            }
            _ => self.list_whole(&list, parts, first).await,
        }
    }

    async fn list_whole(
        &self,
        list: &List,
        mut parts: Parts,
        first: Result<Vec<Entry>, CoverageError>,
    ) -> Reply {
        let (mut all, mut next, mut bytes) = (Vec::new(), Some(first), 0);
        while let Some(part) = next {
            match part {
                Ok(entries) => {
                    bytes += entries.iter().map(Entry::bytes).sum::<usize>();
                    all.extend(entries);
                }
                Err(error) => return list.whole(list.error(&error)).into(),
            }
            if bytes > WHOLE_BYTES_MAX {
                return Call::refuse(&Refusal::ListTooLong { limit: WHOLE_BYTES_MAX }).into();
            }
            next = parts.next().await;
        }
        list.whole(list.names(all.iter())).into()
    }

    pub(super) async fn index(&self, index: Index) -> Reply {
        let matches = match index.term_regex().map(regex).transpose() {
            Ok(matches) => matches,
            Err(why) => return Call::refuse(&index.bad_regex(&why)).into(),
        };
        if index.is_head() {
            return index.whole(&[]).into();
        }
        let mut found = match Filtered::begin(self, index.listing(), matches).await {
            Ok(found) => found,
            Err(error) => return index.failed(&error).into(),
        };
        let first = match found.next().await.unwrap_or(Ok(Vec::new())) {
            Ok(first) => first,
            Err(error) => return index.failed(&error).into(),
        };
        if index.is_streamed() {
            let boundary = boundary();
            let (filler, body) = pieces();
            let response = index.head(&boundary).map(|()| body);
            tokio::spawn(fill_index(index, boundary, found, first, filler));
            return Reply::Streamed(response);
        }
        let mut bytes = first.iter().map(Entry::bytes).sum::<usize>();
        let mut all = first;
        while let Some(part) = found.next().await {
            match part {
                Ok(entries) => {
                    bytes += entries.iter().map(Entry::bytes).sum::<usize>();
                    all.extend(entries);
                }
                Err(error) => return index.failed(&error).into(),
            }
            if bytes > WHOLE_BYTES_MAX {
                return Call::refuse(&Refusal::ListTooLong { limit: WHOLE_BYTES_MAX }).into();
            }
        }
        index.whole(&all).into()
    }
}

/// Sends the parts of a list until the last, or until the client has gone.
async fn fill_list(list: List, mut parts: Parts, first: Result<Vec<Entry>, CoverageError>, filler: Filler) {
    let mut next = Some(first);
    while let Some(part) = next {
        let piece = match &part {
            Ok(entries) => list.names(entries.iter()),
            Err(error) => list.error(error),
        };
        if filler.send(piece).await.is_err() {
            return;
        }
        next = tokio::select! {
            next = parts.next() => next,
            () = filler.closed() => return,
        };
    }
    filler.finish().await;
}

async fn fill_index(index: Index, boundary: String, found: Filtered, first: Vec<Entry>, filler: Filler) {
    // Whoever has gone needs no end.
    if fill_parts(&index, &boundary, found, first, &filler).await.is_ok() {
        filler.finish().await;
    }
}

async fn fill_parts(
    index: &Index,
    boundary: &str,
    mut found: Filtered,
    first: Vec<Entry>,
    filler: &Filler,
) -> Result<(), Gone> {
    let (mut count, mut last, mut next) = (0, None, Some(Ok(first)));
    while let Some(part) = next {
        match part {
            Ok(entries) if entries.is_empty() => {}
            Ok(entries) => {
                count += entries.len();
                filler.send(index.part(boundary, entries.iter())).await?;
                last = entries.into_iter().next_back();
            }
            Err(error) => {
                filler.send(index.error_part(boundary, &error)).await?;
                return filler.send(index.end(boundary)).await;
            }
        }
        next = tokio::select! {
            next = found.next() => next,
            () = filler.closed() => return Err(Gone),
        };
    }
    if let Some(continuation) = index.continuation(count, last.as_ref()) {
        filler.send(index.continuation_part(boundary, &continuation)).await?;
    }
    filler.send(index.end(boundary)).await
}

/// One that nobody could have put into a key beforehand.
fn boundary() -> String {
    format!("{:032x}", u128::from_le_bytes(runtime::random()))
}
