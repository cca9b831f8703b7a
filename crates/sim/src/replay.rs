//! A run, stopped at a moment: what every node holds of a key, owes, believes, and what is on its way.

mod text;

use std::fmt;

use cartwheel_core::Node;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::Member;
use serde::{Deserialize, Serialize};

use crate::scenario::Span;

/// What somebody wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// When; the end of the run where it is not said.
    pub until: Option<Span>,
    /// Which key: `carts/cart-1`, or `cart-1` where no other bucket has one.
    pub key: Option<String>,
    /// Which node, such as `n3`; all of them where it is not said.
    pub node: Option<String>,
}

/// Why there is nothing to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// The scenario has no such node.
    Node {
        /// What was asked for.
        asked: String,
        /// How many nodes there are, spares included.
        nodes: u32,
    },
    /// No client of the scenario writes that key, or keys of several buckets are called so.
    Key {
        /// What was asked for.
        asked: String,
        /// The keys that are written.
        keys: Vec<String>,
    },
    /// The run is over by then.
    After {
        /// What was asked for.
        asked: Span,
        /// When the run ends.
        end_ns: u64,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node { asked, nodes: 1 } => write!(f, "--node {asked}: no such node; allowed: n1"),
            Self::Node { asked, nodes } => write!(f, "--node {asked}: no such node; allowed: n1 to n{nodes}"),
            Self::Key { asked, keys } => write!(f, "--key {asked}: no such key; allowed: {}", some(keys)),
            Self::After { asked, end_ns } => {
                let (asked, end) = (exact_seconds(asked.ns()), exact_seconds(*end_ns));
                write!(f, "--until {asked}: the run is over by then; allowed: 0s to {end}")
            }
        }
    }
}

impl std::error::Error for ReplayError {}

/// The first and the last of many names.
fn some(names: &[String]) -> String {
    const NAMED_MAX: usize = 6;
    match names {
        [first, .., last] if names.len() > NAMED_MAX => format!("{first} ... {last} ({} keys)", names.len()),
        _ => names.join(", "),
    }
}

/// `2.310 s`.
pub(crate) fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}

/// `2.310000123s`: to the nanosecond, as the command line takes it.
fn exact_seconds(ns: u64) -> String {
    let text = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The simulated world at a moment. `--json` prints it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Situation {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The museum piece that was planted.
    pub flaw: Option<String>,
    /// The moment, in nanoseconds of simulated time. Everything until then has happened, what comes at that very
    /// nanosecond included.
    pub at_ns: u64,
    /// Whether the run is over.
    pub is_over: bool,
    /// Whether faults still strike and clients still begin visits.
    pub faults_strike: bool,
    /// Names everything that happened to every node so far.
    pub trace_digest: String,
    /// The ring in force: its version.
    pub ring: String,
    /// The key that was asked for, and where it belongs.
    pub key: Option<KeyPlace>,
    /// Where no key was asked for: all keys, and who holds how many versions.
    pub keys: Vec<KeyCopies>,
    /// The nodes, in their order.
    pub nodes: Vec<NodeState>,
    /// Messages that have not arrived yet, about the key or, where none was asked for, about any key; in the order in
    /// which they were sent.
    pub under_way: Vec<UnderWay>,
    /// How a run that is over was judged.
    pub verdict: Option<String>,
    /// What went wrong, in sentences.
    pub findings: Vec<String>,
}

/// A key, and who keeps it by the ring in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPlace {
    /// The key.
    pub key: String,
    /// Those that keep it.
    pub homes: Vec<String>,
    /// Those that stand in for them, in order.
    pub fallbacks: Vec<String>,
}

/// How many versions each node holds of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCopies {
    /// The key.
    pub key: String,
    /// The nodes that hold something, home or not, each with the writes that it holds.
    pub copies: Vec<(String, String)>,
    /// Whether all of its homes hold the same.
    pub agrees: bool,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeState {
    /// Its name.
    pub node: String,
    /// Whether it is part of the world: not yet, or not any more.
    pub exists: bool,
    /// Whether it runs.
    pub is_up: bool,
    /// Since when, in nanoseconds of simulated time.
    pub since_ns: u64,
    /// How often it was started on its disk.
    pub boot: u64,
    /// What its disk holds of the key; `None` where no key was asked for.
    pub record: Option<RecordState>,
    /// What it owes to others in all.
    pub hints: Vec<HintsFor>,
    /// What it believes; `None` while it is down.
    pub view: Option<View>,
}

/// What a disk holds of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordState {
    /// `home`, `fallback`, or `stranger` to the key, by the ring in force.
    pub role: String,
    /// The versions: more than one are siblings, none: nothing is held.
    pub siblings: Vec<VersionState>,
    /// Whether a crash at this moment is sure to leave exactly these.
    pub is_durable: bool,
    /// The last dot that this store issued for the key, its licence to go on counting.
    pub counts_on: Option<String>,
    /// Homes that it owes the key to: a hint each.
    pub owed_to: Vec<String>,
    /// Requests about the key that wait for the disk.
    pub disk_waits: Vec<String>,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionState {
    /// The write that made it, as clients count writes.
    pub write: Option<String>,
    /// Its name for ever.
    pub dot: String,
    /// What its writer had been shown: the highest dot of each actor.
    pub past: Vec<String>,
    /// Whether it is a delete.
    pub is_tombstone: bool,
    /// What was written, in words.
    pub value: String,
    /// The client's request.
    pub request: String,
    /// By the coordinator's clock, in seconds since the simulated world began.
    pub written_at: String,
}

/// What a node owes to one other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HintsFor {
    /// To whom.
    pub home: String,
    /// How many keys.
    pub keys: u64,
    /// How many bytes of values.
    pub bytes: u64,
}

/// What a node believes of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Whether it takes part: it serves clients and peers.
    pub serves: bool,
    /// The ring that it goes by.
    pub ring: String,
    /// How far a change of owners has come.
    pub phase: Option<String>,
    /// Everybody that it knows of.
    pub members: Vec<MemberView>,
    /// Clients' requests that it coordinates or forwards.
    pub requests_running: u64,
}

impl View {
    /// What `node` believes.
    pub fn of(node: &Node) -> Self {
        let status = node.status();
        let (suspected, down) = (status.suspected(), status.down());
        let member = |(name, member): (&NodeId, &Member)| MemberView {
            node: name.to_string(),
            status: member.status.to_string(),
            liveness: match () {
                () if down.contains(name) => "down",
                () if suspected.contains(name) => "suspect",
                () => "alive",
            }
            .into(),
        };
        let cluster = status.cluster();
        Self {
            serves: status.serves(),
            ring: cluster.ring.version().to_string(),
            phase: cluster.ring.phase().map(|phase| format!("{phase:?}").to_lowercase()),
            members: cluster.members.iter().map(member).collect(),
            requests_running: status.requests_running() as u64,
        }
    }
}

/// What a node believes of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// Who.
    pub node: String,
    /// Its place in the cluster: joining, member, leaving, left or removed.
    pub status: String,
    /// `alive`, `suspect` (it left requests unanswered) or `down` (all members together hold it to be dead).
    pub liveness: String,
}

/// A message that has not arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: String,
    /// What kind of message.
    pub kind: String,
    /// What it says, in words.
    pub text: String,
    /// The keys that it is about.
    pub keys: Vec<String>,
    /// When it was sent, in nanoseconds of simulated time.
    pub sent_ns: u64,
    /// When it will arrive.
    pub due_ns: Option<u64>,
}
