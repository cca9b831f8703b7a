//! What a real Riak node was asked and answered, asked of ours.

#[path = "../../../riak/tests/pb_golden/compare.rs"]
mod compare;
#[path = "../../../riak/tests/pb_golden/exchange.rs"]
mod exchange;

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::frame::Frame;
use cartwheel_riak::pb::message::{RpbListBucketsReq, RpbListBucketsResp};
use compare::Names;
use exchange::{Exchange, Recorded};
use prost::Message;

use crate::cluster::{Cluster, free_address, until_ok};
use crate::http::put;
use crate::pb::{Client, error_of};
use crate::recorded;

/// Exchanges whose answer differs, by which row of a table in `docs/riak.md`, and how we answer: with a message of this
/// code, or an error.
const DIFFERENT: [(&str, &str, Result<u8, &str>); 7] = [
    ("get missing required key", "a get whose key is missing (not empty)", Err("Key cannot be zero-length")),
    (
        "set props r=9",
        "set bucket with `r` or `w` above `n_val`",
        Err("Invalid bucket properties: [{r,\"r = 9: allowed are 1..=3 (n_val), one, quorum, all\"}]"),
    ),
    ("dt gset rb", "`return_body` of a change of a gset", Ok(code::DT_UPDATE_RESP)),
    ("preflist bad type", "preflist of an unknown bucket type", Ok(code::GET_BUCKET_KEY_PREFLIST_RESP)),
    (
        "index bad",
        "an index query with a name of no known type",
        Err("Invalid query: {unknown_field_type,<<\"bad\">>}"),
    ),
    ("get on crdt key via kv", "what a data type looks like to a plain get", Ok(code::GET_RESP)),
    ("write_once rb", "`return_body` in write-once buckets", Ok(code::PUT_RESP)),
];
/// The part of a listing that has only a key deleted a moment ago; and its row.
const DELETED: (&str, &[u8], &str) = ("list keys", b"\x0a\x01k", "a deleted key in listings");
/// Rows of what is left out of every comparison.
const BY_NATURE: [&str; 4] =
    ["vclocks", "listings and index queries", "the node's name in server info", "partitions in a preflist"];
/// That a stream has ended.
const END: &[u8] = b"\x10\x01";

/// What was in the recorded node's bucket type `plain` before.
const BUCKETS: [&str; 2] = ["riak_index_tests", "p1"];

/// A cluster that holds what the recorded node held, as far as it is shown.
fn like_the_recorded_one() -> (Cluster, SocketAddr) {
    let pb = [free_address(), free_address(), free_address()];
    let cluster = recorded::cluster(|index| format!("pb = \"{}\"", pb[index]));
    for bucket in BUCKETS {
        let path = format!("/types/plain/buckets/{bucket}/keys/k");
        assert_eq!(put(cluster.http(0), &path, None, "v").expect("answered").status, 204);
    }
    (cluster, pb[0])
}

struct Replay {
    to: SocketAddr,
    client: Client,
    names: Names,
}

impl Replay {
    /// The answer, whole: of a stream all parts in one message, as which their bytes can be read together.
    fn ask(&mut self, request: &Frame) -> Frame {
        self.client.send_frame(request).expect("sent");
        let (is_streamed, mut body) = (is_streamed(request), BytesMut::new());
        loop {
            let part = self.client.receive().expect("an answer").expect("it has not hung up");
            if !is_streamed || part.code == code::ERROR_RESP {
                return part;
            }
            body.extend_from_slice(&part.body);
            if part.body == END {
                return Frame { code: part.code, body: body.freeze() };
            }
        }
    }

    /// Asks as Riak was asked, and compares the answers.
    fn compare(&mut self, Exchange { name, request, answers }: &Exchange) -> Result<(), String> {
        let request = match name.as_str() {
            "garbage get body" => request,
            _ => &self.names.translate(request),
        };
        let ours = self.ask(request);
        if let [Recorded::Crash] = answers.as_slice() {
            let why = error_of(&ours).expect("an error");
            assert!(why.starts_with("Error processing incoming message:"), "{name}: {why}");
            assert!(self.client.has_hung_up(), "{name}");
            self.client = Client::connect(self.to);
            return Ok(());
        }
        let Some(theirs) = whole(name, answers) else { return compare_cut(answers, &ours) };
        if theirs.code != ours.code {
            return Err(format!("code {}, not {}: {:?}", ours.code, theirs.code, error_of(&ours)));
        }
        match self.names.comparable(ours.code, &theirs.body, &ours.body) {
            (theirs, ours) if theirs == ours => Ok(()),
            (theirs, ours) => Err(format!("theirs: {theirs}\nours:   {ours}")),
        }
    }
}

fn is_streamed(Frame { code, body }: &Frame) -> bool {
    match *code {
        code::LIST_KEYS_REQ => true,
        code::LIST_BUCKETS_REQ => {
            RpbListBucketsReq::decode(body.clone()).expect("a message").stream == Some(true)
        }
        _ => false,
    }
}

/// What Riak answered, in one message; `None`: not all of it was kept.
fn whole(name: &str, answers: &[Recorded]) -> Option<Frame> {
    let parts: Option<Vec<&Frame>> = answers
        .iter()
        .map(|answer| match answer {
            Recorded::Frame(part) => Some(part),
            Recorded::Cut(_) => None,
            Recorded::Crash | Recorded::Closed => panic!("{name} has no answer to compare with"),
        })
        .collect();
    let parts = parts?;
    let is_shown = |part: &&&Frame| (name, &*part.body) != (DELETED.0, DELETED.1);
    let body: Bytes = parts.iter().filter(is_shown).flat_map(|part| part.body.clone()).collect();
    Some(Frame { code: parts.last()?.code, body })
}

/// Of lists of buckets only codes and ends were kept, because the recorded node had many. But among them was one that the
/// recording had filled by then.
fn compare_cut(answers: &[Recorded], ours: &Frame) -> Result<(), String> {
    assert!(matches!(answers, [Recorded::Cut(code::LIST_BUCKETS_RESP), ..]), "{answers:?}");
    let ends = matches!(answers.last(), Some(Recorded::Frame(last)) if last.body == END);
    if ours.code != code::LIST_BUCKETS_RESP {
        return Err(format!("code {}: {:?}", ours.code, error_of(ours)));
    }
    let ours = RpbListBucketsResp::decode(ours.body.clone()).expect("a message");
    let is_same = ours.buckets.contains(&Bytes::from("pb1")) && ours.done == ends.then_some(true);
    is_same.then_some(()).ok_or_else(|| format!("{ours:?}"))
}

#[test]
fn a_node_answers_the_recorded_requests_as_riak_did() {
    let (_cluster, pb) = like_the_recorded_one();
    let mut replay = Replay { to: pb, client: Client::connect(pb), names: Names::default() };
    let recording = exchange::parse_all(include_str!("../../../riak/tests/golden/pb.txt"));
    let (mut compared, mut different) = (0, 0);
    for exchange in recording {
        let Exchange { name, request, answers } = &exchange;
        if let Some((.., ours)) = DIFFERENT.iter().find(|(it, ..)| it == name) {
            let answer = replay.ask(request);
            let said = error_of(&answer).map_or(Ok(answer.code), Err);
            assert_eq!(said.as_ref().map_err(String::as_str).copied(), *ours, "{name}");
            different += 1;
            continue;
        }
        if let [Recorded::Closed] = answers.as_slice() {
            // The one before had made Riak hang up.
            continue;
        }
        match request.code {
            // One home is asked, and it may have the last write a moment later than the client has its answer.
            code::LIST_BUCKETS_REQ | code::LIST_KEYS_REQ | code::INDEX_REQ => {
                until_ok(name, || replay.compare(&exchange));
            }
            _ => replay.compare(&exchange).unwrap_or_else(|why| panic!("{name}: {why}")),
        }
        compared += 1;
    }
    assert!(compared > 105, "{compared} exchanges");
    assert_eq!(different, DIFFERENT.len());
}

#[test]
fn what_differs_from_the_recording_is_documented() {
    let documented = include_str!("../../../../docs/riak.md");
    let (_, documented) = documented.split_once("## What differs in protocol buffers").expect("a heading");
    let (documented, _) = documented.split_once("## HTTP").expect("a heading");
    for row in DIFFERENT.iter().map(|(_, row, _)| *row).chain(BY_NATURE).chain([DELETED.2]) {
        assert!(documented.contains(&format!("\n| {row} |")), "{row}");
    }
}
