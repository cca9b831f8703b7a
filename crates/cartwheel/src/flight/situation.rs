//! The nodes at a moment, in the words of `cartwheel replay` for simulated ones.

use std::collections::BTreeMap;
use std::fmt;

use cartwheel_core::Node;
use cartwheel_core::id::NodeId;
use cartwheel_core::version::{Value, Version};
use cartwheel_sim::replay::{HintsFor, KeyPlace, NodeState, RecordState, VersionState, View};
use cartwheel_sim::trace::{data_type_in_words, text_of};
use serde::Serialize;

use super::held::Held;
use super::told::{seconds, sum};
use super::when::wall;
use super::{Asked, Flights, Flown};

/// What is known of the cluster at a moment. `--json` prints it.
#[derive(Serialize)]
pub(super) struct Situation {
    /// The moment, in nanoseconds after the beginning of the recordings.
    at_ns: u64,
    /// By the clocks of the nodes.
    at: String,
    /// Where the key that was asked for belongs, by the node that knows the latest ring.
    key: Option<KeyPlace>,
    nodes: Vec<OneNode>,
    boots: Vec<OneBoot>,
}

/// One node that recorded.
#[derive(Serialize)]
struct OneNode {
    #[serde(flatten)]
    state: NodeState,
    /// Whether anything of the key passed between the core and the store.
    key_was_seen: bool,
    /// What cannot be told of it.
    unknown: Option<&'static str>,
}

/// One boot, until the moment.
#[derive(Serialize)]
struct OneBoot {
    node: String,
    boot: u64,
    begins_ns: u64,
    ends_ns: u64,
    inputs_read: u64,
    inputs_executed: u64,
    outputs_equal: bool,
    notes: Vec<String>,
}

impl Situation {
    pub fn new(
        flights: &Flights,
        all: &[Flown],
        cores: Vec<Node>,
        held: &BTreeMap<NodeId, Held>,
        at_ns: u64,
        asked: &Asked<'_>,
    ) -> Result<Self, String> {
        let recorded = flights.recorded();
        if let Some(node) = asked.node
            && !recorded.values().any(|name| name == node)
        {
            let names: Vec<&str> = recorded.values().map(String::as_str).collect();
            return Err(format!("--node {node}: no such node; allowed: {}", names.join(", ")));
        }
        let cores: BTreeMap<NodeId, Node> =
            cores.into_iter().map(|core| (core.status().node(), core)).collect();
        let key = asked.key.map(|key| place(key, cores.values())).transpose()?.flatten();
        let mut nodes: Vec<OneNode> = recorded
            .iter()
            .filter(|(_, name)| asked.node.is_none_or(|node| node == name.as_str()))
            .filter_map(|(node, name)| {
                let boot = all.iter().rfind(|flown| flown.boot.origin.node == *node)?;
                let record = key.as_ref().zip(held.get(node));
                Some(one(name, boot, cores.get(node), record, at_ns))
            })
            .collect();
        nodes.sort_by(|one, other| one.state.node.cmp(&other.state.node));
        let boots = all.iter().map(|flown| OneBoot {
            node: flown.boot.origin.name.clone(),
            boot: flown.boot.origin.boot,
            begins_ns: flown.begins_ns,
            ends_ns: flown.ends_ns,
            inputs_read: flown.outcome.read,
            inputs_executed: flown.outcome.executed,
            outputs_equal: !flown.differs(),
            notes: flown.outcome.notes.clone(),
        });
        let at = wall(flights.base_us + at_ns / 1_000);
        Ok(Self { at_ns, at, key, nodes, boots: boots.collect() })
    }
}

/// Who keeps the key, by the latest ring that one of the nodes knows; nobody can tell where none was re-executed.
fn place<'a>(asked: &str, cores: impl Iterator<Item = &'a Node>) -> Result<Option<KeyPlace>, String> {
    let keys = super::keys_called(asked);
    let Some(key) = keys.first() else {
        return Err(format!("--key {asked}: allowed: a bucket and a key, such as carts/cart-1"));
    };
    let cluster = |core: &'a Node| core.status().cluster();
    let Some(cluster) = cores.map(cluster).max_by_key(|cluster| cluster.ring.version()) else {
        return Ok(None);
    };
    let placement = cluster.ring.placement(key.token(), cluster.n);
    let homes = placement.homes();
    let fallbacks = placement.list.fallbacks().iter().filter(|node| !homes.contains(node));
    Ok(Some(KeyPlace {
        key: key.to_string(),
        fallbacks: fallbacks.map(NodeId::to_string).collect(),
        homes: homes.iter().map(NodeId::to_string).collect(),
    }))
}

fn one(
    name: &str,
    flown: &Flown,
    core: Option<&Node>,
    record: Option<(&KeyPlace, &Held)>,
    at_ns: u64,
) -> OneNode {
    /// A node that says nothing for so long is down: it gossips.
    const SILENCE_NS: u64 = 5_000_000_000;
    let is_up = at_ns <= flown.ends_ns.saturating_add(SILENCE_NS);
    let hints = core.filter(|_| is_up).map(|core| core.status().hints()).unwrap_or_default();
    let hints = hints.into_iter().map(|(home, total)| HintsFor {
        home: home.to_string(),
        keys: total.keys,
        bytes: total.bytes,
    });
    let seen = record.and_then(|(place, held)| record_state(flown, place, held));
    let unknown =
        if core.is_none() { Some("what it believes: it could not be re-executed so far") } else { None };
    OneNode {
        key_was_seen: seen.is_some(),
        unknown: unknown.filter(|_| is_up),
        state: NodeState {
            node: name.to_owned(),
            exists: true,
            is_up,
            since_ns: if is_up { flown.begins_ns } else { flown.ends_ns },
            boot: flown.boot.origin.boot,
            record: seen,
            hints: hints.collect(),
            view: core.filter(|_| is_up).map(View::of),
        },
    }
}

fn record_state(flown: &Flown, place: &KeyPlace, held: &Held) -> Option<RecordState> {
    let siblings = held.siblings.as_ref()?;
    let node = flown.boot.origin.node.to_string();
    let role = match () {
        () if place.homes.contains(&node) => "home",
        () if place.fallbacks.contains(&node) => "fallback",
        () => "stranger",
    };
    Some(RecordState {
        role: role.into(),
        siblings: siblings.versions().iter().map(version_state).collect(),
        is_durable: held.unsynced.is_none(),
        counts_on: held.counts_on.map(|dot| dot.to_string()),
        owed_to: held.owed_to.iter().map(NodeId::to_string).collect(),
        disk_waits: held.disk_waits(),
    })
}

fn version_state(version: &Version) -> VersionState {
    let value = match &version.value {
        Value::Tombstone => "a delete".to_owned(),
        Value::DataType(value) => data_type_in_words(value),
        Value::Data(bytes) => text_of(bytes).unwrap_or_else(|| format!("{} bytes", bytes.len())),
    };
    VersionState {
        write: Some("version".into()),
        dot: version.dot.to_string(),
        past: version.past.entries().iter().map(ToString::to_string).collect(),
        is_tombstone: version.value == Value::Tombstone,
        value,
        request: format!("{:032x}", version.request.0),
        written_at: wall(version.written_at.0),
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "time          {} ({})", seconds(self.at_ns), self.at)?;
        if let Some(KeyPlace { key, homes, fallbacks }) = &self.key {
            let fallbacks = if fallbacks.is_empty() { "nobody".into() } else { fallbacks.join(" ") };
            writeln!(f, "key           {key}: homes {}; {fallbacks} to stand in", homes.join(" "))?;
        }
        for node in &self.nodes {
            write!(f, "\n{}", node.state)?;
            if self.key.is_some() && !node.key_was_seen {
                writeln!(f, "    holds     nothing of it was seen in this recording")?;
            }
            if let Some(unknown) = node.unknown {
                writeln!(f, "    unknown   {unknown}")?;
            }
        }
        Ok(())
    }
}

/// For the page.
pub(super) fn in_a_sentence(all: &[Flown]) -> String {
    sum(&all.iter().collect::<Vec<_>>())
}
