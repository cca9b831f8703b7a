//! What all nodes come to agree on: who the members are, who owns what, and what operators prepare.
//!
//! A [`Cluster`] is a semilattice: two copies are joined by [`Cluster::merge`], in any order, and every node that has
//! heard the same holds the same. Nothing here looks at a clock. The steps of a change of owners
//! ([`ring::transition`](crate::ring::Phase)) are a function of the state, so that any node takes them, and all take
//! the same.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use super::member::{Contact, Member, MemberStatus, Share};
use super::members::Members;
use super::metadata::Metadata;
use super::plan::Change;
use super::props::{Bucket, Props};
use super::register::Register;
use super::types::BucketType;
use crate::flaw::Flaw;
use crate::hash::Hash128;
use crate::id::NodeId;
use crate::ring::{Claimant, Partition, Phase, Ring, RingVersion, claim_with};

/// The state that gossip spreads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Everybody who ever was a member or wants to be one.
    pub members: Members,
    /// Who owns what.
    pub ring: Ring,
    /// Changes that an operator has prepared and not yet committed.
    pub staged: Register<BTreeMap<NodeId, Change>>,
    /// Rises when tombstones are about to be reaped. A node accepts no replica write that was sent behind a lower fence
    /// than its own, so that whatever was under way when all agreed on a tombstone arrives nowhere once all are behind
    /// the next fence, however long it was under way.
    pub fence: u64,
    /// N, which every member must agree on.
    pub n: u8,
    /// The ring that the founders began with, by its fingerprint: clusters that were founded apart stay apart.
    /// `None` in a newcomer that has heard nobody yet.
    pub founding: Option<u64>,
    /// What operators have set for buckets.
    pub props: BTreeMap<Bucket, Register<Props>>,
    /// Bucket types that operators have created.
    pub types: BTreeMap<Vec<u8>, BucketType>,
    /// What drivers have all nodes keep.
    pub metadata: Metadata,
}

/// What every state has is hashed as it always was: nodes tell by the names of their states whether they know the same.
impl Hash for Cluster {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { members, ring, staged, fence, n, founding, props, types, metadata } = self;
        (members, ring, staged, fence, n, founding, props).hash(state);
        if !types.is_empty() {
            (u64::MAX, types).hash(state);
        }
        if !metadata.is_empty() {
            (u64::MAX - 1, metadata).hash(state);
        }
    }
}

/// Names a state: xxh3-128 of its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterDigest(pub u128);

impl Cluster {
    /// The state in which a cluster begins: every founder is a member.
    pub fn founded(founders: &[NodeId], ring: Ring, n: u8, shares: &BTreeMap<NodeId, Share>) -> Self {
        let member = |node: &NodeId| {
            let share = shares.get(node).cloned().unwrap_or_default();
            let share = Register { count: 0, by: NodeId(0), value: share };
            (*node, Member { status: MemberStatus::Member, share, ..Member::default() })
        };
        let members = founders.iter().map(member).collect();
        let founding = Some(ring.version().fingerprint);
        let (staged, props, types) = (Register::default(), BTreeMap::new(), BTreeMap::new());
        Self { members, ring, staged, fence: 0, n, founding, props, types, metadata: Metadata::new() }
    }

    /// What a newcomer knows before it has heard anybody: nothing but the shape that all rings of the cluster have.
    pub fn unheard(ring: &Ring, n: u8) -> Self {
        Self {
            members: Members::default(),
            ring: ring.unheard(),
            staged: Register::default(),
            fence: 0,
            n,
            founding: None,
            props: BTreeMap::new(),
            types: BTreeMap::new(),
            metadata: Metadata::new(),
        }
    }

    /// Whether `other` can be joined to this: clusters differ by how they were founded, and by what is fixed then.
    pub fn is_same_cluster(&self, other: &Self) -> bool {
        let same_founders =
            self.founding.is_none() || other.founding.is_none() || self.founding == other.founding;
        same_founders && self.n == other.n && self.ring.partitions() == other.ring.partitions()
    }

    /// What it is called.
    pub fn digest(&self) -> ClusterDigest {
        let mut hasher = Content::default();
        self.hash(&mut hasher);
        ClusterDigest(hasher.digest())
    }

    /// Joins what another node knows, and takes the steps that follow.
    pub fn merge(&mut self, other: &Self) {
        self.members.merge(&other.members);
        self.staged.merge(&other.staged);
        self.merge_props(other);
        self.merge_types(other);
        self.merge_metadata(other);
        self.founding = self.founding.or(other.founding);
        self.fence = self.fence.max(other.fence);
        if other.ring.version() > self.ring.version() {
            self.ring = other.ring.clone();
        }
        self.take_steps();
    }

    /// How `node` stands; `None` for a stranger.
    pub fn status(&self, node: NodeId) -> Option<MemberStatus> {
        self.members.get(&node).map(|member| member.status)
    }

    /// Those that have not gone for ever, in order.
    pub fn there(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.members.iter().filter(|(_, member)| !member.status.is_gone()).map(|(node, _)| *node)
    }

    /// Those that are heard and asked, in order.
    pub fn active(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.members.iter().filter(|(_, member)| member.status.is_active()).map(|(node, _)| *node)
    }

    /// Those that partitions are shared out to, in order.
    pub fn claimants(&self) -> impl Iterator<Item = NodeId> + '_ {
        let kept = self.members.iter().filter(|(_, member)| member.status == MemberStatus::Member);
        kept.map(|(node, _)| *node)
    }

    /// Whether every active member has kept `version`, or a later state, and finished what it had begun earlier.
    pub fn all_have_seen(&self, version: RingVersion) -> bool {
        let active = self.members.values().filter(|member| member.status.is_active());
        active.into_iter().all(|member| member.progress.seen >= version)
    }

    /// The partitions that `node` has still to fetch, each with the nodes it has to fetch it from.
    pub fn to_receive(&self, node: NodeId) -> Vec<(Partition, Vec<NodeId>)> {
        let received = self.members.get(&node).map(|member| &member.progress);
        let has = |partition: &Partition| {
            received.is_some_and(|progress| {
                progress.seen == self.ring.version() && progress.received.contains(partition)
            })
        };
        let mut open = Vec::new();
        for partition in (0..self.ring.partitions()).map(Partition) {
            let (gaining, old) = self.ring.transfer(partition, self.n);
            if gaining.contains(&node) && !has(&partition) {
                let alive = |home: &NodeId| self.status(*home).is_some_and(|status| !status.is_gone());
                open.push((partition, old.into_iter().filter(alive).collect()));
            }
        }
        open
    }

    /// Transfers of the present change: all, and those done.
    pub fn transfers(&self) -> (usize, usize) {
        let (mut all, mut done) = (0, 0);
        for partition in (0..self.ring.partitions()).map(Partition) {
            for node in self.ring.transfer(partition, self.n).0 {
                all += 1;
                done += usize::from(self.has_received(node, partition));
            }
        }
        (all, done)
    }

    fn has_received(&self, node: NodeId, partition: Partition) -> bool {
        self.members.get(&node).is_some_and(|member| {
            member.progress.seen == self.ring.version() && member.progress.received.contains(&partition)
        })
    }

    /// Takes every step that this state allows. A function of the state: who takes it does not matter.
    pub(super) fn take_steps(&mut self) {
        // A step leads to a state that nobody has seen, so another one cannot follow at once; except that nothing
        // may have to move. Two commits' worth of steps is a generous bound.
        for _ in 0..8 {
            let Some(next) = self.step() else { return };
            self.ring = next;
        }
    }

    fn step(&self) -> Option<Ring> {
        let gone = |owner: &NodeId| self.status(*owner).is_some_and(MemberStatus::is_gone);
        let all_have_seen = || self.all_have_seen(self.ring.version());
        match self.ring.phase() {
            // A change that is under way is finished first, even one to homes that have gone: others may have taken its
            // next step already, and would read where nobody writes any more.
            None if self.members.has_gone()
                && self.ring.owners().iter().any(gone)
                && self.claimants().next().is_some() =>
            {
                Some(self.ring.moving_to(self.claimed_from(self.ring.owners(), None)))
            }
            Some(Phase::Copying) if all_have_seen() && self.everything_is_received() => {
                Some(self.ring.advanced())
            }
            Some(Phase::Switching) if all_have_seen() => Some(self.ring.advanced()),
            _ => None,
        }
    }

    fn everything_is_received(&self) -> bool {
        (0..self.ring.partitions()).map(Partition).all(|partition| {
            let (gaining, _) = self.ring.transfer(partition, self.n);
            gaining.into_iter().all(|node| {
                self.has_received(node, partition) || self.status(node).is_none_or(MemberStatus::is_gone)
            })
        })
    }

    /// The owners that the members' present shares ask for, with as few moves away from `before` as it takes.
    pub(super) fn claimed_from(&self, before: &[NodeId], flaw: Option<Flaw>) -> Vec<NodeId> {
        let kept = self.members.iter().filter(|(_, member)| member.status == MemberStatus::Member);
        let claimants: Vec<Claimant> =
            kept.map(|(node, member)| member.share.value.claimant(*node)).collect();
        claim_with(before, &claimants, self.ring.partitions(), self.n, flaw)
    }

    /// Writes how `node` is reached, if that has changed.
    pub fn set_contact(&mut self, node: NodeId, contact: &Contact) {
        self.members.update(node, |member| {
            if member.contact.value != *contact {
                member.contact.set(node, contact.clone());
            }
        });
    }
}

/// Feeds what is hashed to xxh3, as little-endian words, so that a digest is the same on every platform.
#[derive(Default)]
pub(super) struct Content(Hash128);

impl Content {
    /// Of all that was fed.
    pub fn digest(&self) -> u128 {
        self.0.value()
    }
}

impl Hasher for Content {
    fn finish(&self) -> u64 {
        self.0.value() as u64
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.add(bytes);
    }

    fn write_u16(&mut self, value: u16) {
        self.write(&value.to_le_bytes());
    }

    fn write_u32(&mut self, value: u32) {
        self.write(&value.to_le_bytes());
    }

    fn write_u64(&mut self, value: u64) {
        self.write(&value.to_le_bytes());
    }

    fn write_u128(&mut self, value: u128) {
        self.write(&value.to_le_bytes());
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }
}
