//! The HTTP side: Riak's API as `cartwheel-riak` understands it, and what operators ask (`/cartwheel/...`, see `admin`).

mod admin;
mod props;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cartwheel_core::id::RequestId;
use cartwheel_core::{Answer, ClientError, ClientOp, Key};
use cartwheel_riak::http::{Call, Defaults, Delete, Get, Put, Refusal, Response, pong, request_id};
use cartwheel_store::Inspector;
use http::Request;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::listener::Acceptor;
use crate::runtime;
use crate::server::{ASKS_MAX, Ask, Question};
use crate::stop::Stopping;

/// How long a request's head may take, and how long a connection may idle between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a connection needs to answer requests.
pub(crate) struct Api {
    pub asks: mpsc::Sender<Ask>,
    pub questions: mpsc::Sender<Question>,
    pub inspector: Inspector,
    /// One look through the whole store at a time.
    pub inspecting: Semaphore,
    pub defaults: Defaults,
    pub body_bytes_max: usize,
}

/// Answers until told to stop, then until the connections that are busy have got their answers.
pub(crate) async fn run(listener: TcpListener, api: Arc<Api>, connections_max: u32, mut stop: Stopping) {
    let acceptor = Acceptor::new(listener, connections_max);
    loop {
        let stopped = stop.clone();
        tokio::select! {
            (stream, permit) = acceptor.accept() => {
                let api = Arc::clone(&api);
                tokio::spawn(async move {
                    connection(stream, api, stopped).await;
                    drop(permit);
                });
            }
            () = stop.wait() => break,
        }
    }
    acceptor.wait_until_unused().await;
}

async fn connection(stream: TcpStream, api: Arc<Api>, mut stop: Stopping) {
    let service = service_fn(|request: Request<Incoming>| {
        let api = Arc::clone(&api);
        async move { Ok::<_, Infallible>(api.answer(request).await.map(Full::new)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "client connection broke");
    }
}

impl Api {
    async fn answer(&self, request: Request<Incoming>) -> Response {
        let (head, body) = request.into_parts();
        if let Some(path) = head.uri.path().strip_prefix("/cartwheel/") {
            return self.administer(&head, path, body).await;
        }
        let understood =
            request_id(&head.headers).and_then(|id| Ok((id, Call::parse(&head, &self.defaults)?)));
        let (id, call) = match understood {
            Ok(understood) => understood,
            Err(refusal) => return Call::refuse(&refusal),
        };
        let id = id.unwrap_or_else(|| RequestId(u128::from_le_bytes(runtime::random())));
        match call {
            Call::Ping => pong(),
            Call::Get(get) => self.get(id, &get).await,
            Call::Delete(delete) => self.delete(id, &delete).await,
            Call::Props(props) => self.props(&props, body).await,
            Call::Put(put) => match self.read(body).await {
                Ok(body) => self.put(id, &put, body).await,
                Err(refusal) => Call::refuse(&refusal),
            },
        }
    }

    async fn get(&self, id: RequestId, get: &Get) -> Response {
        get.render(&self.ask(id, get.key(), get.op(), get.timeout()).await)
    }

    async fn put(&self, id: RequestId, put: &Put, body: Bytes) -> Response {
        let key = match put.key(id) {
            Ok(key) => key,
            Err(refusal) => return Call::refuse(&refusal),
        };
        put.render(&key, &self.ask(id, &key, put.op(body), put.timeout()).await)
    }

    async fn delete(&self, id: RequestId, delete: &Delete) -> Response {
        let context = match delete.context() {
            Some(context) => context.clone(),
            None => {
                let read = self.ask(id, delete.key(), delete.read_op(), delete.timeout()).await;
                match delete.seen(&read) {
                    Ok(context) => context,
                    Err(response) => return *response,
                }
            }
        };
        delete.render(&self.ask(id, delete.key(), delete.write_op(context), delete.timeout()).await)
    }

    /// Hands a request to the node, unless too many wait already.
    async fn ask(
        &self,
        request: RequestId,
        key: &Key,
        op: ClientOp,
        timeout: Option<Duration>,
    ) -> Result<Answer, ClientError> {
        let (answer, answered) = oneshot::channel();
        let ask = Ask { request, key: key.clone(), op, timeout, answer };
        match self.asks.try_send(ask) {
            Err(mpsc::error::TrySendError::Full(_)) => {
                Err(ClientError::Overloaded { limit: u32::from(ASKS_MAX) })
            }
            // The node stops: what becomes of a put is not known, and that is what a timeout says.
            Err(mpsc::error::TrySendError::Closed(_)) => Err(ClientError::Timeout { needed: 1, got: 0 }),
            Ok(()) => answered.await.unwrap_or(Err(ClientError::Timeout { needed: 1, got: 0 })),
        }
    }

    async fn read(&self, body: Incoming) -> Result<Bytes, Refusal> {
        read(body, self.body_bytes_max).await
    }
}

/// A whole body, of at most `limit` bytes.
async fn read(body: Incoming, limit: usize) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Refusal::BodyTooLarge { limit });
    }
    match timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge { limit }),
        Ok(Err(error)) => Err(Refusal::Body(error.to_string())),
        Err(_) => Err(Refusal::Body(format!("not within {} s", BODY_TIMEOUT.as_secs()))),
    }
}
