//! Quorum arithmetic: R, W and N count **distinct nodes that replied**, never messages, guesses or errors.

use alloc::vec::Vec;

use crate::boundary::{Invalid, Quorum};
use crate::id::NodeId;

impl Quorum {
    /// How many nodes this means among `n`; `default` stands in for [`Quorum::Default`].
    pub fn resolve(self, default: Self, n: u8) -> Result<u8, Invalid> {
        let count = match if self == Self::Default { default } else { self } {
            Self::One => 1,
            Self::Default | Self::Majority => n / 2 + 1,
            Self::All => n,
            Self::Count(count) => count,
        };
        if (1..=n).contains(&count) { Ok(count) } else { Err(Invalid::Quorum { asked: count, n }) }
    }
}

/// Counts the answers to one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    needed: u8,
    by: Vec<NodeId>,
}

impl Tally {
    /// Nobody has answered yet; `needed` distinct nodes must.
    pub fn new(needed: u8) -> Self {
        Self { needed, by: Vec::with_capacity(usize::from(needed)) }
    }

    /// `node` answered without error. Answering twice is answering once.
    pub fn vote(&mut self, node: NodeId) {
        if !self.by.contains(&node) {
            self.by.push(node);
        }
    }

    /// Whether enough have answered.
    pub fn is_met(&self) -> bool {
        self.got() >= self.needed
    }

    /// How many distinct nodes must answer.
    pub fn needed(&self) -> u8 {
        self.needed
    }

    /// How many distinct nodes have answered.
    pub fn got(&self) -> u8 {
        u8::try_from(self.by.len()).unwrap_or(u8::MAX)
    }

    /// Who has answered, in order.
    pub fn by(&self) -> &[NodeId] {
        &self.by
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    quickcheck! {
        fn a_tally_counts_distinct_nodes(votes: Vec<u8>, needed: u8) -> bool {
            let mut tally = Tally::new(needed);
            for &vote in &votes {
                tally.vote(NodeId(u64::from(vote)));
            }
            let mut distinct = votes;
            distinct.sort_unstable();
            distinct.dedup();
            tally.is_met() == (distinct.len() >= usize::from(needed)) && usize::from(tally.got()) == distinct.len().min(255)
        }

        fn two_majorities_share_a_node(n: u8) -> bool {
            n == 0 || 2 * u16::from(Quorum::Majority.resolve(Quorum::One, n).unwrap()) > u16::from(n)
        }

        fn a_resolved_quorum_can_be_met(count: u8, n: u8) -> bool {
            match Quorum::Count(count).resolve(Quorum::One, n) {
                Ok(needed) => (1..=n).contains(&needed) && needed == count,
                Err(Invalid::Quorum { asked, n: within }) => asked == count && within == n && !(1..=n).contains(&count),
                Err(Invalid::Replicas { .. }) => false,
            }
        }
    }

    #[test]
    fn symbolic_quorums() {
        assert_eq!(Quorum::One.resolve(Quorum::All, 3), Ok(1));
        assert_eq!(Quorum::Majority.resolve(Quorum::All, 3), Ok(2));
        assert_eq!(Quorum::All.resolve(Quorum::One, 3), Ok(3));
        assert_eq!(Quorum::Default.resolve(Quorum::All, 3), Ok(3));
        assert_eq!(Quorum::Default.resolve(Quorum::Default, 5), Ok(3));
    }
}
