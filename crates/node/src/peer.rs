//! The outgoing connection to one peer: made when there is something to say, made again when it breaks.
//!
//! Messages are best effort, so nothing waits for a peer: its queue is bounded, and what it drops is counted (`queue`).

mod queue;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use cartwheel_core::message::Message;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::counters::Shared;
use crate::endpoint::Endpoint;
use crate::frame::{self, FrameReader};
use crate::handshake::{Credentials, HELLO_BYTES_MAX, HandshakeError};
use crate::runtime::jittered;
use crate::sabotage::Sabotage;
use crate::tls::Stream;

use queue::Queue;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(2);
/// A peer that takes nothing for so long is not there.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
pub(crate) const BACKOFF_MIN: Duration = Duration::from_millis(50);
pub(crate) const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// Messages written before one flush, and how many bytes of them are enough.
const BATCH_MAX: usize = 64;
const BATCH_BYTES: usize = 1 << 20;

/// One peer, as the rest of the node sees it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub name: String,
    address: Mutex<Endpoint>,
    /// Where the configuration has it, if it does: tried where the other does not lead to it, for a cluster all of whose addresses
    /// were changed at once has nobody who could tell.
    pub configured: Option<Endpoint>,
    queue: Mutex<Queue>,
    queue_max: usize,
    filled: Notify,
    renewed: Notify,
    returned: Notify,
    pub connects: Shared,
    pub sabotage: Option<Sabotage>,
}

impl Peer {
    pub fn new(name: String, address: Endpoint, queue_max: usize) -> Self {
        Self {
            name,
            address: Mutex::new(address),
            configured: None,
            queue: Mutex::default(),
            queue_max,
            filled: Notify::new(),
            renewed: Notify::new(),
            returned: Notify::new(),
            connects: Shared::default(),
            sabotage: None,
        }
    }

    /// Queues a message; another one goes when there are too many.
    pub fn send(&self, message: Message) {
        self.queue().push(message, self.queue_max);
        self.filled.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages dropped, because too many waited, the peer could not be reached, or one was too large; by what they
    /// were about.
    pub fn dropped(&self) -> BTreeMap<&'static str, u64> {
        self.queue().dropped().iter().map(|(kind, count)| (kind.name(), *count)).collect()
    }

    /// Gives up the connection that there is, if any, and makes another. For a peer that does not answer: behind a
    /// partition a connection stays open and, once the partition has healed, silent for as long as TCP backs off.
    pub fn reconnect(&self) {
        self.renewed.notify_waiters();
    }

    /// It has called, or is heard again, so it is there: if the next call waits because the last ones failed, it waits no more.
    /// Otherwise what is said to a peer that has come back would wait for as long, and others would stand in for it meanwhile.
    pub fn call_again(&self) {
        self.returned.notify_one();
    }

    /// Where it is called.
    pub fn address(&self) -> Endpoint {
        self.address.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It is called elsewhere from now on.
    pub fn move_to(&self, address: Endpoint) {
        let mut present = self.address.lock().unwrap_or_else(PoisonError::into_inner);
        if *present != address {
            tracing::info!(peer = self.name, from = %*present, to = %address, "moved");
            *present = address;
            drop(present);
            self.reconnect();
        }
    }

    /// It has gone for ever: nothing that waits is said any more. (Should it call, it is told.)
    pub fn dismiss(&self) {
        self.forget();
        self.reconnect();
    }

    /// Drops what waits for a peer that cannot be reached: by the time that it can, nobody waits for the answers.
    fn forget(&self) {
        self.queue().clear();
    }

    /// Messages waiting.
    pub fn queued(&self) -> usize {
        self.queue().len()
    }

    /// Waits until there is something to say.
    async fn wait(&self) {
        while self.queued() == 0 {
            self.filled.notified().await;
        }
    }

    /// Waits for about `backoff`, or until the peer is known to be there. How long to wait the next time.
    pub async fn pause(&self, backoff: Duration) -> Duration {
        tokio::select! {
            biased; // It may be known already.
            () = self.returned.notified() => BACKOFF_MIN,
            () = tokio::time::sleep(jittered(backoff)) => (backoff * 2).min(BACKOFF_MAX),
        }
    }

    /// Takes off the queue what is written next: how many messages.
    fn take_batch(&self, out: &mut BytesMut) -> usize {
        for taken in 0..BATCH_MAX {
            let Some(message) = self.queue().pop() else { return taken };
            put(out, &message, self);
            if out.len() >= BATCH_BYTES {
                return taken + 1;
            }
        }
        BATCH_MAX
    }
}

/// Keeps a connection to `peer` for as long as the node lives.
pub(crate) async fn run(peer: Arc<Peer>, credentials: Arc<Credentials>) {
    let mut backoff = BACKOFF_MIN;
    let mut last_failure = String::new();
    loop {
        peer.wait().await;
        let ended = match connect(&peer, &credentials).await {
            Ok((reader, writer)) => {
                tracing::info!(peer = peer.name, address = %peer.address(), "connected");
                peer.connects.add(1);
                (backoff, last_failure) = (BACKOFF_MIN, String::new());
                tokio::select! {
                    biased; // Nothing more is said into a connection that is given up.
                    () = peer.renewed.notified() => HandshakeError::GivenUp,
                    ended = talk(&peer, reader, writer) => ended,
                }
            }
            Err(error) => {
                peer.forget();
                if peer.sabotage == Some(Sabotage::RefusedPeerForgotten) && error.is_refused_connection() {
                    return;
                }
                error
            }
        };
        // A peer that is down for a day is one line, not a million.
        let failure = ended.to_string();
        if failure != last_failure {
            tracing::warn!(peer = peer.name, address = %peer.address(), error = failure, "no connection; trying again");
            last_failure = failure;
        }
        backoff = peer.pause(backoff).await;
    }
}

type Connection = (FrameReader<tokio::io::ReadHalf<Stream>>, tokio::io::WriteHalf<Stream>);

/// Calls it where it said that it is, and otherwise where the configuration has it. Whoever answers must prove to be it.
async fn connect(peer: &Peer, credentials: &Credentials) -> Result<Connection, HandshakeError> {
    let told = peer.address();
    match connect_to(&told, peer, credentials).await {
        Ok(connection) => Ok(connection),
        Err(error) => match peer.configured.as_ref().filter(|configured| **configured != told) {
            Some(configured) => connect_to(configured, peer, credentials).await.map_err(|_| error),
            None => Err(error),
        },
    }
}

async fn connect_to(
    address: &Endpoint,
    peer: &Peer,
    credentials: &Credentials,
) -> Result<Connection, HandshakeError> {
    let stream = within(CONNECT_TIMEOUT, "connecting", TcpStream::connect(address.to_call())).await?;
    stream.set_nodelay(true).map_err(frame::FrameError::Io)?;
    match timeout(HANDSHAKE_TIMEOUT, greet(stream, peer, credentials)).await {
        Ok(greeted) => greeted,
        Err(_) => Err(too_slow("the handshake").into()),
    }
}

async fn greet(
    stream: TcpStream,
    peer: &Peer,
    credentials: &Credentials,
) -> Result<Connection, HandshakeError> {
    let (reader, mut writer) = tokio::io::split(credentials.tls.call(stream, &peer.name).await?);
    let mut reader = FrameReader::new(reader, HELLO_BYTES_MAX);
    credentials.call(&peer.name, &mut reader, &mut writer).await?;
    Ok((reader, writer))
}

/// Says what there is to say until the connection ends; why it ended.
async fn talk<R, W>(peer: &Peer, mut reader: FrameReader<R>, mut writer: W) -> HandshakeError
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut out = BytesMut::new();
    loop {
        tokio::select! {
            // The called side has nothing more to say: whatever comes is the end.
            heard = reader.next() => return match heard {
                Err(error) => error.into(),
                Ok(_) => HandshakeError::Closed,
            },
            () = peer.wait() => {}
        }
        let messages = peer.take_batch(&mut out);
        if peer.sabotage == Some(Sabotage::LoneFrameUnflushed) && messages == 1 {
            drop(writer.write_all(&out).await);
            out.clear();
            continue;
        }
        if let Err(error) = within(WRITE_TIMEOUT, "writing", write(&mut writer, &out)).await {
            return error.into();
        }
        out.clear();
    }
}

async fn write<W: AsyncWrite + Unpin>(writer: &mut W, out: &[u8]) -> io::Result<()> {
    writer.write_all(out).await?;
    writer.flush().await
}

/// A message that the other side would refuse, and the connection with it, is not sent.
fn put(out: &mut BytesMut, message: &Message, peer: &Peer) {
    let payload = cartwheel_wire::encode_message(message);
    let max = cartwheel_wire::limits::MESSAGE_BYTES_MAX;
    if payload.len() > max {
        tracing::error!(peer = peer.name, bytes = payload.len(), max, "message too large; not sent");
        peer.queue().count(message);
        return;
    }
    frame::put(out, &payload);
}

async fn within<T>(
    limit: Duration,
    what: &'static str,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, frame::FrameError> {
    match timeout(limit, work).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(too_slow(what)),
    }
}

fn too_slow(what: &str) -> frame::FrameError {
    frame::FrameError::Io(io::Error::new(io::ErrorKind::TimedOut, format!("{what} took too long")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{PeerSide, Proof};
    use cartwheel_core::message::LivenessMessage;
    use tokio::net::TcpListener;

    const PING: Message = Message::Liveness(LivenessMessage::Ping);

    fn credentials(node: &str) -> Arc<Credentials> {
        let [node, cluster] = [node, "test"].map(str::to_owned);
        let tls = PeerSide::default();
        Arc::new(Credentials { cluster, node, shape: String::new(), address: String::new(), tls })
    }

    /// The other end: takes a connection and one message from it.
    async fn hear(listener: &TcpListener) -> (Message, TcpStream) {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let (reader, mut writer) = tokio::io::split(&mut stream);
        let mut reader = FrameReader::new(reader, HELLO_BYTES_MAX);
        credentials("n2").answer(&Proof::Plain, &mut reader, &mut writer).await.expect("a peer");
        let payload = reader.next().await.expect("a frame").expect("not the end");
        (cartwheel_wire::decode_message(payload).expect("a message"), stream)
    }

    #[tokio::test]
    async fn a_connection_is_made_again_when_it_breaks_and_when_the_peer_is_silent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let peer = Arc::new(Peer::new("n2".to_owned(), address.into(), 10));
        let running = tokio::spawn(run(Arc::clone(&peer), credentials("n1")));

        peer.send(PING);
        let (heard, connection) = hear(&listener).await;
        assert_eq!(heard, PING);
        drop(connection);

        // Whether the node has noticed the end yet or not: what it says from now on is heard some day.
        let silent = loop {
            peer.send(PING);
            if let Ok((heard, connection)) = timeout(Duration::from_millis(100), hear(&listener)).await {
                assert_eq!(heard, PING);
                break connection;
            }
        };
        peer.reconnect();
        peer.send(PING);
        let (heard, _connection) =
            timeout(Duration::from_secs(10), hear(&listener)).await.expect("a connection");
        assert_eq!(heard, PING);
        assert!(peer.connects.value() >= 3);
        drop(silent);

        let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        peer.move_to(elsewhere.local_addr().expect("an address").into());
        peer.send(PING);
        let (heard, _connection) =
            timeout(Duration::from_secs(10), hear(&elsewhere)).await.expect("a connection");
        assert_eq!(heard, PING);
        running.abort();
    }

    #[tokio::test]
    async fn a_peer_that_has_come_back_is_not_waited_for() {
        let peer = Peer::new("n2".to_owned(), std::net::SocketAddr::from(([127, 0, 0, 1], 1)).into(), 2);
        assert_eq!(peer.pause(BACKOFF_MIN).await, BACKOFF_MIN * 2, "waited, and more the next time");
        peer.call_again();
        assert_eq!(peer.pause(BACKOFF_MAX).await, BACKOFF_MIN, "not waited, and as after the first failure");
    }
}
