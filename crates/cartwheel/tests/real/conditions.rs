//! What a client may demand of what is there, and the older paths, over HTTP.

use crate::cluster::Cluster;
use crate::http::{Reply, get, send};

#[test]
fn a_write_or_a_delete_that_demands_what_is_not_so_is_not_done() {
    let cluster = Cluster::of_three();
    let path = "/buckets/b/keys/k";
    let ask = |method: &str, header: (&str, &str), body: &str| -> Reply {
        let headers = [("Content-Type", "text/plain"), header];
        send(cluster.http(0), method, path, &headers, body).expect("answered")
    };
    assert_eq!(ask("PUT", ("If-Match", "*"), "one").status, 412, "there is nothing yet");
    assert_eq!(ask("PUT", ("If-None-Match", "\"t\""), "one").status, 204, "nor is it that one");
    let seen = get(cluster.http(1), path).expect("answered");
    let (tag, vclock) = (seen.header("etag").expect("a tag"), seen.vclock().expect("a context"));
    for header in [
        ("If-Match", "\"t\""),
        ("If-None-Match", tag),
        ("If-Unmodified-Since", "Mon, 01 Jan 2024 00:00:00 GMT"),
    ] {
        assert_eq!(ask("PUT", header, "two").status, 412, "{header:?}");
        assert_eq!(ask("DELETE", header, "").status, 412, "{header:?}");
    }
    assert_eq!(get(cluster.http(2), path).expect("answered").body, "one", "nothing was done");
    let headers = [("Content-Type", "text/plain"), ("If-Match", tag), ("X-Riak-Vclock", vclock)];
    assert_eq!(send(cluster.http(2), "PUT", path, &headers, "two").expect("answered").status, 204);
    let unfit = send(cluster.http(1), "GET", path, &[("If-Match", tag)], "").expect("answered");
    assert_eq!(unfit.status, 412, "a reader may demand it, too");
    assert_eq!(ask("DELETE", ("If-Match", tag), "").status, 412, "it is another now");
    let tag = get(cluster.http(0), path).expect("answered").header("etag").expect("a tag").to_owned();
    assert_eq!(ask("DELETE", ("If-Match", &tag), "").status, 204);
    assert_eq!(get(cluster.http(1), path).expect("answered").status, 404);
}

#[test]
fn the_older_paths_name_the_same_keys_and_links() {
    let cluster = Cluster::of_three();
    let http = cluster.http(0);
    let headers = [("Content-Type", "text/plain"), ("Link", "</riak/o/k2>; riaktag=\"next\"")];
    assert_eq!(send(http, "PUT", "/riak/b/k", &headers, "milk").expect("answered").status, 204);
    let new = get(cluster.http(1), "/buckets/b/keys/k").expect("answered");
    let up = "</buckets/o/keys/k2>; riaktag=\"next\", </buckets/b>; rel=\"up\"";
    assert_eq!((new.body.as_str(), new.header("link")), ("milk", Some(up)));
    let old = get(cluster.http(2), "/riak/b/k").expect("answered");
    assert_eq!(old.header("link"), Some("</riak/o/k2>; riaktag=\"next\", </riak/b>; rel=\"up\""));
    let made = send(http, "POST", "/riak/b", &headers, "bread").expect("answered");
    let location = made.header("location").expect("a location").to_owned();
    assert!(made.status == 201 && location.starts_with("/riak/b/"), "{made:?}");
    assert_eq!(get(http, &location).expect("answered").body, "bread");

    let root = send(http, "GET", "/", &[("Accept", "application/json")], "").expect("answered");
    let paths: serde_json::Value = serde_json::from_str(&root.body).expect("JSON");
    assert_eq!((root.status, &paths["riak_kv_wm_buckets"]), (200, &"/buckets".into()));
}
