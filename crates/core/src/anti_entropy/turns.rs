//! Which exchange is next: what this node has to fetch, then the pairs of homes that it leads.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use crate::boundary::Event;
use crate::cx::Cx;
use crate::id::NodeId;
use crate::membership::MemberStatus;
use crate::ring::Partition;

/// Between two exchanges while something has to be fetched.
const FETCH_PAUSE: Duration = Duration::from_millis(1);

/// What an exchange is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Two homes compare what they hold, for ever.
    Compare,
    /// This node fetches what it lacks, once.
    Fetch,
}

#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The pairs that this node leads, in the order in which they take turns.
    pairs: VecDeque<(Partition, NodeId)>,
    /// What this node has to fetch, and from whom, in the order in which they take turns.
    fetches: VecDeque<(Partition, NodeId)>,
    /// Partitions that this node is a new home of, and has not fetched.
    receiving: BTreeSet<Partition>,
    /// Those of them that it has, and that membership has not been told of.
    received: Vec<Partition>,
}

impl Turns {
    /// Begins anew, by the ring that is in force now.
    pub fn on_ring_changed(&mut self, cx: &mut Cx) {
        let (me, n) = (cx.me(), cx.env.config.n);
        let cluster = &cx.env.cluster;
        self.pairs.clear();
        for partition in (0..cluster.ring.partitions()).map(Partition) {
            let list = cluster.ring.partition_preference_list(partition, n);
            if list.homes().contains(&me) {
                let led = list.homes().iter().filter(|&&home| home > me);
                self.pairs.extend(led.map(|&home| (partition, home)));
            }
        }
        self.fetches.clear();
        self.receiving.clear();
        for (partition, homes) in cluster.to_receive(me) {
            self.receiving.insert(partition);
            self.fetches.extend(homes.into_iter().filter(|home| *home != me).map(|home| (partition, home)));
        }
        let unheld = self.receiving.iter().copied();
        let unheld: Vec<Partition> =
            unheld.filter(|partition| self.fetches.iter().all(|(open, _)| open != partition)).collect();
        unheld.into_iter().for_each(|partition| self.finish_if_fetched(cx, partition));
        self.fetch_lost(cx);
    }

    /// What was to be fetched from homes that have gone is held by the others, or by nobody.
    pub fn on_members_changed(&mut self, cx: &mut Cx) {
        let is_gone = |home: &NodeId| cx.env.cluster.status(*home).is_some_and(MemberStatus::is_gone);
        let (gone, left) =
            core::mem::take(&mut self.fetches).into_iter().partition(|(_, home)| is_gone(home));
        self.fetches = left;
        let gone: VecDeque<(Partition, NodeId)> = gone;
        gone.into_iter().for_each(|(partition, _)| self.finish_if_fetched(cx, partition));
    }

    /// This node's disk was lost: it fetches everything that it should hold from the other homes.
    pub fn recover(&mut self, cx: &mut Cx) {
        let (me, n) = (cx.me(), cx.env.config.n);
        let ring = &cx.env.cluster.ring;
        let lost = (0..ring.partitions()).map(Partition);
        cx.env.recovering = lost.filter(|partition| ring.is_home_of(me, *partition, n)).collect();
        self.fetch_lost(cx);
    }

    fn fetch_lost(&mut self, cx: &mut Cx) {
        let (me, n) = (cx.me(), cx.env.config.n);
        let ring = cx.env.cluster.ring.clone();
        cx.env.recovering.retain(|partition| ring.is_home_of(me, *partition, n));
        let lost: Vec<Partition> = cx.env.recovering.iter().copied().collect();
        for partition in lost {
            let homes = cx.env.cluster.ring.partition_preference_list(partition, n).homes().to_vec();
            let gone = |home: &NodeId| cx.env.cluster.status(*home).is_some_and(MemberStatus::is_gone);
            let others = homes.into_iter().filter(|home| *home != me && !gone(home));
            let new: Vec<(Partition, NodeId)> =
                others.map(|home| (partition, home)).filter(|fetch| !self.fetches.contains(fetch)).collect();
            if new.is_empty() {
                self.finish_if_fetched(cx, partition);
            }
            self.fetches.extend(new);
        }
    }

    /// Exchanges that this node has still to lead to fetch what it lacks.
    pub fn fetches(&self) -> usize {
        self.fetches.len()
    }

    /// Partitions that this node has become a home of and holds now, since this was last asked.
    pub fn take_received(&mut self) -> Vec<Partition> {
        core::mem::take(&mut self.received)
    }

    /// The next exchange: this partition with that home.
    pub fn next(&mut self, cx: &mut Cx) -> Option<(Partition, NodeId, Purpose)> {
        self.next_fetch(cx).or_else(|| self.next_pair(cx))
    }

    /// The next fetch from a home that is there. New homes begin when everybody puts to them: what is put from then
    /// on, they are sent.
    fn next_fetch(&mut self, cx: &mut Cx) -> Option<(Partition, NodeId, Purpose)> {
        if !cx.storage_has_room() {
            return None;
        }
        let at = self.eligible(cx)?;
        let (partition, peer) = self.fetches.remove(at)?;
        // It stays on the list until it is done, and others get their turn first.
        self.fetches.push_back((partition, peer));
        Some((partition, peer, Purpose::Fetch))
    }

    fn eligible(&self, cx: &Cx) -> Option<usize> {
        if self.fetches.is_empty() {
            return None;
        }
        let everybody_knows = cx.env.cluster.all_have_seen(cx.env.cluster.ring.version());
        let may = |(partition, peer): &(Partition, NodeId)| {
            (everybody_knows || !self.receiving.contains(partition)) && !cx.env.is_away(*peer)
        };
        self.fetches.iter().position(may)
    }

    fn next_pair(&mut self, cx: &mut Cx) -> Option<(Partition, NodeId, Purpose)> {
        let (partition, peer) = self.pairs.pop_front()?;
        self.pairs.push_back((partition, peer));
        let may = !cx.env.is_away(peer) && cx.storage_has_room();
        may.then_some((partition, peer, Purpose::Compare))
    }

    /// `partition` was compared with what `peer` holds, and everything that differs is durable here.
    pub fn fetched(&mut self, cx: &mut Cx, partition: Partition, peer: NodeId) {
        self.fetches.retain(|fetch| *fetch != (partition, peer));
        self.finish_if_fetched(cx, partition);
    }

    /// Once a partition was fetched from everybody who has it, this node holds it like any home.
    fn finish_if_fetched(&mut self, cx: &mut Cx, partition: Partition) {
        if self.fetches.iter().any(|(open, _)| *open == partition) {
            return;
        }
        if cx.env.recovering.remove(&partition) {
            cx.event(Event::PartitionRecovered { partition });
        }
        if self.receiving.remove(&partition) {
            self.received.push(partition);
        }
    }

    /// How long until the next exchange; `None` when there is none.
    pub fn pause(&self, cx: &Cx) -> Option<Duration> {
        let interval = cx.env.config.anti_entropy_interval;
        if self.pairs.is_empty() && self.fetches.is_empty() {
            None
        } else if self.eligible(cx).is_some() {
            Some(FETCH_PAUSE.min(interval))
        } else {
            Some(interval)
        }
    }
}
