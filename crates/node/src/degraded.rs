//! A node whose store has failed: it takes no part, says so to whoever asks, and tries again.
//!
//! What it had acknowledged is on its disk, and others stand in for it meanwhile. Ending the process would leave it to somebody
//! else to try again, and clients in the dark; a disk that was full is free again some time later.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::runtime::JoinSet;

/// Between the first tries, and between later ones.
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(15);
/// A node that has worked for so long since has recovered.
const RECOVERED: Duration = Duration::from_mins(1);
/// Connections that are answered at once.
const CONNECTIONS_MAX: usize = 64;

/// When a node whose store has failed tries again.
#[derive(Debug)]
pub struct Retries {
    next: Duration,
    last: Option<Instant>,
}

impl Default for Retries {
    fn default() -> Self {
        Self { next: RETRY_MIN, last: None }
    }
}

impl Retries {
    /// How long to wait after a failure at `now`: longer each time, unless the node has worked well in between.
    pub fn pause(&mut self, now: Instant) -> Duration {
        if self.last.is_some_and(|last| now - last > RECOVERED) {
            self.next = RETRY_MIN;
        }
        let pause = self.next;
        self.next = (pause * 2).min(RETRY_MAX);
        self.last = Some(now + pause);
        pause
    }
}

/// For `span`, answers all clients 503, with `why`. An address that cannot be taken is left alone.
pub async fn answer_for(http: SocketAddr, why: &str, span: Duration) {
    let text = format!("degraded: {why}; ask another node\n");
    let end = tokio::time::sleep(span);
    let mut end = std::pin::pin!(end);
    let Ok(listener) = TcpListener::bind(http).await else { return end.await };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = end.as_mut() => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                let Ok((stream, _)) = accepted else { return end.await };
                let text = Bytes::from(text.clone());
                connections.spawn(async move {
                    let service = service_fn(move |_: Request<Incoming>| {
                        let text = text.clone();
                        async move { Ok::<_, Infallible>(unavailable(text)) }
                    });
                    // Whoever hangs up does not hear it.
                    _ = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }
    }
}

fn unavailable(text: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_each_time_until_it_has_worked_for_a_while() {
        let (mut retries, mut now) = (Retries::default(), Instant::now());
        let mut fail = |after: Duration| {
            now += after;
            let pause = retries.pause(now);
            now += pause;
            pause.as_millis()
        };
        let pauses = [(); 7].map(|()| fail(Duration::ZERO));
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
        assert_eq!(fail(RECOVERED), 15_000);
        assert_eq!(fail(RECOVERED + Duration::from_millis(1)), 500);
    }
}
