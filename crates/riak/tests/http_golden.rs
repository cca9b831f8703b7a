//! Recorded exchanges with Riak, replayed against the HTTP mapping and a node that is nothing but a map.
//!
//! Names that differ by nature (contexts, tags, dates, boundaries, made keys) are compared by position: where Riak
//! showed one, there must be one, and a recorded name that comes back in a later request is replaced by ours.

#[path = "http_golden/exchange.rs"]
mod exchange;
#[path = "http_golden/toy.rs"]
mod toy;

use exchange::{Exchange, Names};
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
fn properties_of_buckets_are_set_and_reset_as_with_riak() {
    replay(include_str!("golden/http_props.txt"), &[]);
}

/// Whatever Riak shows and Cartwheel shows too is the same, in the same form.
#[test]
fn properties_of_buckets_are_shown_as_riak_shows_them() {
    const UNKNOWN: [&str; 9] = [
        "big_vclock",
        "chash_keyfun",
        "linkfun",
        "old_vclock",
        "repl",
        "rw",
        "small_vclock",
        "sync_on_write",
        "young_vclock",
    ];
    const ON_PURPOSE: [&str; 2] = ["dvv_enabled", "dw"];
    let exchange = Exchange::parse_all(include_str!("golden/http_props_shown.txt")).remove(0);
    let ours = Toy::default().answer(&exchange.request(&Names::default()), "");
    let props =
        |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).expect("JSON")["props"].clone();
    let (ours, theirs) = (props(ours.body()), props(exchange.answer().as_bytes()));
    for (name, value) in theirs.as_object().expect("an object") {
        let shown = ours.get(name);
        assert_eq!(shown.is_none(), UNKNOWN.contains(&name.as_str()), "{name}");
        assert!(shown.is_none_or(|shown| shown == value) || ON_PURPOSE.contains(&name.as_str()), "{name}");
    }
}
