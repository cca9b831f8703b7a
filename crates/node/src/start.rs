//! Starting a node and stopping it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cartwheel_core::id::NodeId;
use cartwheel_core::message::Message;
use cartwheel_core::storage::StorageCompletion;
use cartwheel_core::{Boot, Node, Outbox};
use cartwheel_riak::http::Defaults;
use cartwheel_store::{Identity, OpenError, Store, StoreHandle};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;

use crate::config::{Member, Settings};
use crate::counters::Counters;
use crate::handshake::Credentials;
use crate::http::{self, Api};
use crate::listener::{self, Inbox};
use crate::peer::{self, Peer};
use crate::report::About;
use crate::runtime::{self, Clock};
use crate::server::{ASKS_MAX, Inputs, MESSAGES_MAX, Server, StoreFailed};
use crate::stop::Stopping;

/// Status requests that wait for the node's attention.
const REPORTS_MAX: usize = 16;
/// How long a stopping node waits for clients that have got their answers to hang up, and for running requests.
const CLIENTS_MAX: Duration = Duration::from_secs(6);

/// Why a node did not start. Its data was not touched, unless the store says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("{key} = \"{address}\": cannot listen: {source}")]
    Listen {
        /// The configuration's key.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The data directory is not this node's to use.
    #[error("data: {0}")]
    Store(#[from] OpenError),
    /// The store's threads cannot be started.
    #[error("cannot start the store's threads: {0}")]
    Threads(io::Error),
}

/// Why a node stopped that nobody had told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store failed. What was acknowledged is durable; opening it anew takes a new start.
    #[error("the store failed")]
    StoreFailed,
    /// A bug, or a broken contract: going on could have acknowledged what may not be kept.
    #[error("the node broke down: {0}")]
    Broken(String),
    /// The store could not be closed cleanly. Nothing that was acknowledged is lost.
    #[error("the store was not closed cleanly: {0}")]
    Close(String),
}

/// A node that runs.
pub struct Running {
    /// Where it answers clients.
    pub http: SocketAddr,
    /// Where it listens to peers.
    pub peer: SocketAddr,
    stop: watch::Sender<bool>,
    server_stop: watch::Sender<bool>,
    server: JoinHandle<Result<StoreHandle, StoreFailed>>,
    clients: JoinHandle<()>,
    /// The tasks that talk and listen to peers.
    peers: Vec<JoinHandle<()>>,
}

/// Starts a node. Addresses are taken before the store is opened, so that a second start of the same node is refused
/// before it touches anything.
///
/// # Errors
///
/// One line on what is in the way.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    let http = listen("http", settings.file.http).await?;
    let peer = listen("peer", settings.file.peer).await?;
    let (completed, completions) = mpsc::unbounded_channel();
    let (boot, store) = open(&settings, completed)?;
    let peers = Peers::of(&settings);
    let (asks, asked) = mpsc::channel(usize::from(ASKS_MAX));
    let (messages, heard) = mpsc::channel(MESSAGES_MAX);
    let (reports, reported) = mpsc::channel(REPORTS_MAX);
    let (stop, stopping) = Stopping::channel();
    let (server_stop, server_stopping) = Stopping::channel();
    let api = Arc::new(Api {
        asks,
        reports,
        defaults: Defaults { n: settings.core.n },
        body_bytes_max: settings.file.body_bytes_max as usize,
    });
    let inputs =
        Inputs { asks: asked, messages: heard, completions, reports: reported, stop: server_stopping };
    let server = server(&settings, boot, store, peers.by_id.clone());
    Ok(Running {
        http: http.local_addr().unwrap_or(settings.file.http),
        peer: peer.local_addr().unwrap_or(settings.file.peer),
        server: tokio::spawn(server.run(inputs)),
        clients: tokio::spawn(http::run(http, api, settings.file.connections_max, stopping)),
        peers: peers.spawn(peer, messages),
        stop,
        server_stop,
    })
}

async fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { key, address, source })
}

/// Opens the store; from here on this start has a number of its own.
fn open(
    settings: &Settings,
    completed: mpsc::UnboundedSender<StorageCompletion>,
) -> Result<(Boot, StoreHandle), StartError> {
    let identity = Identity { cluster: settings.file.cluster.clone(), node: settings.file.node.clone() };
    let opened = Store::open(&settings.file.data, &identity)?;
    let boot = Boot {
        store: opened.store,
        number: opened.number,
        continuous_since: opened.continuous_since,
        owed: opened.owed.clone(),
        seed: runtime::random(),
    };
    // Once the server is gone nobody waits for completions any more.
    let pass_on = move |completions: Vec<StorageCompletion>| {
        completions.into_iter().for_each(|completion| drop(completed.send(completion)));
    };
    Ok((boot, opened.start(settings.file.partitions, pass_on).map_err(StartError::Threads)?))
}

fn server(settings: &Settings, boot: Boot, store: StoreHandle, peers: BTreeMap<NodeId, Arc<Peer>>) -> Server {
    let clock = Clock::start();
    let mut out = Outbox::new();
    let about = About {
        cluster: settings.file.cluster.clone(),
        node: settings.file.node.clone(),
        node_id: format!("{:016x}", settings.core.node.0),
        store: format!("{:016x}", boot.store.0),
        boot: boot.number,
        continuous_since: boot.continuous_since,
    };
    Server {
        node: Node::new(settings.core.clone(), boot, clock.now(), &mut out),
        clock,
        out,
        store,
        peers,
        about,
        counters: Counters::default(),
        calls: BTreeMap::new(),
        next_call: 0,
    }
}

/// The other members.
struct Peers {
    by_id: BTreeMap<NodeId, Arc<Peer>>,
    credentials: Arc<Credentials>,
}

impl Peers {
    fn of(settings: &Settings) -> Self {
        let file = &settings.file;
        let others = || file.members.iter().filter(|member| member.name != file.node);
        let peer = |member: &Member| {
            let queue_max = file.peer_queue_max as usize;
            let peer = Peer::new(member.name.clone(), member.peer, queue_max);
            (NodeId::from_name(&member.name), Arc::new(peer))
        };
        let credentials = Credentials {
            cluster: file.cluster.clone(),
            node: file.node.clone(),
            peers: others().map(|member| member.name.clone()).collect(),
            ring: file.ring_in_words(),
        };
        Self { by_id: others().map(peer).collect(), credentials: Arc::new(credentials) }
    }

    /// The tasks that talk to them and listen to them.
    fn spawn(self, listener: TcpListener, messages: mpsc::Sender<(NodeId, Message)>) -> Vec<JoinHandle<()>> {
        let inbox = Inbox { credentials: Arc::clone(&self.credentials), messages };
        let mut tasks = vec![tokio::spawn(listener::run(listener, inbox))];
        for peer in self.by_id.into_values() {
            tasks.push(tokio::spawn(peer::run(peer, Arc::clone(&self.credentials))));
        }
        tasks
    }
}

impl Running {
    /// Runs until `stop` comes, then stops in order: no new requests, answers to those that run, what they have begun,
    /// the peers, the store.
    ///
    /// # Errors
    ///
    /// If the node broke down before, or could not leave its store as it should.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<(), RunError> {
        tokio::select! {
            ended = &mut self.server => return Err(broken(ended)),
            () = stop => {}
        }
        tracing::info!("stopping");
        self.stop.send_replace(true);
        if timeout(CLIENTS_MAX, &mut self.clients).await.is_err() {
            tracing::warn!("clients are still connected; leaving them");
            self.clients.abort();
        }
        self.server_stop.send_replace(true);
        let store = match self.server.await {
            Ok(Ok(store)) => store,
            ended => return Err(broken(ended)),
        };
        self.peers.iter().for_each(JoinHandle::abort);
        match tokio::task::spawn_blocking(move || store.close()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(RunError::Close(error.to_string())),
            Err(error) => Err(RunError::Close(error.to_string())),
        }
    }
}

fn broken(ended: Result<Result<StoreHandle, StoreFailed>, JoinError>) -> RunError {
    match ended {
        Ok(Ok(_)) => RunError::Broken("it stopped without being told to".to_owned()),
        Ok(Err(StoreFailed)) => RunError::StoreFailed,
        Err(error) => RunError::Broken(error.to_string()),
    }
}
