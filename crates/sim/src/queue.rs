//! What happens next: a heap ordered by time, then by the order in which things were scheduled.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Future events of type `E`.
#[derive(Debug)]
pub struct Queue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    seq: u64,
}

#[derive(Debug)]
struct Entry<E> {
    at: u64,
    seq: u64,
    event: E,
}

impl<E> Queue<E> {
    /// Nothing happens.
    pub fn new() -> Self {
        Self { heap: BinaryHeap::new(), seq: 0 }
    }

    /// `event` happens at `at` nanoseconds, after everything scheduled earlier for the same time.
    pub fn push(&mut self, at: u64, event: E) {
        self.seq += 1;
        self.heap.push(Reverse(Entry { at, seq: self.seq, event }));
    }

    /// Everything that is to happen, in no order, with its time.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &E)> {
        self.heap.iter().map(|Reverse(entry)| (entry.at, &entry.event))
    }

    /// Whether nothing is to happen any more.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The next event and its time.
    pub fn pop(&mut self) -> Option<(u64, E)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.seq).cmp(&(other.at, other.seq))
    }
}
