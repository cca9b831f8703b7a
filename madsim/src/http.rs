//! A client's connection to a node: hyper's client on a simulated socket. It is kept from one request to the next, and made
//! again when it breaks.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use xxhash_rust::xxh3::xxh3_64;

/// How long a client waits for an answer; longer than a node takes to say that it has none.
const PATIENCE: Duration = Duration::from_secs(4);

/// A connection to one node.
pub struct Client {
    to: SocketAddr,
    open: Option<SendRequest<Full<Bytes>>>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// What its client has been shown.
    pub vclock: Option<String>,
    content_type: String,
    body: String,
}

impl Reply {
    /// What it says.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The name of the whole of it.
    pub fn digest(&self) -> u64 {
        let vclock = self.vclock.as_deref().unwrap_or_default();
        xxh3_64(format!("{} {vclock} {} {}", self.status, self.content_type, self.body).as_bytes())
    }

    /// The values shown: none, one, or several in a multipart body. `None` if it is no object.
    pub fn values(&self) -> Option<Vec<String>> {
        match self.status {
            404 => Some(Vec::new()),
            200 => Some(vec![self.body.clone()]),
            300 => self.parts(),
            _ => None,
        }
    }

    fn parts(&self) -> Option<Vec<String>> {
        let (_, boundary) = self.content_type.split_once("boundary=")?;
        let parts: Vec<&str> = self.body.split(&format!("\r\n--{boundary}")).collect();
        let [_, inner @ .., _] = parts.as_slice() else { return None };
        inner.iter().map(|part| Some(part.split_once("\r\n\r\n")?.1.to_owned())).collect()
    }
}

impl Client {
    /// Of the node at `to`; not connected yet.
    pub fn new(to: SocketAddr) -> Self {
        Self { to, open: None }
    }

    /// Asks, and waits for the whole answer.
    ///
    /// # Errors
    ///
    /// There was none in time, or the connection was refused or broke. The next request makes another one.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Reply, String> {
        let mut request = Request::builder().method(method).uri(path).header("host", self.to.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
        let answered = timeout(PATIENCE, self.exchange(request)).await;
        let answered = answered.unwrap_or_else(|_| Err("no answer".to_owned()));
        if answered.is_err() {
            self.open = None;
        }
        answered
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Reply, String> {
        // In a message of the transport's there may be numbers of tasks, which are not the same in another run.
        let sender = match self.open.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => {
                let stream = TcpStream::connect(self.to).await.map_err(|error| error.kind().to_string())?;
                let (sender, connection) =
                    handshake(TokioIo::new(stream)).await.map_err(|_| "no handshake".to_owned())?;
                tokio::spawn(connection);
                sender
            }
        };
        let sender = self.open.insert(sender);
        let broken = |_| "the connection broke".to_owned();
        sender.ready().await.map_err(broken)?;
        let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
        let body = body.collect().await.map_err(broken)?.to_bytes();
        let header =
            |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Reply {
            status: head.status.as_u16(),
            vclock: header("x-riak-vclock"),
            content_type: header("content-type").unwrap_or_default(),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}
