//! Strangers at the peers' port, with real connections.

use std::time::Duration;

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;
use crate::tls::PeerSide;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn credentials(node: &str) -> Credentials {
    let [node, cluster] = [node, "shop"].map(str::to_owned);
    let address = "peer=127.0.0.1:1".to_owned();
    Credentials { cluster, node, shape: String::new(), address, tls: PeerSide::default() }
}

/// A node n2 that listens: where, what it hears, and whom it turned away.
async fn listening() -> (SocketAddr, mpsc::Receiver<Heard>, Arc<Strangers>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (heard, hearing) = mpsc::channel(10);
    let turned_away = Arc::new(Strangers::default());
    let inbox = Inbox {
        credentials: Arc::new(credentials("n2")),
        roster: Roster::default(),
        strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
        turned_away: Arc::clone(&turned_away),
        heard,
    };
    tokio::spawn(run(listener, inbox));
    (address, hearing, turned_away)
}

/// n1 calls n2: its connection.
async fn call(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let (reader, mut writer) = tokio::io::split(&mut stream);
    let mut reader = FrameReader::new(reader, HELLO_BYTES_MAX);
    credentials("n1").call("n2", &mut reader, &mut writer).await.expect("welcome");
    stream
}

/// Waits until the other side has closed.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // Reset or closed: either way it is over.
    drop(timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("closed in time"));
}

#[tokio::test]
async fn half_open_connections_by_the_thousand_keep_no_peer_out() {
    let (address, mut hearing, turned_away) = listening().await;
    let mut strangers = Vec::new();
    for _ in 0..2_000 {
        strangers.push(TcpStream::connect(address).await.expect("connected"));
    }
    let _peer = timeout(PATIENCE, call(address)).await.expect("in time");
    let heard = hearing.recv().await.expect("heard");
    assert!(matches!(heard, Heard::Caller(caller) if caller.name == "n1"));
    // The oldest are cut off, long before their time is up.
    closed(&mut strangers[0]).await;
    let must_go = 2_001 - u64::try_from(UNHEARD_MAX).expect("few");
    timeout(PATIENCE, async {
        while turned_away.report().peers_refused < must_go - 1 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("all but the last few had to go");
}

#[tokio::test]
async fn a_frame_of_a_gibibyte_is_refused_by_its_length() {
    let (address, mut hearing, turned_away) = listening().await;
    // From a stranger, before anything else of the frame.
    let mut stranger = TcpStream::connect(address).await.expect("connected");
    let mut said = BytesMut::from(&b"\x89cwheel\n"[..]);
    said.put_u32(1 << 30);
    stranger.write_all(&said).await.expect("written");
    closed(&mut stranger).await;
    assert_eq!(turned_away.report().peers_refused, 1);

    // And from a peer.
    let mut peer = call(address).await;
    hearing.recv().await.expect("heard");
    peer.write_all(&(1_u32 << 30).to_be_bytes()).await.expect("written");
    closed(&mut peer).await;
}

#[tokio::test]
async fn random_bytes_are_refused_whatever_they_are() {
    let (address, _hearing, turned_away) = listening().await;
    for round in 1..=50_u64 {
        let mut stranger = TcpStream::connect(address).await.expect("connected");
        let bytes: [u8; 64] = crate::runtime::random();
        // It may have hung up already.
        drop(stranger.write_all(&bytes).await);
        closed(&mut stranger).await;
        assert_eq!(turned_away.report().peers_refused, round);
    }
}

/// Whoever lost its power has hung up without a word, and is only listened to.
#[tokio::test]
async fn a_connection_that_is_accepted_is_asked_for_by_the_system_when_it_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let _caller = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("connected");
    let (stream, _, _place) = accept(&listener, &Doors::new(1, 1)).await;
    let socket = socket2::SockRef::from(&stream);
    assert!(socket.keepalive().expect("an option"));
    let (silence, interval) = (socket.tcp_keepalive_time(), socket.tcp_keepalive_interval());
    let retries = socket.tcp_keepalive_retries().expect("an option");
    let noticed = silence.expect("an option") + interval.expect("an option") * retries;
    assert_eq!(noticed, Duration::from_secs(60));
}
