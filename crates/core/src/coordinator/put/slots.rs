//! One slot for each home of a put: who is to hold the write for it, and whether it is settled. Pure.

use alloc::vec::Vec;

use crate::coordinator::quorum::In;
use crate::id::NodeId;
use crate::ring::Placement;
use crate::time::Instant;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// Fallbacks not asked yet, in the order of the preference list.
    spare: Vec<NodeId>,
    /// Every node asked so far: only their answers count.
    asked: Vec<NodeId>,
    asked_at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    home: NodeId,
    /// The sets of homes that it belongs to.
    sets: In,
    /// Who is asked to hold the write: the home, or a node that then owes it.
    at: NodeId,
    /// Nobody else was left: the coordinator keeps a hint, whose own update settles the slot.
    owing: bool,
    settled: bool,
    /// Whose copy counts.
    voted: Option<NodeId>,
    /// Whether the node that was asked last has said yes or no.
    answered: bool,
}

impl Slots {
    /// Each home of either set gets a slot, suspected ones with a fallback in their place. Also returns the home that
    /// the coordinator `me` owes its own copy to, when it is not a home itself. Unless `sloppy`, nobody stands in.
    pub fn choose(
        me: NodeId,
        placement: &Placement,
        sloppy: bool,
        suspected: impl Fn(NodeId) -> bool,
    ) -> (Self, Option<NodeId>) {
        let homes = placement.homes();
        let fallbacks = if sloppy { placement.list.fallbacks() } else { &[] };
        let spare = fallbacks.iter().copied().filter(|node| *node != me && !homes.contains(node)).collect();
        let (slots, asked) = (Vec::with_capacity(homes.len()), Vec::with_capacity(homes.len()));
        let mut chosen = Self { slots, spare, asked, asked_at: Instant::default() };
        let mut i_stand_in = (!homes.contains(&me)).then(|| homes[0]);
        let mut seated = i_stand_in.is_none() || !sloppy;
        for home in homes {
            let away = home != me && suspected(home);
            let at = if away && !seated {
                seated = true;
                i_stand_in = Some(home);
                me
            } else if away {
                chosen.take_spare(&suspected).unwrap_or(home)
            } else {
                home
            };
            let sets = sets(placement, home);
            chosen.slots.push(Slot {
                home,
                sets,
                at,
                owing: false,
                settled: false,
                voted: None,
                answered: false,
            });
            chosen.asked.push(at);
        }
        (chosen, i_stand_in)
    }

    fn take_spare(&mut self, suspected: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let at = self.spare.iter().position(|&node| !suspected(node))?;
        Some(self.spare.remove(at))
    }

    /// The slots that other nodes fill: whom to send to, and the home the receiver then owes.
    pub fn to_send(&self, me: NodeId) -> Vec<(NodeId, Option<NodeId>)> {
        let others = self.slots.iter().filter(|slot| slot.at != me);
        others.map(|slot| (slot.at, (slot.at != slot.home).then_some(slot.home))).collect()
    }

    pub fn sent(&mut self, at: Instant) {
        self.asked_at = at;
    }

    pub fn asked_at(&self) -> Instant {
        self.asked_at
    }

    /// What `node` is asked for: to hold it for itself, or to owe it to somebody; `None` when it is not asked any more.
    pub fn is_asked_to_owe(&self, node: NodeId) -> Option<Option<NodeId>> {
        let slot = self.slots.iter().find(|slot| slot.at == node && !slot.settled)?;
        Some((slot.at != slot.home).then_some(slot.home))
    }

    /// Whether an answer of `node` counts.
    pub fn is_asked(&self, node: NodeId) -> bool {
        self.asked.contains(&node)
    }

    /// `node` durably holds the write: settles its own slot, and the one it stands in for.
    pub fn held_by(&mut self, node: NodeId) {
        for slot in &mut self.slots {
            let asked = slot.at == node && !slot.owing;
            slot.answered |= asked;
            slot.settled |= asked || slot.home == node;
        }
    }

    /// `node` holds the write: whom its vote takes the place of, and the sets of homes that it counts in.
    ///
    /// One vote to a slot: a stand-in hands its copy over to the home and drops it, so the two are one copy.
    pub fn vote(&mut self, node: NodeId) -> Option<(Option<NodeId>, In)> {
        let is_his = |slot: &&mut Slot| slot.home == node || (slot.at == node && !slot.owing);
        let slot = self.slots.iter_mut().find(is_his)?;
        let may = slot.voted.is_none() || (slot.home == node && slot.voted != Some(node));
        may.then(|| (slot.voted.replace(node), slot.sets))
    }

    /// Whether `node` is a home, rather than a stand-in.
    pub fn is_home(&self, node: NodeId) -> bool {
        self.slots.iter().any(|slot| slot.home == node)
    }

    /// Whether `node` is a home of the second set alone: it takes over from one of the first.
    pub fn is_gaining(&self, node: NodeId) -> bool {
        self.slots.iter().any(|slot| slot.home == node && slot.sets == In::Second)
    }

    /// The coordinator's own hint for `home` is durable, or beyond hope.
    pub fn owed_here(&mut self, home: NodeId) {
        for slot in self.slots.iter_mut().filter(|slot| slot.home == home) {
            slot.settled = true;
        }
    }

    /// `node` said no.
    pub fn refused_by(&mut self, node: NodeId) {
        for slot in self.slots.iter_mut().filter(|slot| slot.at == node) {
            slot.answered = true;
        }
    }

    /// The homes whose unsettled slots wait for `node`.
    pub fn waiting_for(&self, node: NodeId) -> Vec<NodeId> {
        let waiting = self.slots.iter().filter(|slot| slot.at == node && !slot.settled);
        waiting.map(|slot| slot.home).collect()
    }

    /// Nodes other than `me` that unsettled slots wait for.
    pub fn silent(&self, me: NodeId) -> Vec<NodeId> {
        self.slots.iter().filter(|slot| !slot.settled && slot.at != me).map(|slot| slot.at).collect()
    }

    /// Puts the next fallback in charge of `home`, or `me` when there is none: then `None`.
    pub fn next_fallback(
        &mut self,
        me: NodeId,
        home: NodeId,
        suspected: impl Fn(NodeId) -> bool,
    ) -> Option<NodeId> {
        let fallback = self.take_spare(suspected);
        for slot in self.slots.iter_mut().filter(|slot| slot.home == home) {
            slot.at = fallback.unwrap_or(me);
            slot.owing = fallback.is_none();
            slot.answered &= slot.owing;
        }
        self.asked.extend(fallback);
        fallback
    }

    /// Whether every home holds the write or is durably owed it.
    pub fn are_settled(&self) -> bool {
        self.slots.iter().all(|slot| slot.settled)
    }

    /// Whether nobody who was asked can still say yes.
    pub fn all_answered(&self) -> bool {
        self.slots.iter().all(|slot| slot.answered)
    }
}

fn sets(placement: &Placement, home: NodeId) -> In {
    let first = placement.list.homes().contains(&home);
    match &placement.joint {
        None => In::First,
        Some(joint) if joint.homes().contains(&home) => {
            if first {
                In::Both
            } else {
                In::Second
            }
        }
        Some(_) => In::First,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::{Ring, RingEpoch, Token};

    /// Of 64 partitions on five nodes, the walk from here meets them in order.
    const KEY: Token = Token(4 << 58);

    fn list(nodes: u64, n: u8) -> Placement {
        let members: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
        Ring::new(&members, 64, n).unwrap().placement(KEY, n)
    }

    fn asked(slots: &Slots) -> Vec<(u64, u64)> {
        slots.slots.iter().map(|slot| (slot.home.0, slot.at.0)).collect()
    }

    #[test]
    fn each_home_is_asked_when_all_are_well() {
        let (slots, owed) = Slots::choose(NodeId(1), &list(5, 3), true, |_| false);
        assert_eq!(asked(&slots), [(1, 1), (2, 2), (3, 3)]);
        assert_eq!(owed, None);
    }

    #[test]
    fn fallbacks_stand_in_for_suspected_homes_in_order() {
        let (slots, _) = Slots::choose(NodeId(1), &list(5, 3), true, |node| node.0 == 2 || node.0 == 4);
        assert_eq!(asked(&slots), [(1, 1), (2, 5), (3, 3)]);
        assert_eq!(slots.to_send(NodeId(1)), [(NodeId(5), Some(NodeId(2))), (NodeId(3), None)]);
    }

    #[test]
    fn a_coordinator_that_is_no_home_stands_in_for_the_first_suspect() {
        let (slots, owed) = Slots::choose(NodeId(4), &list(5, 3), true, |node| node.0 == 2);
        assert_eq!(asked(&slots), [(1, 1), (2, 4), (3, 3)]);
        assert_eq!(owed, Some(NodeId(2)));
    }

    #[test]
    fn a_coordinator_outside_the_first_n_healthy_nodes_owes_its_copy_and_has_no_vote() {
        let (slots, owed) = Slots::choose(NodeId(4), &list(5, 3), true, |_| false);
        assert_eq!(asked(&slots), [(1, 1), (2, 2), (3, 3)]);
        assert_eq!(owed, Some(NodeId(1)));
        assert!(!slots.is_asked(NodeId(4)));
    }

    #[test]
    fn in_a_strict_put_nobody_stands_in() {
        let (mut slots, owed) = Slots::choose(NodeId(4), &list(5, 3), false, |node| node.0 == 2);
        assert_eq!(asked(&slots), [(1, 1), (2, 2), (3, 3)]);
        assert_eq!(owed, Some(NodeId(1)));
        assert_eq!(slots.next_fallback(NodeId(4), NodeId(2), |_| false), None);
    }

    #[test]
    fn when_no_fallback_is_left_the_coordinator_owes() {
        let (mut slots, _) = Slots::choose(NodeId(1), &list(3, 3), true, |_| false);
        assert_eq!(slots.next_fallback(NodeId(1), NodeId(3), |_| false), None);
        slots.held_by(NodeId(1));
        slots.held_by(NodeId(2));
        assert!(!slots.are_settled());
        slots.owed_here(NodeId(3));
        assert!(slots.are_settled());
        assert!(!slots.all_answered(), "node 3 may still say yes");
    }

    #[test]
    fn while_ownership_moves_both_sets_of_homes_are_asked_and_votes_count_where_they_belong() {
        let owners = |nodes: [u64; 5]| nodes.into_iter().cycle().take(8).map(NodeId).collect();
        let ring = Ring::from_parts(RingEpoch(1), owners([1, 2, 3, 4, 5]), None).unwrap();
        let placement = ring.moving_to(owners([1, 2, 6, 3, 4])).placement(Token(0), 3);
        let (slots, _) = Slots::choose(NodeId(1), &placement, true, |node| node.0 == 3);
        assert_eq!(asked(&slots), [(1, 1), (2, 2), (3, 4), (6, 6)]);
        let mut slots = slots;
        assert_eq!(slots.vote(NodeId(1)), Some((None, In::Both)));
        assert_eq!(slots.vote(NodeId(4)), Some((None, In::First)), "for the home that it stands in for");
        assert_eq!(
            slots.vote(NodeId(3)),
            Some((Some(NodeId(4)), In::First)),
            "the home itself, in its place"
        );
        assert_eq!(slots.vote(NodeId(3)), None, "once");
        assert_eq!(slots.vote(NodeId(6)), Some((None, In::Second)));
        assert_eq!(slots.vote(NodeId(5)), None);
    }

    #[test]
    fn no_node_holds_two_slots() {
        for suspects in 0..32_u64 {
            for me in 1..=5 {
                let suspected = |node: NodeId| suspects >> (node.0 - 1) & 1 == 1;
                let (slots, _) = Slots::choose(NodeId(me), &list(5, 3), true, suspected);
                let mut at: Vec<NodeId> = slots.slots.iter().map(|slot| slot.at).collect();
                at.sort_unstable();
                at.dedup();
                assert_eq!(at.len(), 3, "suspects {suspects:05b}, coordinator {me}: {slots:?}");
            }
        }
    }
}
