//! The smallest protocol-buffers client that will do, and what a client does every day.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::frame::{self, Frame};
use cartwheel_riak::pb::message::{
    Coded, RpbContent, RpbDelReq, RpbErrorResp, RpbGetBucketKeyPreflistReq, RpbGetBucketKeyPreflistResp,
    RpbGetReq, RpbGetResp, RpbGetServerInfoResp, RpbMapRedReq, RpbPair, RpbPutReq, RpbPutResp,
};
use prost::Message;

use crate::cluster::{Cluster, Node, free_address, until};
use crate::http;

/// Longer than any answer takes.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Longest answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

pub trait Connection: Read + Write + Send {}
impl<T: Read + Write + Send> Connection for T {}

/// One connection.
pub struct Client {
    pub stream: Box<dyn Connection>,
    buffer: BytesMut,
}

impl Client {
    pub fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&to, TIMEOUT).expect("connected");
        stream.set_read_timeout(Some(TIMEOUT)).expect("set");
        Self::over(stream)
    }

    pub fn over(stream: impl Connection + 'static) -> Self {
        Self { stream: Box::new(stream), buffer: BytesMut::new() }
    }

    /// Sends a message, and waits for nothing.
    pub fn send(&mut self, message: &impl Coded) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        frame::put(&mut bytes, message);
        self.stream.write_all(&bytes)
    }

    pub fn send_frame(&mut self, Frame { code, body }: &Frame) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        frame::put_bare(&mut bytes, *code);
        let length = u32::try_from(body.len() + 1).expect("short");
        bytes[..4].copy_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(body);
        self.stream.write_all(&bytes)
    }

    /// The next frame; `None` when the node has hung up.
    pub fn receive(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = frame::take(&mut self.buffer, ANSWER_BYTES_MAX).expect("a frame") {
                return Ok(Some(frame));
            }
            let mut chunk = [0; 16 << 10];
            match self.stream.read(&mut chunk)? {
                0 => return Ok(None),
                read => self.buffer.extend_from_slice(&chunk[..read]),
            }
        }
    }

    /// One message, and its answer.
    pub fn ask<M: Coded + Default>(&mut self, message: &impl Coded) -> Result<M, String> {
        self.send(message).expect("sent");
        self.expect()
    }

    /// One message without a body, and the code of its answer.
    pub fn ask_bare(&mut self, code: u8) -> Result<u8, String> {
        self.send_frame(&Frame { code, body: Bytes::new() }).expect("sent");
        let frame = self.receive().expect("an answer").expect("it has not hung up");
        error_of(&frame).map_or(Ok(frame.code), Err)
    }

    /// The answer to an earlier message; an error is its text.
    pub fn expect<M: Coded + Default>(&mut self) -> Result<M, String> {
        let frame = self.receive().expect("an answer").expect("it has not hung up");
        if let Some(why) = error_of(&frame) {
            return Err(why);
        }
        assert_eq!(frame.code, M::CODE);
        Ok(M::decode(frame.body).expect("a message"))
    }

    pub fn has_hung_up(&mut self) -> bool {
        // A reset is an end, too.
        !matches!(self.receive(), Ok(Some(_)))
    }

    pub fn get(&mut self, bucket: &str, key: &str) -> RpbGetResp {
        self.ask(&get(bucket, key)).expect("answered")
    }

    pub fn put(&mut self, bucket: &str, key: &str, value: &str) -> RpbPutResp {
        self.ask(&put(bucket, key, value)).expect("written")
    }
}

/// What an error says; `None`: the frame is none.
pub fn error_of(frame: &Frame) -> Option<String> {
    (frame.code == code::ERROR_RESP).then(|| {
        let error = RpbErrorResp::decode(frame.body.clone()).expect("an error");
        String::from_utf8(error.errmsg.to_vec()).expect("text")
    })
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub fn get(bucket: &str, key: &str) -> RpbGetReq {
    RpbGetReq { bucket: bytes(bucket), key: bytes(key), ..RpbGetReq::default() }
}

pub fn put(bucket: &str, key: &str, value: &str) -> RpbPutReq {
    let content =
        RpbContent { value: bytes(value), content_type: Some(bytes("text/plain")), ..RpbContent::default() };
    RpbPutReq { bucket: bytes(bucket), key: Some(bytes(key)), content, ..RpbPutReq::default() }
}

/// A cluster of one, and where it answers in protocol buffers.
pub fn lone(dir: &tempfile::TempDir, lines: &str) -> (Node, SocketAddr) {
    let mut node = Node::new(dir, "n1");
    node.configure("test", &[("n1", node.peer)]);
    let pb = free_address();
    node.configure_also(&format!("pb = \"{pb}\"\n{lines}"), "");
    node.start();
    (node, pb)
}

/// A cluster of three, and where each answers in protocol buffers.
pub fn three() -> (Cluster, [SocketAddr; 3]) {
    let addresses = [free_address(), free_address(), free_address()];
    let cluster = Cluster::of_three_each(|index| format!("pb = \"{}\"", addresses[index]));
    (cluster, addresses)
}

#[test]
fn a_client_reads_writes_and_deletes_and_http_sees_the_same() {
    let (cluster, pb) = three();
    let mut client = Client::connect(pb[0]);
    assert_eq!(client.ask_bare(code::PING_REQ), Ok(code::PING_RESP));
    let info = {
        client.send_frame(&Frame { code: code::GET_SERVER_INFO_REQ, body: Bytes::new() }).expect("sent");
        client.expect::<RpbGetServerInfoResp>().expect("answered")
    };
    assert_eq!((info.node, info.server_version), (Some(bytes("n1")), Some(bytes("3.2.3"))));

    let mut cart = put("carts", "anna", "milk");
    cart.content.usermeta = vec![RpbPair::new(b"Color", b"red")];
    cart.content.indexes = vec![RpbPair::new(b"n_int", b"5")];
    client.ask::<RpbPutResp>(&cart).expect("written");
    let over_http = http::get(cluster.http(1), "/buckets/carts/keys/anna").expect("answered");
    assert_eq!((over_http.status, over_http.body.as_str()), (200, "milk"));
    assert_eq!(over_http.header("x-riak-meta-color"), Some("red"));
    assert_eq!(over_http.header("x-riak-index-n_int"), Some("5"));
    // The context is one for both.
    let path = "/buckets/carts/keys/anna";
    assert_eq!(
        http::put(cluster.http(2), path, over_http.vclock(), "milk, bread").expect("answered").status,
        204
    );

    let seen = Client::connect(pb[2]).get("carts", "anna");
    assert_eq!(seen.content.len(), 1);
    assert_eq!(seen.content[0].value, "milk, bread");
    let delete =
        RpbDelReq { bucket: bytes("carts"), key: bytes("anna"), vclock: seen.vclock, ..RpbDelReq::default() };
    client.send(&delete).expect("sent");
    assert_eq!(client.receive().expect("an answer").map(|frame| frame.code), Some(code::DEL_RESP));
    assert_eq!(http::get(cluster.http(1), path).expect("answered").status, 404);
    assert_eq!(client.get("carts", "anna"), RpbGetResp::default());
}

#[test]
fn who_keeps_a_key_is_told_and_who_stands_in_for_a_home_that_is_gone() {
    let (mut cluster, pb) = three();
    let mut client = Client::connect(pb[0]);
    let mut keepers = || {
        let request = RpbGetBucketKeyPreflistReq { bucket: bytes("b"), key: bytes("k"), bucket_type: None };
        let answer = client.ask::<RpbGetBucketKeyPreflistResp>(&request).expect("answered").preflist;
        answer.into_iter().map(|it| (it.partition, it.node, it.primary)).collect::<Vec<_>>()
    };
    let all = keepers();
    let names: Vec<&Bytes> = all.iter().map(|(_, node, _)| node).collect();
    assert_eq!(names, ["riak@127.0.0.1"; 3]);
    assert!(all.iter().all(|(partition, _, is_home)| (0..16).contains(partition) && *is_home), "{all:?}");
    // Three of three are homes: nobody is left to stand in.
    cluster.nodes[2].kill();
    until("its absence is noticed", || {
        let left = keepers();
        left.len() == 2 && left.iter().all(|it| all.contains(it))
    });
}

#[test]
fn what_is_not_done_here_is_said_and_the_connection_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_node, pb) = lone(&dir, "");
    let mut client = Client::connect(pb);
    let job = RpbMapRedReq { request: bytes("{}"), content_type: bytes("application/json") };
    assert_eq!(client.ask::<RpbPutResp>(&job), Err("MapReduce is not supported".to_owned()));
    let asis = RpbPutReq { asis: Some(true), ..put("b", "k", "v") };
    assert_eq!(client.ask::<RpbPutResp>(&asis), Err("asis is not supported".to_owned()));
    for code in [code::SEARCH_QUERY_REQ, 54, 90] {
        assert_eq!(client.ask_bare(code), Err(format!("Unknown message code: {code}")));
    }
    assert_eq!(client.ask_bare(code::PING_REQ), Ok(code::PING_RESP));
}
