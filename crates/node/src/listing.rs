//! A listing as whoever renders it sees it: one part after the other, each asked for when it is wanted. Given up by
//! dropping it.

use cartwheel_core::coverage::{CoverageError, Entry, Listing, Part};
use cartwheel_core::id::CallId;
use regex::bytes::Regex;
use tokio::sync::{mpsc, oneshot};

use crate::http::Api;
use crate::metrics::ListingUnderWay;
use crate::server::{ListingAsk, Question};

/// Parts of one listing.
#[derive(Debug)]
pub(crate) struct Parts {
    questions: mpsc::Sender<Question>,
    steps: mpsc::Receiver<Result<Part, CoverageError>>,
    call: CallId,
    under_way: ListingUnderWay,
    /// A part was taken, and the next one has not been asked for.
    is_taken: bool,
    ended: bool,
}

impl Parts {
    /// Begins `listing`. `NotAMember` where the node is stopping.
    pub async fn begin(api: &Api, listing: Listing) -> Result<Self, CoverageError> {
        let under_way = api.metrics.listing();
        let Api { questions, .. } = api;
        let (sender, steps) = mpsc::channel(1);
        let (name, named) = oneshot::channel();
        let ask = ListingAsk::Begin(Box::new(listing), name, sender);
        questions.send(Question::List(ask)).await.map_err(|_| CoverageError::NotAMember)?;
        let call = named.await.map_err(|_| CoverageError::NotAMember)?;
        Ok(Self { questions: questions.clone(), steps, call, under_way, is_taken: false, ended: false })
    }

    /// The next part. `None` after the last one, and after an error.
    pub async fn next(&mut self) -> Option<Result<Vec<Entry>, CoverageError>> {
        if self.ended {
            return None;
        }
        if std::mem::take(&mut self.is_taken) {
            let next = Question::List(ListingAsk::Next(self.call));
            // Where the node stops, the steps end.
            _ = self.questions.send(next).await;
        }
        let step = self.steps.recv().await.unwrap_or(Err(CoverageError::NotAMember));
        self.ended = step.as_ref().map_or(true, |part| part.is_last);
        self.is_taken = !self.ended;
        if self.ended {
            self.under_way.ended(step.as_ref().err());
        }
        Some(step.map(|part| part.entries))
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if !self.ended {
            // If too much waits already, the core gives it up when its time is up.
            _ = self.questions.try_send(Question::List(ListingAsk::Cancel(self.call)));
        }
    }
}

/// Parts of which only those entries are kept whose term a client wants, and only so many.
pub(crate) struct Filtered {
    parts: Parts,
    matches: Option<Regex>,
    left: Option<usize>,
}

impl Filtered {
    /// Of entries whose term (or key, where there are no terms) fits `matches`, at most `most`.
    pub async fn begin(
        api: &Api,
        mut listing: Listing,
        matches: Option<Regex>,
    ) -> Result<Self, CoverageError> {
        let left = listing.limit.map(|limit| limit as usize);
        if matches.is_some() {
            // As many as fit, of nobody knows how many.
            listing.limit = None;
        }
        Ok(Self { parts: Parts::begin(api, listing).await?, matches, left })
    }

    /// The next part; it may be empty. `None` after the last one, and after an error.
    pub async fn next(&mut self) -> Option<Result<Vec<Entry>, CoverageError>> {
        if self.left == Some(0) {
            return None;
        }
        Some(self.parts.next().await?.map(|entries| {
            let fits = |entry: &Entry| {
                let text = if entry.term.is_empty() { &entry.key } else { &entry.term };
                self.matches.as_ref().is_none_or(|matches| matches.is_match(text))
            };
            let most = self.left.unwrap_or(usize::MAX);
            let kept: Vec<Entry> = entries.into_iter().filter(fits).take(most).collect();
            self.left = self.left.map(|left| left - kept.len());
            kept
        }))
    }
}
