//! Somebody lists all keys of a bucket, or all buckets, again and again: while faults strike, and once more of each when
//! the cluster has converged. `oracle/listing.rs` judges.

use std::collections::BTreeMap;

use bytes::Bytes;
use cartwheel_core::coverage::{CoverageOp, CoverageReply, CoverageRequest, Listing, Part, Query, Span};
use cartwheel_core::id::CallId;
use cartwheel_core::membership::Bucket;
use cartwheel_core::{Input, Key};

use super::{Event, Simulator};
use crate::report::Counter;

/// How long the caller takes for each part, in nanoseconds.
const TAKES_NS: u64 = 3_000_000;

/// What is listed.
#[derive(Debug, Default)]
pub(super) struct Listings {
    /// How many were begun.
    begun: u64,
    /// At which node of which life each goes on.
    running: BTreeMap<CallId, (u32, u32)>,
    /// The last ones: `None` before it is time for them.
    last: Option<Last>,
}

/// Of everything that there is, those that have not succeeded yet.
#[derive(Debug)]
struct Last {
    left: Vec<u64>,
    call: Option<CallId>,
}

impl Simulator<'_> {
    /// It is time to list something.
    pub(super) fn list(&mut self) {
        let Some(spec) = self.scenario.listing else { return };
        if !self.faults_strike() {
            return;
        }
        self.queue.push(self.now + spec.every.ns(), Event::List);
        let number = self.listings.begun;
        let nodes = u64::from(self.scenario.cluster.nodes);
        self.begin_listing((number % nodes) as u32, number / nodes);
    }

    /// Lists the `which`-th of everything that can be listed, at `node`.
    fn begin_listing(&mut self, node: u32, which: u64) -> Option<CallId> {
        self.listings.begun += 1;
        self.processes[node as usize].node.as_ref()?;
        self.next_call += 1;
        let call = CallId(self.next_call);
        let life = self.processes[node as usize].life;
        self.listings.running.insert(call, (node, life));
        let listing = Listing { query: self.query(which), after: None, limit: None, timeout: None };
        let op = CoverageOp::Begin(Box::new(listing));
        self.handle(node, Input::Coverage(CoverageRequest { call, op }));
        Some(call)
    }

    /// The keys of each bucket, then the buckets.
    fn query(&self, which: u64) -> Query {
        let workload = &self.scenario.workload;
        let which = which % self.listable();
        if which == u64::from(workload.buckets) {
            return Query::Buckets { bucket_type: Bytes::from_static(Key::DEFAULT_TYPE) };
        }
        let name = workload.kind.bucket(which as u32).into_bytes();
        let bucket = Bucket { bucket_type: Key::DEFAULT_TYPE.to_vec(), name };
        Query::Keys { bucket, span: Span::default() }
    }

    fn listable(&self) -> u64 {
        u64::from(self.scenario.workload.buckets) + 1
    }

    /// A node gives a part, or says that it cannot.
    pub(super) fn on_listed(&mut self, reply: &CoverageReply) {
        let Some((node, life)) = self.listings.running.get(&reply.call).copied() else { return };
        match &reply.result {
            Ok(Part { is_last: false, .. }) => {
                self.queue.push(self.now + TAKES_NS, Event::ListOn { node, life, call: reply.call });
                return;
            }
            Ok(_) => self.count(Counter::Listings),
            Err(_) => self.count(Counter::ListingsFailed),
        }
        self.listings.running.remove(&reply.call);
        if let Some(last) = self.listings.last.as_mut().filter(|last| last.call == Some(reply.call)) {
            last.call = None;
            if reply.result.is_ok() {
                last.left.pop();
            }
        }
    }

    /// The caller has taken a part.
    pub(super) fn list_on(&mut self, node: u32, life: u32, call: CallId) {
        if self.processes[node as usize].life == life {
            self.handle(node, Input::Coverage(CoverageRequest { call, op: CoverageOp::Next }));
        }
    }

    /// Everything has converged: whether it was listed since.
    pub(super) fn has_listed(&mut self) -> bool {
        if self.scenario.listing.is_none() {
            return true;
        }
        let left = (0..self.listable()).collect();
        let last = self.listings.last.get_or_insert(Last { left, call: None });
        let (Some(which), None) = (last.left.last().copied(), last.call) else { return last.left.is_empty() };
        let serves = |at: &u32| {
            let node = self.processes[*at as usize].node.as_ref();
            node.is_some_and(|node| node.status().serves())
        };
        let nodes: Vec<u32> = (0..self.processes.len() as u32).filter(serves).collect();
        if let Some(at) = nodes.get(which as usize % nodes.len().max(1)) {
            let call = self.begin_listing(*at, which);
            if let Some(last) = &mut self.listings.last {
                // It may have been answered already.
                last.call = call.filter(|call| self.listings.running.contains_key(call));
            }
        }
        false
    }
}

/// Entries under the id of the write, so that indexes are at work, too.
pub(super) fn indexer(value: &Bytes) -> Vec<(Bytes, Bytes)> {
    value
        .first_chunk::<8>()
        .map(|id| (Bytes::from_static(b"write"), Bytes::copy_from_slice(id)))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_under_its_write() {
        let entry = (Bytes::from_static(b"write"), Bytes::from_static(b"12345678"));
        assert_eq!(indexer(&Bytes::from_static(b"12345678 and more")), [entry]);
        assert_eq!(indexer(&Bytes::from_static(b"short")), []);
    }
}
