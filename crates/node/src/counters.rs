//! What happened on this node since it started, for operators and tests.

use std::sync::atomic::{AtomicU64, Ordering};

use cartwheel_core::Event;
use serde::Serialize;

/// Events counted. Since this start: nothing here survives a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// Storage operations that failed.
    pub storage_failures: u64,
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
            Event::Alive { .. } | Event::BackgroundThrottled { .. } | Event::BackgroundRecovered => return,
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
