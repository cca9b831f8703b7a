//! Covering: listing what all nodes together hold. [`crate::coverage`] says what is promised.
//!
//! A listing is a few *streams*, one for each node that is asked, or several where a node stands in for another. A
//! stream asks for a page when what it has been given is used up and the caller waits for more, so a caller that does
//! not go on costs nothing but memory, of which a page to a stream is the bound. Pages can be asked for again: an
//! answering node remembers nothing of a listing.
//!
//! A node that is silent is asked once more, then given up: others of the homes take over what it still owes, from the
//! last entry on that it gave. One that says that it is not, or not any more, the right one for some partitions keeps
//! the rest.

mod merge;
mod plan;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use self::merge::{Filling, Source};
use self::plan::{Uncovered, plan};
use crate::boundary::Output;
use crate::coverage::{
    CoverageError, CoverageMessage, CoverageReply, ENTRIES_PER_PAGE_MAX, Entry, Found, LISTINGS_MAX, Listing,
    Part, Query, Refusal, Scan, TIMEOUT,
};
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::id::{CallId, NodeId, OpId};
use crate::membership::Bucket;
use crate::message::Message;
use crate::ring::Partition;
use crate::storage::{StorageError, StorageOp};
use crate::time::Instant;

/// A node that was asked twice has so many times `replica_timeout` for an answer, from the second time on.
const PATIENCE: u32 = 4;

/// All listings that this node coordinates.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    running: BTreeMap<CallId, Running>,
    /// Which listing asked.
    asked: BTreeMap<OpId, CallId>,
}

#[derive(Debug)]
struct Running {
    query: Query,
    /// How many homes a key has.
    n: u8,
    /// Entries that are still wanted; `None`: all.
    left: Option<u32>,
    streams: Vec<Stream>,
    /// Homes that failed.
    given_up: BTreeMap<Partition, Vec<NodeId>>,
    /// The last entry that was passed on, or is about to be.
    last: Option<Entry>,
    part: Filling,
    /// The caller waits for a part.
    is_wanted: bool,
    give_up: Instant,
}

/// What one node is asked, page by page.
#[derive(Debug)]
struct Stream {
    node: NodeId,
    partitions: Arc<[Partition]>,
    source: Source,
    state: State,
}

#[derive(Debug)]
enum State {
    /// If there is more, it is after this entry.
    Idle(Option<Entry>),
    Asked(Asked),
}

#[derive(Debug)]
struct Asked {
    op: OpId,
    scan: Box<Scan>,
    at: Instant,
    deadline: Instant,
    is_second: bool,
}

impl Coverage {
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Begins a listing.
    pub fn begin(&mut self, cx: &mut Cx, call: CallId, wanted: Listing) {
        let Listing { query, after, limit, timeout } = wanted;
        let give_up = cx.time() + timeout.unwrap_or(TIMEOUT);
        if self.running.len() >= LISTINGS_MAX as usize {
            return reply(cx, call, Err(CoverageError::Overloaded { limit: LISTINGS_MAX }));
        }
        let mut listing = Running {
            n: homes_of(cx, &query),
            query,
            left: limit,
            streams: Vec::new(),
            given_up: BTreeMap::new(),
            last: after.clone(),
            part: Filling::default(),
            is_wanted: true,
            give_up,
        };
        let all: Vec<Partition> = (0..cx.env.cluster.ring.partitions()).map(Partition).collect();
        if let Err(error) = listing.assign(cx, &all, after.as_ref()) {
            return reply(cx, call, Err(error));
        }
        cx.arm(give_up, Timer::Coverage(call));
        self.running.insert(call, listing);
        self.advance(cx, call);
    }

    /// The caller has taken the last part.
    pub fn next(&mut self, cx: &mut Cx, call: CallId) {
        if let Some(listing) = self.running.get_mut(&call) {
            listing.is_wanted = true;
            self.advance(cx, call);
        }
    }

    /// Nobody waits for it any more.
    pub fn cancel(&mut self, cx: &mut Cx, call: CallId) {
        let Some(listing) = self.running.remove(&call) else { return };
        cx.disarm(listing.give_up, Timer::Coverage(call));
        for stream in &listing.streams {
            if let State::Asked(asked) = &stream.state {
                self.asked.remove(&asked.op);
                cx.disarm(asked.deadline, Timer::CoverageAsk(asked.op));
            }
        }
    }

    /// The time of a whole listing is up.
    pub fn on_timer(&mut self, cx: &mut Cx, call: CallId) {
        self.end(cx, call, CoverageError::Timeout);
    }

    fn end(&mut self, cx: &mut Cx, call: CallId, error: CoverageError) {
        if self.running.contains_key(&call) {
            self.cancel(cx, call);
            reply(cx, call, Err(error));
        }
    }

    /// `from` has been silent.
    pub fn on_silence(&mut self, cx: &mut Cx, op: OpId) {
        let Some(call) = self.asked.get(&op).copied() else { return };
        let Some(listing) = self.running.get_mut(&call) else { return };
        let Some(Stream { node, state, .. }) = listing.asked(op).map(|at| &mut listing.streams[at]) else {
            return;
        };
        let State::Asked(asked) = state else { return };
        if asked.is_second {
            return self.replace(cx, call, op, &Refusal::StorageFailed);
        }
        cx.missed(*node, asked.at);
        asked.is_second = true;
        asked.deadline = cx.time() + cx.env.config.replica_timeout * PATIENCE;
        cx.arm(asked.deadline, Timer::CoverageAsk(op));
        let ask = CoverageMessage::Ask { op, n: listing.n, scan: asked.scan.clone() };
        cx.send(*node, Message::Coverage(ask));
    }

    /// `from` has answered.
    pub fn on_answer(&mut self, cx: &mut Cx, from: NodeId, op: OpId, result: Result<Found, Refusal>) {
        let Some(call) = self.asked.get(&op).copied() else { return };
        let Some(listing) = self.running.get_mut(&call) else { return };
        let Some(at) = listing.asked(op).filter(|at| listing.streams[*at].node == from) else { return };
        if cx.time() >= listing.give_up {
            return self.end(cx, call, CoverageError::Timeout);
        }
        match result {
            Ok(found) if listing.streams[at].goes_on(&found) => {
                listing.streams[at].take(cx, found);
                self.asked.remove(&op);
                self.advance(cx, call);
            }
            Ok(_) => self.replace(cx, call, op, &Refusal::StorageFailed),
            Err(refusal) => self.replace(cx, call, op, &refusal),
        }
    }

    /// Others are asked for what the stream that made `op` still owes.
    fn replace(&mut self, cx: &mut Cx, call: CallId, op: OpId, why: &Refusal) {
        self.asked.remove(&op);
        let Some(listing) = self.running.get_mut(&call) else { return };
        let Some(at) = listing.asked(op) else { return };
        let Stream { node, partitions, state, .. } = listing.streams.swap_remove(at);
        let State::Asked(Asked { deadline, scan, .. }) = state else { return };
        cx.disarm(deadline, Timer::CoverageAsk(op));
        let failed: &[Partition] = match why {
            // A node that refuses nothing it was asked about makes no sense, and would be asked for ever.
            Refusal::NotHere(some) if some.iter().any(|one| scan.covers(*one)) => some,
            _ => &partitions,
        };
        for partition in failed.iter().filter(|one| scan.covers(**one)) {
            listing.given_up.entry(*partition).or_default().push(node);
        }
        match listing.assign(cx, &partitions, scan.after.as_ref()) {
            Ok(()) => self.advance(cx, call),
            Err(error) => self.end(cx, call, error),
        }
    }

    /// Passes on what is there; asks for what is missing.
    fn advance(&mut self, cx: &mut Cx, call: CallId) {
        let Some(listing) = self.running.get_mut(&call) else { return };
        if !listing.is_wanted {
            return;
        }
        let most = listing.left.map_or(usize::MAX, |left| left as usize);
        let Running { part, streams, last, .. } = listing;
        let mut sources: Vec<&mut Source> = streams.iter_mut().map(|stream| &mut stream.source).collect();
        part.take(&mut sources, last, most);
        let is_last = part.len() >= most || sources.iter().all(|source| source.is_done());
        if is_last || part.is_full(most) {
            let entries = part.finish();
            listing.left = listing.left.map(|left| left.saturating_sub(entries.len() as u32));
            listing.is_wanted = false;
            if is_last {
                self.cancel(cx, call);
            }
            return reply(cx, call, Ok(Part { entries, is_last }));
        }
        let limit = (most - part.len()).min(ENTRIES_PER_PAGE_MAX) as u32;
        let (query, n) = (listing.query.clone(), listing.n);
        for stream in &mut listing.streams {
            if let Some(op) = stream.ask(cx, &query, n, limit) {
                self.asked.insert(op, call);
            }
        }
    }
}

impl Running {
    /// The stream that asked `op`.
    fn asked(&self, op: OpId) -> Option<usize> {
        let is_it = |stream: &Stream| matches!(&stream.state, State::Asked(asked) if asked.op == op);
        self.streams.iter().position(is_it)
    }

    /// Adds streams for `partitions`, from `after` on.
    fn assign(
        &mut self,
        cx: &Cx,
        partitions: &[Partition],
        after: Option<&Entry>,
    ) -> Result<(), CoverageError> {
        let may_be_asked = |node: NodeId, partition: Partition| {
            let given_up = self.given_up.get(&partition).is_some_and(|nodes| nodes.contains(&node));
            let recovers = node == cx.me() && cx.env.recovering.contains(&partition);
            !given_up && !recovers && (node == cx.me() || !cx.env.is_away(node))
        };
        let homes = |partition| {
            let list = cx.env.cluster.ring.partition_preference_list(partition, self.n);
            list.homes().iter().copied().filter(|home| may_be_asked(*home, partition)).collect()
        };
        let plan = plan(partitions, cx.me(), homes);
        let plan = plan.map_err(|Uncovered(partition)| CoverageError::Uncovered { partition })?;
        self.streams.extend(plan.into_iter().map(|one| Stream {
            node: one.node,
            partitions: one.partitions.into(),
            source: Source { entries: VecDeque::new(), is_open: true },
            state: State::Idle(after.cloned()),
        }));
        Ok(())
    }
}

impl Stream {
    /// Whether a page leads anywhere: one that says to ask again for the same would be asked for ever.
    fn goes_on(&self, found: &Found) -> bool {
        let State::Asked(asked) = &self.state else { return false };
        found.next.is_none() || found.next > asked.scan.after
    }

    fn take(&mut self, cx: &mut Cx, found: Found) {
        if let State::Asked(asked) = &self.state {
            cx.disarm(asked.deadline, Timer::CoverageAsk(asked.op));
        }
        self.source = Source { entries: found.entries.into(), is_open: found.next.is_some() };
        self.state = State::Idle(found.next);
    }

    /// Asks for the next page if nothing is here and there may be one.
    fn ask(&mut self, cx: &mut Cx, query: &Query, n: u8, limit: u32) -> Option<OpId> {
        let State::Idle(after) = &self.state else { return None };
        if !self.source.is_dry() {
            return None;
        }
        let (query, partitions) = (query.clone(), Arc::clone(&self.partitions));
        let scan = Box::new(Scan { query, partitions, after: after.clone(), limit });
        let (op, at) = (cx.next_op(), cx.time());
        let deadline = at + cx.env.config.replica_timeout;
        self.state = State::Asked(Asked { op, scan: scan.clone(), at, deadline, is_second: false });
        if self.node == cx.me() {
            // The disk answers, or the whole listing is out of time.
            Serve::look(cx, Looking { from: self.node, op, n, partitions: scan.partitions.clone() }, scan);
        } else {
            cx.arm(deadline, Timer::CoverageAsk(op));
            cx.send(self.node, Message::Coverage(CoverageMessage::Ask { op, n, scan }));
        }
        Some(op)
    }
}

/// Who looks for what, and is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Looking {
    pub from: NodeId,
    pub op: OpId,
    pub n: u8,
    pub partitions: Arc<[Partition]>,
}

/// The side of a node that is asked.
#[derive(Debug)]
pub(crate) struct Serve;

impl Serve {
    /// A peer asks. `takes_part`: this node knows where it stands.
    pub fn on_ask(cx: &mut Cx, from: NodeId, op: OpId, n: u8, scan: Box<Scan>, takes_part: bool) {
        let looking = Looking { from, op, n, partitions: Arc::clone(&scan.partitions) };
        let refusal = if takes_part && cx.storage_has_room() {
            looking.not_here(cx)
        } else {
            Some(Refusal::Overloaded)
        };
        match refusal {
            Some(refusal) => Self::answer(cx, from, op, Err(refusal)),
            None => Self::look(cx, looking, scan),
        }
    }

    fn look(cx: &mut Cx, looking: Looking, scan: Box<Scan>) {
        cx.storage(StorageOp::Scan { scan }, Waiter::Coverage(looking));
    }

    /// What the store found, unless it was not the right one to ask any more by then: what is handed over is dropped.
    pub fn judge(cx: &Cx, looking: &Looking, found: Result<Found, StorageError>) -> Result<Found, Refusal> {
        match looking.not_here(cx) {
            Some(refusal) => Err(refusal),
            None => found.map_err(|_| Refusal::StorageFailed),
        }
    }

    pub fn answer(cx: &mut Cx, to: NodeId, op: OpId, result: Result<Found, Refusal>) {
        cx.send(to, Message::Coverage(CoverageMessage::Answer { op, result }));
    }
}

impl Looking {
    /// The partitions that this node cannot answer for.
    fn not_here(&self, cx: &Cx) -> Option<Refusal> {
        let (ring, me, n) = (&cx.env.cluster.ring, cx.me(), self.n);
        let is_here = |partition: &Partition| {
            partition.0 < ring.partitions()
                && ring.is_home_of(me, *partition, n)
                && !cx.env.recovering.contains(partition)
        };
        let missing: Vec<Partition> = self.partitions.iter().copied().filter(|it| !is_here(it)).collect();
        (!missing.is_empty()).then_some(Refusal::NotHere(missing))
    }
}

/// How many homes a key has of those that are looked for; the fewest, where buckets differ.
fn homes_of(cx: &Cx, query: &Query) -> u8 {
    let (cluster, defaults) = (&cx.env.cluster, cx.env.config.rules());
    let n = |bucket: &Bucket| cluster.rules_of(bucket, &defaults).n;
    match query {
        Query::Keys { bucket, .. } | Query::Index { bucket, .. } => n(bucket),
        Query::Buckets { bucket_type } => {
            let of_type = cluster.props.keys().filter(|bucket| bucket.bucket_type == bucket_type[..]);
            of_type.map(n).fold(cluster.rules_of_type(bucket_type, &defaults).n, u8::min)
        }
    }
}

fn reply(cx: &mut Cx, call: CallId, result: Result<Part, CoverageError>) {
    cx.out.push(Output::Coverage(CoverageReply { call, result }));
}
