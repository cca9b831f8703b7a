//! How ownership moves without a quorum that misses a write.
//!
//! A change of owners takes two steps after the operator's commit, each a ring epoch of its own:
//!
//! | phase | puts must be met by | gets ask | goes on when |
//! |---|---|---|---|
//! | [`Phase::Copying`] | the old and the new homes | the old homes | every new home holds all that the old ones hold |
//! | [`Phase::Switching`] | the old and the new homes | the new homes | every member knows |
//! | settled | the (new) homes | the (new) homes | the next commit |
//!
//! A step is taken only once **every member has seen the one before and finished what it had begun earlier**, so at
//! any moment only two neighbouring rows of the table are in use. Each row's reads meet the writes of its neighbours:
//! nobody reads from new homes while somebody writes to old ones only, nor from old ones while somebody writes to
//! new ones only.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::layout::Layout;
use super::{Partition, PreferenceList, Ring, RingError, Table, Token};
use crate::id::NodeId;

/// Counts the states of the ring, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RingEpoch(pub u64);

impl RingEpoch {
    /// The founders' ring.
    pub const FIRST: Self = Self(1);

    fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Names one state of the ring. Of two states of one epoch (operators on both sides of a partition committed) the one
/// with the higher fingerprint is everybody's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RingVersion {
    /// Which state.
    pub epoch: RingEpoch,
    /// xxh3-64 of its content.
    pub fingerprint: u64,
}

impl fmt::Display for RingVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}, {:08x}", self.epoch.0, self.fingerprint >> 32)
    }
}

/// How far a change of owners has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// New homes fetch what they lack; gets ask the old homes.
    Copying,
    /// New homes have everything; gets ask them.
    Switching,
}

/// Where a put of one key goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The nodes that gets ask; they also coordinate.
    pub list: PreferenceList,
    /// While ownership moves: the other set of homes, whose quorum must be met as well.
    pub joint: Option<PreferenceList>,
}

impl Placement {
    /// All homes, each once: those that gets ask first.
    pub fn homes(&self) -> Vec<NodeId> {
        let mut homes = self.list.homes().to_vec();
        let others = self.joint.iter().flat_map(|joint| joint.homes()).copied();
        let new: Vec<NodeId> = others.filter(|home| !homes.contains(home)).collect();
        homes.extend(new);
        homes
    }
}

impl Ring {
    pub(super) fn settled(epoch: RingEpoch, now: Layout) -> Self {
        Self::of(epoch, now, None)
    }

    fn of(epoch: RingEpoch, now: Layout, next: Option<(Phase, Layout)>) -> Self {
        let mut members: Vec<NodeId> = now.owners().to_vec();
        members.extend(next.iter().flat_map(|(_, layout)| layout.owners()));
        members.sort_unstable();
        members.dedup();
        let version = RingVersion { epoch, fingerprint: fingerprint(&now, next.as_ref()) };
        Self(Arc::new(Table { version, members, now, next }))
    }

    /// This ring as one that every other beats: a newcomer has it until it hears of the real one.
    pub(crate) fn unheard(&self) -> Self {
        Self::of(RingEpoch(0), Layout::new(self.owners().to_vec()), None)
    }

    /// The ring that another node describes.
    pub fn from_parts(
        epoch: RingEpoch,
        owners: Vec<NodeId>,
        next: Option<(Phase, Vec<NodeId>)>,
    ) -> Result<Self, RingError> {
        let partitions = u32::try_from(owners.len()).unwrap_or(u32::MAX);
        let fits = |len: usize| {
            len == owners.len()
                && len.is_power_of_two()
                && (Self::PARTITIONS_MIN..=Self::PARTITIONS_MAX).contains(&partitions)
        };
        if !fits(owners.len()) || next.as_ref().is_some_and(|(_, next)| !fits(next.len())) {
            return Err(RingError::Partitions { asked: partitions });
        }
        let next = next.map(|(phase, owners)| (phase, Layout::new(owners)));
        Ok(Self::of(epoch, Layout::new(owners), next))
    }

    /// Its name.
    pub fn version(&self) -> RingVersion {
        self.0.version
    }

    /// Which state of the ring it is.
    pub fn epoch(&self) -> RingEpoch {
        self.0.version.epoch
    }

    /// How far a change of owners has come; `None` when none is under way.
    pub fn phase(&self) -> Option<Phase> {
        self.0.next.as_ref().map(|(phase, _)| *phase)
    }

    /// The owners after the change that is under way.
    pub fn next_owners(&self) -> Option<&[NodeId]> {
        self.0.next.as_ref().map(|(_, next)| next.owners())
    }

    /// The owners once the change that is under way is over: what a new plan starts from.
    pub fn base_owners(&self) -> &[NodeId] {
        self.next_owners().unwrap_or(self.owners())
    }

    /// The next epoch of a ring at rest, in which the partitions begin to move to `owners`. A change is never given up
    /// halfway: whoever has heard of it may take its next step at the same moment, and then some would read from homes
    /// that the others do not write to.
    #[must_use]
    pub fn moving_to(&self, owners: Vec<NodeId>) -> Self {
        debug_assert!(self.phase().is_none(), "one change at a time");
        let base = Layout::new(self.owners().to_vec());
        let next = (owners != base.owners()).then(|| (Phase::Copying, Layout::new(owners)));
        Self::of(self.epoch().next(), base, next)
    }

    /// The next step of the change that is under way; itself when there is none.
    #[must_use]
    pub fn advanced(&self) -> Self {
        let layout = |owners: &[NodeId]| Layout::new(owners.to_vec());
        match &self.0.next {
            None => self.clone(),
            Some((Phase::Copying, next)) => Self::of(
                self.epoch().next(),
                layout(self.owners()),
                Some((Phase::Switching, layout(next.owners()))),
            ),
            Some((Phase::Switching, next)) => Self::settled(self.epoch().next(), layout(next.owners())),
        }
    }

    /// Where a put of `token` goes.
    pub fn placement(&self, token: Token, n: u8) -> Placement {
        self.partition_placement(self.partition(token), n)
    }

    /// Where a put of any key of `partition` goes.
    pub fn partition_placement(&self, partition: Partition, n: u8) -> Placement {
        let now = self.0.now.preference_list(partition, n);
        let Some((phase, next)) = &self.0.next else { return Placement { list: now, joint: None } };
        let next = next.preference_list(partition, n);
        let (list, joint) = match phase {
            Phase::Copying => (now, next),
            Phase::Switching => (next, now),
        };
        let moves = list.homes() != joint.homes();
        Placement { list, joint: moves.then_some(joint) }
    }

    /// The new homes of `partition` that must fetch it, and the old ones to fetch it from; nothing unless it moves.
    pub fn transfer(&self, partition: Partition, n: u8) -> (Vec<NodeId>, Vec<NodeId>) {
        let Some((Phase::Copying, next)) = &self.0.next else { return (Vec::new(), Vec::new()) };
        let old = self.0.now.preference_list(partition, n).homes().to_vec();
        let new = next.preference_list(partition, n);
        let gaining = new.homes().iter().copied().filter(|home| !old.contains(home)).collect();
        (gaining, old)
    }

    pub(super) fn read_layout(&self) -> &Layout {
        match &self.0.next {
            Some((Phase::Switching, next)) => next,
            _ => &self.0.now,
        }
    }
}

/// Frozen: xxh3-64 over the owners, a word for the phase, and the owners to come.
fn fingerprint(now: &Layout, next: Option<&(Phase, Layout)>) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    let mut add = |owners: &[NodeId]| {
        hasher.update(&(owners.len() as u64).to_le_bytes());
        owners.iter().for_each(|owner| hasher.update(&owner.0.to_le_bytes()));
    };
    add(now.owners());
    if let Some((phase, next)) = next {
        add(&[NodeId(match phase {
            Phase::Copying => 1,
            Phase::Switching => 2,
        })]);
        add(next.owners());
    }
    hasher.digest()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const A: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];

    fn owners(nodes: &[NodeId]) -> Vec<NodeId> {
        nodes.iter().copied().cycle().take(8).collect()
    }

    fn moving() -> (Ring, Ring) {
        let ring = Ring::from_parts(RingEpoch(4), owners(&A), None).unwrap();
        let copying = ring.moving_to(owners(&[NodeId(1), NodeId(2), NodeId(4)]));
        (ring, copying)
    }

    #[test]
    fn a_change_takes_two_steps_and_gets_follow_one_behind_puts() {
        let (ring, copying) = moving();
        let at = Partition(0);
        let switching = copying.advanced();
        let settled = switching.advanced();
        let homes = |ring: &Ring| {
            let Placement { list, joint } = ring.partition_placement(at, 3);
            (list.homes().to_vec(), joint.map(|joint| joint.homes().to_vec()))
        };
        let new = vec![NodeId(1), NodeId(2), NodeId(4)];
        assert_eq!(homes(&ring), (A.to_vec(), None));
        assert_eq!(homes(&copying), (A.to_vec(), Some(new.clone())));
        assert_eq!(homes(&switching), (new.clone(), Some(A.to_vec())));
        assert_eq!(homes(&settled), (new, None));
        assert_eq!(settled.epoch(), RingEpoch(7));
        assert_eq!(settled.advanced(), settled);
        assert_eq!(copying.transfer(at, 3), (vec![NodeId(4)], A.to_vec()));
        assert_eq!(switching.transfer(at, 3).0, []);
    }

    /// In any two neighbouring states, a quorum of a get of one meets a quorum of a put of the other.
    #[test]
    fn reads_of_each_state_meet_the_writes_of_its_neighbours() {
        let (ring, copying) = moving();
        let states = [ring, copying.clone(), copying.advanced(), copying.advanced().advanced()];
        for partition in (0..8).map(Partition) {
            let reads = |ring: &Ring| ring.partition_preference_list(partition, 3).homes().to_vec();
            let writes = |ring: &Ring| {
                let Placement { list, joint } = ring.partition_placement(partition, 3);
                let sets: Vec<Vec<NodeId>> =
                    [Some(list), joint].iter().flatten().map(|list| list.homes().to_vec()).collect();
                sets
            };
            for pair in states.windows(2) {
                for (reader, writer) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
                    let read = reads(reader);
                    assert!(
                        writes(writer).iter().any(|set| set.iter().all(|home| read.contains(home))),
                        "{partition:?}: {reader:?} reads what {writer:?} does not write"
                    );
                }
            }
        }
    }

    #[test]
    fn a_plan_starts_from_what_the_change_under_way_leads_to() {
        let (ring, copying) = moving();
        assert_eq!(ring.base_owners(), ring.owners());
        for ring in [&copying, &copying.advanced(), &copying.advanced().advanced()] {
            assert_eq!(ring.base_owners(), copying.next_owners().unwrap());
        }
    }

    #[test]
    fn content_makes_the_version() {
        let (ring, copying) = moving();
        let again = Ring::from_parts(
            copying.epoch(),
            copying.owners().to_vec(),
            Some((Phase::Copying, copying.next_owners().unwrap().to_vec())),
        );
        assert_eq!(again.as_ref(), Ok(&copying));
        assert!(copying.version() > ring.version());
        assert_ne!(copying.version().fingerprint, copying.advanced().version().fingerprint);
    }
}
