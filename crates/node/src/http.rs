//! The HTTP side: Riak's API as `cartwheel-riak` understands it, and what operators ask (`/cartwheel/...`, see `admin`).

mod admin;
mod body;
mod datatype;
mod listings;
mod pages;
mod patient;
mod props;
mod security;
mod stream;
mod types;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cartwheel_core::id::RequestId;
use cartwheel_core::version::Value;
use cartwheel_core::{Answer, ClientError, ClientOp, Key};
use cartwheel_riak::http::{Call, Defaults, Delete, Get, Put, Response, pong, request_id};
use cartwheel_store::Inspector;
use http::Request;
use http::request::Parts;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout};

use crate::doors::{Doors, Place, Standing};
use crate::listener::accept;
use crate::metrics::{Metrics, Operation};
use crate::runtime;
use crate::security::{Denial, Gate, Origin, Permission, Scope, Visitor, need};
use crate::server::{ASKS_MAX, Ask, Question};
use crate::stop::Stopping;
use crate::strangers::Strangers;
use crate::tls::{Certificates, ClientSide, Stream};

use self::patient::Patient;
use self::stream::{Outgoing, Reply};

/// As many as Riak takes: each of a key's own fields is one.
const HEADERS_MAX: usize = 1_000;

pub(crate) use body::Bodies;
pub(crate) use listings::regex;
pub(crate) use patient::ReadsNothing;

/// What a connection needs to answer requests.
pub(crate) struct Api {
    pub asks: mpsc::Sender<Ask>,
    pub questions: mpsc::Sender<Question>,
    pub inspector: Inspector,
    /// One look through the whole store at a time.
    pub inspecting: Semaphore,
    pub defaults: Defaults,
    /// This node's name.
    pub node: String,
    pub bodies: Bodies,
    pub metrics: Metrics,
    /// Where copies of the store go.
    pub backups: PathBuf,
    pub gate: Gate,
    pub strangers: Arc<Strangers>,
    /// How this node's certificates stand.
    pub certificates: Certificates,
    /// Longest head of a request, in bytes.
    pub header_bytes_max: usize,
    /// How long it may take, and how long a connection may idle between two requests.
    pub header_timeout: Duration,
}

/// One address that clients come to.
pub(crate) struct Door {
    pub listener: TcpListener,
    pub side: ClientSide,
    /// The room that all such addresses share.
    pub doors: Arc<Doors>,
}

/// One client's connection.
struct Visit {
    origin: Origin,
    place: Place,
}

/// Answers until told to stop, then until the connections that are busy have got their answers.
pub(crate) async fn run(Door { listener, side, doors }: Door, api: Arc<Api>, mut stop: Stopping) {
    loop {
        let stopped = stop.clone();
        tokio::select! {
            (stream, from, place) = accept(&listener, &doors) => {
                let (api, side) = (Arc::clone(&api), side.clone());
                tokio::spawn(async move { welcome(stream, from, place, &side, api, stopped).await });
            }
            () = stop.wait() => break,
        }
    }
    drop(listener);
    doors.wait_until_empty().await;
}

/// Sees to it that there is TLS, where there is to be.
async fn welcome(
    stream: TcpStream,
    from: SocketAddr,
    place: Place,
    side: &ClientSide,
    api: Arc<Api>,
    mut stop: Stopping,
) {
    let answered = tokio::select! {
        () = stop.wait() => return,
        answered = timeout(api.header_timeout, side.answer(stream)) => answered,
        () = place.told_to_leave() => return api.turned_away(from, IN_THE_WAY),
    };
    match answered {
        Ok(Ok((stream, proof))) => {
            let origin = Origin { address: from.ip(), proof };
            connection(stream, from, Arc::new(Visit { origin, place }), api, stop).await;
        }
        Ok(Err(why)) => api.turned_away(from, &format!("TLS: {why}")),
        Err(_) => api.turned_away(from, "no TLS handshake in time"),
    }
}

/// Why a connection had to go that had done nothing wrong yet.
pub(crate) const IN_THE_WAY: &str = "nothing had come from it, and others needed the room";

async fn connection(stream: Stream, from: SocketAddr, visit: Arc<Visit>, api: Arc<Api>, mut stop: Stopping) {
    let service = service_fn(|request: Request<Incoming>| {
        let (api, visit) = (Arc::clone(&api), Arc::clone(&visit));
        async move {
            // Whoever has not been served yet may be shown out until it is known who it is.
            if visit.place.standing() != Standing::Unheard {
                visit.place.stand(Standing::Busy);
            }
            let (reply, standing) = api.answer(request, &visit).await;
            Ok::<http::Response<Outgoing>, Infallible>(reply.outgoing(&visit, standing))
        }
    });
    let connection = http1::Builder::new()
        .timer(runtime::Timer)
        .header_read_timeout(api.header_timeout)
        .max_buf_size(api.header_bytes_max)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(Patient::new(stream, api.bodies.timeout)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = visit.place.told_to_leave() => match visit.place.standing() {
            Standing::Unheard => return api.turned_away(from, IN_THE_WAY),
            Standing::Idle => return,
            Standing::Busy => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        },
        () = stop.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    match ended {
        Ok(()) => {}
        Err(error) if error.is_parse() => {
            api.turned_away(from, &format!("no HTTP that is understood: {error}"));
        }
        Err(error) if error.is_timeout() && visit.place.standing() == Standing::Unheard => {
            api.turned_away(from, "no whole request in time");
        }
        Err(error) => match ReadsNothing::of(&error) {
            Some(deaf) => api.turned_away(from, &deaf.to_string()),
            None => tracing::debug!(%error, "client connection broke"),
        },
    }
}

impl Api {
    /// Counts somebody who was not served, and says why in the log, unless there are too many.
    pub(crate) fn turned_away(&self, from: SocketAddr, reason: &str) {
        if let Some(unsaid) = self.strangers.clients.count() {
            tracing::warn!(%from, reason, unsaid, "client turned away");
        }
    }

    /// The answer, and how the connection stands then: one that may do nothing is still a stranger's.
    async fn answer(&self, request: Request<Incoming>, visit: &Visit) -> (Reply, Standing) {
        let Visit { origin, place } = visit;
        let (head, body) = request.into_parts();
        if let Some(health) = self.health(&head).await {
            return (health.into(), Standing::Unheard);
        }
        let visitor = match self.gate.admit(origin, &head.headers).await {
            Ok(visitor) => visitor,
            Err(denial) => return (self.denied(origin, &denial).into(), Standing::Unheard),
        };
        place.stand(Standing::Busy);
        let answered = match head.uri.path().strip_prefix("/cartwheel/") {
            Some(path) => match visitor.may(Permission::Admin, &Scope::Any) {
                Ok(()) => Ok(self.administer(&head, path, body).await.into()),
                Err(denial) => Err(denial),
            },
            None if pages::is_page(head.uri.path()) => {
                let may = match pages::is_for_operators(head.uri.path()) {
                    true => visitor.may(Permission::Admin, &Scope::Any),
                    false => Ok(()),
                };
                match may {
                    Ok(()) => Ok(self.page(&head).await.into()),
                    Err(denial) => Err(denial),
                }
            }
            None => self.serve(&head, body, &visitor).await,
        };
        (answered.unwrap_or_else(|denial| self.denied(origin, &denial).into()), Standing::Idle)
    }

    /// Counts a request of somebody who may not, and says why in the log, unless there are too many.
    pub(crate) fn refused(&self, origin: &Origin, reason: &str) {
        if let Some(unsaid) = self.strangers.clients.count() {
            tracing::warn!(from = %origin.address, reason, unsaid, "request refused");
        }
    }

    /// What clients are told when they may not; what was wrong is for the log.
    fn denied(&self, origin: &Origin, Denial { refusal, reason }: &Denial) -> Response {
        self.refused(origin, reason);
        Call::refuse(refusal)
    }

    async fn serve(&self, head: &Parts, body: Incoming, visitor: &Visitor) -> Result<Reply, Denial> {
        let understood =
            request_id(&head.headers).and_then(|id| Ok((id, Call::parse(head, &self.defaults)?)));
        let (id, call) = match understood {
            Ok(understood) => understood,
            Err(refusal) => {
                self.bodies.skip(body).await;
                return Ok(Call::refuse(&refusal).into());
            }
        };
        if let Some((permission, scope)) = need(&call)
            && let Err(denial) = visitor.may(permission, &scope)
        {
            self.bodies.skip(body).await;
            return Err(denial);
        }
        let id = id.unwrap_or_else(|| RequestId(u128::from_le_bytes(runtime::random())));
        let response = match call {
            Call::Ping => pong(),
            Call::Resources(resources) => resources.render(),
            Call::Get(get) => self.get(id, &get).await,
            Call::Delete(delete) => self.delete(id, &delete).await,
            Call::DataType(call) => self.data_type(id, &call, body).await,
            Call::Props(props) => self.props(&props, body).await,
            Call::List(list) => return Ok(self.list(list).await),
            Call::Index(index) => return Ok(self.index(*index).await),
            Call::Put(put) => match self.bodies.read(body).await {
                Ok(body) => self.put(id, &put, body.bytes.clone()).await,
                Err(refusal) => Call::refuse(&refusal),
            },
        };
        Ok(response.into())
    }

    async fn get(&self, id: RequestId, get: &Get) -> Response {
        get.render(&self.ask(id, get.key(), get.op(), get.timeout()).await)
    }

    async fn put(&self, id: RequestId, put: &Put, body: Bytes) -> Response {
        let key = match put.key(id) {
            Ok(key) => key,
            Err(refusal) => return Call::refuse(&refusal),
        };
        if let Some(read) = put.read_op()
            && let Some(response) = put.unmet(&self.ask(id, &key, read, put.timeout()).await)
        {
            return response;
        }
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
    pub(crate) async fn ask(
        &self,
        request: RequestId,
        key: &Key,
        op: ClientOp,
        timeout: Option<Duration>,
    ) -> Result<Answer, ClientError> {
        let (began, operation) = (Instant::now(), Operation::of(&op));
        let written = match &op {
            ClientOp::Put { value: Value::Data(bytes), .. } => Some(bytes.len()),
            ClientOp::Update { op, .. } => usize::try_from(op.value_bytes()).ok(),
            _ => None,
        };
        let (answer, answered) = oneshot::channel();
        let ask = Ask { request, key: key.clone(), op, timeout, answer };
        let result = self.hand_over(ask, answered).await;
        self.metrics.answered(operation, written, &result, began.elapsed());
        result
    }

    async fn hand_over(
        &self,
        ask: Ask,
        answered: oneshot::Receiver<Result<Answer, ClientError>>,
    ) -> Result<Answer, ClientError> {
        match self.asks.try_send(ask) {
            Err(mpsc::error::TrySendError::Full(_)) => {
                Err(ClientError::Overloaded { limit: u32::from(ASKS_MAX) })
            }
            // The node stops: what becomes of a put is not known, and that is what a timeout says.
            Err(mpsc::error::TrySendError::Closed(_)) => Err(ClientError::Timeout { needed: 1, got: 0 }),
            Ok(()) => answered.await.unwrap_or(Err(ClientError::Timeout { needed: 1, got: 0 })),
        }
    }
}
