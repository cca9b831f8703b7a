//! Pages for whoever watches over nodes:
//!
//! | request | answer |
//! |---|---|
//! | `GET /health` | 200 while the process answers: a failing liveness probe should restart it |
//! | `GET /ready` | 200 when the node takes requests of clients, otherwise 503 with the reason |
//! | `GET /metrics` | for Prometheus |
//! | `GET /stats` | in JSON, under Riak's names |
//!
//! Probes need no credentials; the others do, where security is on.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use super::{Api, Response};
use crate::cluster::Refused;
use crate::metrics;
use crate::report::Report;
use crate::server::Question;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Whether this is a page of numbers.
pub(super) fn is_page(path: &str) -> bool {
    matches!(path, "/metrics" | "/stats")
}

/// Whether it takes the permission to administer. Riak shows `/stats` to everybody who may come in, and its clients look
/// there for the version.
pub(super) fn is_for_operators(path: &str) -> bool {
    path != "/stats"
}

impl Api {
    /// What a probe is told; nothing where the request is none.
    pub(super) async fn health(&self, head: &Parts) -> Option<Response> {
        let is_get = matches!(head.method, Method::GET | Method::HEAD);
        match head.uri.path() {
            "/health" if is_get => Some(render(StatusCode::OK, TEXT, "ok\n".to_owned())),
            "/ready" if is_get => Some(match self.ask_question(Question::Status).await {
                Ok(report) if report.serves => render(StatusCode::OK, TEXT, "ready\n".to_owned()),
                Ok(report) => {
                    let why = format!("takes no requests: it is {} of its cluster\n", standing(&report));
                    render(StatusCode::SERVICE_UNAVAILABLE, TEXT, why)
                }
                Err(Refused { message, .. }) => {
                    render(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{message}\n"))
                }
            }),
            _ => None,
        }
    }

    /// `/metrics` or `/stats`.
    pub(super) async fn page(&self, head: &Parts) -> Response {
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return render(StatusCode::METHOD_NOT_ALLOWED, TEXT, "allowed is GET\n".to_owned());
        }
        let asked = match head.uri.path() {
            "/metrics" => self.measured().await,
            _ => self.riak_stats().await,
        };
        asked.unwrap_or_else(|Refused { message, .. }| {
            render(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{message}\n"))
        })
    }

    async fn measured(&self) -> Result<Response, Refused> {
        let report = self.ask_question(Question::Status).await?;
        Ok(render(StatusCode::OK, OPEN_METRICS, self.metrics.text(report)))
    }

    async fn riak_stats(&self) -> Result<Response, Refused> {
        let report = self.ask_question(Question::Status).await?;
        let cluster = self.ask_question(Question::Cluster).await?;
        let stats = metrics::stats(&self.metrics, &report, &cluster);
        Ok(render(StatusCode::OK, JSON, stats.to_string()))
    }
}

fn standing(report: &Report) -> &str {
    match report.member.as_str() {
        "unknown" => "not yet told what",
        known => known,
    }
}

fn render(status: StatusCode, content_type: HeaderValue, text: String) -> Response {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
