//! Scenarios on real nodes: the cluster, the clients and the faults of a scenario file, without the simulator.
//!
//! Each node is a process of the shipped binary, with a configuration file and a disk of its own (`node`). Where it may
//! (as root, on Linux), each is in a network namespace of its own, so that links can be cut, slowed down or made to lose
//! packets, one by one and one way (`network`, `detour`). The clients are the simulator's, to the letter: they keep the same ground truth, and speak HTTP
//! (`clients`, `http`). Faults strike when the scenario says so, or as its nemesis draws them (`director`); what
//! cannot be done to a real machine is left out, and counted. In the end faults cease, the nodes come to rest, every home
//! of a partition must hold the same, and the judge that judges the simulator's runs judges this one (`finish`).
//!
//! A run cannot be replayed bit for bit: the operating system schedules as it likes. The same seed makes the same clients
//! and the same faults.

mod clients;
mod detour;
mod director;
mod finish;
mod http;
mod network;
mod node;
mod operator;
mod report;
mod witness;
mod world;

use std::io;
use std::path::PathBuf;

use cartwheel_sim::Scenario;
use cartwheel_sim::streams::{Component, Streams};
use tokio::signal::unix::{SignalKind, signal};

pub use network::NetworkKind;
pub use report::{Left, Report};

/// How a scenario is played.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where nodes keep configurations, logs and data. Must be empty, or not there.
    pub dir: PathBuf,
    /// The binary of the nodes.
    pub binary: PathBuf,
    /// The binary that they begin with, where they are upgraded: whoever starts again, starts as `binary`.
    pub before: Option<PathBuf>,
    /// What lies between nodes.
    pub network: NetworkKind,
}

/// Why a scenario could not be played. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// What a scenario asks of nodes that real ones cannot be asked.
    #[error("{key}: {what}")]
    Unplayable {
        /// The scenario's key.
        key: &'static str,
        /// What is wrong, and what is allowed.
        what: String,
    },
    /// The machine does not let us.
    #[error("{what}: {source}")]
    Machine {
        /// What was tried.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// Somebody ended it.
    #[error("interrupted; all nodes were ended")]
    Interrupted,
    /// A node does not start, or ends by itself.
    #[error("{node} {what}; the end of its log ({log}): {words}", log = log.display())]
    Node {
        /// Which.
        node: String,
        /// What became of it.
        what: String,
        /// Where it logs.
        log: PathBuf,
        /// Its last words.
        words: String,
    },
}

impl PlayError {
    fn machine(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |source| Self::Machine { what, source }
    }
}

/// Plays `scenario`: blocks for as long as it lasts, and until the cluster has come to rest. `tell` hears what happens, a
/// line at a time.
///
/// # Errors
///
/// It could not be played; what nodes did wrong is in the report.
pub fn play(
    scenario: &Scenario,
    seed: u64,
    options: &Options,
    tell: &dyn Fn(&str),
) -> Result<Report, PlayError> {
    world::check(scenario)?;
    let nodes = scenario.cluster.nodes + scenario.cluster.spares;
    // Before the runtime: its threads are in the network that this one is in.
    let mut network = network::Network::create(options.network, nodes)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(PlayError::machine("starting threads"))?;
    let report = runtime.block_on(async {
        // Whoever ends us ends the nodes, too: they end with what owns them.
        let mut terminate =
            signal(SignalKind::terminate()).map_err(PlayError::machine("listening to signals"))?;
        network.open_detour(Streams::new(seed).stream(Component::Luck))?;
        let played = async {
            let world = world::World::found(scenario, options, network).await?;
            director::Director::new(scenario, seed, world, tell).run().await
        };
        tokio::select! {
            played = played => played,
            _ = tokio::signal::ctrl_c() => Err(PlayError::Interrupted),
            _ = terminate.recv() => Err(PlayError::Interrupted),
        }
    });
    runtime.shutdown_background();
    report
}
