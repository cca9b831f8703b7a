//! The cluster: its nodes, and what lies between them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cartwheel_node::{ClusterReport, ConfigFile, Member, QuorumSetting, Report};
use cartwheel_sim::Scenario;
use cartwheel_sim::scenario::{Fault, NemesisSpec, Span};
use cartwheel_sim::streams::{Component, Streams};
use tokio::time::sleep;

use crate::network::Network;
use crate::node::{Machine, Node};
use crate::{Options, PlayError, http};

/// How long a node may take to answer, on a machine that is busy.
pub const READY_MAX: Duration = Duration::from_secs(60);
/// Most nodes: each is a process of this machine.
const NODES_MAX: u32 = 32;

/// A cluster that runs.
pub struct World {
    pub nodes: Vec<Node>,
    pub network: Network,
    pub binary: PathBuf,
    /// Spares that were not started are no part of it yet; those that were destroyed are none any more.
    pub exists: Vec<bool>,
}

/// What real nodes cannot be asked.
pub fn check(scenario: &Scenario) -> Result<(), PlayError> {
    let wrong = |key, what: String| Err(PlayError::Unplayable { key, what });
    let nodes = scenario.cluster.nodes + scenario.cluster.spares;
    if nodes > NODES_MAX {
        return wrong(
            "cluster.nodes",
            format!("{nodes} with spares; allowed on real nodes: at most {NODES_MAX}"),
        );
    }
    if scenario.listing.is_some() {
        return wrong("listing", "nobody lists anything of real nodes; leave it out".to_owned());
    }
    if scenario.cluster.last_write_wins {
        return wrong(
            "cluster.last_write_wins",
            "true; real nodes have it as a property of buckets, set by `set_props`".to_owned(),
        );
    }
    Ok(())
}

impl World {
    /// Starts the founders, and waits until they take requests.
    pub async fn found(scenario: &Scenario, options: &Options, network: Network) -> Result<Self, PlayError> {
        let dir = &options.dir;
        if dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            let source = std::io::Error::other("not empty; name another with --dir, or remove it");
            return Err(PlayError::Machine { what: dir.display().to_string(), source });
        }
        let (founders, spares) = (scenario.cluster.nodes, scenario.cluster.spares);
        let mut nodes = Vec::new();
        for number in 0..founders + spares {
            let config = config(scenario, &network, number);
            let machine = machine(scenario, number + 1);
            nodes.push(Node::new(dir, &config, network.namespace(number), machine)?);
        }
        let exists = (0..founders + spares).map(|node| node < founders).collect();
        let mut world = Self { nodes, network, binary: options.binary.clone(), exists };
        let first = options.before.as_ref().unwrap_or(&options.binary);
        for node in world.nodes.iter_mut().take(founders as usize) {
            node.start(first)?;
        }
        for number in 0..founders as usize {
            world.wait_until_serves(number).await?;
        }
        Ok(world)
    }

    async fn wait_until_serves(&mut self, number: usize) -> Result<(), PlayError> {
        let end = Instant::now() + READY_MAX;
        let node = &mut self.nodes[number];
        loop {
            if let Ok(report) = http::page::<Report>(node.http, "/cartwheel/status").await
                && report.serves
            {
                return Ok(());
            }
            if let Some(ended) = node.has_ended() {
                return Err(node.failure(format!("ended with {ended}")));
            }
            if Instant::now() >= end {
                return Err(node.failure("takes no requests"));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Nodes that are up and move, counted from 1.
    pub fn steady(&self) -> Vec<u32> {
        let numbered = self.nodes.iter().zip(1..);
        numbered.filter(|(node, _)| node.is_running() && !node.is_still).map(|(_, number)| number).collect()
    }

    /// How many nodes are part of the cluster and not steady.
    pub fn down(&self) -> usize {
        self.exists.iter().filter(|exists| **exists).count() - self.steady().len()
    }

    /// What the first node that answers knows of the cluster.
    pub async fn cluster(&self) -> Option<(usize, ClusterReport)> {
        for (number, node) in self.nodes.iter().enumerate() {
            if node.is_running()
                && !node.is_still
                && let Ok(report) = http::page::<ClusterReport>(node.http, "/cartwheel/cluster").await
                && report.serves
            {
                return Some((number, report));
            }
        }
        None
    }
}

/// The configuration of node `number`, counted from 0.
fn config(scenario: &Scenario, network: &Network, number: u32) -> ConfigFile {
    let name = |number: u32| format!("n{}", number + 1);
    let founders = (0..scenario.cluster.nodes)
        .map(|number| Member::new(name(number), network.addresses(number).1))
        .collect();
    let (http, peer) = network.addresses(number);
    let file = ConfigFile::new("real".to_owned(), name(number), http, peer, founders);
    let cluster = &scenario.cluster;
    let ms = |span: Span| Some(span.ns() / 1_000_000);
    ConfigFile {
        data: Node::DATA.into(),
        partitions: cluster.partitions,
        n: cluster.n,
        r: QuorumSetting(cluster.r.0),
        w: QuorumSetting(cluster.w.0),
        request_timeout_ms: ms(cluster.request_timeout),
        replica_timeout_ms: ms(cluster.replica_timeout),
        forward_timeout_ms: ms(cluster.replica_timeout),
        probe_interval_ms: ms(cluster.hint_interval),
        hint_interval_ms: ms(cluster.hint_interval),
        anti_entropy_interval_ms: ms(cluster.anti_entropy_interval),
        gossip_interval_ms: ms(cluster.gossip_interval),
        start_wait_ms: ms(cluster.gossip_interval),
        swim_interval_ms: ms(cluster.swim_interval),
        handoff_interval_ms: ms(cluster.hint_interval),
        reap_after_ms: ms(cluster.reap_after),
        hint_bytes_max: Some(cluster.hint_bytes_max),
        past_entries_max: Some(cluster.past_entries_max),
        suspect_after: Some(cluster.suspect_after),
        ..file
    }
}

/// What the faults of the scenario need of the machine of node `number`, counted from 1.
fn machine(scenario: &Scenario, number: u32) -> Machine {
    let by_chance =
        |weight: fn(&NemesisSpec) -> u32| scenario.nemesis.as_ref().is_some_and(|it| weight(it) > 0);
    let fills = |fault: &Fault| matches!(fault, Fault::DiskFull { node, .. } if *node == number);
    let jumps = |fault: &Fault| matches!(fault, Fault::ClockJump { .. });
    let small_disk = by_chance(|it| it.disk_full) || scenario.fault.iter().any(fills);
    let offset_max = scenario.clock.offset_max;
    let has_clock = Machine::can_set_clocks()
        && (!offset_max.is_zero() || by_chance(|it| it.clock_jump) || scenario.fault.iter().any(jumps));
    let clock_ms = has_clock.then(|| {
        let mut draws = Streams::new(scenario.seed.unwrap_or(1)).stream(Component::Clock { node: number });
        let most = offset_max.ns() / 1_000_000;
        draws.between(0, 2 * most).cast_signed() - most.cast_signed()
    });
    Machine { small_disk, clock_ms }
}
