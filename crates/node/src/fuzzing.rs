//! What strangers' bytes meet first, each as a function of bytes: for `fuzz/`, and for the test that runs its corpus.
//! None may panic, whatever the bytes are.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use cartwheel_core::Config;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::{Datatype, Rules};
use cartwheel_core::ring::Ring;
use cartwheel_riak::http::{Call, Defaults, PropsVerb, request_id};
use cartwheel_riak::pb::{self, Request};
use http::request::Parts;

use crate::frame;
use crate::handshake::{Credentials, HELLO_BYTES_MAX};
use crate::reload::FileContent;
use crate::tls::{PeerSide, Proof};

/// The name of a corpus, and what is done with each file in it.
pub type Target = (&'static str, fn(&[u8]));

/// Everything that is fuzzed.
pub const TARGETS: [Target; 7] = [
    ("peer_frames", peer_frames),
    ("message", message),
    ("hello", hello),
    ("http", http),
    ("cluster", cluster),
    ("security_file", security_file),
    ("pb", pb),
];

/// What follows the handshake on a peer's connection: frames, and the messages in them.
pub fn peer_frames(bytes: &[u8]) {
    let mut buffer = BytesMut::from(bytes);
    while let Ok(Some(payload)) = frame::take(&mut buffer, cartwheel_wire::limits::MESSAGE_BYTES_MAX) {
        message(&payload);
    }
}

/// One message, without the frame whose checksum would stop most of what a fuzzer makes. What is understood is encoded
/// and understood again.
pub fn message(bytes: &[u8]) {
    if let Ok(message) = cartwheel_wire::decode_message(Bytes::copy_from_slice(bytes)) {
        let again = cartwheel_wire::decode_message(cartwheel_wire::encode_message(&message));
        assert_eq!(again.ok(), Some(message), "a message survives its encoding");
    }
}

/// A caller's first words.
pub fn hello(bytes: &[u8]) {
    let [cluster, node] = ["shop", "n2"].map(str::to_owned);
    let tls = PeerSide::default();
    let credentials = Credentials { cluster, node, shape: String::new(), address: String::new(), tls };
    let mut reader = frame::FrameReader::new(bytes, HELLO_BYTES_MAX);
    let mut said = Vec::new();
    let met = pin!(credentials.answer(&Proof::Plain, &mut reader, &mut said));
    let met = met.poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(met) = met else { panic!("all bytes are there, and it waits") };
    if let Ok(caller) = met {
        assert!(!caller.name.is_empty() && caller.name != "n2", "nobody calls itself");
    }
}

/// A client's request: a line with method and path, lines with headers, an empty line, the body.
pub fn http(bytes: &[u8]) {
    let Some((head, body)) = request(bytes) else { return };
    let id = request_id(&head.headers);
    let Ok(call) = Call::parse(&head, &Defaults { n: 3 }) else { return };
    drop(crate::security::need(&call));
    match call {
        Call::Ping => {}
        Call::Resources(resources) => drop(resources.render()),
        Call::Get(get) => drop(get.op()),
        Call::Put(put) => {
            let id = id.ok().flatten().unwrap_or(cartwheel_core::id::RequestId(7));
            drop((put.key(id), put.op(Bytes::copy_from_slice(body))));
        }
        Call::Delete(delete) => drop(delete.read_op()),
        Call::DataType(call) => {
            let rules = Config::new(NodeId(1), Ring::new(&[NodeId(1)], 8, 1).expect("a ring")).rules();
            for datatype in Datatype::ALL {
                let rules = Rules { datatype: Some(datatype), ..rules };
                if let Ok(admitted) = call.admit(Some(&rules)) {
                    drop(call.op(&admitted, &Bytes::copy_from_slice(body)));
                }
            }
        }
        Call::Props(props) if props.verb() == PropsVerb::Set => drop(props.props(body)),
        Call::Props(_) => {}
        Call::List(list) => drop(list.listing()),
        Call::Index(index) => {
            drop((index.listing(), index.term_regex().map(crate::http::regex)));
        }
    }
}

/// What a client sends to the protocol-buffers port: frames, the messages in them, and what they come to. What is understood
/// is decided on before anything else is asked, what its lists take was known before it was read.
pub fn pb(bytes: &[u8]) {
    let mut buffer = BytesMut::from(bytes);
    let defaults = Defaults { n: 3 };
    while let Ok(Some(frame)) = cartwheel_riak::pb::frame::take(&mut buffer, 1 << 20) {
        let weight = pb::weight(&frame);
        let request = match Request::read(frame) {
            Ok(request) => request,
            Err(refusal) => {
                assert_eq!(refusal.message().errcode, 0, "as Riak has it");
                continue;
            }
        };
        drop(crate::pb::needs(&request));
        match request {
            Request::Get(request) => drop(pb::Get::new(&request, &defaults).map(|get| get.op())),
            Request::Put(request) => {
                let content = &request.content;
                let elements = content.links.len() + content.usermeta.len() + content.indexes.len();
                assert!(weight >= elements * size_of::<pb::message::RpbLink>(), "{weight} for {elements}");
                if let Ok(put) = pb::Put::new(*request, &defaults) {
                    drop((put.key(cartwheel_core::id::RequestId(7)), put.op()));
                }
            }
            Request::Del(request) => drop(pb::Delete::new(&request, &defaults)),
            Request::DtUpdate(request) => drop(pb::DtUpdate::new(*request, &defaults)),
            Request::DtFetch(request) => drop(pb::DtFetch::new(&request, &defaults)),
            Request::Index(request) => drop(pb::Index::new(&request).map(|index| index.listing())),
            Request::ListKeys(request) => drop(pb::list_keys(&request)),
            Request::ListBuckets(request) => drop(pb::list_buckets(&request)),
            _ => {}
        }
    }
}

fn request(bytes: &[u8]) -> Option<(Parts, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
    let (head, body) = (&bytes[..end], bytes.get(end + 2..).unwrap_or_default());
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut first = lines.next()?.splitn(2, |byte| *byte == b' ');
    let mut request = http::Request::builder().method(first.next()?).uri(first.next()?);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    Some((request.body(()).ok()?.into_parts().0, body))
}

/// The cluster's state, as it is kept on the disk and comes in gossip.
pub fn cluster(bytes: &[u8]) {
    if let Ok(cluster) = cartwheel_wire::decode_cluster(bytes) {
        let again =
            cartwheel_wire::encode_cluster(&cluster).and_then(|bytes| cartwheel_wire::decode_cluster(&bytes));
        assert_eq!(again.ok(), Some(cluster), "a state survives its encoding");
    }
}

/// The file with users and grants.
pub fn security_file(bytes: &[u8]) {
    let file = FileContent { path: "security.toml".into(), bytes: bytes.to_vec() };
    if let Err(why) = crate::security::read(&[file]) {
        assert_eq!(why.lines().count().max(1), 1, "one line: {why:?}");
    }
}
