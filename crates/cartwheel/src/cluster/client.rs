//! Asking one node: one request, one connection.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use cartwheel_node::{AdminAnswer, ClusterReport, Refused, Stream};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::access::Access;

const HTTP: &str = "http://";
const HTTPS: &str = "https://";
/// A node that takes longer does not answer. Longer than the node itself waits for its disk.
const ANSWER_MAX: Duration = Duration::from_secs(35);
/// For what reads a whole disk.
const PATIENCE: Duration = Duration::from_hours(6);
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Longest answer, in bytes: a ring of 65,536 partitions has room.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A node to ask.
#[derive(Clone, Debug)]
pub struct Client {
    authority: Authority,
    is_private: bool,
    access: Access,
}

/// Why something was not done: one line.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_private { HTTPS } else { HTTP }, self.authority)
    }
}

impl FromStr for Client {
    type Err = String;

    /// `http://HOST:PORT`, the same without the scheme, or `https://HOST:PORT`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (is_private, rest) = match text.strip_prefix(HTTPS) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix(HTTP).unwrap_or(text)),
        };
        let authority: Option<Authority> = rest.trim_end_matches('/').parse().ok();
        let authority =
            authority.filter(|authority| authority.port_u16().is_some() && !authority.host().is_empty());
        let authority = authority.ok_or_else(|| {
            format!("{text:?} names no node; allowed are http://HOST:PORT and https://HOST:PORT")
        })?;
        Ok(Self { authority, is_private, access: Access::default() })
    }
}

impl Client {
    /// The same, asked as somebody.
    pub fn with(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Whether it is asked over TLS.
    pub fn is_private(&self) -> bool {
        self.is_private
    }

    /// Another node of the same cluster, where it answers in the same way.
    pub fn sibling(&self, address: &str) -> Result<Self, String> {
        let sibling: Self = format!("{}{address}", if self.is_private { HTTPS } else { HTTP }).parse()?;
        Ok(sibling.with(self.access.clone()))
    }

    pub async fn cluster(&self) -> Result<ClusterReport, Failure> {
        self.get("cluster").await
    }

    pub async fn plan(&self) -> Result<AdminAnswer, Failure> {
        self.get("cluster/plan").await
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::new(error.to_string()))?;
        self.ask(Method::POST, path, body.into()).await
    }

    /// The same, where a refusal is an answer, too: its one line.
    pub async fn try_post(&self, path: &str, body: &impl Serialize) -> Result<Result<(), String>, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::new(error.to_string()))?;
        let asked = timeout(ANSWER_MAX, self.exchange(Method::POST, &prefixed(path), body.into())).await;
        let too_late = || Err(format!("no answer within {} s", ANSWER_MAX.as_secs()));
        let (status, body) = asked.unwrap_or_else(|_| too_late()).map_err(|why| self.unreachable(&why))?;
        match serde_json::from_slice::<Refused>(&body) {
            _ if status.is_success() => Ok(Ok(())),
            Ok(refused) if status.is_client_error() => Ok(Err(refused.message)),
            _ => Err(self.failure(status, &body)),
        }
    }

    /// A page that is not for operators alone.
    pub async fn get_page<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask_within(ANSWER_MAX, Method::GET, path.to_owned(), Bytes::new()).await
    }

    /// The same, of what takes as long as it takes.
    pub async fn post_patiently<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::new(error.to_string()))?;
        self.ask_within(PATIENCE, Method::POST, prefixed(path), body.into()).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<T, Failure> {
        self.ask_within(ANSWER_MAX, method, prefixed(path), body).await
    }

    async fn ask_within<T: DeserializeOwned>(
        &self,
        at_most: Duration,
        method: Method,
        path: String,
        body: Bytes,
    ) -> Result<T, Failure> {
        let asked = timeout(at_most, self.exchange(method, &path, body)).await;
        let too_late = || Err(format!("no answer within {} s", at_most.as_secs()));
        let (status, body) = asked.unwrap_or_else(|_| too_late()).map_err(|why| self.unreachable(&why))?;
        if status.is_success() {
            let odd = |error| Failure::new(format!("{self}: not an answer of this release: {error}"));
            return serde_json::from_slice(&body).map_err(odd);
        }
        Err(self.failure(status, &body))
    }

    fn failure(&self, status: http::StatusCode, body: &[u8]) -> Failure {
        match serde_json::from_slice::<Refused>(body) {
            Ok(refused) => Failure::new(format!("{self}: {}", refused.message)),
            Err(_) => Failure::new(match status.as_u16() {
                401 if self.access.credentials.is_some() => {
                    format!(
                        "{self}: refused this user, or the password in CARTWHEEL_PASSWORD; the node's log says which"
                    )
                }
                401 => format!(
                    "{self}: wants to know who asks; give --user and CARTWHEEL_PASSWORD, or --certificate"
                ),
                403 => format!("{self}: {}", String::from_utf8_lossy(body)),
                426 => format!("{self}: security is on; name its https address with --node, and --ca"),
                _ => format!("{self}: answered {status}; is it a node of Cartwheel?"),
            }),
        }
    }

    fn unreachable(&self, why: &str) -> Failure {
        Failure::new(format!("{self}: {why}; name a node that runs with --node URL or CARTWHEEL_NODE"))
    }

    async fn connect(&self) -> Result<Stream, String> {
        let host = self.authority.host().trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, self.authority.port_u16().unwrap_or(80))).await;
        let stream = stream.map_err(|error| format!("cannot connect: {error}"))?;
        match &self.access.tls {
            _ if !self.is_private => Ok(Box::new(stream)),
            None => Err("whose certificates are to be believed? Say so with --ca FILE".to_owned()),
            Some(tls) => tls.connect(host, stream).await.map_err(|error| format!("TLS: {error}")),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(http::StatusCode, Bytes), String> {
        let stream = timeout(CONNECT_MAX, self.connect()).await;
        let stream = stream.map_err(|_| "cannot connect: no answer".to_owned())??;
        let broken = |error: hyper::Error| format!("the connection broke: {error}");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // It ends with the answer, or with an error that the request is told, too.
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.authority.as_str())
            .header(CONTENT_TYPE, "application/json");
        if let Some(credentials) = &self.access.credentials {
            request = request.header(AUTHORIZATION, credentials);
        }
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok((status, body.map_err(|error| format!("the answer broke off: {error}"))?.to_bytes()))
    }
}

/// Where operators are answered.
fn prefixed(path: &str) -> String {
    format!("/cartwheel/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_by_its_url() {
        for (text, shown) in [
            ("http://127.0.0.1:8098", "http://127.0.0.1:8098"),
            ("http://127.0.0.1:8098/", "http://127.0.0.1:8098"),
            ("localhost:8098", "http://localhost:8098"),
            ("[::1]:8098", "http://[::1]:8098"),
            ("https://n1.shop:8443", "https://n1.shop:8443"),
        ] {
            assert_eq!(text.parse::<Client>().map(|client| client.to_string()), Ok(shown.to_owned()));
        }
        for text in ["", "http://", "n1", "ftp://127.0.0.1:8098", "http://127.0.0.1:8098/cluster"] {
            assert!(text.parse::<Client>().is_err(), "{text:?}");
        }
    }
}
