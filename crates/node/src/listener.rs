//! Accepting connections, and the incoming side of peer connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cartwheel_core::id::NodeId;
use cartwheel_core::message::Message;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc};
use tokio::time::timeout;

use crate::doors::{Doors, Place, Standing};
use crate::frame::FrameReader;
use crate::handshake::{Caller, Credentials, HELLO_BYTES_MAX, HandshakeError};
use crate::peers::Roster;
use crate::runtime::keep_alive;
use crate::strangers::Strangers;
use crate::tls::Stream;

/// A caller that has not said who it is by then is sent away.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// After an error of `accept` (too many open files, usually): a busy loop would make it worse.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Peer connections at once. Each peer has one.
const PEER_CONNECTIONS_MAX: usize = 1024;
/// Of them, those that have not said who they are yet. A flood of these is cut off at its old end, so that one who
/// has something to say finds room.
const UNHEARD_MAX: usize = 256;
/// Of them, those of nodes that the cluster does not know: newcomers, and whoever else knows the cluster's name.
pub(crate) const STRANGERS_MAX: usize = 64;

/// The next connection, where it comes from, and its place. Safe to cancel: a connection that has no place yet is dropped.
pub(crate) async fn accept(listener: &TcpListener, doors: &Arc<Doors>) -> (TcpStream, SocketAddr, Place) {
    loop {
        let accepted = listener.accept().await.and_then(|(stream, from)| {
            stream.set_nodelay(true)?;
            // Many a connection is only listened to, and a caller may have nothing to say for hours: nothing else would
            // tell that it is gone.
            keep_alive(&stream)?;
            Ok((stream, from))
        });
        match accepted {
            Ok((stream, from)) => return (stream, from, doors.enter().await),
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
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
    pub turned_away: Arc<Strangers>,
    pub heard: mpsc::Sender<Heard>,
}

impl Inbox {
    /// Counts one that is not listened to, and says why in the log, unless there are too many.
    fn turned_away(&self, from: SocketAddr, error: &HandshakeError) {
        if let Some(unsaid) = self.turned_away.peers.count() {
            tracing::warn!(%from, %error, unsaid, "peer connection not accepted");
        }
    }

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
    let doors = Doors::new(PEER_CONNECTIONS_MAX, UNHEARD_MAX);
    loop {
        let (stream, from, place) = accept(&listener, &doors).await;
        let inbox = inbox.clone();
        tokio::spawn(async move {
            if let Err(error) = listen(stream, from, &place, &inbox).await {
                inbox.turned_away(from, &error);
            }
        });
    }
}

async fn listen(
    stream: TcpStream,
    address: SocketAddr,
    place: &Place,
    inbox: &Inbox,
) -> Result<(), HandshakeError> {
    let (caller, mut reader, writer) = tokio::select! {
        greeted = timeout(HANDSHAKE_TIMEOUT, greet(stream, inbox)) => {
            greeted.map_err(|_| HandshakeError::Late)??
        }
        () = place.told_to_leave() => return Err(HandshakeError::InTheWay),
    };
    place.stand(Standing::Busy);
    let (peer, from) = (caller.name.clone(), NodeId::from_name(&caller.name));
    let room = inbox.room_for(from).map_err(|_| HandshakeError::TooMany { max: STRANGERS_MAX })?;
    tracing::info!(peer, from = %address, "peer connected");
    reader.allow(cartwheel_wire::limits::MESSAGE_BYTES_MAX);
    let reason = match inbox.heard.send(Heard::Caller(caller)).await {
        Ok(()) => hear(&mut reader, from, inbox, room).await,
        Err(_) => STOPPING.to_owned(),
    };
    tracing::info!(peer, from = %address, reason, "peer disconnected");
    // The other half is kept until here: dropping it would close the connection.
    drop(writer);
    Ok(())
}

type Greeted = (Caller, FrameReader<ReadHalf<Stream>>, WriteHalf<Stream>);

async fn greet(stream: TcpStream, inbox: &Inbox) -> Result<Greeted, HandshakeError> {
    let (stream, proof) = inbox.credentials.tls.answer(stream).await?;
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = FrameReader::new(reader, HELLO_BYTES_MAX);
    let caller = inbox.credentials.answer(&proof, &mut reader, &mut writer).await?;
    Ok((caller, reader, writer))
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

#[cfg(test)]
mod tests;
