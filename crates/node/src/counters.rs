//! What happened on this node since it started, for operators and tests.

use std::sync::atomic::{AtomicU64, Ordering};

use cartwheel_core::Event;
use serde::{Deserialize, Serialize};

/// Events counted. Since this start: nothing here survives a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Writes that met their quorum with stand-ins.
    pub sloppy_writes: u64,
    /// Hints stored.
    pub hints_stored: u64,
    /// Hints not kept, because as much was kept for that node as may be; anti-entropy owes it the keys.
    pub hints_refused: u64,
    /// Hints delivered home and deleted.
    pub hints_delivered: u64,
    /// Reads that found concurrent versions.
    pub sibling_reads: u64,
    /// Replicas that a read found behind.
    pub read_repairs: u64,
    /// Keys that two homes held differently.
    pub anti_entropy_repairs: u64,
    /// Puts passed on to a coordinator.
    pub forwards: u64,
    /// Requests answered from memory.
    pub requests_repeated: u64,
    /// Times a peer was suspected.
    pub suspicions: u64,
    /// Times a suspected peer was heard again.
    pub revivals: u64,
    /// Storage operations that failed.
    pub storage_failures: u64,
    /// Hints passed on to the homes that their keys have now.
    pub hints_redirected: u64,
    /// Changes of how a member stands.
    pub member_changes: u64,
    /// States of the ring that came into force here.
    pub ring_changes: u64,
    /// Those of them that took the place of another commit.
    pub rings_superseded: u64,
    /// Partitions fetched as a new home of them.
    pub partitions_received: u64,
    /// Partitions fetched again after the disk was lost.
    pub partitions_recovered: u64,
    /// Records given to their homes and dropped here.
    pub records_handed_over: u64,
    /// Messages of nodes of a cluster that was founded otherwise.
    pub foreign_states: u64,
    /// Tombstones reaped.
    pub tombstones_reaped: u64,
    /// Records that failed their checksums.
    pub records_damaged: u64,
    /// Such records made anew of what the other homes hold.
    pub records_mended: u64,
    /// Times that background work was held back because the foreground suffered.
    pub background_throttles: u64,
    /// Times that it went at its full rate again.
    pub background_recoveries: u64,
    /// Times that a bucket was heard to let clocks decide, which loses acknowledged writes.
    pub last_write_wins_buckets: u64,
}

impl Counters {
    /// Counts one event.
    pub(crate) fn count(&mut self, event: &Event) {
        let counter = match event {
            Event::SloppyWrite { .. } => &mut self.sloppy_writes,
            Event::HintStored { .. } => &mut self.hints_stored,
            Event::HintRefused { .. } => &mut self.hints_refused,
            Event::HintDelivered { .. } => &mut self.hints_delivered,
            Event::SiblingsRead { .. } => &mut self.sibling_reads,
            Event::ReadRepair { .. } => &mut self.read_repairs,
            Event::AntiEntropyRepair { .. } => &mut self.anti_entropy_repairs,
            Event::Forwarded { .. } => &mut self.forwards,
            Event::RequestRepeated { .. } => &mut self.requests_repeated,
            Event::Suspected { .. } => &mut self.suspicions,
            Event::StorageFailed => &mut self.storage_failures,
            Event::Alive { .. } => &mut self.revivals,
            Event::HintRedirected { .. } => &mut self.hints_redirected,
            Event::MemberChanged { .. } => &mut self.member_changes,
            Event::RingChanged { .. } => &mut self.ring_changes,
            Event::RingSuperseded { .. } => &mut self.rings_superseded,
            Event::PartitionReceived { .. } => &mut self.partitions_received,
            Event::PartitionRecovered { .. } => &mut self.partitions_recovered,
            Event::HandedOver { .. } => &mut self.records_handed_over,
            Event::Foreign { .. } => &mut self.foreign_states,
            Event::Reaped { .. } => &mut self.tombstones_reaped,
            Event::RecordDamaged { .. } => &mut self.records_damaged,
            Event::RecordMended { .. } => &mut self.records_mended,
            Event::BackgroundThrottled { .. } => &mut self.background_throttles,
            Event::BackgroundRecovered => &mut self.background_recoveries,
            Event::LastWriteWins { .. } => &mut self.last_write_wins_buckets,
            // Not worth a counter: operators do it, and the log says so.
            Event::MetadataChanged => return,
        };
        *counter += 1;
    }
}

/// A count that many tasks raise.
#[derive(Debug, Default)]
pub(crate) struct Shared(AtomicU64);

impl Shared {
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
