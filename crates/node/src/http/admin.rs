//! What operators ask, in JSON:
//!
//! | request | answer |
//! |---|---|
//! | `GET status` | this node: [`Report`](crate::Report) |
//! | `GET cluster` | what this node knows of the cluster: [`ClusterReport`] |
//! | `GET cluster/plan` | what committing would do: [`AdminAnswer`] |
//! | `POST cluster/stage` | prepares a change ([`ChangeReport`]): [`AdminAnswer`] |
//! | `POST cluster/clear` | forgets what is prepared |
//! | `POST cluster/commit` | makes it so ([`CommitRequest`]), once it is on the disk: [`AdminAnswer`] |
//! | `POST backup` | copies this node's data to its directory `backups` ([`BackupRequest`]): [`BackupReport`] |
//! | `GET types` | the bucket types: a list of [`TypeReport`](crate::TypeReport) |
//! | `POST types/create`, `types/activate`, `types/update` | make and change one ([`TypeRequest`](crate::TypeRequest)) |
//! | `GET security` | users and grants of the cluster: [`SecurityReport`](crate::SecurityReport) |
//! | `POST security` | changes them ([`SecurityRequest`](crate::SecurityRequest)) |
//! | `GET partitions` | what is stored of each partition: [`PartitionReport`] |
//!
//! What is not done is answered with [`Refused`]. A body must be `application/json`: web pages cannot send that to a
//! server that does not know them.

use std::time::Duration;

use cartwheel_store::{Backup, BackupError};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode, request};
use hyper::body::Incoming;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Api, Bodies, Response};
use crate::cluster::{AdminAnswer, ChangeReport, CommitRequest, Refused};
use crate::report::{BackupReport, BackupRequest, PartitionReport, Report};
use crate::runtime;
use crate::server::{AdminAsk, AskedOp, Question};

/// Longest request of an operator, in bytes.
const BODY_BYTES_MAX: usize = 64 << 10;
/// A commit waits for the disk; a disk that takes longer is said to.
const ANSWER_MAX: Duration = Duration::from_secs(30);

impl Api {
    /// `path` is what follows `/cartwheel/`.
    pub(super) async fn administer(&self, head: &request::Parts, path: &str, body: Incoming) -> Response {
        let (get, post) = (head.method == Method::GET, head.method == Method::POST);
        let answer = match path {
            "status" if get => self.status().await,
            "cluster" if get => self.ask_question(Question::Cluster).await.and_then(|it| json(&it)),
            "partitions" if get => self.partitions().await,
            "types" if get => self.types().await,
            "security" if get => self.security().await,
            "security" if post => self.change_security(parse(&self.bodies, head, body).await).await,
            "types/create" if post => self.create_type(parse(&self.bodies, head, body).await).await,
            "types/activate" if post => self.activate_type(parse(&self.bodies, head, body).await).await,
            "types/update" if post => self.update_type(parse(&self.bodies, head, body).await).await,
            "cluster/plan" if get => self.operate(Ok(AskedOp::Plan)).await,
            "cluster/stage" if post => {
                self.operate(parse::<ChangeReport>(&self.bodies, head, body).await.map(AskedOp::Stage)).await
            }
            "cluster/clear" if post => self.operate(Ok(AskedOp::Clear)).await,
            "cluster/commit" if post => {
                self.operate(parse::<CommitRequest>(&self.bodies, head, body).await.map(AskedOp::Commit))
                    .await
            }
            "backup" if post => match parse::<BackupRequest>(&self.bodies, head, body).await {
                Ok(request) => self.back_up(request).await,
                Err(refused) => Err(refused),
            },
            "status" | "cluster" | "partitions" | "cluster/plan" | "types" => return not_allowed("GET"),
            "cluster/stage" | "cluster/clear" | "cluster/commit" | "backup" | "types/create"
            | "types/activate" | "types/update" => return not_allowed("POST"),
            "security" => return not_allowed("GET, POST"),
            _ => Err(Refused::new("not_found", format!("/cartwheel/{path}: there is no such page"))),
        };
        answer.unwrap_or_else(|refused| render(status_of(&refused), &refused))
    }

    pub(crate) async fn ask_question<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Question,
    ) -> Result<T, Refused> {
        let (answer, answered) = oneshot::channel();
        let stopping = || Refused::new("stopping", "the node is stopping");
        self.questions.send(question(answer)).await.map_err(|_| stopping())?;
        match timeout(ANSWER_MAX, answered).await {
            Ok(answered) => answered.map_err(|_| stopping()),
            Err(_) => {
                let message = format!("no answer within {} s; look at the status", ANSWER_MAX.as_secs());
                Err(Refused::new("timeout", message))
            }
        }
    }

    /// What the node says of itself, and what is known here at its doors.
    async fn status(&self) -> Result<Response, Refused> {
        let report = self.ask_question(Question::Status).await?;
        let (certificates, strangers) = (self.certificates.report(), self.strangers.report());
        json(&Report { certificates, strangers, ..report })
    }

    async fn operate(&self, op: Result<AskedOp, Refused>) -> Result<Response, Refused> {
        let op = op?;
        let answer: AdminAnswer =
            self.ask_question(|answer| Question::Admin(AdminAsk { op, answer })).await??;
        json(&answer)
    }

    async fn back_up(&self, BackupRequest { name }: BackupRequest) -> Result<Response, Refused> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > 128 || name.starts_with('.') || !name.bytes().all(is_plain) {
            let message = format!(
                "name {name:?}; allowed are 1 to 128 letters, digits, -, _ and ., the first one no ."
            );
            return Err(Refused::new("invalid", message));
        }
        let Ok(_turn) = self.inspecting.try_acquire() else {
            return Err(Refused::new(
                "overloaded",
                "the store is being looked through already; try again later",
            ));
        };
        let (inspector, to) = (self.inspector.clone(), self.backups.join(name));
        let path = to.display().to_string();
        tracing::info!(path, "a backup begins");
        match runtime::blocking(move || inspector.back_up(&to)).await {
            Ok(Ok(Backup { records, bytes })) => {
                tracing::info!(path, records, bytes, "a backup is complete");
                json(&BackupReport { path, records, bytes })
            }
            Ok(Err(error @ BackupError::Name { .. })) => Err(Refused::new("invalid", error.to_string())),
            Ok(Err(error @ BackupError::Exists { .. })) => Err(Refused::new("exists", error.to_string())),
            Ok(Err(error)) => Err(Refused::new("storage_failed", error.to_string())),
            Err(_) => Err(Refused::new("stopping", "the node is stopping")),
        }
    }

    async fn partitions(&self) -> Result<Response, Refused> {
        let Ok(_turn) = self.inspecting.try_acquire() else {
            return Err(Refused::new(
                "overloaded",
                "the store is being looked through already; try again later",
            ));
        };
        let inspector = self.inspector.clone();
        match runtime::blocking(move || inspector.holdings()).await {
            Ok(Ok(holdings)) => json(&PartitionReport::all(&holdings)),
            _ => Err(Refused::new("storage_failed", "the store cannot be read")),
        }
    }
}

async fn parse<T: DeserializeOwned>(
    bodies: &Bodies,
    head: &request::Parts,
    body: Incoming,
) -> Result<T, Refused> {
    let invalid = |message: String| Refused::new("invalid", message);
    let content_type =
        head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(invalid(format!("content-type {content_type:?}; allowed is application/json")));
    }
    let body = bodies.read_up_to(body, BODY_BYTES_MAX).await;
    let body = body.map_err(|refusal| invalid(refusal.to_string()))?;
    serde_json::from_slice(&body.bytes)
        .map_err(|error| invalid(format!("the body is not what it should be: {error}")))
}

pub(super) fn status_of(refused: &Refused) -> StatusCode {
    match refused.error.as_str() {
        "invalid" | "invalid_props" | "default_type" => StatusCode::BAD_REQUEST,
        "not_found" | "unknown_node" | "undefined" => StatusCode::NOT_FOUND,
        "already_active" | "not_active" | "status" | "too_few_members" | "nothing_to_do" | "changed"
        | "switching" | "exists" => StatusCode::CONFLICT,
        "not_kept" | "storage_failed" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

pub(super) fn json(what: &impl Serialize) -> Result<Response, Refused> {
    Ok(render(StatusCode::OK, what))
}

fn render(status: StatusCode, what: &impl Serialize) -> Response {
    // Maps with keys that are no text would fail; there are none.
    let mut body = serde_json::to_vec_pretty(what).unwrap_or_default();
    body.push(b'\n');
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn not_allowed(allow: &'static str) -> Response {
    let refused = Refused::new("method_not_allowed", format!("method not allowed; allowed is {allow}"));
    let mut response = render(StatusCode::METHOD_NOT_ALLOWED, &refused);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}
