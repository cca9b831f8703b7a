//! `/`: which paths there are, under the names of Riak's resources. Clients decide by it what they ask for.
//!
//! Riak names a resource once for each of its paths, which no JSON parser shows; here each has the path that clients build on.

use http::StatusCode;
use http::header::{LINK, VARY};
use http::request::Parts;
use serde_json::{Map, Value};

use super::accept::Accept;
use super::refusal::Refusal;
use super::response::{self, Response, set};

/// Names and paths.
const RESOURCES: [(&str, &str); 12] = [
    ("riak_kv_wm_bucket_type", "/types"),
    ("riak_kv_wm_buckets", "/buckets"),
    ("riak_kv_wm_counter", "/buckets"),
    ("riak_kv_wm_crdt", "/types"),
    ("riak_kv_wm_index", "/buckets"),
    ("riak_kv_wm_keylist", "/buckets"),
    ("riak_kv_wm_object", "/buckets"),
    ("riak_kv_wm_object", "/riak"),
    ("riak_kv_wm_object", "/types"),
    ("riak_kv_wm_ping", "/ping"),
    ("riak_kv_wm_props", "/buckets"),
    ("riak_kv_wm_stats", "/stats"),
];

const PAGE: &str = "text/html";
const JSON: &str = "application/json";

/// Which paths are there?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resources {
    accept: Accept,
}

impl Resources {
    pub(super) fn parse(head: &Parts) -> Result<Self, Refusal> {
        let accept = Accept::media_types(&head.headers);
        match accept.choose(&[PAGE, JSON]) {
            Some(_) => Ok(Self { accept }),
            None => Err(Refusal::NotAcceptable),
        }
    }

    /// Those.
    pub fn render(&self) -> Response {
        let mut response = match self.accept.choose(&[PAGE, JSON]) {
            Some(JSON) => {
                // Of several paths the first one stays.
                let mut map = Map::new();
                for (name, path) in RESOURCES {
                    map.entry(name).or_insert_with(|| Value::from(path));
                }
                response::with_body(StatusCode::OK, JSON.as_bytes(), Value::Object(map).to_string().into())
            }
            _ => {
                let items = RESOURCES.map(|(name, path)| format!("<li><a href=\"{path}\">{name}</a></li>"));
                response::html(
                    StatusCode::OK,
                    format!("<html><body><ul>{}</ul></body></html>", items.concat()),
                )
            }
        };
        set(&mut response, VARY, b"Accept");
        let links = RESOURCES.map(|(name, path)| format!("<{path}>; rel=\"{name}\""));
        set(&mut response, LINK, links.join(",").as_bytes());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(accept: &str) -> Response {
        let request = http::Request::get("/").header("Accept", accept).body(()).expect("a request");
        Resources::parse(&request.into_parts().0).expect("acceptable").render()
    }

    #[test]
    fn a_client_finds_the_paths_that_it_builds_on() {
        let response = shown("application/json");
        assert_eq!(response.headers()["vary"], "Accept");
        assert!(
            response.headers()["link"].to_str().expect("text").contains("</ping>; rel=\"riak_kv_wm_ping\"")
        );
        let map: Map<String, Value> = serde_json::from_slice(response.body()).expect("JSON");
        for (name, path) in [
            ("buckets", "/buckets"),
            ("bucket_type", "/types"),
            ("ping", "/ping"),
            ("stats", "/stats"),
            ("object", "/buckets"),
        ] {
            assert_eq!(map[&format!("riak_kv_wm_{name}")], path);
        }
        assert_eq!(shown("*/*").headers()["content-type"], "text/html");
    }
}
