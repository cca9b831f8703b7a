//! What the cluster knows of one member.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::fmt;

use super::register::Register;
use crate::id::{NodeId, StoreId};
use crate::ring::{Claimant, Partition, RingVersion};

/// One member, as gossip tells of it. Every part only ever grows, so that copies can be joined in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Member {
    /// How far it has come in its life as a member.
    pub status: MemberStatus,
    /// How it is reached; written by the member itself.
    pub contact: Register<Contact>,
    /// What it is to keep; written by operators.
    pub share: Register<Share>,
    /// How far it has come in the present change of owners; written by the member itself.
    pub progress: Progress,
    /// The latest boot of each store that it has run on.
    pub boots: BTreeMap<StoreId, LastBoot>,
    /// Whether its disk was lost, and it does not hold again all that it should; written by the member itself.
    pub lost: Register<bool>,
}

/// A member's life. It goes forward only: an identity that has gone never returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberStatus {
    /// It has made itself known, and waits for an operator to let it in.
    #[default]
    Joining,
    /// It keeps its share.
    Member,
    /// It gives its share away.
    Leaving,
    /// It has left, owing nothing.
    Left,
    /// An operator has declared it dead.
    Removed,
}

impl MemberStatus {
    /// Whether it is heard and asked.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Member | Self::Leaving)
    }

    /// Whether it is never heard again.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Left | Self::Removed)
    }
}

impl fmt::Display for MemberStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Joining => "joining",
            Self::Member => "member",
            Self::Leaving => "leaving",
            Self::Left => "left",
            Self::Removed => "removed",
        })
    }
}

/// How a member is reached. The core passes it on and does not look into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact {
    /// Its name among operators.
    pub name: String,
    /// Where it listens to peers, in the driver's words.
    pub address: String,
}

/// How much a member keeps, and with whom it fails together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share {
    /// Its part, relative to the others' weights.
    pub weight: u16,
    /// Nodes of one zone fail together, so replicas are spread over zones. Empty: no zone in particular.
    pub zone: String,
}

impl Share {
    /// What `node` is given when partitions are shared out.
    pub fn claimant(&self, node: NodeId) -> Claimant {
        let zone = if self.zone.is_empty() { 0 } else { xxhash_rust::xxh3::xxh3_64(self.zone.as_bytes()) };
        Claimant { node, weight: self.weight, zone }
    }
}

impl Default for Share {
    fn default() -> Self {
        Self { weight: 1, zone: String::new() }
    }
}

/// How far a member has come in one state of the ring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// The state of the ring that it has kept on its disk, having finished what it had begun in earlier ones.
    pub seen: RingVersion,
    /// The partitions it was to fetch in that state, and has.
    pub received: BTreeSet<Partition>,
}

impl Progress {
    fn covers(&self, other: &Self) -> bool {
        self.seen > other.seen || (self.seen == other.seen && other.received.is_subset(&self.received))
    }

    fn merge(&mut self, other: &Self) {
        match self.seen.cmp(&other.seen) {
            core::cmp::Ordering::Less => self.clone_from(other),
            core::cmp::Ordering::Equal => self.received.extend(&other.received),
            core::cmp::Ordering::Greater => {}
        }
    }
}

/// The latest boot of a store that anybody has seen. A store that starts below it is an old copy, and so is one that
/// starts as a boot of this number when another one was seen already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LastBoot {
    /// Counted from 1 by the store.
    pub number: u64,
    /// What the boots of this number drew to be told apart: one, unless the store was copied.
    pub lives: BTreeSet<u64>,
}

impl LastBoot {
    /// The only boot of its number.
    pub fn new(number: u64, life: u64) -> Self {
        Self { number, lives: [life].into() }
    }

    /// Whether this is what `own` is, and no other.
    pub fn is(&self, own: &Self) -> bool {
        self.number == own.number && own.lives.is_subset(&self.lives)
    }

    /// Whether there was a boot that `own`, of the same store, does not know of and should.
    pub fn outdates(&self, own: &Self) -> bool {
        self.number > own.number || (self.number == own.number && !self.lives.is_subset(&own.lives))
    }

    fn covers(&self, other: &Self) -> bool {
        self.number > other.number || (self.number == other.number && other.lives.is_subset(&self.lives))
    }

    /// Joins what another node has seen.
    pub fn merge(&mut self, other: &Self) {
        match self.number.cmp(&other.number) {
            core::cmp::Ordering::Less => self.clone_from(other),
            core::cmp::Ordering::Equal => self.lives.extend(&other.lives),
            core::cmp::Ordering::Greater => {}
        }
    }
}

impl Member {
    /// Whether it says all that `other` says: joining that would change nothing.
    pub fn covers(&self, other: &Self) -> bool {
        let covers_boot =
            |(store, boot): (&StoreId, &LastBoot)| self.boots.get(store).is_some_and(|own| own.covers(boot));
        self.status >= other.status
            && self.contact >= other.contact
            && self.share >= other.share
            && self.progress.covers(&other.progress)
            && self.lost >= other.lost
            && other.boots.iter().all(covers_boot)
    }

    /// Joins what another node knows of the same member.
    pub fn merge(&mut self, other: &Self) {
        self.status = self.status.max(other.status);
        self.contact.merge(&other.contact);
        self.share.merge(&other.share);
        self.progress.merge(&other.progress);
        self.lost.merge(&other.lost);
        for (store, boot) in &other.boots {
            self.boots.entry(*store).or_default().merge(boot);
        }
    }
}
