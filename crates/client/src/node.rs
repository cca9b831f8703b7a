//! One node as the client sees it: where it is, the connections to it, and whether it is worth calling now.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::connection::{Admission, Connection, NoConnection};

/// How long a node that could not be reached is left alone at first; doubled each time, up to the maximum.
const REST_MIN: Duration = Duration::from_millis(100);
const REST_MAX: Duration = Duration::from_secs(5);

/// A node, and the pool of connections to it.
pub(crate) struct Node {
    /// `host:port`.
    pub address: String,
    admission: Option<Admission>,
    connect_timeout: Duration,
    idle_max: Duration,
    /// Connections that may still be opened.
    room: Arc<Semaphore>,
    state: Mutex<State>,
    /// Requests under way, or waiting for a connection.
    busy: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// The one that was used last is last, with when that was.
    idle: Vec<(Connection, Instant)>,
    /// Not called before then, unless no other node is there.
    rests_until: Option<Instant>,
    rest: Duration,
}

/// A connection that one request has for itself. Dropped, it is closed, unless it was given back.
pub(crate) struct Lease {
    pub connection: Connection,
    /// Whether the connection had been used before: then the node may have hung up without a request being to blame.
    pub is_used: bool,
    node: Arc<Node>,
    _room: OwnedSemaphorePermit,
}

/// Counts a request as long as it lives.
pub(crate) struct Busy<'a>(&'a Node);

impl Node {
    pub fn new(address: String, admission: Option<Admission>, limits: &crate::builder::Limits) -> Self {
        Self {
            address,
            admission,
            connect_timeout: limits.connect_timeout,
            idle_max: limits.idle_timeout,
            room: Arc::new(Semaphore::new(limits.connections_max)),
            state: Mutex::default(),
            busy: AtomicUsize::new(0),
        }
    }

    /// A connection on which nothing is under way: an idle one, or a new one. Waits while all are in use.
    pub async fn lease(self: &Arc<Self>) -> Result<Lease, NoConnection> {
        // Never closed.
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(std::io::Error::other)?;
        while let Some(mut connection) = self.take_idle() {
            if !connection.is_stale().await {
                return Ok(Lease { connection, is_used: true, node: Arc::clone(self), _room: room });
            }
        }
        let opened = timeout(self.connect_timeout, Connection::open(&self.address, self.admission.as_ref()));
        let opened =
            opened.await.unwrap_or_else(|_| Err(NoConnection::Lost(std::io::ErrorKind::TimedOut.into())));
        match opened {
            Ok(connection) => {
                self.is_well();
                Ok(Lease { connection, is_used: false, node: Arc::clone(self), _room: room })
            }
            Err(error) => {
                self.is_unwell();
                Err(error)
            }
        }
    }

    fn take_idle(&self) -> Option<Connection> {
        self.close_idle();
        self.state().idle.pop().map(|(connection, _)| connection)
    }

    /// Closes what has not been used for too long.
    pub fn close_idle(&self) {
        let now = Instant::now();
        self.state().idle.retain(|(_, used)| now.duration_since(*used) < self.idle_max);
    }

    /// Counts one request more.
    pub fn busy(&self) -> Busy<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self)
    }

    /// How many requests there are.
    pub fn load(&self) -> usize {
        self.busy.load(Ordering::Relaxed)
    }

    /// How long it is to be left alone yet.
    pub fn rests(&self) -> Duration {
        let until = self.state().rests_until;
        until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default()
    }

    /// It could not be reached, or did not answer: others come first for a while.
    pub fn is_unwell(&self) {
        let mut state = self.state();
        state.rest = (state.rest * 2).clamp(REST_MIN, REST_MAX);
        state.rests_until = Some(Instant::now() + state.rest);
        // They lead to the same place.
        state.idle.clear();
    }

    fn is_well(&self) {
        let mut state = self.state();
        (state.rests_until, state.rest) = (None, Duration::ZERO);
    }

    /// Idle connections. For tests and the curious.
    pub fn idle(&self) -> usize {
        self.state().idle.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nobody panics while holding it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Which node it leads to.
    pub fn node(&self) -> &str {
        &self.node.address
    }

    /// The answer has been read to its end: the connection is good for the next request.
    pub fn give_back(self) {
        let Self { connection, node, .. } = self;
        node.is_well();
        node.state().idle.push((connection, Instant::now()));
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}
