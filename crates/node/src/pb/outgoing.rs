//! Messages to a client that may read slowly, or not at all.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use cartwheel_riak::pb::frame;
use cartwheel_riak::pb::message::Coded;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::http::ReadsNothing;
use crate::tls::{Stream, what_happened};

/// Written at once at least, where more is to come.
const BATCH_BYTES: usize = 64 << 10;

/// Where answers go. Whoever sends waits while the client does not read, so a slow client holds up its own answer and
/// nothing else; one that reads nothing for too long is given up.
pub(crate) struct Outgoing<'a> {
    stream: &'a mut Stream,
    buffer: BytesMut,
    /// How long a client may take to read something.
    patience: Duration,
}

/// Nobody reads any more what is sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The client is not there any more: why it is known.
    Lost(String),
    /// It is there, and reads nothing.
    Deaf(ReadsNothing),
}

impl<'a> Outgoing<'a> {
    pub fn new(stream: &'a mut Stream, patience: Duration) -> Self {
        Self { stream, buffer: BytesMut::new(), patience }
    }

    /// Sends a message. A stream of answers is many of these, the last of which says that it is.
    pub async fn send<M: Coded>(&mut self, message: &M) -> Result<(), Gone> {
        frame::put(&mut self.buffer, message);
        if self.buffer.len() >= BATCH_BYTES { self.write().await } else { Ok(()) }
    }

    /// Sends a message that has no body.
    pub fn send_bare(&mut self, code: u8) {
        frame::put_bare(&mut self.buffer, code);
    }

    /// Whatever was sent is on its way.
    pub async fn flush(&mut self) -> Result<(), Gone> {
        self.write().await?;
        patiently(self.patience, self.stream.flush()).await
    }

    /// Whether the client has sent something meanwhile: a byte of it is read, and lost.
    pub async fn is_interrupted(&mut self) -> bool {
        let mut byte = [0];
        let mut read = pin!(self.stream.read(&mut byte));
        // Only what is there already counts; a client that has gone is found out when it is written to.
        poll_fn(|cx| Poll::Ready(matches!(read.as_mut().poll(cx), Poll::Ready(Ok(1))))).await
    }

    async fn write(&mut self) -> Result<(), Gone> {
        while !self.buffer.is_empty() {
            match patiently(self.patience, self.stream.write(&self.buffer)).await? {
                0 => return Err(Gone::Lost("takes nothing".to_owned())),
                written => self.buffer.advance(written),
            }
        }
        Ok(())
    }
}

async fn patiently<T>(patience: Duration, step: impl Future<Output = io::Result<T>>) -> Result<T, Gone> {
    match timeout(patience, step).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Gone::Lost(what_happened(&error))),
        Err(_) => Err(Gone::Deaf(ReadsNothing(patience))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use cartwheel_riak::pb::message::RpbListKeysResp;

    const PATIENCE: Duration = Duration::from_secs(1);

    fn keys() -> RpbListKeysResp {
        RpbListKeysResp { keys: vec![Bytes::from(vec![b'k'; 50_000])], done: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_is_waited_for_and_one_that_reads_nothing_is_not() {
        let (mut client, node) = tokio::io::duplex(10_000);
        let mut node: Stream = Box::new(node);
        let reader = tokio::spawn(async move {
            let mut read = 0;
            while read < 150_000 {
                tokio::time::sleep(PATIENCE / 2).await;
                read += client.read(&mut [0; 10_000]).await.expect("there is more");
            }
            client
        });
        let mut out = Outgoing::new(&mut node, PATIENCE);
        for _ in 0..3 {
            out.send(&keys()).await.expect("it reads");
        }
        out.flush().await.expect("it reads");
        let client = reader.await.expect("no panic");
        let mut gone = Ok(());
        while gone.is_ok() {
            gone = out.send(&keys()).await;
        }
        assert_eq!(gone, Err(Gone::Deaf(ReadsNothing(PATIENCE))));
        drop(client);
    }
}
