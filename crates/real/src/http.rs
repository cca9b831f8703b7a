//! What the simulator's clients ask, in Riak's HTTP, and what they are told.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use cartwheel_check::WriteId;
use cartwheel_core::id::{NodeId, RequestId, StoreId};
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Context, Dot, Siblings, Value, Version, VersionVector};
use cartwheel_core::{Answer, ClientError, ClientOp, Key, Quorum, ReadOptions};
use cartwheel_sim::workload::{Ask, write_id};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

const VCLOCK: &str = "x-riak-vclock";
/// A node that takes longer to accept a connection is not there.
const CONNECT_MAX: Duration = Duration::from_millis(500);
/// Beyond what a node takes to say that it was too late.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Longest answer.
const BODY_BYTES_MAX: usize = 64 << 20;

/// How a request ended.
#[derive(Debug)]
pub struct Outcome {
    /// What the node answered; nothing if the connection broke before.
    pub result: Option<Result<Answer, ClientError>>,
    /// Whether the request can have reached the node.
    pub reached: bool,
    /// The versions that a get showed: each with its tag, which names its dot.
    pub shown: Vec<(WriteId, String)>,
    /// An answer that no node should give to such a request.
    pub odd: Option<String>,
}

impl Outcome {
    fn broken(reached: bool) -> Self {
        Self { result: None, reached, shown: Vec::new(), odd: None }
    }
}

/// Asks a node; an error becomes an outcome.
pub async fn ask(node: SocketAddr, ask: &Ask) -> Outcome {
    let Ok(Ok(stream)) = timeout(CONNECT_MAX, TcpStream::connect(node)).await else {
        return Outcome::broken(false);
    };
    let request = match request(node, ask) {
        Ok(request) => request,
        Err(error) => return Outcome { odd: Some(error.to_string()), ..Outcome::broken(false) },
    };
    match timeout(ANSWER_MAX, exchange(stream, request)).await {
        Ok(Ok((status, headers, body))) => told(&ask.op, status, &headers, &body),
        Ok(Err(_)) | Err(_) => Outcome::broken(true),
    }
}

/// One page for operators.
pub async fn page<T: serde::de::DeserializeOwned>(node: SocketAddr, path: &str) -> io::Result<T> {
    let asking = async {
        let stream = TcpStream::connect(node).await?;
        let request = Request::get(path).header(http::header::HOST, node.to_string());
        let request = request.body(Full::default()).map_err(io::Error::other)?;
        let (status, _, body) = exchange(stream, request).await?;
        if status != StatusCode::OK {
            return Err(io::Error::other(format!("{path}: {status}")));
        }
        serde_json::from_slice(&body).map_err(io::Error::other)
    };
    timeout(ANSWER_MAX, asking).await?
}

/// Every version of a key, as all its homes together have it: the writes that made them, each with its tag.
pub async fn read_all(node: SocketAddr, key: &Key) -> io::Result<Vec<(WriteId, String)>> {
    let op = ClientOp::Get(ReadOptions { r: Quorum::All, sloppy: false, ..ReadOptions::default() });
    let request = RequestId(0);
    let outcome = ask(node, &Ask { node: 0, request, key: key.clone(), op, crash_after: None }).await;
    match outcome {
        Outcome { result: Some(Ok(_)), shown, .. } => Ok(shown),
        Outcome { odd: Some(odd), .. } => Err(io::Error::other(odd)),
        Outcome { result, .. } => Err(io::Error::other(format!("{key}: {result:?}"))),
    }
}

type Exchanged = (StatusCode, HeaderMap, Bytes);

async fn exchange(stream: TcpStream, request: Request<Full<Bytes>>) -> io::Result<Exchanged> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends with the answer, or with an error that the request is told, too.
    let connection = tokio::spawn(connection);
    let exchanged = async {
        let (head, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(io::Error::other)?;
        Ok((head.status, head.headers, body.to_bytes()))
    };
    let exchanged = exchanged.await;
    connection.abort();
    exchanged
}

fn request(node: SocketAddr, ask: &Ask) -> http::Result<Request<Full<Bytes>>> {
    let path = |key: &Key| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        format!("/buckets/{}/keys/{}", text(key.bucket()), text(key.key()))
    };
    let mut query: Vec<String> = Vec::new();
    let (method, context, body) = match &ask.op {
        ClientOp::Get(options) => {
            query.extend(quorum("r", Some(options.r)));
            query.extend(quorum("pr", options.pr));
            query.extend(options.notfound_ok.map(|ok| format!("notfound_ok={ok}")));
            query.push(format!("sloppy_quorum={}", options.sloppy));
            (Method::GET, None, Bytes::new())
        }
        ClientOp::Update { .. } => unreachable!("clients of real processes write plain values"),
        ClientOp::Put { context, value, options } => {
            query.extend(quorum("w", Some(options.w)));
            query.extend(quorum("pw", options.pw));
            query.push(format!("sloppy_quorum={}", options.sloppy));
            // A client that has seen nothing says so: a delete that says nothing has the node look first.
            let context = Some(BASE64_STANDARD.encode(cartwheel_wire::encode_context(context)));
            match value {
                Value::Data(bytes) => (Method::PUT, context, bytes.clone()),
                Value::Tombstone => (Method::DELETE, context, Bytes::new()),
                Value::DataType(_) => unreachable!("nobody writes a data type as a whole"),
            }
        }
    };
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{}?{}", path(&ask.key), query.join("&")))
        .header(http::header::HOST, node.to_string())
        .header(http::header::ACCEPT, "multipart/mixed, */*;q=0.5")
        .header(http::header::CONTENT_TYPE, "application/octet-stream")
        .header("x-cartwheel-request-id", format!("{:032x}", ask.request.0));
    if let Some(context) = context {
        request = request.header(VCLOCK, context);
    }
    request.body(Full::new(body))
}

fn quorum(name: &str, quorum: Option<Quorum>) -> Option<String> {
    let value = match quorum? {
        Quorum::Default => return None,
        Quorum::One => "one".to_owned(),
        Quorum::Majority => "quorum".to_owned(),
        Quorum::All => "all".to_owned(),
        Quorum::Count(count) => count.to_string(),
    };
    Some(format!("{name}={value}"))
}

fn told(op: &ClientOp, status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Outcome {
    let done = |result| Outcome { result: Some(result), ..Outcome::broken(true) };
    let is_get = matches!(op, ClientOp::Get(_));
    match status.as_u16() {
        200 | 300 | 404 if is_get => match shown(status, headers, body) {
            Ok((answer, shown)) => Outcome { shown, ..done(Ok(answer)) },
            Err(odd) => Outcome { odd: Some(odd), ..Outcome::broken(true) },
        },
        204 if !is_get => {
            done(Ok(Answer { siblings: Siblings::default(), seen: None, dot: None, by: Vec::new() }))
        }
        // Nothing says whether it was done in part: the judge must allow for both.
        503 | 500 => done(Err(ClientError::Timeout { needed: 0, got: 0 })),
        _ => {
            let odd = format!("{status}: {}", String::from_utf8_lossy(body).trim_end());
            Outcome { odd: Some(odd), ..done(Err(ClientError::Timeout { needed: 0, got: 0 })) }
        }
    }
}

/// What a get shows. Dots are not shown over HTTP: versions get names of their own, in the order they came.
fn shown(
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(Answer, Vec<(WriteId, String)>), String> {
    let parts = match status.as_u16() {
        404 => Vec::new(),
        200 => vec![Part { value: Value::Data(body.clone()), tag: tag(headers) }],
        _ => parts(headers, body)?,
    };
    let tagged = |part: &Part| match &part.value {
        Value::Data(bytes) => Some((write_id(bytes)?, part.tag.clone())),
        Value::Tombstone | Value::DataType(_) => None,
    };
    let tags = parts.iter().filter_map(tagged).collect();
    let values = parts.into_iter().map(|part| part.value);
    let version = |(counter, value): (u64, Value)| {
        let actor = Actor { node: NodeId(0), store: StoreId(0), boot: 0, mint: counter };
        let dot = Dot { actor, counter: 1 };
        let (past, request, written_at) = (VersionVector::EMPTY, RequestId(0), WallTime(0));
        Version { dot, past, request, written_at, value }
    };
    let siblings = Siblings::from_versions((1..).zip(values).map(version).collect());
    let seen = match headers.get(VCLOCK) {
        Some(vclock) => context(vclock.as_bytes())?,
        None => Context::EMPTY,
    };
    Ok((Answer { siblings, seen: Some(seen), dot: None, by: Vec::new() }, tags))
}

/// A version that was shown.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    value: Value,
    tag: String,
}

fn tag(headers: &HeaderMap) -> String {
    let tag = headers.get(http::header::ETAG).map(|tag| String::from_utf8_lossy(tag.as_bytes()).into_owned());
    tag.unwrap_or_default().trim_matches('"').to_owned()
}

fn context(vclock: &[u8]) -> Result<Context, String> {
    let bytes = BASE64_STANDARD.decode(vclock).map_err(|error| format!("vclock: {error}"))?;
    cartwheel_wire::decode_context(&bytes).map_err(|error| format!("vclock: {error}"))
}

/// The versions in a multipart body: values are binary, so it is taken apart as bytes.
fn parts(headers: &HeaderMap, body: &Bytes) -> Result<Vec<Part>, String> {
    let content_type = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = content_type
        .and_then(|it| it.split_once("boundary="))
        .map(|(_, boundary)| format!("\r\n--{boundary}"))
        .ok_or_else(|| format!("several versions as {content_type:?}, not as multipart/mixed"))?;
    let mut parts = Vec::new();
    // What comes before the first boundary is no part.
    let mut at = find(body, boundary.as_bytes()).ok_or("a multipart body without a boundary")?;
    loop {
        let rest = body.slice(at + boundary.len()..);
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        let length = find(&rest, boundary.as_bytes()).ok_or("a multipart body without an end")?;
        parts.push(part(&rest.slice(..length))?);
        at += boundary.len() + length;
    }
}

/// One part, from behind its boundary.
fn part(part: &Bytes) -> Result<Part, String> {
    let head = find(part, b"\r\n\r\n").ok_or("a part without an end of its headers")?;
    let headers = String::from_utf8_lossy(&part[..head]).into_owned();
    let header = |name: &str| {
        let named = headers.lines().filter_map(|line| line.split_once(':'));
        named
            .into_iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    let deleted = header("x-riak-deleted").is_some_and(|value| value == "true");
    let value = if deleted { Value::Tombstone } else { Value::Data(part.slice(head + 4..)) };
    Ok(Part { value, tag: header("etag").unwrap_or_default() })
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_apart_whatever_bytes_they_have() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "multipart/mixed; boundary=XyZ".parse().expect("a value"));
        let body = b"\r\n--XyZ\r\nContent-Type: a/b\r\n\r\none\r\n\r\nstill\r\n--XyZ\r\nX-Riak-Deleted: true\r\n\r\n\
                     \r\n--XyZ\r\nEtag: 7\r\n\r\n\x00\xff\r\n--XyZ--\r\n";
        let parts_of = parts(&headers, &Bytes::from_static(body)).expect("well formed");
        let data = |bytes: &'static [u8], tag: &str| Part {
            value: Value::Data(Bytes::from_static(bytes)),
            tag: tag.to_owned(),
        };
        let deleted = Part { value: Value::Tombstone, tag: String::new() };
        assert_eq!(parts_of, [data(b"one\r\n\r\nstill", ""), deleted, data(b"\x00\xff", "7")]);
        let (answer, _) =
            shown(StatusCode::MULTIPLE_CHOICES, &headers, &Bytes::from_static(body)).expect("an answer");
        assert_eq!(answer.siblings.versions().len(), 3);
        let cut = Bytes::from_static(b"\r\n--XyZ\r\nEtag: 7\r\n\r\nmilk");
        assert!(parts(&headers, &cut).is_err());
    }
}
