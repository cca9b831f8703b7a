//! The laws of the cluster's state, on random histories of a few nodes: operators that commit here and there, gossip in
//! any order, members that see and fetch.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use quickcheck::{Arbitrary, Gen, quickcheck};

use super::cluster::Cluster;
use super::member::{MemberStatus, Progress, Share};
use super::plan::{Change, Departure, PlanError};
use crate::id::NodeId;
use crate::ring::{Partition, Ring, RingVersion};

const FOUNDERS: u64 = 3;
const NODES: u64 = 6;
const N: u8 = 2;

#[derive(Clone, Debug)]
enum Step {
    /// An operator at `at` has `node` changed, and commits.
    Commit { at: u8, node: u8, change: u8 },
    /// `to` hears what `from` knows.
    Tell { from: u8, to: u8 },
    /// A node has kept the ring that it knows, and fetched what it is to fetch.
    Catch { at: u8 },
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut node = || u8::arbitrary(g) % NODES as u8;
        let (at, other) = (node(), node());
        match u8::arbitrary(g) % 10 {
            0..=2 => Self::Commit { at, node: other, change: u8::arbitrary(g) },
            3..=6 => Self::Tell { from: at, to: other },
            _ => Self::Catch { at },
        }
    }
}

/// What each node knows.
struct World(Vec<Cluster>);

fn name(index: u8) -> NodeId {
    NodeId(u64::from(index) + 1)
}

impl World {
    fn new() -> Self {
        let founders: Vec<NodeId> = (1..=FOUNDERS).map(NodeId).collect();
        let ring = Ring::new(&founders, 8, N).unwrap();
        let mut founded = Cluster::founded(&founders, ring, N, &BTreeMap::new());
        for newcomer in FOUNDERS + 1..=NODES {
            founded.members.update(NodeId(newcomer), |_| {});
        }
        Self((0..NODES).map(|_| founded.clone()).collect())
    }

    fn run(steps: &[Step]) -> Self {
        let mut world = Self::new();
        steps.iter().for_each(|step| world.step(step));
        world
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Commit { at, node, change } => {
                let change = match change % 5 {
                    0 | 1 => Change::Join(Share::default()),
                    2 => Change::Leave,
                    3 => Change::Remove,
                    _ => Change::Replace { with: name(change % NODES as u8), departure: Departure::Dead },
                };
                let cluster = &mut self.0[usize::from(at)];
                // What cannot be is refused, and changes nothing but what is staged.
                if cluster.stage(name(at), name(node), change).is_err()
                    || cluster.commit(name(at), None, None).is_err()
                {
                    cluster.clear(name(at));
                }
            }
            Step::Tell { from, to } => {
                let told = self.0[usize::from(from)].clone();
                self.0[usize::from(to)].merge(&told);
            }
            Step::Catch { at } => self.catch_up(at),
        }
    }

    fn catch_up(&mut self, at: u8) {
        let cluster = &mut self.0[usize::from(at)];
        let seen = cluster.ring.version();
        let received = if cluster.all_have_seen(seen) {
            let moving = (0..cluster.ring.partitions()).map(Partition);
            moving.filter(|partition| cluster.ring.transfer(*partition, N).0.contains(&name(at))).collect()
        } else {
            Default::default()
        };
        let mut own = cluster.members[&name(at)].clone();
        if own.status.is_active() {
            own.progress = Progress { seen, received };
            cluster.members.update(name(at), |member| *member = own);
            let again = cluster.clone();
            cluster.merge(&again);
        }
    }

    /// Gossip goes round until nothing is new. Whether it came to an end.
    fn gossip(&mut self) -> bool {
        for _ in 0..40 {
            let before = self.0.clone();
            for from in 0..NODES as u8 {
                self.catch_up(from);
                (0..NODES as u8).for_each(|to| self.step(&Step::Tell { from, to }));
            }
            if self.0 == before {
                return true;
            }
        }
        false
    }
}

/// Whether whatever `reader` reads of `partition` meets whatever `writer` writes.
fn meet(reader: &Cluster, writer: &Cluster, partition: Partition) -> bool {
    let read = reader.ring.partition_placement(partition, N).list;
    let written = writer.ring.partition_placement(partition, N);
    let mut sets = [Some(&written.list), written.joint.as_ref()].into_iter().flatten();
    sets.any(|set| set.homes().iter().all(|home| read.homes().contains(home)))
}

fn merged(a: &Cluster, b: &Cluster) -> Cluster {
    let mut merged = a.clone();
    merged.merge(b);
    merged
}

quickcheck! {
    fn the_order_of_two_does_not_matter(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        merged(&world.0[0], &world.0[1]) == merged(&world.0[1], &world.0[0])
    }

    fn what_is_known_already_changes_nothing(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        let both = merged(&world.0[0], &world.0[1]);
        merged(&both, &world.0[0]) == both && merged(&both, &world.0[1]) == both && merged(&both, &both) == both
    }

    /// Whatever was committed on whichever side of a partition: all come to one ring, at rest, owned by members only
    /// (unless the operators together have declared everybody dead).
    fn gossip_comes_to_one_settled_ring(steps: Vec<Step>) -> bool {
        let mut world = World::run(&steps);
        let came_to_rest = world.gossip();
        let first = &world.0[0];
        let owned_by_members = first.claimants().next().is_none() || first.ring.owners().iter().all(|owner| {
            matches!(first.status(*owner), Some(MemberStatus::Member | MemberStatus::Leaving))
        });
        came_to_rest
            && world.0.iter().all(|cluster| cluster == first && cluster.digest() == first.digest())
            && first.ring.phase().is_none()
            && owned_by_members
    }

    /// Whatever one operator commits, at whatever moment: those that take part read where the others write.
    fn quorums_meet_whatever_state_each_goes_by(steps: Vec<Step>) -> bool {
        let mut world = World::new();
        steps.iter().all(|step| {
            world.step(&match *step {
                Step::Commit { node, change, .. } => Step::Commit { at: 0, node, change },
                ref other => other.clone(),
            });
            let newest = &world.0[0];
            let is_active = |cluster: &Cluster, node| cluster.status(node).is_some_and(MemberStatus::is_active);
            // Who was not told yet that it is a member serves nobody; to who has gone nobody listens.
            let there: Vec<&Cluster> = (0..NODES as u8)
                .map(|at| (name(at), &world.0[usize::from(at)]))
                .filter(|(node, own)| is_active(newest, *node) && is_active(own, *node))
                .map(|(_, own)| own)
                .collect();
            let meets = |reader: &Cluster, writer: &Cluster| {
                (0..newest.ring.partitions()).map(Partition).all(|partition| meet(reader, writer, partition))
            };
            there.iter().all(|reader| there.iter().all(|writer| meets(reader, writer)))
        })
    }

    /// Nobody comes back, and no ring is older than one that was known.
    fn nothing_goes_back(steps: Vec<Step>) -> bool {
        let mut world = World::new();
        steps.iter().all(|step| {
            let known = |world: &World| -> Vec<(RingVersion, Vec<MemberStatus>)> {
                let of = |cluster: &Cluster| {
                    (cluster.ring.version(), cluster.members.values().map(|member| member.status).collect())
                };
                world.0.iter().map(of).collect()
            };
            let before = known(&world);
            world.step(step);
            before.iter().zip(known(&world)).all(|((ring, statuses), (ring_now, statuses_now))| {
                *ring <= ring_now && statuses.iter().zip(statuses_now).all(|(then, now)| *then <= now)
            })
        })
    }
}

/// An operator who was shown a plan commits that one, or nothing.
#[test]
fn what_was_not_shown_is_not_committed() {
    let cluster = &mut World::new().0[0];
    cluster.stage(name(0), name(3), Change::Join(Share::default())).unwrap();
    let shown = cluster.plan().unwrap();
    cluster.stage(name(0), name(4), Change::Join(Share::default())).unwrap();
    let staged = cluster.clone();
    assert_eq!(cluster.commit(name(0), Some(&shown), None), Err(PlanError::Changed));
    assert_eq!(*cluster, staged, "nothing was changed");
    let shown = cluster.plan().unwrap();
    assert_eq!(cluster.commit(name(0), Some(&shown), None), Ok(shown));
}
