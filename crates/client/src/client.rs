//! The client itself.

use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::frame::Frame;
use cartwheel_riak::pb::message::{Coded, RpbGetServerInfoResp};

use crate::bucket::{Bucket, BucketType};
use crate::builder::{Builder, Limits};
use crate::call::{Call, Repeat};
use crate::error::{Error, Fate};
use crate::node::Node;
use crate::request_id::RequestId;

/// A client of one cluster. Cheap to clone: all clones share the connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub nodes: Vec<Arc<Node>>,
    pub limits: Limits,
    /// Whether the nodes remember names of writes.
    pub named_writes: bool,
    /// Whose turn it is.
    pub turn: AtomicUsize,
}

/// What a node says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerInfo {
    /// Its name.
    pub node: String,
    /// The release of Riak whose protocol it speaks.
    pub version: String,
}

impl Client {
    /// A client with the default settings. See [`Builder::connect`].
    ///
    /// # Errors
    ///
    /// No node answers.
    pub async fn connect<N: Into<String>>(nodes: impl IntoIterator<Item = N>) -> Result<Self, Error> {
        Builder::default().connect(nodes).await
    }

    /// For other settings than the defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn of(inner: Inner) -> Self {
        let inner = Arc::new(inner);
        if tokio::runtime::Handle::try_current().is_ok() {
            tokio::spawn(close_idle(Arc::downgrade(&inner)));
        }
        Self { inner }
    }

    /// A bucket of the type `default`.
    pub fn bucket(&self, name: impl Into<Bytes>) -> Bucket {
        Bucket::new(self.clone(), None, name.into())
    }

    /// A bucket type, which has buckets of its own.
    pub fn bucket_type(&self, name: impl Into<Bytes>) -> BucketType {
        BucketType::new(self.clone(), name.into())
    }

    /// Whether a node answers.
    ///
    /// # Errors
    ///
    /// None does.
    pub async fn ping(&self) -> Result<(), Error> {
        self.tell(&Call::bare(code::PING_REQ), code::PING_RESP).await
    }

    /// A client of one of the nodes alone, which waits for no other.
    #[cfg(feature = "testing")]
    pub(crate) fn only(&self, index: usize) -> Self {
        let Inner { nodes, limits, named_writes, .. } = &*self.inner;
        let nodes = vec![Arc::clone(&nodes[index])];
        let limits = Limits { attempts: 1, ..limits.clone() };
        Self { inner: Arc::new(Inner { nodes, limits, named_writes: *named_writes, turn: 0.into() }) }
    }

    /// What the node says that was asked: any of them.
    ///
    /// # Errors
    ///
    /// None answers.
    pub async fn server_info(&self) -> Result<ServerInfo, Error> {
        let answer: RpbGetServerInfoResp = self.ask(&Call::bare(code::GET_SERVER_INFO_REQ)).await?;
        let text = |bytes: Option<Bytes>| String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        Ok(ServerInfo { node: text(answer.node), version: text(answer.server_version) })
    }

    /// Connections that are open and not in use, by node, in the order in which they were named.
    pub fn idle_connections(&self) -> Vec<usize> {
        self.inner.nodes.iter().map(|node| node.idle()).collect()
    }

    /// A request whose answer is one message.
    pub(crate) async fn ask<A: Coded + Default>(&self, call: &Call) -> Result<A, Error> {
        read(self.inner.ask(call).await?, call.fate())
    }

    /// A request whose answer is a code alone.
    pub(crate) async fn tell(&self, call: &Call, expected: u8) -> Result<(), Error> {
        let Frame { code, .. } = self.inner.ask(call).await?;
        if code == expected { Ok(()) } else { Err(unexpected(code, expected, call.fate())) }
    }

    /// The name of a write as it travels, and what may be done with the write when it is in doubt.
    pub(crate) fn name(&self, id: Option<RequestId>, named: Repeat) -> (Option<Bytes>, Repeat) {
        match (self.inner.named_writes, named) {
            (true, _) => (Some(id.unwrap_or_else(RequestId::random).to_field()), named),
            (false, Repeat::SameNode) => (None, Repeat::Nowhere),
            (false, _) => (None, named),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: Vec<_> = self.inner.nodes.iter().map(|node| &node.address).collect();
        f.debug_struct("Client").field("nodes", &nodes).finish_non_exhaustive()
    }
}

/// A frame as the message that it should be.
pub(crate) fn read<A: Coded + Default>(Frame { code, body }: Frame, fate: Fate) -> Result<A, Error> {
    if code != A::CODE {
        return Err(unexpected(code, A::CODE, fate));
    }
    A::decode(body).map_err(|error| Error::Protocol { what: error.to_string(), fate })
}

fn unexpected(code: u8, expected: u8, fate: Fate) -> Error {
    Error::Protocol { what: format!("message {code} where {expected} is due"), fate }
}

/// Closes connections that have been idle for too long, until the client is gone.
async fn close_idle(client: Weak<Inner>) {
    while let Some(inner) = client.upgrade() {
        let pause = inner.limits.idle_timeout / 2;
        inner.nodes.iter().for_each(|node| node.close_idle());
        drop(inner);
        tokio::time::sleep(pause.max(std::time::Duration::from_millis(10))).await;
    }
}
