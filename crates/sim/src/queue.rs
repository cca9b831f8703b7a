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

/// Ordered by time, then by `seq`, which is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: u64,
    seq: u64,
    slot: usize,
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
        self.heap.push(Reverse(Entry { at, seq: self.seq, slot }));
    }

    /// Everything that is to happen, in no order, with its time.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &E)> {
        self.heap.iter().map(|Reverse(entry)| (entry.at, &self.events[entry.slot]))
    }

    /// Whether nothing is to happen any more.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The next event and its time.
    pub fn pop(&mut self) -> Option<(u64, E)> {
        let Reverse(Entry { at, slot, .. }) = self.heap.pop()?;
        Some((at, self.events.remove(slot)))
    }
}
