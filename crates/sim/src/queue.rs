//! What happens next: a heap ordered by time, then by the order in which things were scheduled.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use slab::Slab;

/// Future events of type `E`. The heap orders small entries; the events themselves stay where they were put.
#[derive(Debug)]
pub struct Queue<E> {
    heap: BinaryHeap<Reverse<Entry>>,
    events: Slab<E>,
    seq: u64,
}

/// When, as which one (unique), and where the event is: 64, 40 and 24 bits, so that two entries are told apart in one
/// comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(u128);

impl Entry {
    const SLOT_BITS: u32 = 24;
    const SEQ_BITS: u32 = 40;

    fn new(at: u64, seq: u64, slot: usize) -> Self {
        assert!(seq < 1 << Self::SEQ_BITS, "no run has so many events");
        assert!(slot < 1 << Self::SLOT_BITS, "no run has so many events before it");
        Self(u128::from(at) << 64 | u128::from(seq << Self::SLOT_BITS | slot as u64))
    }

    fn at(self) -> u64 {
        (self.0 >> 64) as u64
    }

    fn slot(self) -> usize {
        self.0 as usize & ((1 << Self::SLOT_BITS) - 1)
    }
}

impl<E> Queue<E> {
    /// Nothing happens.
    pub fn new() -> Self {
        Self { heap: BinaryHeap::new(), events: Slab::new(), seq: 0 }
    }

    /// `event` happens at `at` nanoseconds, after everything scheduled earlier for the same time.
    pub fn push(&mut self, at: u64, event: E) {
        self.seq += 1;
        let slot = self.events.insert(event);
        self.heap.push(Reverse(Entry::new(at, self.seq, slot)));
    }

    /// Everything that is to happen, in no order, with its time.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &E)> {
        self.heap.iter().map(|Reverse(entry)| (entry.at(), &self.events[entry.slot()]))
    }

    /// Whether nothing is to happen any more.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The next event and its time.
    pub fn pop(&mut self) -> Option<(u64, E)> {
        let Reverse(entry) = self.heap.pop()?;
        Some((entry.at(), self.events.remove(entry.slot())))
    }
}
