//! The smallest HTTP client that will do: one request, one connection.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The context to write with after this.
    pub fn vclock(&self) -> Option<&str> {
        self.header("x-riak-vclock")
    }

    /// The values shown: none, one, or several in a multipart body.
    pub fn values(&self) -> Vec<String> {
        match self.status {
            404 => Vec::new(),
            200 => vec![self.body.clone()],
            300 => self.parts(),
            _ => panic!("no object: {self:?}"),
        }
    }

    fn parts(&self) -> Vec<String> {
        let content_type = self.header("content-type").expect("a content type");
        let (_, boundary) = content_type.split_once("boundary=").expect("a multipart body");
        let parts = self.body.split(&format!("\r\n--{boundary}")).map(str::to_owned).collect::<Vec<_>>();
        let [_, inner @ .., last] = parts.as_slice() else { panic!("no parts: {self:?}") };
        assert_eq!(last, "--\r\n");
        inner.iter().map(|part| part.split_once("\r\n\r\n").expect("a part").1.to_owned()).collect()
    }
}

/// One request, answered in full; an error if the connection was refused or broke.
pub fn send(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Reply> {
    exchange(&mut connect(to)?, &to.to_string(), method, path, headers, body)
}

pub fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// The same over a connection that is there.
pub fn exchange(
    stream: &mut (impl Read + Write),
    to: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Reply> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    parse(&answer, method).ok_or_else(|| io::Error::other(format!("cut short: {answer:?}")))
}

fn parse(answer: &str, method: &str) -> Option<Reply> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header =
        |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: BTreeMap<String, String> = lines.filter_map(header).collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    // An answer to HEAD says how long the body would be.
    (method == "HEAD" || body.len() >= length).then(|| Reply { status, headers, body: body.to_owned() })
}

pub fn get(to: SocketAddr, path: &str) -> io::Result<Reply> {
    send(to, "GET", path, &[("Accept", "multipart/mixed, */*;q=0.5")], "")
}

/// Writes over what `vclock` has seen, under a request id that a retry keeps.
pub fn put_as(to: SocketAddr, path: &str, id: &str, vclock: Option<&str>, body: &str) -> io::Result<Reply> {
    let mut headers = vec![("Content-Type", "text/plain"), ("X-Cartwheel-Request-Id", id)];
    headers.extend(vclock.map(|vclock| ("X-Riak-Vclock", vclock)));
    send(to, "PUT", path, &headers, body)
}

/// Deletes what `vclock` has seen.
pub fn delete(to: SocketAddr, path: &str, vclock: Option<&str>) -> io::Result<Reply> {
    let headers: Vec<(&str, &str)> = vclock.map(|vclock| ("X-Riak-Vclock", vclock)).into_iter().collect();
    send(to, "DELETE", path, &headers, "")
}

/// Writes over what `vclock` has seen.
pub fn put(to: SocketAddr, path: &str, vclock: Option<&str>, body: &str) -> io::Result<Reply> {
    let mut headers = vec![("Content-Type", "text/plain")];
    headers.extend(vclock.map(|vclock| ("X-Riak-Vclock", vclock)));
    send(to, "PUT", path, &headers, body)
}
