//! `RingConverge`: all come to agree on members and ring, and nothing of that goes back.
//!
//! No store is put aside as an old copy that is none.
//!
//! In one life of a node the ring's epoch, every member's status and every known boot number only grow; so an identity
//! that has gone is never active again. At the end, after peace, within the settle bound: all active members agree on one
//! state of the cluster, no change of owners is under way, whoever was gone to all is gone still, and the boot of each
//! running node is the one that is known of its store.

use std::collections::{BTreeMap, BTreeSet};

use cartwheel_core::id::{NodeId, StoreId};
use cartwheel_core::membership::{Cluster, MemberStatus};

use super::{Findings, Promise, Scene, name, seconds};

/// What nodes knew when they were looked at last.
#[derive(Debug, Default)]
pub struct Converge {
    known: BTreeMap<NodeId, Known>,
    /// Identities that had gone, as all who took part knew.
    gone: BTreeSet<NodeId>,
    /// How often a node was started on each store, or on a copy of it.
    starts: BTreeMap<StoreId, u64>,
}

/// What one node knew, in one life.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    life: u32,
    epoch: u64,
    statuses: BTreeMap<NodeId, MemberStatus>,
    boots: BTreeMap<(NodeId, StoreId), u64>,
}

impl Known {
    fn of(life: u32, cluster: &Cluster) -> Self {
        let boots = cluster.members.iter().flat_map(|(node, member)| {
            member.boots.iter().map(|(store, boot)| ((*node, *store), boot.number))
        });
        Self {
            life,
            epoch: cluster.ring.epoch().0,
            statuses: cluster.members.iter().map(|(node, member)| (*node, member.status)).collect(),
            boots: boots.collect(),
        }
    }

    /// What has gone back since `before`.
    fn gone_back(&self, before: &Self) -> Option<String> {
        if self.life != before.life {
            return None;
        }
        if self.epoch < before.epoch {
            return Some(format!("the ring went from epoch {} back to {}", before.epoch, self.epoch));
        }
        let status = before.statuses.iter().find(|(node, status)| self.statuses.get(node) < Some(status));
        if let Some((node, status)) = status {
            let now = self.statuses.get(node).map_or("unknown".into(), ToString::to_string);
            return Some(format!("{node} was {status} and is {now}"));
        }
        let ((node, _), boot) =
            before.boots.iter().find(|(store, boot)| self.boots.get(store) < Some(boot))?;
        Some(format!("boot {boot} of {node} is not known any more"))
    }
}

impl Converge {
    /// A node starts on `store`.
    pub fn started(&mut self, store: StoreId) {
        *self.starts.entry(store).or_default() += 1;
    }

    /// `node` puts its store aside, which it takes for an old copy. It is one if another copy was started on more often.
    pub fn starts_over(&self, scene: &Scene<'_>, node: NodeId, findings: &mut Findings) {
        let disk = scene.disk(node);
        if self.starts.get(&disk.store).is_none_or(|starts| *starts <= disk.boots) {
            findings.add(Promise::RingConverge, || {
                let (at, boots) = (seconds(scene.at_ns), disk.boots);
                format!(
                    "at {at}, {node} puts its store aside, which it was started on for the {boots}th time, although \
                     there is no newer copy of it"
                )
            });
        }
    }

    /// What `node` knows now.
    pub fn look(&mut self, scene: &Scene<'_>, node: NodeId, findings: &mut Findings) {
        let process = &scene.processes[node.0 as usize - 1];
        let Some(running) = &process.node else { return };
        let now = Known::of(process.life, running.status().cluster());
        let before = self.known.insert(node, now.clone());
        if let Some(what) = before.and_then(|before| now.gone_back(&before)) {
            findings.add(Promise::RingConverge, || format!("at {}, to {node}, {what}", seconds(scene.at_ns)));
        }
    }

    /// Who has gone, as all know that take part?
    pub fn note_gone(&mut self, scene: &Scene<'_>) {
        let all = taking_part(scene);
        let Some((_, first)) = all.first() else { return };
        let gone = first.members.iter().filter(|(_, member)| member.status.is_gone()).map(|(node, _)| *node);
        let to_all = |node: &NodeId| {
            all.iter().all(|(_, cluster)| cluster.status(*node).is_some_and(|status| status.is_gone()))
        };
        let gone: Vec<NodeId> = gone.filter(to_all).collect();
        self.gone.extend(gone);
    }

    /// The run is over.
    pub fn finish(&self, scene: &Scene<'_>, findings: &mut Findings) {
        let all = taking_part(scene);
        let mut found = |what: String| findings.add(Promise::RingConverge, || format!("at the end {what}"));
        for pair in all.windows(2) {
            let [(one, known), (other, also)] = pair else { continue };
            if known.digest() != also.digest() {
                found(format!("{one} and {other} disagree on the cluster's state"));
            }
        }
        for (node, cluster) in &all {
            if let Some(phase) = cluster.ring.phase() {
                found(format!("{node} is {phase:?}"));
            }
            let is_back = |gone: &&NodeId| !cluster.status(**gone).is_some_and(|status| status.is_gone());
            if let Some(back) = self.gone.iter().find(is_back) {
                found(format!("{back}, which had gone, is back, as {node} sees it"));
            }
            let disk = scene.disk(*node);
            let boot = cluster.members.get(node).and_then(|member| member.boots.get(&disk.store));
            if boot.is_none_or(|boot| boot.number < disk.boots) {
                found(format!(
                    "{node} runs for the {}th time on its store, and {:?} is known",
                    disk.boots,
                    boot.map(|boot| boot.number)
                ));
            }
        }
    }
}

/// What those know that take part.
fn taking_part<'a>(scene: &Scene<'a>) -> Vec<(NodeId, &'a Cluster)> {
    let running = (0..).map(name).zip(scene.processes).filter(|(_, process)| process.exists);
    let status = running.filter_map(|(node, process)| Some((node, process.node.as_ref()?.status())));
    status.filter(|(_, status)| status.serves()).map(|(node, status)| (node, status.cluster())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartwheel_core::membership::LastBoot;
    use cartwheel_core::ring::Ring;

    fn cluster(change: impl FnOnce(&mut Cluster)) -> Cluster {
        let members = [NodeId(1), NodeId(2)];
        let ring = Ring::new(&members, 8, 2).unwrap();
        let mut cluster = Cluster::founded(&members, ring, 2, &BTreeMap::new());
        change(&mut cluster);
        cluster
    }

    #[test]
    fn what_a_node_knows_only_grows_while_it_lives() {
        let base = Known::of(1, &cluster(|_| {}));
        let removed = Known::of(
            1,
            &cluster(|cluster| {
                cluster.members.update(NodeId(2), |member| member.status = MemberStatus::Removed);
            }),
        );
        let moved = Known::of(
            1,
            &cluster(|cluster| {
                cluster.ring = cluster.ring.moving_to(vec![NodeId(1); 8]);
            }),
        );
        let booted = Known::of(
            1,
            &cluster(|cluster| {
                let boots = [(StoreId(1), LastBoot::new(3, 1))].into();
                cluster.members.update(NodeId(1), |member| member.boots = boots);
            }),
        );
        for (later, back) in [
            (&removed, "n2 was removed and is member"),
            (&moved, "the ring went from epoch 2 back to 1"),
            (&booted, "boot 3 of n1 is not known any more"),
        ] {
            assert_eq!(later.gone_back(&base), None);
            assert_eq!(base.gone_back(later), Some(back.into()));
            assert_eq!(Known { life: 2, ..base.clone() }.gone_back(later), None, "a crash may forget");
        }
    }
}
