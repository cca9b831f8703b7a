//! Connections on which nobody is waited for who reads nothing of its answer.
//!
//! hyper has a bound for the head of a request and none for its answer: whoever does not read would keep its place, and
//! what it is to be sent, for as long as it likes. The bound is on each step, as at the protocol-buffers port: a slow client
//! is waited for as long as it takes something.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::tls::Stream;

/// A client has taken nothing of its answer for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reads nothing of its answer for {} ms", .0.as_millis())]
pub(crate) struct ReadsNothing(pub Duration);

impl ReadsNothing {
    /// Whether that is why a connection broke.
    pub fn of(error: &hyper::Error) -> Option<Self> {
        error.source()?.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref().copied()
    }
}

/// A connection; what is written to it fails with [`ReadsNothing`] once nothing was taken for `patience`.
pub(super) struct Patient {
    stream: Stream,
    patience: Duration,
    /// Until when the step under way has time. Most steps need not wait at all.
    limit: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub fn new(stream: Stream, patience: Duration) -> Self {
        Self { stream, patience, limit: None }
    }

    fn step<T>(
        &mut self,
        cx: &mut Context<'_>,
        step: impl FnOnce(Pin<&mut Stream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let done = step(Pin::new(&mut self.stream), cx);
        if done.is_ready() {
            self.limit = None;
            return done;
        }
        let patience = self.patience;
        let limit = self.limit.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        limit.as_mut().poll(cx).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, ReadsNothing(patience))))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.step(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.step(cx, |stream, cx| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.step(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.step(cx, AsyncWrite::poll_shutdown)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_is_waited_for_and_one_that_reads_nothing_is_not() {
        let (mut client, node) = tokio::io::duplex(10_000);
        let mut node = Patient::new(Box::new(node), PATIENCE);
        let reader = tokio::spawn(async move {
            let mut read = 0;
            while read < 100_000 {
                tokio::time::sleep(PATIENCE / 2).await;
                read += client.read(&mut [0; 10_000]).await.expect("there is more");
            }
            client
        });
        node.write_all(&[0; 100_000]).await.expect("it reads");
        let client = reader.await.expect("no panic");
        tokio::time::sleep(100 * PATIENCE).await;
        node.write_all(&[0; 10_000]).await.expect("whoever is asked for nothing may be silent");
        let deaf = node.write_all(&[0; 10_000]).await.expect_err("it reads nothing");
        assert_eq!(deaf.to_string(), "reads nothing of its answer for 1000 ms");
        drop(client);
    }
}
