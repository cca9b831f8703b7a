//! Who keeps what: the token space, its partitions, and their owners (the paper's sections 4.2, 4.3 and 6.2,
//! strategy 3: Q equal partitions, fixed when the cluster is created).

mod claim;
mod plan;
mod preference;
mod token;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub use claim::{Claimant, claim};
pub use plan::{Move, Moves, Shares};
pub use preference::PreferenceList;
pub use token::{Partition, Token};

use crate::id::NodeId;

/// Most nodes that a preference list names. A put that finds none of so many nodes gives up.
pub const PREFERENCE_LIST_MAX: usize = 32;

/// The owners of all partitions. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Ring(Arc<Table>);

#[derive(PartialEq, Eq)]
struct Table {
    members: Vec<NodeId>,
    owners: Vec<NodeId>,
    /// For each partition, the distinct owners met on the walk from it, at most [`PREFERENCE_LIST_MAX`].
    walks: Vec<Arc<[NodeId]>>,
}

/// Why there can be no such ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingError {
    /// The number of partitions must be a power of two within these bounds.
    Partitions {
        /// What was asked for.
        asked: u32,
    },
    /// A ring needs a member.
    NoMembers,
    /// A member is named twice.
    DuplicateMember(NodeId),
}

impl Ring {
    /// Fewest partitions.
    pub const PARTITIONS_MIN: u32 = 8;
    /// Most partitions.
    pub const PARTITIONS_MAX: u32 = 1 << 16;

    /// A ring of `partitions` partitions shared out among `members` so that any `n` consecutive ones sit on
    /// distinct nodes wherever that is possible. The order of `members` does not matter.
    pub fn new(members: &[NodeId], partitions: u32, n: u8) -> Result<Self, RingError> {
        if !partitions.is_power_of_two()
            || !(Self::PARTITIONS_MIN..=Self::PARTITIONS_MAX).contains(&partitions)
        {
            return Err(RingError::Partitions { asked: partitions });
        }
        let mut members = members.to_vec();
        members.sort_unstable();
        if let Some(pair) = members.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(RingError::DuplicateMember(pair[0]));
        }
        if members.is_empty() {
            return Err(RingError::NoMembers);
        }
        let claimants: Vec<Claimant> =
            members.iter().map(|&node| Claimant { node, weight: 1, zone: 0 }).collect();
        let owners = claim(&[], &claimants, partitions, n);
        let walks = (0..owners.len()).map(|from| preference::walk(&owners, from).into()).collect();
        Ok(Self(Arc::new(Table { members, owners, walks })))
    }

    /// All nodes of the ring, in order.
    pub fn members(&self) -> &[NodeId] {
        &self.0.members
    }

    /// How many partitions there are.
    pub fn partitions(&self) -> u32 {
        u32::try_from(self.0.owners.len()).unwrap_or(u32::MAX)
    }

    /// The partition that `token` falls into.
    pub fn partition(&self, token: Token) -> Partition {
        token.partition(self.partitions())
    }

    /// The node that `partition` is assigned to: the first of its preference list.
    pub fn owner(&self, partition: Partition) -> NodeId {
        self.0.owners[partition.index()]
    }

    /// The nodes to contact for `token`: `n` homes, then fallbacks.
    pub fn preference_list(&self, token: Token, n: u8) -> PreferenceList {
        self.partition_preference_list(self.partition(token), n)
    }

    /// The nodes to contact for any key of `partition`.
    pub fn partition_preference_list(&self, partition: Partition, n: u8) -> PreferenceList {
        PreferenceList::new(Arc::clone(&self.0.walks[partition.index()]), n)
    }

    /// Whether `node` is one of the `n` homes of `token`.
    pub fn is_home(&self, node: NodeId, token: Token, n: u8) -> bool {
        self.preference_list(token, n).homes().contains(&node)
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ring({} partitions on {:?})", self.partitions(), self.members())
    }
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partitions { asked } => write!(
                f,
                "{asked}; allowed: a power of two from {} to {}",
                Ring::PARTITIONS_MIN,
                Ring::PARTITIONS_MAX
            ),
            Self::NoMembers => write!(f, "a ring needs at least one member"),
            Self::DuplicateMember(node) => write!(f, "member {node} is named twice"),
        }
    }
}

impl core::error::Error for RingError {}
