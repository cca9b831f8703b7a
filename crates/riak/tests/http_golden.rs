//! Recorded exchanges with Riak, replayed against the HTTP mapping and a node that is nothing but a map.
//!
//! Names that differ by nature (contexts, tags, dates, boundaries, made keys) are compared by position: where Riak
//! showed one, there must be one, and a recorded name that comes back in a later request is replaced by ours.

#[path = "http_golden/exchange.rs"]
mod exchange;
#[path = "http_golden/recordings.rs"]
mod recordings;
#[path = "http_golden/toy.rs"]
mod toy;

use exchange::{Exchange, Names};
use recordings::Recording;
use toy::Toy;

fn replay(recording: &Recording) {
    let exchanges = Exchange::parse_all(recording.text);
    assert!(exchanges.len() > 5, "the file was read");
    let (mut toy, mut names) = (Toy::default(), Names::default());
    for (path, headers, body) in recording.before {
        assert_eq!(toy.answer(&exchange::request("PUT", path, headers), body).status(), 204, "{path}");
    }
    for exchange in &exchanges {
        let response = toy.answer(&exchange.request(&names), &exchange.body(&names));
        exchange.compare(&response, &mut names).unwrap_or_else(|why| panic!("{}\n{why}", exchange.line()));
    }
}

#[test]
fn the_object_api_answers_as_riak_does() {
    replay(&recordings::OBJECTS);
}

#[test]
fn siblings_are_laid_out_as_riak_does_it() {
    replay(&recordings::SIBLINGS);
}

#[test]
fn keys_are_listed_and_indexes_queried_as_with_riak() {
    replay(&recordings::LISTINGS);
}

#[test]
fn data_types_are_changed_and_shown_as_with_riak() {
    replay(&recordings::DATA_TYPES);
}

#[test]
fn properties_are_set_shown_and_reset_as_with_riak() {
    replay(&recordings::PROPS);
}
