//! The cluster as operators see it: what the admin API shows and takes. Pure.

use std::collections::BTreeMap;
use std::hash::Hash;

use cartwheel_core::canonical::CanonicalBytes;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::{Change, Cluster, Departure, Plan, PlanError, Share};
use cartwheel_core::ring::{Partition, Phase, Ring};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::contact::Addresses;

/// Everything that a node knows of its cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterReport {
    /// The cluster's name.
    pub cluster: String,
    /// The node that was asked.
    pub node: String,
    /// Whether that takes client requests.
    pub serves: bool,
    /// The ring.
    pub ring: RingReport,
    /// All that are or ever were members, or want to be, by name.
    pub members: Vec<MemberReport>,
    /// Changes that are prepared and not committed.
    pub staged: Vec<ChangeReport>,
    /// Partitions that new homes have to fetch in the present change of owners.
    pub transfers: TransferReport,
}

/// The ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingReport {
    /// Counts its states.
    pub epoch: u64,
    /// Names its content, in hexadecimal.
    pub fingerprint: String,
    /// `settled`, `copying` or `switching`.
    pub phase: String,
    /// Homes of a key.
    pub n: u8,
    /// The owner of each partition, in order.
    pub owners: Vec<String>,
    /// The owners after the change that is under way.
    pub next_owners: Option<Vec<String>>,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberReport {
    /// Its name; its id in hexadecimal, if it has told nobody.
    pub name: String,
    /// Its place in the ring, in hexadecimal.
    pub node_id: String,
    /// Where peers reach it.
    pub peer: Option<String>,
    /// Where clients reach it.
    pub http: Option<String>,
    /// The same over TLS, if it has told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https: Option<String>,
    /// `joining`, `member`, `leaving`, `left` or `removed`.
    pub status: String,
    /// What it keeps, relative to the others.
    pub weight: u16,
    /// With whom it fails together.
    pub zone: String,
    /// How the asked node finds it: `self`, `alive`, `suspected`, `down`, or `-` for one that is no member.
    pub seen: String,
    /// Partitions that it owns.
    pub owns: usize,
    /// Partitions that it owns after the change that is under way.
    pub owns_next: usize,
    /// Whether it is known to have kept the present state of the ring.
    pub knows_ring: bool,
    /// Partitions that it has to fetch in the change that is under way, as a new home.
    pub transfers: TransferReport,
}

/// How far transfers have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferReport {
    /// All.
    pub all: usize,
    /// Those done.
    pub done: usize,
}

/// A change of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeReport {
    /// The node.
    pub node: String,
    /// What becomes of it.
    pub change: ChangeKind,
    /// `join`, `set`: its weight; without one, 1 and the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u16>,
    /// `join`, `set`: its zone; without one, none and the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// `replace`: who takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// `replace`: it is dead, and what it had is fetched from others.
    #[serde(default)]
    pub dead: bool,
}

/// What can become of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A newcomer becomes a member.
    Join,
    /// A member gets another weight or zone.
    Set,
    /// A member gives away what it has, and leaves.
    Leave,
    /// A newcomer takes a member's place.
    Replace,
    /// A dead member is given up, for ever.
    Remove,
}

/// What committing would do, or has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanReport {
    /// Names exactly this plan.
    pub plan: String,
    /// The changes.
    pub changes: Vec<ChangeReport>,
    /// Partitions that change their owner.
    pub moves: Vec<MoveReport>,
    /// What each node owns.
    pub balance: Vec<BalanceReport>,
    /// Copies of partitions that new homes have to fetch: a partition has N homes, and a new owner moves some of them.
    pub copies: usize,
}

/// A partition that changes its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveReport {
    /// The partition.
    pub partition: u32,
    /// Its owner.
    pub from: String,
    /// Its owner to be.
    pub to: String,
}

/// What a node owns before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceReport {
    /// The node.
    pub node: String,
    /// Partitions that it owns.
    pub before: u32,
    /// Partitions that it will own.
    pub after: u32,
    /// Copies of partitions that it has to fetch.
    pub fetches: usize,
}

/// The plan that an operator was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitRequest {
    /// [`PlanReport::plan`]. Without it, whatever is prepared is committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// What became of an operator's request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminAnswer {
    /// What is prepared now.
    pub staged: Vec<ChangeReport>,
    /// What committing that would do, or what was committed.
    pub plan: Option<PlanReport>,
    /// Why what is prepared cannot be committed as it stands.
    pub problem: Option<Refused>,
}

/// Why something was not done. One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What kind of reason, for programs.
    pub error: String,
    /// The reason, for people.
    pub message: String,
    /// The reason, for Riak's APIs, which say it in their own words.
    #[serde(skip)]
    pub(crate) why: Option<Box<PlanError>>,
}

impl Refused {
    pub(crate) fn new(error: &str, message: impl Into<String>) -> Self {
        Self { error: error.to_owned(), message: message.into(), why: None }
    }
}

pub(crate) fn phase_in_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Copying => "copying",
        Phase::Switching => "switching",
    }
}

/// What the asked node alone knows.
pub(crate) struct Viewpoint<'a> {
    pub cluster_name: &'a str,
    pub me: NodeId,
    pub serves: bool,
    pub suspected: &'a [NodeId],
    pub down: &'a [NodeId],
}

/// Nodes' names for people.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a>(pub &'a Cluster);

impl Names<'_> {
    fn of(self, node: NodeId) -> String {
        let name = self.0.members.get(&node).map(|member| &member.contact.value.name);
        name.filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| node.to_string())
    }

    fn all(self, nodes: &[NodeId]) -> Vec<String> {
        nodes.iter().map(|node| self.of(*node)).collect()
    }

    /// Those that could have been meant.
    fn list(self) -> String {
        let mut names: Vec<String> = self.0.members.keys().map(|node| self.of(*node)).collect();
        names.sort();
        names.join(" ")
    }
}

impl ClusterReport {
    pub(crate) fn of(cluster: &Cluster, view: &Viewpoint) -> Self {
        let names = Names(cluster);
        let ring = &cluster.ring;
        let transfers = transfers(cluster);
        let mut members: Vec<MemberReport> =
            cluster.members.keys().map(|node| member(cluster, view, *node, &transfers)).collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let (all, done) = cluster.transfers();
        Self {
            cluster: view.cluster_name.to_owned(),
            node: names.of(view.me),
            serves: view.serves,
            ring: RingReport {
                epoch: ring.epoch().0,
                fingerprint: format!("{:016x}", ring.version().fingerprint),
                phase: ring.phase().map_or("settled", phase_in_words).to_owned(),
                n: cluster.n,
                owners: names.all(ring.owners()),
                next_owners: ring.next_owners().map(|owners| names.all(owners)),
            },
            members,
            staged: changes(cluster, &cluster.staged.value),
            transfers: TransferReport { all, done },
        }
    }
}

/// What each new home has to fetch in the present change of owners.
fn transfers(cluster: &Cluster) -> BTreeMap<NodeId, TransferReport> {
    let mut transfers: BTreeMap<NodeId, TransferReport> = BTreeMap::new();
    for partition in (0..cluster.ring.partitions()).map(Partition) {
        for node in cluster.ring.transfer(partition, cluster.n).0 {
            let progress = cluster.members.get(&node).map(|member| &member.progress);
            let done = progress.is_some_and(|progress| {
                progress.seen == cluster.ring.version() && progress.received.contains(&partition)
            });
            let report = transfers.entry(node).or_default();
            report.all += 1;
            report.done += usize::from(done);
        }
    }
    transfers
}

fn member(
    cluster: &Cluster,
    view: &Viewpoint,
    node: NodeId,
    transfers: &BTreeMap<NodeId, TransferReport>,
) -> MemberReport {
    let member = &cluster.members[&node];
    let addresses = Addresses::parse(&member.contact.value.address);
    let owned = |owners: &[NodeId]| owners.iter().filter(|owner| **owner == node).count();
    let seen = match () {
        () if node == view.me => "self",
        () if !member.status.is_active() => "-",
        () if view.down.contains(&node) => "down",
        () if view.suspected.contains(&node) => "suspected",
        () => "alive",
    };
    MemberReport {
        name: Names(cluster).of(node),
        node_id: format!("{:016x}", node.0),
        peer: addresses.as_ref().map(|addresses| addresses.peer.to_string()),
        http: addresses.as_ref().and_then(|addresses| addresses.http.as_ref()).map(|http| http.to_string()),
        https: addresses
            .as_ref()
            .and_then(|addresses| addresses.https.as_ref())
            .map(|https| https.to_string()),
        status: member.status.to_string(),
        weight: member.share.value.weight,
        zone: member.share.value.zone.clone(),
        seen: seen.to_owned(),
        owns: owned(cluster.ring.owners()),
        owns_next: owned(cluster.ring.next_owners().unwrap_or(cluster.ring.owners())),
        knows_ring: member.progress.seen == cluster.ring.version(),
        transfers: transfers.get(&node).copied().unwrap_or_default(),
    }
}

fn changes(cluster: &Cluster, changes: &BTreeMap<NodeId, Change>) -> Vec<ChangeReport> {
    let names = Names(cluster);
    let report = |(node, change): (&NodeId, &Change)| {
        let (kind, share) = match change {
            Change::Join(share) => (ChangeKind::Join, Some(share)),
            Change::Reshare(share) => (ChangeKind::Set, Some(share)),
            Change::Leave => (ChangeKind::Leave, None),
            Change::Remove => (ChangeKind::Remove, None),
            Change::Replace { .. } => (ChangeKind::Replace, None),
        };
        let (with, dead) = match change {
            Change::Replace { with, departure } => (Some(names.of(*with)), *departure == Departure::Dead),
            _ => (None, false),
        };
        ChangeReport {
            node: names.of(*node),
            change: kind,
            weight: share.map(|share| share.weight),
            zone: share.map(|share| share.zone.clone()),
            with,
            dead,
        }
    };
    changes.iter().map(report).collect()
}

impl ChangeReport {
    /// `change` of `node`, and nothing else said.
    pub fn new(node: String, change: ChangeKind) -> Self {
        Self { node, change, weight: None, zone: None, with: None, dead: false }
    }

    /// What is asked for, in the core's terms.
    pub(crate) fn understand(&self, cluster: &Cluster) -> Result<(NodeId, Change), Refused> {
        let node = NodeId::from_name(&self.node);
        let has_share = matches!(self.change, ChangeKind::Join | ChangeKind::Set);
        let is_replace = self.change == ChangeKind::Replace;
        let misplaced = [
            ("weight", self.weight.is_some() && !has_share, "join and set"),
            ("zone", self.zone.is_some() && !has_share, "join and set"),
            ("with", self.with.is_some() && !is_replace, "replace"),
            ("dead", self.dead && !is_replace, "replace"),
        ];
        if let Some((field, _, goes_with)) = misplaced.iter().find(|(_, is, _)| *is) {
            return Err(Refused::new("invalid", format!("{field}: goes with {goes_with} only")));
        }
        if self.zone.as_ref().is_some_and(|zone| zone.len() > cartwheel_wire::limits::NAME_BYTES_MAX) {
            return Err(Refused::new("invalid", "zone: at most 255 bytes are allowed"));
        }
        let change = match self.change {
            ChangeKind::Join => Change::Join(self.share(Share::default())),
            ChangeKind::Set if self.weight.is_none() && self.zone.is_none() => {
                return Err(Refused::new("invalid", "set: a weight or a zone is needed"));
            }
            ChangeKind::Set => {
                // On top of what was set before and is not committed yet.
                let present = match cluster.staged.value.get(&node) {
                    Some(Change::Reshare(share)) => Some(share),
                    _ => cluster.members.get(&node).map(|member| &member.share.value),
                };
                Change::Reshare(self.share(present.cloned().unwrap_or_default()))
            }
            ChangeKind::Leave => Change::Leave,
            ChangeKind::Remove => Change::Remove,
            ChangeKind::Replace => {
                let with = self.with.as_deref().ok_or_else(|| {
                    Refused::new("invalid", "replace: with, the name of the newcomer, is needed")
                })?;
                let departure = if self.dead { Departure::Dead } else { Departure::Alive };
                Change::Replace { with: NodeId::from_name(with), departure }
            }
        };
        Ok((node, change))
    }

    fn share(&self, present: Share) -> Share {
        Share {
            weight: self.weight.unwrap_or(present.weight),
            zone: self.zone.clone().unwrap_or(present.zone),
        }
    }

    /// The name that `node` was given here.
    fn name_of(&self, node: NodeId) -> Option<&str> {
        let names = [Some(self.node.as_str()), self.with.as_deref()];
        names.into_iter().flatten().find(|name| NodeId::from_name(name) == node)
    }
}

/// Why it is refused, in people's names. `asked`: what was to be prepared.
pub(crate) fn refusal(cluster: &Cluster, error: &PlanError, asked: Option<&ChangeReport>) -> Refused {
    let names = Names(cluster);
    let kind = match error {
        PlanError::UnknownNode(_) => "unknown_node",
        PlanError::Status { .. } => "status",
        PlanError::Weight => "invalid",
        PlanError::TooFewMembers { .. } => "too_few_members",
        PlanError::NothingToDo => "nothing_to_do",
        PlanError::Moving => "moving",
        PlanError::Changed => "changed",
        PlanError::Props(_) | PlanError::Type(_) | PlanError::Metadata(_) => "invalid",
        PlanError::NotKept => "not_kept",
        PlanError::NotAMember => "not_a_member",
    };
    let message = match error {
        PlanError::UnknownNode(node) => {
            let name =
                asked.and_then(|asked| asked.name_of(*node)).map_or_else(|| names.of(*node), str::to_owned);
            format!(
                "{name} has not made itself known to this cluster; known are {}; start it with a configuration that \
                 lists a member",
                names.list()
            )
        }
        PlanError::Status { node, status, needed } => {
            format!("{} is {status}; it must be {needed}", names.of(*node))
        }
        other => other.to_string(),
    };
    Refused { why: Some(Box::new(error.clone())), ..Refused::new(kind, message) }
}

impl AdminAnswer {
    pub(crate) fn of(cluster: &Cluster, plan: Option<&Plan>, problem: Option<Refused>) -> Self {
        Self {
            staged: changes(cluster, &cluster.staged.value),
            plan: plan.map(|plan| PlanReport::of(cluster, plan)),
            problem,
        }
    }
}

impl PlanReport {
    pub(crate) fn of(cluster: &Cluster, plan: &Plan) -> Self {
        let names = Names(cluster);
        // Not the ring itself: it may be moving already, by this plan or the one before.
        let moving = (Phase::Copying, plan.after.clone());
        let moving = Ring::from_parts(cluster.ring.epoch(), plan.before.clone(), Some(moving));
        let mut fetches: BTreeMap<NodeId, usize> = BTreeMap::new();
        for ring in moving.iter() {
            for partition in (0..ring.partitions()).map(Partition) {
                for node in ring.transfer(partition, cluster.n).0 {
                    *fetches.entry(node).or_default() += 1;
                }
            }
        }
        let moves = plan.moves();
        let mut balance: Vec<BalanceReport> = moves
            .shares
            .iter()
            .map(|shares| BalanceReport {
                node: names.of(shares.node),
                before: shares.before,
                after: shares.after,
                fetches: fetches.get(&shares.node).copied().unwrap_or(0),
            })
            .collect();
        balance.sort_by(|a, b| a.node.cmp(&b.node));
        Self {
            plan: fingerprint(plan),
            changes: changes(cluster, &plan.changes),
            moves: moves
                .moves
                .iter()
                .map(|it| MoveReport {
                    partition: it.partition.0,
                    from: names.of(it.from),
                    to: names.of(it.to),
                })
                .collect(),
            balance,
            copies: fetches.values().sum(),
        }
    }
}

/// Names a plan, on every node alike.
pub(crate) fn fingerprint(plan: &Plan) -> String {
    let mut bytes = CanonicalBytes::default();
    plan.hash(&mut bytes);
    format!("{:016x}", xxh3_64(bytes.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartwheel_core::ring::Ring;

    fn cluster() -> Cluster {
        let members: Vec<NodeId> = ["n1", "n2", "n3", "n4"].map(NodeId::from_name).into();
        let mut cluster =
            Cluster::founded(&members, Ring::new(&members, 8, 3).expect("a ring"), 3, &BTreeMap::new());
        for name in ["n1", "n2", "n3", "n4"] {
            let local: std::net::SocketAddr = ([127, 0, 0, 1], 1).into();
            let addresses = Addresses { peer: local.into(), http: None, https: None };
            cluster.set_contact(NodeId::from_name(name), &addresses.contact(name));
        }
        cluster
    }

    fn change(json: &str) -> Result<(NodeId, Change), String> {
        let report: ChangeReport = serde_json::from_str(json).map_err(|error| error.to_string())?;
        report.understand(&cluster()).map_err(|refused| refused.message)
    }

    #[test]
    fn what_operators_write_is_what_the_core_understands() {
        let n2 = NodeId::from_name("n2");
        let with = NodeId::from_name("n9");
        let share = |weight, zone: &str| Share { weight, zone: zone.to_owned() };
        for (json, expected) in [
            (r#"{"node":"n2","change":"join"}"#, Change::Join(share(1, ""))),
            (r#"{"node":"n2","change":"join","weight":2,"zone":"east"}"#, Change::Join(share(2, "east"))),
            (r#"{"node":"n2","change":"set","zone":"east"}"#, Change::Reshare(share(1, "east"))),
            (r#"{"node":"n2","change":"leave"}"#, Change::Leave),
            (r#"{"node":"n2","change":"remove"}"#, Change::Remove),
            (
                r#"{"node":"n2","change":"replace","with":"n9","dead":true}"#,
                Change::Replace { with, departure: Departure::Dead },
            ),
        ] {
            assert_eq!(change(json), Ok((n2, expected)), "{json}");
        }
        for (json, why) in [
            (r#"{"node":"n2","change":"explode"}"#, "unknown variant `explode`"),
            (r#"{"node":"n2","change":"leave","now":true}"#, "unknown field `now`"),
            (r#"{"node":"n2","change":"leave","weight":2}"#, "weight: goes with join and set only"),
            (r#"{"node":"n2","change":"set"}"#, "set: a weight or a zone is needed"),
            (r#"{"node":"n2","change":"replace"}"#, "replace: with, the name of the newcomer, is needed"),
        ] {
            let refused = change(json).expect_err(json);
            assert!(refused.contains(why), "{refused:?} should say {why:?}");
        }
    }

    #[test]
    fn setting_goes_on_from_what_was_set_before() {
        let mut cluster = cluster();
        let n2 = NodeId::from_name("n2");
        for json in
            [r#"{"node":"n2","change":"set","zone":"east"}"#, r#"{"node":"n2","change":"set","weight":3}"#]
        {
            let report: ChangeReport = serde_json::from_str(json).expect("a change");
            let (node, change) = report.understand(&cluster).expect("understood");
            cluster.stage(n2, node, change).expect("staged");
        }
        assert_eq!(cluster.staged.value[&n2], Change::Reshare(Share { weight: 3, zone: "east".to_owned() }));
    }

    #[test]
    fn a_plan_is_named_by_its_content() {
        let mut cluster = cluster();
        let n2 = NodeId::from_name("n2");
        cluster.stage(n2, n2, Change::Leave).expect("staged");
        let leave = PlanReport::of(&cluster, &cluster.plan().expect("a plan"));
        assert_eq!(leave, PlanReport::of(&cluster, &cluster.plan().expect("a plan")));
        assert_eq!(leave.balance[1].after, 0);
        assert!(leave.copies >= leave.moves.len(), "each new owner fetches at least what it owns");
        cluster.stage(n2, n2, Change::Remove).expect("staged");
        assert_ne!(leave.plan, PlanReport::of(&cluster, &cluster.plan().expect("a plan")).plan);
    }
}
