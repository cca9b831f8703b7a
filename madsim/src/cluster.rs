//! The nodes: each is a machine of madsim's that runs what `cartwheel serve` runs, on a directory of its own that outlives it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use cartwheel_node::{ConfigFile, Member, Sabotage, Settings, start};
use madsim::net::NetSim;
use madsim::runtime::Handle;
use madsim::task::NodeId;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::plan::{Kind, Plan};
use crate::trace::Trace;

/// Homes of a key.
pub const N: usize = 3;
const PARTITIONS: u32 = 8;
/// How long a node that was asked to coordinate a put may be silent before another one is asked.
pub const FORWARD_TIMEOUT: Duration = Duration::from_millis(250);

/// One node.
pub struct Host {
    /// Its name.
    pub name: String,
    /// Where clients find it.
    pub http: SocketAddr,
    /// As it is started, each time.
    pub settings: Settings,
    machine: NodeId,
    is_up: bool,
    stop: Option<oneshot::Sender<()>>,
}

/// All of them, and the network between them.
pub struct Cluster {
    /// The nodes.
    pub hosts: Vec<Host>,
    trace: Trace,
    latency: std::ops::Range<Duration>,
}

/// A directory for the data of all nodes. Files are real, and synced; in memory, where there is such a place, a sync costs
/// nothing. To be made outside of the simulation: within it, two processes would hit upon the same name.
pub fn data() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a directory for the nodes' data")
}

fn ip(node: usize) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, u8::try_from(node + 1).expect("a few nodes")).into()
}

fn name(node: usize) -> String {
    format!("n{}", node + 1)
}

/// With intervals that suit a run of some seconds.
fn settings(node: usize, nodes: usize, data: &Path, sabotage: Option<Sabotage>) -> Settings {
    let address = |node: usize, port: u16| SocketAddr::new(ip(node), port);
    let members = (0..nodes).map(|node| Member::new(name(node), address(node, 8099))).collect();
    let mut file =
        ConfigFile::new("shop".into(), name(node), address(node, 8098), address(node, 8099), members);
    file.data = data.join(name(node));
    file.partitions = PARTITIONS;
    for (setting, ms) in [
        (&mut file.request_timeout_ms, 2_000),
        (&mut file.forward_timeout_ms, FORWARD_TIMEOUT.as_millis() as u64),
        (&mut file.probe_interval_ms, 200),
        (&mut file.hint_interval_ms, 300),
        (&mut file.anti_entropy_interval_ms, 100),
        (&mut file.gossip_interval_ms, 300),
        (&mut file.swim_interval_ms, 300),
        (&mut file.start_wait_ms, 300),
        (&mut file.handoff_interval_ms, 300),
    ] {
        *setting = Some(ms);
    }
    // Nothing is pruned, so that nothing has an excuse to come back.
    file.past_entries_max = Some(1_000);
    let mut settings = Settings::new(file).expect("valid settings");
    settings.sabotage = sabotage;
    settings
}

impl Cluster {
    /// The nodes of `plan`, with their data in `data`; none is started.
    pub fn new(plan: &Plan, sabotage: Option<Sabotage>, trace: Trace, data: &Path) -> Self {
        let hosts = (0..plan.nodes).map(|node| {
            let machine = Handle::current().create_node().name(name(node)).ip(ip(node)).build();
            let settings = settings(node, plan.nodes, data, sabotage);
            let (name, http) = (name(node), settings.file.http);
            Host { name, http, settings, machine: machine.id(), is_up: false, stop: None }
        });
        Self { hosts: hosts.collect(), trace, latency: plan.latency.clone() }
    }

    /// Starts `node`, unless it is up.
    pub fn start(&mut self, node: usize) {
        let (host, trace) = (&mut self.hosts[node], self.trace.clone());
        if host.is_up {
            return;
        }
        let handle = Handle::current();
        // What is left of a process that was told to stop goes with it.
        handle.kill(host.machine);
        handle.restart(host.machine);
        let (stop, stopped) = oneshot::channel();
        (host.is_up, host.stop) = (true, Some(stop));
        let (settings, name) = (host.settings.clone(), host.name.clone());
        trace.tell(format_args!("{name} starts"));
        handle.get_node(host.machine).expect("made above").spawn(async move {
            let ended = match start(settings).await {
                Ok(running) => {
                    running.run_until(async { drop(stopped.await) }).await.map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            match ended {
                Ok(()) => trace.tell(format_args!("{name} has stopped")),
                Err(error) => trace.accuse(format_args!("{name} broke down: {error}")),
            }
        });
    }

    /// Kills `node`, if it is up.
    pub fn kill(&mut self, node: usize) {
        let host = &mut self.hosts[node];
        (host.is_up, host.stop) = (false, None);
        Handle::current().kill(host.machine);
    }

    /// Tells `node` to stop.
    pub fn stop(&mut self, node: usize) {
        let host = &mut self.hosts[node];
        host.is_up = false;
        // It may have broken down, which was told.
        host.stop.take().map(|stop| stop.send(()));
    }

    /// A fault strikes.
    pub fn strike(&mut self, kind: &Kind) {
        self.trace.tell(kind);
        match kind {
            Kind::Kill(node) => self.kill(*node),
            Kind::KillAll => (0..self.hosts.len()).for_each(|node| self.kill(node)),
            Kind::Stop(node) => self.stop(*node),
            Kind::Pause(node) => Handle::current().pause(self.hosts[*node].machine),
            Kind::Partition(side) => self.across(side, |net, from, to| net.clog_link(from, to)),
            Kind::OneWay { from, to } => {
                NetSim::current().clog_link(self.hosts[*from].machine, self.hosts[*to].machine);
            }
            Kind::Deaf(node) => NetSim::current().clog_node_in(self.hosts[*node].machine),
            Kind::Mute(node) => NetSim::current().clog_node_out(self.hosts[*node].machine),
            Kind::Slow(latency) => {
                NetSim::current().update_config(|net| net.send_latency = latency.clone());
            }
            Kind::Lossy(rate) => {
                NetSim::current().update_config(|net| net.packet_loss_rate = f64::from(*rate) / 1_000.0);
            }
        }
    }

    /// A fault is over.
    pub fn mend(&mut self, kind: &Kind) {
        self.trace.tell(format_args!("no more: {kind}"));
        match kind {
            Kind::Kill(node) | Kind::Stop(node) => self.start(*node),
            Kind::KillAll => (0..self.hosts.len()).for_each(|node| self.start(node)),
            Kind::Pause(node) => Handle::current().resume(self.hosts[*node].machine),
            Kind::Partition(side) => self.across(side, |net, from, to| net.unclog_link(from, to)),
            Kind::OneWay { from, to } => {
                NetSim::current().unclog_link(self.hosts[*from].machine, self.hosts[*to].machine);
            }
            Kind::Deaf(node) => NetSim::current().unclog_node_in(self.hosts[*node].machine),
            Kind::Mute(node) => NetSim::current().unclog_node_out(self.hosts[*node].machine),
            Kind::Slow(_) => {
                let latency = self.latency.clone();
                NetSim::current().update_config(|net| net.send_latency = latency);
            }
            Kind::Lossy(_) => NetSim::current().update_config(|net| net.packet_loss_rate = 0.0),
        }
    }

    /// Each link between a node of `side` and another one, in both directions.
    fn across(&self, side: &[usize], act: impl Fn(&NetSim, NodeId, NodeId)) {
        let net = NetSim::current();
        for (here, one) in self.hosts.iter().enumerate().filter(|(node, _)| side.contains(node)) {
            for (_, other) in
                self.hosts.iter().enumerate().filter(|(node, _)| *node != here && !side.contains(node))
            {
                act(&net, one.machine, other.machine);
                act(&net, other.machine, one.machine);
            }
        }
    }
}
