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

/// What Riak's sources say (`riak_kv_wm_object`, `riak_kv_wm_counter`, `riak_index`), and no recording has.
#[test]
fn what_no_recording_has_is_answered_as_riaks_sources_say() {
    let mut toy = Toy::default();
    let mut ask = |method: &str, path: &str, headers: &str, body: &str| {
        toy.answer(&exchange::request(method, path, headers), body)
    };
    let text =
        |response: &cartwheel_riak::http::Response| String::from_utf8_lossy(response.body()).into_owned();
    let header = |response: &cartwheel_riak::http::Response, name: &str| {
        response.headers().get(name).map(|value| value.to_str().expect("text").to_owned())
    };
    let json = "{\"Content-Type\":\"application/json\",\"Accept\":\"application/json\"}";

    // A write that ends in siblings is answered, whatever the client takes: it was made.
    let props = ask("PUT", "/buckets/s/props", json, "{\"props\":{\"allow_mult\":true}}");
    assert_eq!(props.status(), 204);
    assert_eq!(ask("PUT", "/buckets/s/keys/k?returnbody=true", json, "1").status(), 200);
    let listed = ask("PUT", "/buckets/s/keys/k?returnbody=true", json, "2");
    assert_eq!((listed.status().as_u16(), text(&listed).lines().next()), (300, Some("Siblings:")));
    let any = "{\"Content-Type\":\"application/json\",\"Accept\":\"*/*\"}";
    let whole = ask("PUT", "/buckets/s/keys/k?returnbody=true", any, "3");
    assert!(header(&whole, "content-type").is_some_and(|it| it.starts_with("multipart/mixed")), "{whole:?}");
    assert_eq!(ask("GET", "/buckets/s/keys/k", json, "").status(), 406, "a read may be refused");
    // Only `true` asks for the body; anything else is no mistake.
    assert_eq!(ask("PUT", "/buckets/s/keys/l?returnbody=1", json, "1").status(), 204);
    assert_eq!(ask("GET", "/buckets/s/keys/l?notfound_ok=True", "{}", "").status(), 200);

    // A tombstone beside a value says that it is one.
    let seen = ask("GET", "/buckets/s/keys/l", "{}", "");
    let seen = format!("{{\"X-Riak-Vclock\":{:?}}}", header(&seen, "x-riak-vclock").expect("a vclock"));
    assert_eq!(ask("PUT", "/buckets/s/keys/l", json, "2").status(), 204);
    assert_eq!(ask("DELETE", "/buckets/s/keys/l", &seen, "").status(), 204);
    let list = text(&ask("GET", "/buckets/s/keys/l", "{}", ""));
    let tags: Vec<&str> = list.lines().skip(1).collect();
    let shown = tags.iter().map(|tag| ask("GET", &format!("/buckets/s/keys/l?vtag={tag}"), "{}", ""));
    let deleted = shown.map(|one| (header(&one, "x-riak-deleted"), text(&one)));
    let mut deleted: Vec<(Option<String>, String)> = deleted.collect();
    deleted.sort();
    assert_eq!(deleted, [(None, "2".to_owned()), (Some("true".to_owned()), String::new())]);

    // An old counter is read whatever the bucket keeps, and changed only where it keeps siblings.
    assert_eq!(ask("GET", "/buckets/one/counters/c", "{}", "").status(), 404);
    assert_eq!(ask("POST", "/buckets/one/counters/c", "{}", "1").status(), 409);
    // Zero is no time of the client's own.
    assert_eq!(ask("GET", "/buckets/s/index/f_bin/x?timeout=0", "{}", "").status(), 200);
    assert_eq!(ask("GET", "/types/sets/buckets/s/datatypes/k?timeout=0", "{}", "").status(), 404);
}
