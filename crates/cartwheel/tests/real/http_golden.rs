//! What a real Riak node was asked and answered over HTTP, asked of ours.

#[path = "../../../riak/tests/http_golden/exchange.rs"]
mod exchange;
#[path = "../../../riak/tests/http_golden/recordings.rs"]
mod recordings;

use std::net::SocketAddr;

use ::http::request::Parts;
use cartwheel_riak::http::Response;
use exchange::{Exchange, Names};
use recordings::Recording;

use crate::cluster::until_ok;
use crate::http::send;
use crate::recorded;

/// What says how an answer is sent, and not what it says.
const OF_THE_CONNECTION: [&str; 2] = ["connection", "date"];
/// What is in requests that look at many keys.
const LISTINGS: [&str; 3] = ["/index/", "keys=", "buckets="];

/// Asks as Riak was asked.
fn ask(to: SocketAddr, request: &Parts, body: &str) -> Response {
    let headers = request.headers.iter();
    let headers: Vec<(&str, &str)> =
        headers.map(|(name, value)| (name.as_str(), value.to_str().expect("text"))).collect();
    let path = request.uri.to_string();
    let reply = send(to, request.method.as_str(), &path, &headers, body).expect("answered");
    let shown = reply.headers.iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()));
    let response = Response::new(reply.body.into());
    let (mut head, body) = response.into_parts();
    head.status = reply.status.try_into().expect("a status");
    for (name, value) in shown {
        head.headers
            .insert(::http::HeaderName::try_from(name).expect("a name"), value.parse().expect("a value"));
    }
    Response::from_parts(head, body)
}

fn replay(recording: &Recording) {
    let exchanges = Exchange::parse_all(recording.text);
    assert!(exchanges.len() > 5, "the file was read");
    let cluster = recorded::cluster(|_| String::new());
    let (to, mut names) = (cluster.http(0), Names::default());
    for (path, headers, body) in recording.before {
        assert_eq!(ask(to, &exchange::request("PUT", path, headers), body).status(), 204, "{path}");
    }
    for exchange in &exchanges {
        let (request, body) = (exchange.request(&names), exchange.body(&names));
        let mut compare = || exchange.compare(&ask(to, &request, &body), &mut names);
        if LISTINGS.iter().any(|part| exchange.line().contains(part)) {
            // One home is asked, and it may have the last write a moment later than the client has its answer.
            until_ok(exchange.line(), compare);
        } else {
            compare().unwrap_or_else(|why| panic!("{}\n{why}", exchange.line()));
        }
    }
}

#[test]
fn keys_are_read_written_and_deleted_as_riak_did_it() {
    replay(&recordings::OBJECTS);
}

#[test]
fn siblings_are_laid_out_as_riak_did_it() {
    replay(&recordings::SIBLINGS);
}

#[test]
fn keys_are_listed_and_indexes_queried_as_riak_did_it() {
    replay(&recordings::LISTINGS);
}

#[test]
fn data_types_are_changed_and_shown_as_riak_did_it() {
    replay(&recordings::DATA_TYPES);
}

#[test]
fn properties_are_set_shown_and_reset_as_riak_did_it() {
    replay(&recordings::PROPS);
}

#[test]
fn what_is_not_compared_is_documented() {
    let documented = include_str!("../../../../docs/riak.md");
    let (_, documented) = documented.split_once("## What differs over HTTP").expect("a heading");
    for row in ["`dw` of a bucket", "`claimant` of a bucket type"] {
        assert!(documented.contains(&format!("\n| {row} |")), "{row}");
    }
}
