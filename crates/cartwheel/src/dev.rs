//! `cartwheel dev`: a cluster on this machine, each node a process of its own, so that any of them can be killed.

mod child;
mod layout;
mod tls;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use tokio::sync::mpsc;

use self::child::{Child, Exit};
use self::layout::Layout;
use crate::output::{complain, say};
use crate::serve::stop_signal;

/// Exit status: 0 after SIGTERM or ctrl-c, 1 when all nodes have died, 2 when the cluster was not started.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// How many nodes; 3, or as many as there are, when not given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    nodes: Option<u16>,
    #[command(flatten)]
    data: Data,
    /// Where the first node answers HTTP: 8098, or where it did, when not given. The others follow in steps of 10. Protocol
    /// buffers are answered 11 below.
    #[arg(long)]
    http_port: Option<u16>,
    /// Have peers and clients use TLS, with an authority of the cluster's own. A cluster that has begun with it goes on
    /// with it.
    #[arg(long)]
    tls: bool,
    /// Start a node again when it has died.
    #[arg(long)]
    restart: bool,
}

#[derive(clap::Args)]
struct Data {
    /// Where the nodes keep their configuration, data and logs. An existing cluster there is started again.
    #[arg(long, default_value = "cartwheel-dev")]
    data: PathBuf,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Write the configuration of one more node, and say how it is started and let in.
    Add(Data),
}

/// How long a node may take to answer its first ping.
const READY_MAX: Duration = Duration::from_secs(60);
/// How long a node may take to stop before it is killed.
const STOP_MAX: Duration = Duration::from_secs(15);
/// Before a node that died is started again: one that dies at once must not spin.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

pub fn run(args: Args) -> ExitCode {
    if let Some(Command::Add(Data { data })) = &args.command {
        return add(data);
    }
    let layout = match Layout::prepare(&args.data.data, args.nodes, args.http_port, args.tls) {
        Ok(layout) => layout,
        Err(error) => return complain(&error),
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cluster(args, &layout)),
        Err(error) => complain(&format!("cannot start: {error}")),
    }
}

fn add(data: &Path) -> ExitCode {
    let (node, http) = match layout::add(data) {
        Ok(added) => added,
        Err(error) => return complain(&error),
    };
    let name = &node.name;
    say(&format!("{name} is configured in {}", node.config.display()));
    say(&format!("  start it with:         {}", node.command()));
    say(&format!("  then let it in with:   cartwheel cluster join {name} --node http://{http}"));
    say(&format!("  see what would move:   cartwheel cluster plan --node http://{http}"));
    say(&format!("  and make it so with:   cartwheel cluster commit --node http://{http}"));
    ExitCode::SUCCESS
}

async fn cluster(Args { data: Data { data }, restart, .. }: Args, layout: &Layout) -> ExitCode {
    let stop = match stop_signal() {
        Ok(stop) => stop,
        Err(error) => return complain(&format!("cannot listen to signals: {error}")),
    };
    let mut stop = std::pin::pin!(stop);
    let (exited, mut exits) = mpsc::unbounded_channel();
    let mut cluster = Cluster { layout, children: Vec::new(), exited };
    let started = tokio::select! {
        started = cluster.start(&mut exits) => started,
        () = stop.as_mut() => Err("stopped before all nodes were ready".to_owned()),
    };
    let status = match started {
        Err(why) => complain(&why),
        Ok(()) => {
            layout.nodes.iter().filter_map(|node| Some((node, node.https?))).for_each(|(node, https)| {
                say(&format!("{}  https://{https}", node.name));
            });
            for node in &layout.nodes {
                say(&format!("{}  protocol buffers: {}", node.name, node.pb));
            }
            say(&format!("ready; data, logs and configurations are in {}", data.display()));
            tokio::select! {
                () = cluster.watch(&mut exits, restart) => ExitCode::FAILURE,
                () = stop => ExitCode::SUCCESS,
            }
        }
    };
    cluster.stop(&mut exits).await;
    status
}

struct Cluster<'a> {
    layout: &'a Layout,
    /// By node; `None` for one that has died.
    children: Vec<Option<Child>>,
    exited: mpsc::UnboundedSender<Exit>,
}

impl Cluster<'_> {
    async fn start(&mut self, exits: &mut mpsc::UnboundedReceiver<Exit>) -> Result<(), String> {
        for index in 0..self.layout.nodes.len() {
            let child = self.spawn(index)?;
            self.children.push(Some(child));
        }
        for (index, node) in self.layout.nodes.iter().enumerate() {
            tokio::select! {
                ready = child::answers(node.http, READY_MAX) => ready.map_err(|why| format!("{} {why}", node.name))?,
                Some(exit) = exits.recv() => {
                    self.children[exit.index] = None;
                    let node = &self.layout.nodes[exit.index];
                    return Err(format!("{} {}: {}", node.name, exit.how, node.last_words()));
                }
            }
            if let Some(Some(child)) = self.children.get(index) {
                say(&format!("{}  http://{}  pid {}", node.name, node.http, child.pid()));
            }
        }
        Ok(())
    }

    fn spawn(&self, index: usize) -> Result<Child, String> {
        let node = &self.layout.nodes[index];
        Child::spawn(index, node, self.exited.clone()).map_err(|error| format!("{}: {error}", node.name))
    }

    /// Tells of nodes that die, until none is left.
    async fn watch(&mut self, exits: &mut mpsc::UnboundedReceiver<Exit>, restart: bool) {
        while self.children.iter().any(Option::is_some) {
            let Some(Exit { index, pid, how }) = exits.recv().await else { return };
            self.children[index] = None;
            let node = &self.layout.nodes[index];
            say(&format!("{} (pid {pid}) {how}; its log is {}", node.name, node.log.display()));
            if !restart {
                say(&format!("  start it again with: {}", node.command()));
                continue;
            }
            tokio::time::sleep(RESTART_PAUSE).await;
            match self.spawn(index) {
                Ok(child) => {
                    say(&format!("{} is started again, pid {}", node.name, child.pid()));
                    self.children[index] = Some(child);
                }
                Err(error) => say(&format!("{error}; start it with: {}", node.command())),
            }
        }
        say(&"all nodes have died");
    }

    /// Asks all nodes to stop, and waits until they have.
    async fn stop(&mut self, exits: &mut mpsc::UnboundedReceiver<Exit>) {
        self.children.iter().flatten().for_each(Child::terminate);
        let all_gone = async {
            while self.children.iter().any(Option::is_some) {
                let Some(exit) = exits.recv().await else { return };
                self.children[exit.index] = None;
            }
        };
        if tokio::time::timeout(STOP_MAX, all_gone).await.is_err() {
            say(&"killing the nodes that did not stop in time");
            self.children.iter().flatten().for_each(Child::kill);
        }
    }
}
