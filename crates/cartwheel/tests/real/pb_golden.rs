//! What a real Riak node was asked and answered, asked of ours.

#[path = "../../../riak/tests/pb_golden/compare.rs"]
mod compare;
#[path = "../../../riak/tests/pb_golden/exchange.rs"]
mod exchange;

use std::net::SocketAddr;

use compare::Vclocks;
use exchange::{Exchange, Recorded};

use crate::cluster::{Cluster, free_address};
use crate::http::send;
use crate::pb::{Client, error_of};

/// Exchanges whose answer differs, and why: as `docs/riak.md` has it.
const DIFFERENT: [(&str, &str); 5] = [
    ("info", "the node's name is its own"),
    ("get missing required key", "a key that is not there is an empty one"),
    ("get on crdt key via kv", "what a data type looks like inside is not Riak's"),
    ("dt gset rb", "Riak crashes"),
    ("write_once rb", "Riak shows nothing of what was written once, whoever asks"),
];

/// What other tests are about: listings, properties, indexes, jobs, coverage, who keeps a key.
const ELSEWHERE: [u8; 11] = [15, 17, 19, 21, 23, 25, 29, 31, 32, 33, 70];

/// The recorded node's bucket types.
const TYPES: [(&str, &str); 7] = [
    ("plain", ""),
    ("counters", "\"datatype\":\"counter\""),
    ("sets", "\"datatype\":\"set\""),
    ("maps", "\"datatype\":\"map\""),
    ("hlls", "\"datatype\":\"hll\""),
    ("gsets", "\"datatype\":\"gset\""),
    ("write_once", "\"write_once\":true"),
];

/// A cluster as the recorded node was set up.
fn like_the_recorded_one() -> (Cluster, SocketAddr) {
    let pb = [free_address(), free_address(), free_address()];
    let cluster = Cluster::of_three_each(|index| format!("pb = \"{}\"\nriak_defaults = true", pb[index]));
    let json = [("Content-Type", "application/json")];
    let tell = |method: &str, path: &str, body: &str| {
        let reply = send(cluster.http(0), method, path, &json, body).expect("answered");
        assert!(matches!(reply.status, 200 | 204), "{path}: {reply:?}");
    };
    for (name, props) in TYPES {
        let body = format!("{{\"name\":\"{name}\",\"props\":{{{props}}}}}");
        tell("POST", "/cartwheel/types/create", &body);
        tell("POST", "/cartwheel/types/activate", &format!("{{\"name\":\"{name}\"}}"));
    }
    (cluster, pb[0])
}

#[test]
fn a_node_answers_the_recorded_requests_as_riak_did() {
    let (cluster, pb) = like_the_recorded_one();
    let mut client = Client::connect(pb);
    let mut vclocks = Vclocks::default();
    let recording = exchange::parse_all(include_str!("../../../riak/tests/golden/pb.txt"));
    let mut compared = 0;
    for Exchange { name, request, answers } in recording {
        let is_different = DIFFERENT.iter().any(|(different, _)| *different == name);
        if name == "set allow_mult" {
            let (path, json) = ("/buckets/sibsbucket2/props", [("Content-Type", "application/json")]);
            let set = send(cluster.http(0), "PUT", path, &json, "{\"props\":{\"allow_mult\":true}}");
            assert_eq!(set.expect("answered").status, 204);
        }
        if is_different || ELSEWHERE.contains(&request.code) {
            continue;
        }
        let request = match name.as_str() {
            "garbage get body" => request,
            _ => vclocks.translate(&request),
        };
        let [answer] = answers.as_slice() else { panic!("{name}: {} answers", answers.len()) };
        if matches!(answer, Recorded::Closed) {
            // The one before had made Riak hang up.
            continue;
        }
        client.send_frame(&request).expect("sent");
        let ours = client.receive().expect("an answer").expect("it has not hung up");
        match answer {
            Recorded::Closed | Recorded::Cut(_) => panic!("{name} has no answer to compare with"),
            Recorded::Crash => {
                let why = error_of(&ours).expect("an error");
                assert!(why.starts_with("Error processing incoming message:"), "{name}: {why}");
                assert!(client.has_hung_up(), "{name}");
                client = Client::connect(pb);
            }
            Recorded::Frame(theirs) => {
                assert_eq!(ours.code, theirs.code, "{name}: {:?}", error_of(&ours));
                let (theirs, ours) = vclocks.comparable(ours.code, &theirs.body, &ours.body);
                assert_eq!(theirs, ours, "{name}");
            }
        }
        compared += 1;
    }
    assert!(compared > 75, "{compared} exchanges");
}
