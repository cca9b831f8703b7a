//! How a client is made.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{Client, Inner};
use crate::connection::Admission;
use crate::error::Error;
use crate::node::Node;
use crate::tls::Tls;

/// What a client keeps to.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub connections_max: usize,
    pub idle_timeout: Duration,
    pub connect_timeout: Duration,
    pub attempt_timeout: Duration,
    pub timeout: Duration,
    pub attempts: u32,
    pub backoff: Duration,
}

/// Makes a [`Client`]. All settings have defaults that do for most programs.
#[derive(Clone, Debug)]
#[must_use = "nothing is connected before `connect`"]
pub struct Builder {
    limits: Limits,
    tls: Option<Tls>,
    user: Option<(String, String)>,
    named_writes: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            limits: Limits {
                connections_max: 64,
                idle_timeout: Duration::from_mins(1),
                connect_timeout: Duration::from_secs(2),
                attempt_timeout: Duration::from_secs(10),
                timeout: Duration::from_secs(30),
                attempts: 4,
                backoff: Duration::from_millis(50),
            },
            tls: None,
            user: None,
            named_writes: true,
        }
    }
}

impl Builder {
    /// Connections to each node, at most; requests beyond that wait. 64 by default.
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.limits.connections_max = connections;
        self
    }

    /// How long a connection that nobody uses is kept. A minute by default.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.limits.idle_timeout = timeout;
        self
    }

    /// How long connecting to a node may take, with TLS and password, before another node is tried. 2 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_timeout = timeout;
        self
    }

    /// How long one node may take to answer before the request is sent again. 10 s by default.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.limits.attempt_timeout = timeout;
        self
    }

    /// How long a request may take, with all attempts; a request's own timeout wins. 30 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// How often a request is sent at most, 1 or more: the first attempt counts. 4 by default.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.limits.attempts = attempts;
        self
    }

    /// The pause before a request is sent again, unless another node is free to take it at once; doubled each time, and cut
    /// by up to a half at random. 50 ms by default.
    pub fn backoff(mut self, pause: Duration) -> Self {
        self.limits.backoff = pause;
        self
    }

    /// Speak TLS (`STARTTLS`) with the nodes. Nodes that do so tell users apart: a [`user`](Self::user) is needed, too.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Who this client is. The password is empty for a user whose certificate is proof enough. Needs [`tls`](Self::tls).
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.user = Some((name.into(), password.into()));
        self
    }

    /// Whether the nodes remember the names of writes, as Cartwheel's do, and `true` by default. Say `false` when they are
    /// Riak's: then a counter's update, or a put whose key the node makes, is not sent again once a node may have it.
    pub fn named_writes(mut self, named: bool) -> Self {
        self.named_writes = named;
        self
    }

    /// Makes the client, and sees that one of `nodes` answers. Each is `host:port`; the port is 8087 by convention. All of
    /// them share the requests, and stand in for each other.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] if a setting makes no sense; otherwise what a ping can fail with.
    pub async fn connect<N>(self, nodes: impl IntoIterator<Item = N>) -> Result<Client, Error>
    where
        N: Into<String>,
    {
        let client = self.build(nodes)?;
        client.ping().await?;
        Ok(client)
    }

    /// Makes the client, and connects when the first request comes. Must be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] if a setting makes no sense.
    pub fn build<N: Into<String>>(self, nodes: impl IntoIterator<Item = N>) -> Result<Client, Error> {
        let setup = |what: &str| Err(Error::Setup(what.to_owned()));
        let admission = match (self.tls, self.user) {
            (None, None) => None,
            (Some(tls), Some((user, password))) => Some(Admission { tls: tls.config()?, user, password }),
            (None, Some(_)) => return setup("user: passwords are not sent in the clear; say tls, too"),
            (Some(_), None) => return setup("tls: nodes that speak it tell users apart; say user, too"),
        };
        if self.limits.attempts == 0 || self.limits.connections_max == 0 {
            return setup("attempts and connections_max: allowed are 1 and more");
        }
        let limits = self.limits;
        let node = |address: N| Arc::new(Node::new(address.into(), admission.clone(), &limits));
        let nodes: Vec<_> = nodes.into_iter().map(node).collect();
        if nodes.is_empty() {
            return setup("nodes: at least one is needed");
        }
        if let Some(node) = nodes.iter().find(|node| !node.address.contains(':')) {
            return Err(Error::Setup(format!("node {:?}: allowed is host:port", node.address)));
        }
        Ok(Client::of(Inner { nodes, limits, named_writes: self.named_writes, turn: 0.into() }))
    }
}
