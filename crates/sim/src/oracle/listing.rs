//! `ListingTruth`: a listing that succeeds shows, once and in order, every key that all its homes held durably when it
//! began, and held throughout; and nothing that no disk held meanwhile.
//!
//! What only some of the homes held may be shown or not: a listing asks one home of each key. Where a fault took
//! something from a disk, the node is to notice and not to be asked, unless nobody could have noticed: then what was
//! taken is not demanded any more.

use std::collections::{BTreeMap, BTreeSet};

use cartwheel_core::Key;
use cartwheel_core::coverage::{CoverageOp, CoverageReply, CoverageRequest, Entry, Part, Query};
use cartwheel_core::id::{CallId, NodeId};
use cartwheel_core::membership::Bucket;

use super::{Findings, Promise, Scene, seconds};

/// All listings under way.
#[derive(Debug, Default)]
pub struct Listings {
    running: BTreeMap<(NodeId, CallId), Running>,
}

#[derive(Debug)]
struct Running {
    query: Query,
    began_ns: u64,
    /// All homes held these when it began, and hold them since.
    held: BTreeSet<Key>,
    /// Some disk held these since it began.
    seen: BTreeSet<Key>,
    got: Vec<Entry>,
}

impl Listings {
    /// A client asks `node`.
    pub fn asked(&mut self, scene: &Scene<'_>, node: NodeId, CoverageRequest { call, op }: &CoverageRequest) {
        match op {
            CoverageOp::Begin(listing) => {
                let query = listing.query.clone();
                let disks = scene.processes.iter().map(|process| &process.disk);
                let keys: BTreeSet<&Key> = disks.flat_map(|disk| disk.keys()).collect();
                let keys = keys.into_iter().filter(|key| concerns(&query, key));
                let seen: BTreeSet<Key> =
                    keys.filter(|key| scene.copies(key).any(|(_, copy)| copy.is_found())).cloned().collect();
                // A delete may be applied that is not synced yet, or be synced and about to be overwritten.
                let holds = |home: &NodeId, key: &Key| {
                    let disk = scene.disk(*home);
                    disk.read(key).is_found() && disk.durable(key).is_found()
                };
                let is_held = |key: &&Key| scene.homes(key).iter().all(|home| holds(home, key));
                let held = seen.iter().filter(is_held).cloned().collect();
                let running = Running { query, began_ns: scene.at_ns, held, seen, got: Vec::new() };
                self.running.insert((node, *call), running);
            }
            CoverageOp::Cancel => _ = self.running.remove(&(node, *call)),
            CoverageOp::Next => {}
        }
    }

    /// `node` gives a part, or ends it.
    pub fn answered(
        &mut self,
        scene: &Scene<'_>,
        node: NodeId,
        reply: &CoverageReply,
        findings: &mut Findings,
    ) {
        let Some(running) = self.running.get_mut(&(node, reply.call)) else { return };
        let Ok(Part { entries, is_last }) = &reply.result else {
            self.running.remove(&(node, reply.call));
            return;
        };
        let is_after = |(a, b): (&Entry, &Entry)| a < b;
        let follows = running.got.last().is_none_or(|last| entries.first().is_none_or(|first| last < first));
        if !follows || !entries.iter().zip(entries.iter().skip(1)).all(is_after) {
            findings.add(Promise::ListingTruth, || running.says(scene, node, "is not in order"));
        }
        running.got.extend(entries.iter().cloned());
        if *is_last && let Some(running) = self.running.remove(&(node, reply.call)) {
            running.judge(scene, node, findings);
        }
    }

    /// The disk of some node has changed what it holds of `key`.
    pub fn changed(&mut self, key: &Key, is_found: bool) {
        for running in self.running.values_mut().filter(|running| concerns(&running.query, key)) {
            if is_found {
                running.seen.insert(key.clone());
            } else {
                running.held.remove(key);
            }
        }
    }

    /// The disk of `node` is not what it was.
    pub fn disk_changed(&mut self, scene: &Scene<'_>, node: NodeId) {
        let disk = scene.disk(node);
        for running in self.running.values_mut() {
            running.held.retain(|key| !scene.homes(key).contains(&node) || disk.read(key).is_found());
            let there = disk.keys().filter(|key| concerns(&running.query, key) && disk.read(key).is_found());
            running.seen.extend(there.cloned());
        }
    }

    /// `node` is gone, and what was asked of it.
    pub fn crashed(&mut self, node: NodeId) {
        self.running.retain(|(at, _), _| *at != node);
    }
}

impl Running {
    fn judge(&self, scene: &Scene<'_>, node: NodeId, findings: &mut Findings) {
        let got: BTreeSet<&[u8]> = self.got.iter().map(|entry| &entry.key[..]).collect();
        let name = |key: &Key| match &self.query {
            Query::Buckets { .. } => key.bucket().to_vec(),
            _ => key.key().to_vec(),
        };
        if let Some(missing) = self.held.iter().find(|key| !got.contains(&name(key)[..])) {
            findings.add(Promise::ListingTruth, || {
                self.says(scene, node, &format!("lacks {missing}, which all its homes held all the time"))
            });
        }
        let seen: BTreeSet<Vec<u8>> = self.seen.iter().map(name).collect();
        if let Some(strange) = got.iter().find(|got| !seen.contains(**got)) {
            let strange = strange.escape_ascii().to_string();
            findings.add(Promise::ListingTruth, || {
                self.says(scene, node, &format!("has {strange}, which no disk held"))
            });
        }
    }

    fn says(&self, scene: &Scene<'_>, node: NodeId, what: &str) -> String {
        let (from, to) = (seconds(self.began_ns), seconds(scene.at_ns));
        format!("{node} lists from {from} to {to} ({:?}), and what it gives {what}", self.query)
    }
}

fn concerns(query: &Query, key: &Key) -> bool {
    match query {
        Query::Buckets { bucket_type } => key.bucket_type() == &bucket_type[..],
        Query::Keys { bucket, .. } | Query::Index { bucket, .. } => Bucket::of(key) == *bucket,
    }
}
