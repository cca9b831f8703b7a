//! A node that does as a script says, and keeps what it was asked.

use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use cartwheel_riak::pb::frame::{self, Frame};
use cartwheel_riak::pb::message::{Coded, RpbErrorResp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a request is answered with.
pub enum Reply {
    /// These bytes.
    Bytes(BytesMut),
    /// Several of them.
    Many(Vec<Reply>),
    /// Nothing: the connection is closed.
    HangUp,
    /// That, and then the connection is closed.
    ThenHangUp(Box<Reply>),
    /// The connection is closed, and no other one taken.
    HangUpForEver,
    /// Nothing, and the connection stays.
    Silence,
}

type Script = dyn Fn(usize, Bytes) -> Reply + Send + Sync;

pub struct Scripted {
    address: String,
    asked: Arc<Mutex<Vec<Frame>>>,
    calls: Arc<Mutex<usize>>,
    hung_up: watch::Receiver<usize>,
    seen: Mutex<usize>,
}

impl Reply {
    pub fn message<M: Coded>(message: &M) -> Self {
        let mut bytes = BytesMut::new();
        frame::put(&mut bytes, message);
        Self::Bytes(bytes)
    }

    pub fn error(text: &'static str) -> Self {
        Self::message(&RpbErrorResp { errmsg: Bytes::from_static(text.as_bytes()), errcode: 0 })
    }
}

impl Scripted {
    /// The script is told how many requests came before, and the request's body.
    pub async fn start(script: impl Fn(usize, Bytes) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let (asked, calls) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (hang_up, hung_up) = watch::channel(0);
        let script: Arc<Script> = Arc::new(script);
        let (kept, counted) = (Arc::clone(&asked), Arc::clone(&calls));
        let (close, mut closed) = watch::channel(false);
        let (hang_up, close) = (Arc::new(hang_up), Arc::new(close));
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    _ = closed.wait_for(|closed| *closed) => return,
                    accepted = listener.accept() => accepted.expect("accepted").0,
                };
                *counted.lock().expect("whole") += 1;
                let (kept, script) = (Arc::clone(&kept), Arc::clone(&script));
                let (hang_up, close) = (Arc::clone(&hang_up), Arc::clone(&close));
                tokio::spawn(async move {
                    if serve(stream, &kept, &*script).await == Some(End::ForEver) {
                        close.send_replace(true);
                    }
                    hang_up.send_modify(|times| *times += 1);
                });
            }
        });
        Self { address, asked, calls, hung_up, seen: Mutex::new(0) }
    }

    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// The bodies of all requests of that code.
    pub fn asked(&self, code: u8) -> Vec<Bytes> {
        let asked = self.asked.lock().expect("whole");
        asked.iter().filter(|frame| frame.code == code).map(|frame| frame.body.clone()).collect()
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        *self.calls.lock().expect("whole")
    }

    /// Waits until it has hung up once more.
    pub async fn until_hung_up(&self) {
        let seen = *self.seen.lock().expect("whole");
        let times = *self.hung_up.clone().wait_for(|times| *times > seen).await.expect("it runs");
        *self.seen.lock().expect("whole") = times;
    }
}

#[derive(PartialEq)]
enum End {
    Once,
    ForEver,
}

async fn serve(mut stream: TcpStream, kept: &Mutex<Vec<Frame>>, script: &Script) -> Option<End> {
    let mut buffer = BytesMut::new();
    loop {
        while let Some(frame) = frame::take(&mut buffer, 1 << 20).expect("frames") {
            let asked = {
                let mut kept = kept.lock().expect("whole");
                kept.push(frame.clone());
                kept.len() - 1
            };
            if let Some(end) = send(&mut stream, script(asked, frame.body)).await {
                // Everything is closed before anybody is told.
                drop(stream);
                return Some(end);
            }
        }
        match stream.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn send(stream: &mut TcpStream, reply: Reply) -> Option<End> {
    match reply {
        Reply::Bytes(bytes) => _ = stream.write_all(&bytes).await,
        Reply::Many(replies) => {
            for reply in replies {
                Box::pin(send(stream, reply)).await;
            }
        }
        Reply::Silence => {}
        Reply::HangUp => return Some(End::Once),
        Reply::HangUpForEver => return Some(End::ForEver),
        Reply::ThenHangUp(reply) => {
            Box::pin(send(stream, *reply)).await;
            return Some(End::Once);
        }
    }
    None
}
