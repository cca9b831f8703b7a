//! What a real Riak node was asked and answered, asked of ours.

#[path = "../../../riak/tests/pb_golden/compare.rs"]
mod compare;
#[path = "../../../riak/tests/pb_golden/exchange.rs"]
mod exchange;

use cartwheel_riak::pb::code;
use compare::Vclocks;
use exchange::{Exchange, Recorded};

use crate::pb::{Client, error_of, three};

/// Exchanges whose answer differs, and why: as `docs/riak.md` has it.
const DIFFERENT: [(&str, &str); 6] = [
    ("info", "the node's name is its own"),
    ("get missing required key", "a key that is not there is an empty one"),
    ("get on crdt key via kv", "its value is another"),
    ("kv put in crdt bucket", "the recorded node's bucket types are not here"),
    ("write_once put", "the recorded node's bucket types are not here"),
    ("write_once rb", "the recorded node's bucket types are not here"),
];

/// What other tests are about: listings, properties, data types, indexes, jobs.
const ELSEWHERE: [u8; 14] = [15, 17, 19, 21, 23, 25, 29, 31, 32, 33, 50, 52, 80, 82];

#[test]
fn a_node_answers_the_recorded_requests_as_riak_did() {
    let (_cluster, pb) = three();
    let mut client = Client::connect(pb[0]);
    let mut vclocks = Vclocks::default();
    let recording = exchange::parse_all(include_str!("../../../riak/tests/golden/pb.txt"));
    let mut compared = 0;
    for Exchange { name, request, answers } in recording {
        let is_different = DIFFERENT.iter().any(|(different, _)| *different == name);
        if is_different || ELSEWHERE.contains(&request.code) || request.code == code::COVERAGE_REQ {
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
                client = Client::connect(pb[0]);
            }
            Recorded::Frame(theirs) => {
                assert_eq!(ours.code, theirs.code, "{name}: {:?}", error_of(&ours));
                let (theirs, ours) = vclocks.comparable(ours.code, &theirs.body, &ours.body);
                assert_eq!(theirs, ours, "{name}");
            }
        }
        compared += 1;
    }
    assert!(compared > 40, "{compared} exchanges");
}
