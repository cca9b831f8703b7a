//! Starting a node and stopping it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cartwheel_core::membership::Cluster;
use cartwheel_core::storage::StorageCompletion;
use cartwheel_core::{Boot, Node, Outbox};
use cartwheel_riak::http::Defaults;
use cartwheel_riak::index;
use cartwheel_store::{BeginError, Identity, Indexing, OpenError, Salvaged, Store, StoreHandle};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;

use crate::config::{ConfigFile, Settings};
use crate::counters::Counters;
use crate::doors::Doors;
use crate::events::EventLog;
use crate::flight::Flight;
use crate::handshake::Credentials;
use crate::http::{self, Api, Bodies, Door};
use crate::listener::{self, Inbox, STRANGERS_MAX};
use crate::metrics::Metrics;
use crate::pb::{self, PbDoor};
use crate::peers::Peers;
use crate::report::About;
use crate::runtime::{self, Clock, JoinSet};
use crate::sabotage::Sabotage;
use crate::security::{Gate, Shared};
use crate::server::{ASKS_MAX, Ended, Inputs, MESSAGES_MAX, Server};
use crate::stop::Stopping;
use crate::strangers::Strangers;
use crate::tls::{Certificates, ClientSide, PeerSide};

/// Operators' questions that wait for the node's attention.
const QUESTIONS_MAX: usize = 16;
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
    Store(OpenError),
    /// Parts of its data are not what was written. [`salvage`] makes what can be made of it.
    #[error("data: blocks of the engine fail their checksums")]
    Damaged,
    /// The cluster is of another shape than the configuration says.
    #[error("{key} = {asked}: this node's cluster was founded with {key} = {kept}, for ever")]
    Shape {
        /// The configuration's key.
        key: &'static str,
        /// What the configuration says.
        asked: u32,
        /// What the cluster has.
        kept: u32,
    },
    /// Certificates that cannot be used.
    #[error("tls: {0}")]
    Tls(String),
    /// Certificates for clients that cannot be used.
    #[error("client_tls: {0}")]
    ClientTls(String),
    /// Users and grants that make no sense.
    #[error("security: {0}")]
    Security(String),
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
    /// Peers have seen a later start of this store: its directory is an old copy, which may hold what has been deleted
    /// since.
    #[error("its data is an old copy: this is start {number} of it, and peers have seen start {seen}")]
    Outdated {
        /// The start that peers have seen.
        seen: u64,
        /// The start that this was.
        number: u64,
    },
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
    /// Where it answers them over TLS.
    pub https: Option<SocketAddr>,
    /// Where it answers them in protocol buffers.
    pub pb: Option<SocketAddr>,
    /// Where it listens to peers.
    pub peer: SocketAddr,
    stop: watch::Sender<bool>,
    server_stop: watch::Sender<bool>,
    server: JoinHandle<Result<StoreHandle, Ended>>,
    clients: JoinHandle<()>,
    /// The task that listens to peers. Those that talk to them are the server's.
    listener: JoinHandle<()>,
    /// Those that look at files again. They end with this.
    _watches: JoinSet<()>,
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
    let https = match settings.file.https {
        Some(address) => Some(listen("https", address).await?),
        None => None,
    };
    let pb = match settings.file.pb {
        Some(address) => Some(listen("pb", address).await?),
        None => None,
    };
    let (tls, gate, watches) = guards(&settings)?;
    let security = gate.shared();
    let (completed, completions) = mpsc::unbounded_channel();
    let (boot, store) = open(&settings, completed)?;
    let credentials = Arc::new(credentials(&settings, tls.peers.clone()));
    let strangers = Arc::new(Strangers::default());
    let peers = Peers::of(&settings, Arc::clone(&credentials));
    let (asks, asked) = mpsc::channel(usize::from(ASKS_MAX));
    let (heard, hearing) = mpsc::channel(MESSAGES_MAX);
    let (questions, questioned) = mpsc::channel(QUESTIONS_MAX);
    let (stop, stopping) = Stopping::channel();
    let (server_stop, server_stopping) = Stopping::channel();
    let api = Arc::new(Api {
        asks,
        questions,
        inspector: store.inspector(),
        inspecting: Semaphore::new(1),
        defaults: Defaults { n: settings.core.n },
        node: settings.file.node.clone(),
        metrics: Metrics::new(),
        backups: settings.file.backups.clone(),
        bodies: bodies(&settings.file),
        gate,
        strangers: Arc::clone(&strangers),
        certificates: tls.clone(),
        header_bytes_max: settings.file.header_bytes_max as usize,
        header_timeout: Duration::from_millis(settings.file.header_timeout_ms),
    });
    let inbox = Inbox {
        credentials,
        roster: peers.roster(),
        strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
        turned_away: strangers,
        heard,
    };
    let inputs =
        Inputs { asks: asked, heard: hearing, completions, questions: questioned, stop: server_stopping };
    let server = server(&settings, boot, store, peers, security);
    let address_of = |listener: &Option<TcpListener>| listener.as_ref().and_then(|it| it.local_addr().ok());
    let (https_address, pb_address) = (address_of(&https), address_of(&pb));
    let http_address = http.local_addr().unwrap_or(settings.file.http);
    let doors = Doors::new(settings.file.connections_max as usize, settings.file.connections_max as usize);
    let plain = Door { listener: http, side: ClientSide::default(), doors: Arc::clone(&doors) };
    let binary = pb.map(|listener| PbDoor { listener, side: tls.clients.clone(), doors: Arc::clone(&doors) });
    let private = https.map(|listener| Door { listener, side: tls.clients, doors });
    Ok(Running {
        http: http_address,
        https: https_address,
        pb: pb_address,
        peer: peer.local_addr().unwrap_or(settings.file.peer),
        server: tokio::spawn(server.run(inputs)),
        clients: tokio::spawn(serve((plain, private, binary), api, stopping)),
        listener: tokio::spawn(listener::run(peer, inbox)),
        stop,
        server_stop,
        _watches: watches,
    })
}

/// Whether the files that a configuration names (certificates, users) are such as a node would start with.
///
/// # Errors
///
/// One line on what is in the way.
pub fn check_files(settings: &Settings) -> Result<(), StartError> {
    let file = &settings.file;
    PeerSide::open(file.tls.as_ref()).map_err(StartError::Tls)?;
    file.client_tls.as_ref().map(ClientSide::open).transpose().map_err(StartError::ClientTls)?;
    Gate::open(file.security.as_deref()).map_err(StartError::Security)?;
    Ok(())
}

/// Answers clients at all addresses.
async fn serve(
    (plain, private, binary): (Door, Option<Door>, Option<PbDoor>),
    api: Arc<Api>,
    stop: Stopping,
) {
    let private = async {
        if let Some(door) = private {
            http::run(door, Arc::clone(&api), stop.clone()).await;
        }
    };
    let binary = async {
        if let Some(door) = binary {
            pb::run(door, Arc::clone(&api), stop.clone()).await;
        }
    };
    tokio::join!(http::run(plain, Arc::clone(&api), stop.clone()), private, binary);
}

/// What tells friends from strangers, and the tasks that look at its files again.
fn guards(settings: &Settings) -> Result<(Certificates, Gate, JoinSet<()>), StartError> {
    let file = &settings.file;
    let peers = PeerSide::open(file.tls.as_ref()).map_err(StartError::Tls)?;
    let clients = file.client_tls.as_ref().map(ClientSide::open).transpose();
    let clients = clients.map_err(StartError::ClientTls)?.unwrap_or_default();
    let gate = Gate::open(file.security.as_deref()).map_err(StartError::Security)?;
    let mut watches = JoinSet::new();
    watches.spawn(peers.clone().watch());
    watches.spawn(clients.clone().watch());
    if let Some(users) = gate.watched() {
        watches.spawn(users.watch());
    }
    Ok((Certificates { peers, clients }, gate, watches))
}

fn bodies(file: &ConfigFile) -> Bodies {
    let timeout = Duration::from_millis(file.body_timeout_ms);
    Bodies::new(file.body_bytes_max as usize, file.bodies_bytes_max as usize, timeout)
}

/// Puts the data of a node that does not run aside: its next start is the first one on an empty disk. Where the data is
/// then.
///
/// # Errors
///
/// It cannot be renamed; it is where it was then.
pub fn set_aside(settings: &Settings) -> io::Result<PathBuf> {
    Store::set_aside(&settings.file.data)
}

fn credentials(settings: &Settings, tls: PeerSide) -> Credentials {
    Credentials {
        cluster: settings.file.cluster.clone(),
        node: settings.file.node.clone(),
        shape: settings.file.shape_in_words(),
        address: settings.core.contact.address.clone(),
        tls,
    }
}

/// What was fixed when the cluster was founded, a configuration cannot change.
fn check_shape(settings: &Settings, cluster: &Cluster) -> Result<(), StartError> {
    let (file, kept) = (&settings.file, cluster.ring.partitions());
    for (key, asked, kept) in [("partitions", file.partitions, kept), ("n", file.n.into(), cluster.n.into())]
    {
        if asked != kept {
            return Err(StartError::Shape { key, asked, kept });
        }
    }
    Ok(())
}

async fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { key, address, source })
}

/// Makes what can be made of the data of a node that does not run, parts of which are not what was written: its next start
/// takes the node for one that lost data, and fetches what it should hold. What was done, for people.
///
/// # Errors
///
/// It could not be done; the data is as it was.
pub fn salvage(settings: &Settings) -> Result<String, StartError> {
    let identity = Identity { cluster: settings.file.cluster.clone(), node: settings.file.node.clone() };
    let Salvaged { records, gaps, kept_as } = Store::salvage(&settings.file.data, &identity)?;
    let kept_as = kept_as.display();
    Ok(format!("{records} records could be read, with {gaps} gaps; the damaged engine is kept as {kept_as}"))
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Blocks { .. } => Self::Damaged,
            other => Self::Store(other),
        }
    }
}

/// Opens the store; from here on this start has a number of its own.
fn open(
    settings: &Settings,
    completed: mpsc::UnboundedSender<StorageCompletion>,
) -> Result<(Boot, StoreHandle), StartError> {
    let identity = Identity { cluster: settings.file.cluster.clone(), node: settings.file.node.clone() };
    let indexing = Indexing { version: index::INDEXER_VERSION, indexer: index::entries };
    let mut opened = Store::open_indexed(&settings.file.data, &identity, indexing)?;
    opened.keep_free(settings.file.disk_reserve_bytes);
    let cluster = opened.cluster.take();
    cluster.as_ref().map_or(Ok(()), |cluster| check_shape(settings, cluster))?;
    if settings.sabotage == Some(Sabotage::HintScanSkipped) {
        opened.owed.clear();
    }
    let boot = Boot {
        store: opened.store,
        number: opened.number,
        continuous_since: opened.continuous_since,
        owed: opened.owed.clone(),
        cluster: cluster.map(Arc::new),
        seed: runtime::random(),
    };
    // Once the server is gone nobody waits for completions any more.
    let pass_on = move |completions: Vec<StorageCompletion>| {
        completions.into_iter().for_each(|completion| drop(completed.send(completion)));
    };
    let store = runtime::start_store(opened, settings.file.partitions, pass_on);
    let store = store.map_err(|error| match error {
        BeginError::Threads(error) => StartError::Threads(error),
        BeginError::Damaged => StartError::Damaged,
    })?;
    Ok((boot, store))
}

fn server(settings: &Settings, boot: Boot, store: StoreHandle, peers: Peers, security: Shared) -> Server {
    if boot.cluster.is_none() && !settings.file.is_founder() {
        let node = &settings.file.node;
        tracing::info!(node, "not among the members: it makes itself known to them, and waits to be let in");
    }
    if settings.file.riak_defaults {
        tracing::warn!(
            "riak_defaults: of concurrent writes to an untyped bucket one is shown, and the others are gone with the next \
             write, acknowledged or not; set allow_mult = true where that must not be (docs/bucket-types.md)"
        );
    }
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
    let now = clock.now();
    let node = Node::new(settings.core.clone(), boot.clone(), now, &mut out);
    // Before anybody is answered.
    security.publish(node.status().cluster());
    if let Some(gone) = node.status().cluster().status(settings.core.node).filter(|status| status.is_gone()) {
        tracing::warn!(
            status = %gone,
            "this node is no member of the cluster any more, and never again one under this name: clients are refused; stop it"
        );
    }
    let flight = Flight::begin(settings, boot, now, (out.outputs(), node.next_timeout()));
    Server {
        node,
        flight,
        clock,
        out,
        store,
        peers,
        about,
        counters: Counters::default(),
        events: EventLog::new(settings.core.node),
        admin_calls: BTreeMap::new(),
        listings: BTreeMap::new(),
        calls: BTreeMap::new(),
        next_call: 0,
        ended: None,
        sabotage: settings.sabotage,
        security,
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
            ended = &mut self.server => {
                let error = broken(ended);
                self.hang_up().await;
                return Err(error);
            }
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
        self.listener.abort();
        match runtime::blocking(move || store.close()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(RunError::Close(error.to_string())),
            Err(error) => Err(RunError::Close(error.to_string())),
        }
    }
}

impl Running {
    /// Lets go of its addresses: it may be started again.
    async fn hang_up(self) {
        for task in [self.clients, self.listener] {
            task.abort();
            // Ended, one way or the other.
            _ = task.await;
        }
    }
}

fn broken(ended: Result<Result<StoreHandle, Ended>, JoinError>) -> RunError {
    match ended {
        Ok(Ok(_)) => RunError::Broken("it stopped without being told to".to_owned()),
        Ok(Err(Ended::StoreFailed)) => RunError::StoreFailed,
        Ok(Err(Ended::Outdated { seen, number })) => RunError::Outdated { seen, number },
        Err(error) => RunError::Broken(error.to_string()),
    }
}
