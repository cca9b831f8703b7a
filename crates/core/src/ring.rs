//! Who keeps what: the token space, its partitions, and their owners (the paper's sections 4.2, 4.3 and 6.2,
//! strategy 3: Q equal partitions, fixed when the cluster is created).

mod claim;
mod layout;
mod plan;
mod preference;
mod token;
mod transition;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub(crate) use claim::claim_with;
pub use claim::{Claimant, claim};
pub use plan::{Move, Moves, Shares};
pub use preference::PreferenceList;
pub use token::{Partition, Token};
pub use transition::{Phase, Placement, RingEpoch, RingVersion};

use self::layout::Layout;
use crate::id::NodeId;

/// Most nodes that a preference list names. A put that finds none of so many nodes gives up.
pub const PREFERENCE_LIST_MAX: usize = 32;

/// The owners of all partitions in one [`RingEpoch`], and who owns them next while ownership moves. Cheap to clone.
#[derive(Clone)]
pub struct Ring(Arc<Table>);

struct Table {
    version: RingVersion,
    members: Vec<NodeId>,
    now: Layout,
    next: Option<(Phase, Layout)>,
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
        Ok(Self::founded(&claimants, partitions, n))
    }

    /// The ring that a cluster begins with. Panics where [`Ring::new`] refuses.
    pub fn founded(claimants: &[Claimant], partitions: u32, n: u8) -> Self {
        Self::settled(RingEpoch::FIRST, Layout::new(claim(&[], claimants, partitions, n)))
    }

    /// All nodes that own a partition, or will, in order.
    pub fn members(&self) -> &[NodeId] {
        &self.0.members
    }

    /// How many partitions there are.
    pub fn partitions(&self) -> u32 {
        u32::try_from(self.0.now.owners().len()).unwrap_or(u32::MAX)
    }

    /// The partition that `token` falls into.
    pub fn partition(&self, token: Token) -> Partition {
        token.partition(self.partitions())
    }

    /// The owner of each partition, in order: the first of its preference list.
    pub fn owners(&self) -> &[NodeId] {
        self.0.now.owners()
    }

    /// The node that `partition` is assigned to.
    pub fn owner(&self, partition: Partition) -> NodeId {
        self.owners()[partition.index()]
    }

    /// The nodes to *read* `token` from: `n` homes, then fallbacks. Never a newcomer that may lack something.
    pub fn preference_list(&self, token: Token, n: u8) -> PreferenceList {
        self.partition_preference_list(self.partition(token), n)
    }

    /// The nodes to read any key of `partition` from.
    pub fn partition_preference_list(&self, partition: Partition, n: u8) -> PreferenceList {
        self.read_layout().preference_list(partition, n)
    }

    /// Whether `node` keeps `token`: one of its homes, now or next.
    pub fn is_home(&self, node: NodeId, token: Token, n: u8) -> bool {
        self.is_home_of(node, self.partition(token), n)
    }

    /// Whether `node` keeps `partition`: one of its homes, now or next.
    pub fn is_home_of(&self, node: NodeId, partition: Partition, n: u8) -> bool {
        let is_home = |layout: &Layout| layout.preference_list(partition, n).homes().contains(&node);
        is_home(&self.0.now) || self.0.next.as_ref().is_some_and(|(_, next)| is_home(next))
    }
}

impl PartialEq for Ring {
    fn eq(&self, other: &Self) -> bool {
        self.0.version == other.0.version
    }
}

impl Eq for Ring {}

/// A version names its content.
impl core::hash::Hash for Ring {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.version.hash(state);
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ring({} of {} partitions on {:?})", self.0.version, self.partitions(), self.members())
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
