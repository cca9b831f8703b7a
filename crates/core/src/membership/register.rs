//! A value that anybody may replace, and that all nodes come to agree on.

use crate::id::NodeId;

/// A last-writer-wins register whose order is a count, never a clock.
///
/// Of two values written at the same count, by nodes that had not heard of each other, the one of the node with the
/// higher name stays, everywhere; should even the node be the same (its disk was swapped), the greater value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register<T> {
    /// How often it was written, as its last writer knew.
    pub count: u64,
    /// Its last writer.
    pub by: NodeId,
    /// What it says.
    pub value: T,
}

impl<T: Clone + Ord> Register<T> {
    /// Writes `value`.
    ///
    /// Nobody writes often enough to come to the last count, but a peer may claim that it did. From there on writes are told apart
    /// by their writers and values alone: beginning again with a count of 0 would make this write older than all others.
    pub fn set(&mut self, by: NodeId, value: T) {
        *self = Self { count: self.count.saturating_add(1), by, value };
    }

    /// Joins what another node has: commutative, associative, idempotent.
    pub fn merge(&mut self, other: &Self) {
        if *other > *self {
            self.clone_from(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn register((count, by, value): (u8, u8, u8)) -> Register<u8> {
        Register { count: (count % 3).into(), by: NodeId((by % 3).into()), value }
    }

    #[test]
    fn after_the_last_count_there_is_no_first_one() {
        let last = Register { count: u64::MAX, by: NodeId(1), value: 1 };
        let mut after = last.clone();
        after.set(NodeId(2), 0);
        assert!(after > last, "{after:?}");
    }

    quickcheck! {
        fn merging_is_a_semilattice(a: (u8, u8, u8), b: (u8, u8, u8), c: (u8, u8, u8)) -> bool {
            let merged = |a: &Register<u8>, b: &Register<u8>| {
                let mut merged = a.clone();
                merged.merge(b);
                merged
            };
            let (a, b, c) = (register(a), register(b), register(c));
            merged(&a, &b) == merged(&b, &a)
                && merged(&merged(&a, &b), &c) == merged(&a, &merged(&b, &c))
                && merged(&a, &a) == a
        }

        fn a_write_beats_all_that_its_writer_knew(a: (u8, u8, u8), by: u8, value: u8) -> bool {
            let before = register(a);
            let mut after = before.clone();
            after.set(NodeId(by.into()), value);
            let mut merged = before;
            merged.merge(&after);
            merged == after
        }
    }
}
