//! Recorded exchanges with Riak, replayed against the HTTP mapping and a node that is nothing but a map.
//!
//! Names that differ by nature (contexts, tags, dates, boundaries, made keys) are compared by position: where Riak
//! showed one, there must be one, and a recorded name that comes back in a later request is replaced by ours.

#[path = "http_golden/exchange.rs"]
mod exchange;
#[path = "http_golden/toy.rs"]
mod toy;

use std::collections::BTreeMap;

use exchange::{Exchange, Names};
use serde_json::Value;
use toy::Toy;

fn replay(recorded: &str, hidden: &[(&str, &str, &str)]) {
    let exchanges = Exchange::parse_all(recorded);
    assert!(exchanges.len() > 5, "the file was read");
    let (mut toy, mut names) = (Toy::default(), Names::default());
    let mut hidden = hidden.to_vec();
    for exchange in &exchanges {
        // The probe made some writes without recording them; each belongs before the first request for its key.
        let path = exchange.path();
        let (now, later) = hidden.into_iter().partition(|(hidden_path, ..)| *hidden_path == path);
        hidden = later;
        for (path, headers, body) in now {
            let made = toy.answer(&exchange::request("PUT", path, headers), body);
            assert_eq!(made.status(), 204, "{path}");
        }
        let response = toy.answer(&exchange.request(&names), &exchange.request_body);
        exchange.check(&response, &mut names);
    }
    assert!(hidden.is_empty(), "{hidden:?} belongs to no exchange");
}

#[test]
fn the_object_api_answers_as_riak_does() {
    let plain = r#"{"Content-Type": "text/plain"}"#;
    let sib = "/buckets/p1/keys/sib";
    replay(include_str!("golden/http.txt"), &[(sib, plain, "s1"), (sib, plain, "s2")]);
}

#[test]
fn siblings_are_laid_out_as_riak_does_it() {
    let rich = r#"{"Content-Type": "text/plain", "X-Riak-Meta-Foo-Bar": "1", "X-Riak-Index-a_bin": "v",
        "Link": "</buckets/b/keys/k>; riaktag=\"t\""}"#;
    replay(include_str!("golden/http_extra.txt"), &[("/buckets/x1/keys/s", rich, "1")]);
}

#[test]
fn keys_are_listed_and_indexes_queried_as_with_riak() {
    replay(include_str!("golden/http_listing.txt"), &[]);
}

#[test]
fn data_types_are_changed_and_shown_as_with_riak() {
    let exchanges = Exchange::parse_all(include_str!("golden/http_datatypes.txt"));
    assert!(exchanges.len() > 30, "the file was read");
    let (mut toy, mut names) = (Toy::default(), Names::default());
    // What the probe did without recording it, or elsewhere in the recording.
    let json = r#"{"Content-Type": "application/json"}"#;
    let siblings = exchange::request("PUT", "/buckets/p1/props", json);
    assert_eq!(toy.answer(&siblings, r#"{"props":{"allow_mult":true}}"#).status(), 204);
    for exchange in &exchanges {
        let response = toy.answer(&exchange.request(&names), &exchange.body(&names));
        exchange.check(&response, &mut names);
    }
}

/// What Riak shows of a bucket or a type is shown, by the same names and with the same values; the order is nobody's, and DW
/// differs on purpose.
#[test]
fn properties_are_set_shown_and_reset_as_with_riak() {
    let exchanges = Exchange::parse_all(include_str!("golden/http_props.txt"));
    let (mut toy, mut names, mut shown) = (Toy::default(), Names::default(), 0);
    // What the probe did without recording it.
    let json = r#"{"Content-Type": "application/json"}"#;
    let siblings = exchange::request("PUT", "/buckets/x1/props", json);
    assert_eq!(toy.answer(&siblings, r#"{"props":{"allow_mult":true}}"#).status(), 204);
    for exchange in &exchanges {
        let response = toy.answer(&exchange.request(&names), &exchange.request_body);
        let props = |body: &[u8]| -> Option<BTreeMap<String, Value>> {
            let mut props: BTreeMap<_, _> =
                serde_json::from_value(serde_json::from_slice::<Value>(body).ok()?.get("props")?.clone())
                    .ok()?;
            // What W is, on purpose: see docs/riak.md.
            assert!(props.contains_key("dw"));
            props.remove("dw");
            Some(props)
        };
        match (props(response.body()), props(exchange.answer().as_bytes())) {
            (Some(ours), Some(theirs)) => {
                assert_eq!(ours, theirs, "{}", exchange.path());
                shown += 1;
            }
            // Not shown, or not whole in the recording.
            _ if exchange.is_cut() => assert_eq!(response.status(), 200),
            _ => exchange.check(&response, &mut names),
        }
    }
    assert_eq!(shown, 5, "the file was read");
}
