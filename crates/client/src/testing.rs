//! A cluster in the process, for tests: real nodes, on loopback ports and in temporary directories.
//!
//! ```
//! # async fn in_a_test() -> Result<(), Box<dyn std::error::Error>> {
//! use cartwheel_client::testing::TestCluster;
//!
//! let mut cluster = TestCluster::start(3).await?;
//! let carts = cluster.client().bucket("carts");
//! carts.put("alice", "milk").await?;
//! cluster.kill_node(1).await;
//! assert!(carts.get("alice").await?.is_found());
//! cluster.start_node(1).await?;
//! cluster.wipe().await?;
//! assert!(!carts.get("alice").await?.is_found());
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(in_a_test()).unwrap();
//! ```
//!
//! Nothing but memory and the temporary directory is shared with other clusters in the same process or on the same machine, so
//! tests may run side by side. Each node has a runtime of its own, with a clock that the test's cannot stop.

mod member;
mod types;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use cartwheel_node::ClientTls;
use cartwheel_node::{ConfigFile, Member};
use tempfile::TempDir;

use self::member::TestNode;
use crate::client::Client;
use crate::error::Error;
use crate::props::Props;
use crate::quorum::Quorum;

/// How long nodes may take to be ready.
const READY_MAX: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// How often other ports are tried when somebody else has taken one that was free a moment ago.
const PORTS_TRIES: usize = 10;
/// Fewer than a real cluster has: each is some work when nodes start.
const PARTITIONS: u32 = 16;

/// Why a test cluster cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// A node does not start.
    #[error("node {node}: {why}")]
    Node {
        /// Its number.
        node: usize,
        /// Why not.
        why: String,
    },
    /// The machine is in the way.
    #[error(transparent)]
    Machine(#[from] std::io::Error),
    /// The nodes run, and do not answer as they should.
    #[error("not ready after {} s: {last}", READY_MAX.as_secs())]
    NotReady {
        /// The last answer.
        last: Error,
    },
    /// A node does not make a bucket type.
    #[error("bucket type: {0}")]
    BucketType(String),
    /// What the nodes were configured with makes no sense.
    #[error("{0}")]
    Config(String),
}

/// A password as the file of users ([`TestClusterBuilder::security`]) has it.
pub fn hash_password(password: &str) -> String {
    cartwheel_node::hash_password(password).to_string()
}

/// A running cluster of nodes in this process. They end with it, and their data goes.
pub struct TestCluster {
    /// `None` for those that are down.
    nodes: Vec<Option<TestNode>>,
    configs: Vec<ConfigFile>,
    dir: TempDir,
    /// How often all data was thrown away.
    wiped: usize,
    client: Client,
}

/// How a [`TestCluster`] is to be, if not as usual.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start`"]
pub struct TestClusterBuilder {
    nodes: usize,
    client: crate::builder::Builder,
    security: Option<PathBuf>,
    client_tls: Option<ClientTls>,
}

impl TestClusterBuilder {
    /// The settings of [`TestCluster::client`].
    pub fn client(mut self, builder: crate::builder::Builder) -> Self {
        self.client = builder;
        self
    }

    /// Users from the file `security`, and TLS for clients with what `client_tls` names. [`client`](Self::client) must be one
    /// that is let in, and may read.
    pub fn security(mut self, security: impl Into<PathBuf>, client_tls: ClientTls) -> Self {
        (self.security, self.client_tls) = (Some(security.into()), Some(client_tls));
        self
    }

    /// Starts the nodes, and waits until they know each other.
    ///
    /// # Errors
    ///
    /// See [`TestError`].
    pub async fn start(self) -> Result<TestCluster, TestError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_start().await {
                Err(TestError::Node { why, .. }) if why.contains("cannot listen") && tries < PORTS_TRIES => {}
                done => return done,
            }
        }
    }

    async fn try_start(&self) -> Result<TestCluster, TestError> {
        let configs = self.configs()?;
        let addresses = configs.iter().filter_map(|config| config.pb).map(|pb| pb.to_string());
        let client =
            self.client.clone().build(addresses).map_err(|error| TestError::Config(error.to_string()))?;
        let nodes = configs.iter().map(|_| None).collect();
        let mut cluster = TestCluster { nodes, configs, dir: TempDir::new()?, wiped: 0, client };
        cluster.start_all().await?;
        Ok(cluster)
    }

    fn configs(&self) -> Result<Vec<ConfigFile>, TestError> {
        // Held until all are known: no port is given out twice.
        let mut held = Vec::new();
        let mut free = || -> std::io::Result<SocketAddr> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let address = listener.local_addr()?;
            held.push(listener);
            Ok(address)
        };
        let mut places = Vec::new();
        for _ in 0..self.nodes {
            places.push((free()?, free()?, free()?));
        }
        let name = |index: usize| format!("n{}", index + 1);
        let members = places.iter().enumerate().map(|(index, (.., peer))| Member::new(name(index), *peer));
        let members: Vec<_> = members.collect();
        let n = u8::try_from(self.nodes).unwrap_or(u8::MAX).min(3);
        let config = |(index, (http, pb, peer)): (usize, &(SocketAddr, SocketAddr, SocketAddr))| ConfigFile {
            n,
            partitions: PARTITIONS,
            pb: Some(*pb),
            connections_max: 1_000,
            flight_bytes_max: Some(0),
            security: self.security.clone(),
            client_tls: self.client_tls.clone(),
            ..ConfigFile::new("test".to_owned(), name(index), *http, *peer, members.clone())
        };
        Ok(places.iter().enumerate().map(config).collect())
    }
}

impl TestCluster {
    /// Starts `nodes` nodes, and waits until they know each other. N is 3, or the number of nodes if that is smaller.
    ///
    /// # Errors
    ///
    /// See [`TestError`].
    pub async fn start(nodes: usize) -> Result<Self, TestError> {
        Self::builder(nodes).start().await
    }

    /// For a cluster that is not as usual.
    pub fn builder(nodes: usize) -> TestClusterBuilder {
        let client = crate::client::Client::builder();
        TestClusterBuilder { nodes, client, security: None, client_tls: None }
    }

    /// A client of all nodes.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Where the nodes answer in protocol buffers, those that are down included.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.configs.iter().filter_map(|config| config.pb).collect()
    }

    /// Where they answer HTTP.
    pub fn http_addresses(&self) -> Vec<SocketAddr> {
        self.configs.iter().map(|config| config.http).collect()
    }

    /// Stops node `index` in order: it answers what it has begun, and closes its store. Nothing happens if it is down.
    pub async fn stop_node(&mut self, index: usize) {
        if let Some(node) = self.nodes[index].take() {
            node.stop().await;
        }
    }

    /// Ends node `index` in the middle of whatever it does, as a crash of its process would. What it has acknowledged is on its
    /// disk. Nothing happens if it is down.
    pub async fn kill_node(&mut self, index: usize) {
        if let Some(node) = self.nodes[index].take() {
            node.kill().await;
        }
    }

    /// Starts node `index` again, on the data that it had, and waits until it answers reads.
    ///
    /// # Errors
    ///
    /// See [`TestError`].
    pub async fn start_node(&mut self, index: usize) -> Result<(), TestError> {
        self.begin(index).await?;
        self.until_ready(index, Quorum::Default).await
    }

    /// Makes a bucket type and activates it, and waits until all nodes that run know it. Types go when the cluster is wiped. In a
    /// cluster with users it takes one who may, which this method is not.
    ///
    /// # Errors
    ///
    /// See [`TestError`].
    pub async fn create_bucket_type(&self, name: &str, props: &Props) -> Result<(), TestError> {
        let Some(first) = self.nodes.iter().position(Option::is_some) else {
            return Err(TestError::BucketType("no node runs".to_owned()));
        };
        types::create(self.configs[first].http, name, props).await.map_err(TestError::BucketType)?;
        let running = (0..self.nodes.len()).filter(|index| self.nodes[*index].is_some());
        for index in running {
            let client = self.client.only(index);
            self.until(async || client.bucket_type(name.to_owned()).props().await.map(drop)).await?;
        }
        Ok(())
    }

    /// Throws everything away: keys, properties, bucket types, what nodes owe each other. All nodes run afterwards, those that
    /// were down too, at the addresses that they had; clients go on.
    ///
    /// It ends the nodes, and starts them on empty disks, which is the only way to leave no trace: a deleted key leaves its
    /// context behind. It takes about as long as a start; what that is depends on the machine's disk (docs/client.md).
    ///
    /// # Errors
    ///
    /// See [`TestError`]. A cluster that could not be wiped is of no more use.
    pub async fn wipe(&mut self) -> Result<(), TestError> {
        let ended: Vec<_> =
            self.nodes.iter_mut().filter_map(Option::take).map(|node| tokio::spawn(node.kill())).collect();
        for node in ended {
            // A node that panicked is gone, too.
            _ = node.await;
        }
        let old = self.data_dir();
        self.wiped += 1;
        // Not waited for.
        drop(tokio::task::spawn_blocking(move || std::fs::remove_dir_all(old)));
        self.start_all().await
    }

    fn data_dir(&self) -> PathBuf {
        self.dir.path().join(self.wiped.to_string())
    }

    async fn start_all(&mut self) -> Result<(), TestError> {
        let starting: Vec<_> =
            (0..self.configs.len()).map(|index| tokio::spawn(TestNode::start(self.config(index)))).collect();
        for (index, starting) in starting.into_iter().enumerate() {
            let started = starting.await.unwrap_or_else(|error| Err(error.to_string()));
            self.nodes[index] = Some(started.map_err(|why| TestError::Node { node: index, why })?);
        }
        // Reads that all homes answer: everybody knows everybody.
        for index in 0..self.configs.len() {
            self.until_ready(index, Quorum::All).await?;
        }
        Ok(())
    }

    fn config(&self, index: usize) -> ConfigFile {
        let config = self.configs[index].clone();
        ConfigFile { data: self.data_dir().join(&config.node), ..config }
    }

    async fn begin(&mut self, index: usize) -> Result<(), TestError> {
        if self.nodes[index].is_none() {
            let started = TestNode::start(self.config(index)).await;
            self.nodes[index] = Some(started.map_err(|why| TestError::Node { node: index, why })?);
        }
        Ok(())
    }

    async fn until_ready(&self, index: usize, pr: Quorum) -> Result<(), TestError> {
        let client = self.client.only(index);
        self.until(async || client.bucket("ready?").get("ready?").pr(pr).await.map(drop)).await
    }

    /// Asks until it is answered.
    async fn until(&self, ask: impl AsyncFn() -> Result<(), Error>) -> Result<(), TestError> {
        let began = Instant::now();
        loop {
            match ask().await {
                Ok(()) => return Ok(()),
                Err(last) if began.elapsed() > READY_MAX => return Err(TestError::NotReady { last }),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}
