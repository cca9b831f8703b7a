//! Changes of membership: staged one by one, shown as a plan, committed together. Pure.
//!
//! Nothing moves before the commit, so that two joins and a leave move data once. Staging is gossiped: any node shows
//! the plan, any node commits it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::cluster::Cluster;
use super::member::{MemberStatus, Share};
use super::metadata::MetadataError;
use super::props::PropsError;
use super::types::TypeError;
use crate::flaw::Flaw;
use crate::id::NodeId;
use crate::ring::Moves;

/// One prepared change, of one node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// A node that has made itself known becomes a member.
    Join(Share),
    /// A member keeps another share from now on.
    Reshare(Share),
    /// A member gives its share away and leaves.
    Leave,
    /// A newcomer takes over exactly what a member keeps.
    Replace {
        /// The newcomer.
        with: NodeId,
        /// What becomes of the member.
        departure: Departure,
    },
    /// A member is dead: it is not waited for, and never returns.
    Remove,
}

impl Change {
    /// Whether it declares a member dead. That cannot wait: whatever is under way may wait for that member.
    fn is_forced(&self) -> bool {
        matches!(self, Self::Remove | Self::Replace { departure: Departure::Dead, .. })
    }
}

/// How a replaced member goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Departure {
    /// It runs, and hands over what it has.
    Alive,
    /// It is dead; what it had is fetched from the other homes.
    Dead,
}

/// What a commit would do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The changes, by node.
    pub changes: BTreeMap<NodeId, Change>,
    /// The owners before.
    pub before: Vec<NodeId>,
    /// The owners after.
    pub after: Vec<NodeId>,
}

/// Why an operator's change cannot be staged, planned, committed or set. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanError {
    /// Nobody of that name has made itself known.
    UnknownNode(NodeId),
    /// The change does not fit how the node stands.
    Status {
        /// The node.
        node: NodeId,
        /// How it stands.
        status: MemberStatus,
        /// How it would have to stand.
        needed: &'static str,
    },
    /// A weight of zero.
    Weight,
    /// So few members cannot keep N copies.
    TooFewMembers {
        /// How many would be left.
        left: usize,
        /// N.
        n: u8,
    },
    /// Nothing is staged, and the ring is as the members' shares have it.
    NothingToDo,
    /// Ownership moves; when that is over another change can begin. (A dead member can be removed or replaced at any
    /// time.)
    Moving,
    /// What is staged is not what the operator was shown.
    Changed,
    /// Properties of a bucket that make no sense, or are too many.
    Props(PropsError),
    /// It was committed, and this node's disk could not keep it: if the node stops before the others have heard of it,
    /// it is as if it had never been.
    NotKept,
    /// This node is no member (yet, or any more), or does not know the cluster's state (yet).
    NotAMember,
    /// What cannot become of a bucket type.
    Type(TypeError),
    /// More than a cluster keeps for its nodes.
    Metadata(MetadataError),
}

impl Cluster {
    /// Adds a change to those that are staged; a later one of the same node replaces the earlier one.
    pub fn stage(&mut self, by: NodeId, node: NodeId, change: Change) -> Result<(), PlanError> {
        self.check(node, &change)?;
        let mut changes = self.staged.value.clone();
        changes.insert(node, change);
        self.staged.set(by, changes);
        Ok(())
    }

    /// Forgets what is staged.
    pub fn clear(&mut self, by: NodeId) {
        if !self.staged.value.is_empty() {
            self.staged.set(by, BTreeMap::new());
        }
    }

    /// What committing now would do.
    pub fn plan(&self) -> Result<Plan, PlanError> {
        Ok(self.changed(None)?.1)
    }

    /// Makes what is staged so: a new epoch begins, in which ownership moves. What has to wait until a change that is
    /// under way is over stays staged. `shown`: the plan that the operator was shown, without which any will do. `flaw`: a
    /// museum piece.
    pub fn commit(
        &mut self,
        by: NodeId,
        shown: Option<&Plan>,
        flaw: Option<Flaw>,
    ) -> Result<Plan, PlanError> {
        let (mut changed, plan) = self.changed(flaw)?;
        if shown.is_some_and(|shown| *shown != plan) {
            return Err(PlanError::Changed);
        }
        let mut left = self.staged.value.clone();
        left.retain(|node, _| !plan.changes.contains_key(node));
        changed.staged.set(by, left);
        *self = changed;
        Ok(plan)
    }

    fn check(&self, node: NodeId, change: &Change) -> Result<(), PlanError> {
        match change {
            Change::Join(share) => {
                self.must_be(node, |status| status == MemberStatus::Joining, "joining")?;
                check_share(share)
            }
            Change::Reshare(share) => {
                self.must_be(node, |status| status == MemberStatus::Member, "a member")?;
                check_share(share)
            }
            Change::Leave => self.must_be(node, |status| status == MemberStatus::Member, "a member"),
            Change::Remove => self.must_be(node, |status| !status.is_gone(), "there still"),
            Change::Replace { with, .. } => {
                self.must_be(node, MemberStatus::is_active, "a member, or leaving")?;
                self.must_be(*with, |status| status == MemberStatus::Joining, "joining")
            }
        }
    }

    fn must_be(
        &self,
        node: NodeId,
        fits: impl Fn(MemberStatus) -> bool,
        needed: &'static str,
    ) -> Result<(), PlanError> {
        match self.status(node) {
            None => Err(PlanError::UnknownNode(node)),
            Some(status) if fits(status) => Ok(()),
            Some(status) => Err(PlanError::Status { node, status, needed }),
        }
    }

    /// This state with the staged changes made, and what they are. While ownership moves, only what is forced is taken
    /// (and newcomers with it, without whom too few might be left), and it changes members only: their partitions move
    /// when that is over (see `step`).
    fn changed(&self, flaw: Option<Flaw>) -> Result<(Self, Plan), PlanError> {
        let is_moving = self.ring.phase().is_some();
        let mut changes = self.staged.value.clone();
        if is_moving {
            if !changes.values().any(Change::is_forced) {
                return Err(PlanError::Moving);
            }
            changes.retain(|_, change| change.is_forced() || matches!(change, Change::Join(_)));
        }
        for (node, change) in &changes {
            self.check(*node, change)?;
        }
        let mut changed = self.clone();
        let before = self.ring.base_owners().to_vec();
        let mut inherited = before.clone();
        for (node, change) in &changes {
            changed.make(*node, change);
            if let Change::Replace { with, .. } = change {
                inherited.iter_mut().filter(|owner| *owner == node).for_each(|owner| *owner = *with);
            }
        }
        let left = changed.claimants().count();
        if left < usize::from(self.n.max(1)) {
            return Err(PlanError::TooFewMembers { left, n: self.n });
        }
        let after = changed.claimed_from(&inherited, flaw);
        if !is_moving {
            changed.ring = self.ring.moving_to(after.clone());
        }
        if after == before && changes.is_empty() {
            return Err(PlanError::NothingToDo);
        }
        Ok((changed, Plan { changes, before, after }))
    }

    fn make(&mut self, node: NodeId, change: &Change) {
        match change {
            Change::Join(share) => {
                self.set_share(node, share.clone());
                self.set_status(node, MemberStatus::Member);
            }
            Change::Reshare(share) => self.set_share(node, share.clone()),
            Change::Leave => self.set_status(node, MemberStatus::Leaving),
            Change::Remove => self.set_status(node, MemberStatus::Removed),
            Change::Replace { with, departure } => {
                let share = self.members.get(&node).map(|member| member.share.value.clone());
                self.set_share(*with, share.unwrap_or_default());
                self.set_status(*with, MemberStatus::Member);
                self.set_status(
                    node,
                    match departure {
                        Departure::Alive => MemberStatus::Leaving,
                        Departure::Dead => MemberStatus::Removed,
                    },
                );
            }
        }
    }

    fn set_share(&mut self, node: NodeId, share: Share) {
        // Who commits does not matter: the same commit, wherever it is made, writes the same.
        self.members.update(node, |member| member.share.set(NodeId(0), share));
    }

    /// A member's life goes forward only.
    pub(super) fn set_status(&mut self, node: NodeId, status: MemberStatus) {
        self.members.update(node, |member| member.status = member.status.max(status));
    }
}

fn check_share(share: &Share) -> Result<(), PlanError> {
    if share.weight == 0 { Err(PlanError::Weight) } else { Ok(()) }
}

impl Plan {
    /// What moves, and what everybody owns before and after.
    pub fn moves(&self) -> Moves {
        Moves::between(&self.before, &self.after)
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownNode(node) => write!(f, "{node} has not made itself known to this cluster"),
            Self::Status { node, status, needed } => write!(f, "{node} is {status}; it must be {needed}"),
            Self::Weight => write!(f, "weight 0; allowed: 1 to 65535"),
            Self::TooFewMembers { left, n } => {
                write!(f, "{left} members would be left; allowed: at least {n} (n)")
            }
            Self::NothingToDo => write!(f, "nothing is prepared, and no partition has to move"),
            Self::Moving => {
                write!(
                    f,
                    "a change of owners is under way; allowed until it is over: removing or replacing the dead"
                )
            }
            Self::Changed => write!(f, "what is staged is not what was shown; look at the plan again"),
            Self::Props(error) => error.fmt(f),
            Self::NotKept => {
                write!(f, "committed, but this node's disk cannot keep it; look at the status later")
            }
            Self::NotAMember => write!(f, "this node is not a member of the cluster"),
            Self::Type(error) => error.fmt(f),
            Self::Metadata(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PlanError {}

impl From<PropsError> for PlanError {
    fn from(error: PropsError) -> Self {
        Self::Props(error)
    }
}
