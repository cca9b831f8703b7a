//! Accepting connections, and the incoming side of peer connections.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use cartwheel_core::id::NodeId;
use cartwheel_core::message::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc};
use tokio::time::timeout;

use crate::frame::FrameReader;
use crate::handshake::{Caller, Credentials, HELLO_BYTES_MAX};
use crate::peers::Roster;

/// A caller that has not said who it is by then is sent away.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// After an error of `accept` (too many open files, usually): a busy loop would make it worse.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Peer connections at once. Each peer has one.
const PEER_CONNECTIONS_MAX: u32 = 1024;
/// Of them, those of nodes that the cluster does not know: newcomers, and whoever else knows the cluster's name.
pub(crate) const STRANGERS_MAX: usize = 64;

/// Accepts for ever, at most `permits` connections at a time: beyond that, callers wait in the system's queue.
pub(crate) struct Acceptor {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    connections_max: u32,
}

impl Acceptor {
    pub fn new(listener: TcpListener, connections_max: u32) -> Self {
        let permits = Arc::new(Semaphore::new(connections_max as usize));
        Self { listener, permits, connections_max }
    }

    /// Stops listening, and waits until all connections have ended.
    pub async fn wait_until_unused(self) {
        let Self { listener, permits, connections_max } = self;
        drop(listener);
        // Nobody closes the semaphore, so this cannot fail.
        drop(permits.acquire_many(connections_max).await);
    }

    /// The next connection; the permit is given back by dropping it.
    pub async fn accept(&self) -> (TcpStream, OwnedSemaphorePermit) {
        loop {
            match self.try_accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn try_accept(&self) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, _) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok((stream, permit))
    }
}

/// What comes in from peers.
#[derive(Debug)]
pub(crate) enum Heard {
    /// One has called; what it says follows.
    Caller(Caller),
    /// One says something.
    Message { from: NodeId, message: Message },
}

/// Where messages from peers go.
#[derive(Clone)]
pub(crate) struct Inbox {
    pub credentials: Arc<Credentials>,
    pub roster: Roster,
    pub strangers: Arc<Semaphore>,
    pub heard: mpsc::Sender<Heard>,
}

impl Inbox {
    /// Room for a stranger. A node that is known needs none (`Ok(None)`).
    fn room_for(&self, node: NodeId) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
        if self.roster.knows(node) {
            return Ok(None);
        }
        Arc::clone(&self.strangers).try_acquire_owned().map(Some)
    }
}

/// Listens to peers for as long as the node lives.
pub(crate) async fn run(listener: TcpListener, inbox: Inbox) {
    let acceptor = Acceptor::new(listener, PEER_CONNECTIONS_MAX);
    loop {
        let (stream, permit) = acceptor.accept().await;
        let inbox = inbox.clone();
        tokio::spawn(async move {
            listen(stream, &inbox).await;
            drop(permit);
        });
    }
}

async fn listen(stream: TcpStream, inbox: &Inbox) {
    let address = stream.peer_addr().map(|address| address.to_string()).unwrap_or_default();
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = FrameReader::new(reader, HELLO_BYTES_MAX);
    let greeting = inbox.credentials.answer(&mut reader, &mut writer);
    let caller = match timeout(HANDSHAKE_TIMEOUT, greeting).await {
        Ok(Ok(caller)) => caller,
        Ok(Err(error)) => return tracing::warn!(from = address, %error, "peer connection not accepted"),
        Err(_) => {
            return tracing::warn!(from = address, "peer connection not accepted: no handshake in time");
        }
    };
    let (peer, from) = (caller.name.clone(), NodeId::from_name(&caller.name));
    let Ok(room) = inbox.room_for(from) else {
        return tracing::warn!(
            peer,
            from = address,
            max = STRANGERS_MAX,
            "too many unknown nodes; not listened to"
        );
    };
    tracing::info!(peer, from = address, "peer connected");
    reader.allow(cartwheel_wire::limits::MESSAGE_BYTES_MAX);
    let reason = match inbox.heard.send(Heard::Caller(caller)).await {
        Ok(()) => hear(&mut reader, from, inbox, room).await,
        Err(_) => STOPPING.to_owned(),
    };
    tracing::info!(peer, from = address, reason, "peer disconnected");
    // The other half is kept until here: dropping it would close the connection.
    drop(writer);
}

const STOPPING: &str = "this node is stopping";

/// Passes messages on until the connection ends; why it ended.
async fn hear<R: tokio::io::AsyncRead + Unpin>(
    reader: &mut FrameReader<R>,
    from: NodeId,
    inbox: &Inbox,
    mut room: Option<OwnedSemaphorePermit>,
) -> String {
    loop {
        let payload = match reader.next().await {
            Ok(Some(payload)) => payload,
            Ok(None) => return "closed".to_owned(),
            Err(error) => return error.to_string(),
        };
        match cartwheel_wire::decode_message(payload) {
            Ok(message) => {
                // One that has become known makes room for other strangers.
                room = room.filter(|_| !inbox.roster.knows(from));
                if inbox.heard.send(Heard::Message { from, message }).await.is_err() {
                    return STOPPING.to_owned();
                }
            }
            // A newer peer may say what this version does not know. Messages may be lost, so this one is.
            Err(error) => tracing::warn!(node = %from, %error, "message not understood"),
        }
    }
}
