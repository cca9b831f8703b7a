//! Keys and buckets are listed, and indexes are queried, over both APIs.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use bytes::Bytes;
use cartwheel_riak::pb::message::{
    Coded, IndexQueryType, RpbGetReq, RpbIndexBodyResp, RpbIndexReq, RpbIndexResp, RpbListBucketsReq,
    RpbListBucketsResp, RpbListKeysReq, RpbListKeysResp, RpbPair, RpbPutReq, RpbPutResp,
};
use serde_json::{Value, json};

use crate::cluster::until_ok;
use crate::http::{self, Reply, delete, get};
use crate::https::{Authority, Client as Private};
use crate::pb::{Client, lone, put, three};
use crate::security::guarded_by;

const KEYS: usize = 3_000;
/// Requests that are sent ahead of their answers.
const AHEAD: usize = 100;

fn name(number: usize) -> String {
    format!("key-{number:05}")
}

fn names(numbers: impl Iterator<Item = usize>) -> BTreeSet<String> {
    numbers.map(name).collect()
}

fn indexed(number: usize) -> RpbPutReq {
    let mut put = put("many", &name(number), "a value");
    let number = i64::try_from(number).expect("small") - 100;
    put.content.indexes = vec![
        RpbPair::new(b"n_int", number.to_string().as_bytes()),
        RpbPair::new(b"half_bin", if number % 2 == 0 { b"even" } else { b"odd" }),
    ];
    put
}

fn write_all(to: SocketAddr, puts: impl Iterator<Item = RpbPutReq>) {
    let (mut client, mut under_way) = (Client::connect(to), 0);
    for put in puts {
        client.send(&put).expect("sent");
        under_way += 1;
        if under_way == AHEAD {
            client.expect::<RpbPutResp>().expect("written");
            under_way -= 1;
        }
    }
    (0..under_way).for_each(|_| drop(client.expect::<RpbPutResp>().expect("written")));
}

/// The JSON objects of a body that came in chunks.
fn objects(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    let (mut rest, mut body) = (reply.body.as_bytes(), Vec::new());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").expect("a chunk's length");
        let length = std::str::from_utf8(&rest[..end]).expect("text");
        let length = usize::from_str_radix(length, 16).expect("a number");
        if length == 0 {
            // None of them is nested, and what is around them has no braces.
            let json = |part: &str| {
                let begin = part.find('{')?;
                Some(serde_json::from_str(&part[begin..]).expect("JSON"))
            };
            let text = String::from_utf8(body).expect("text");
            return text.split_inclusive('}').filter_map(json).collect();
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().unwrap_or_else(|| panic!("a list: {value}"));
    all.iter().map(|text| text.as_str().expect("text").to_owned()).collect()
}

fn json_at(to: SocketAddr, path: &str) -> Value {
    let reply = get(to, path).expect("answered");
    assert_eq!(reply.status, 200, "{reply:?}");
    serde_json::from_str(&reply.body).unwrap_or_else(|error| panic!("{error}: {reply:?}"))
}

fn keys_at(to: SocketAddr, path: &str) -> Result<BTreeSet<String>, String> {
    let body = json_at(to, path);
    match body.get("keys") {
        Some(keys) => {
            let (all, distinct) = (texts(keys), texts(keys).into_iter().collect::<BTreeSet<_>>());
            assert_eq!(all.len(), distinct.len(), "each once");
            Ok(distinct)
        }
        None => Err(body.to_string()),
    }
}

fn streamed<M: Coded + Default>(
    client: &mut Client,
    ask: &impl Coded,
    is_done: impl Fn(&M) -> bool,
) -> Vec<M> {
    client.send(ask).expect("sent");
    let mut all = Vec::new();
    loop {
        let part: M = client.expect().expect("a part");
        let done = is_done(&part);
        all.push(part);
        if done {
            return all;
        }
    }
}

fn list_keys(bucket: &'static str) -> RpbListKeysReq {
    RpbListKeysReq { bucket: bucket.into(), ..RpbListKeysReq::default() }
}

#[test]
fn thousands_of_keys_are_listed_by_every_node_and_by_those_that_are_left() {
    let (mut cluster, pb) = three();
    write_all(pb[0], (0..KEYS).map(indexed));
    write_all(pb[1], [put("few", "only", "x"), put("few", "gone", "x")].into_iter());
    let seen = get(cluster.http(0), "/buckets/few/keys/gone").expect("answered");
    let deleted = delete(cluster.http(0), "/buckets/few/keys/gone", seen.vclock()).expect("answered");
    assert_eq!(deleted.status, 204);
    cluster.wait_until_drained();

    let all = names(0..KEYS);
    for node in 0..3 {
        assert_eq!(keys_at(cluster.http(node), "/buckets/many/keys?keys=true"), Ok(all.clone()), "n{node}");
        let streamed = get(cluster.http(node), "/buckets/many/keys?keys=stream").expect("answered");
        let parts = objects(&streamed);
        assert!(parts.len() >= 3, "{} parts", parts.len());
        assert_eq!(parts.iter().flat_map(|part| texts(&part["keys"])).collect::<BTreeSet<_>>(), all);
    }
    assert_eq!(keys_at(cluster.http(1), "/buckets/few/keys?keys=true"), Ok(["only".to_owned()].into()));
    assert_eq!(json_at(cluster.http(1), "/buckets/few/keys"), json!({}));
    assert_eq!(json_at(cluster.http(1), "/buckets?buckets=true"), json!({ "buckets": ["few", "many"] }));
    let timeout = json_at(cluster.http(1), "/buckets/many/keys?keys=true&timeout=0");
    assert_eq!(timeout, json!({ "error": "timeout" }));
    assert_eq!(get(cluster.http(1), "/types/none/buckets?buckets=true").expect("answered").status, 404);

    let mut client = Client::connect(pb[2]);
    let parts = streamed::<RpbListKeysResp>(&mut client, &list_keys("many"), |part| part.done == Some(true));
    let listed =
        parts.iter().flat_map(|part| &part.keys).map(|key| String::from_utf8_lossy(key).into_owned());
    assert_eq!(listed.collect::<BTreeSet<_>>(), all);
    let buckets: RpbListBucketsResp = client.ask(&RpbListBucketsReq::default()).expect("answered");
    assert_eq!((buckets.buckets, buckets.done), (vec![Bytes::from("few"), Bytes::from("many")], None));
    let unknown = RpbListKeysReq { bucket_type: Some("none".into()), ..list_keys("many") };
    let refused = client.ask::<RpbListKeysResp>(&unknown);
    assert_eq!(refused, Err("No bucket-type named 'none'".to_owned()));

    // What is missed while it is down is fetched; the index follows.
    cluster.nodes[1].kill();
    write_all(pb[0], (KEYS..KEYS + 200).map(indexed));
    let more = names(0..KEYS + 200);
    for node in [0, 2] {
        until_ok("a node that is down is done without", || {
            let listed = keys_at(cluster.http(node), "/buckets/many/keys?keys=true")?;
            if listed == more { Ok(()) } else { Err(format!("{} keys", listed.len())) }
        });
    }
    cluster.nodes[1].start();
    cluster.wait_until_drained();
    cluster.nodes[0].kill();
    cluster.nodes[2].kill();
    assert_eq!(keys_at(cluster.http(1), "/buckets/many/keys?keys=true"), Ok(more), "its own copy is whole");
}

fn query(index: &'static str, min: &'static str, max: &'static str) -> RpbIndexReq {
    RpbIndexReq {
        bucket: "many".into(),
        index: index.into(),
        qtype: IndexQueryType::Range.into(),
        range_min: Some(min.into()),
        range_max: Some(max.into()),
        ..RpbIndexReq::default()
    }
}

#[test]
fn indexes_are_queried_by_term_by_range_page_by_page_and_as_a_stream() {
    let (cluster, pb) = three();
    write_all(pb[0], (0..1_200).map(indexed));
    cluster.wait_until_drained();
    let at = cluster.http(1);
    // Numbers are counted from -100.
    let one = json_at(at, "/buckets/many/index/n_int/-1");
    assert_eq!(one, json!({ "keys": [name(99)] }));
    let few = json_at(at, "/buckets/many/index/n_int/-2/1?return_terms=true");
    let results = json!([{ "-2": name(98) }, { "-1": name(99) }, { "0": name(100) }, { "1": name(101) }]);
    assert_eq!(few, json!({ "results": results }), "as numbers, not as texts");
    let odd = keys_at(at, "/buckets/many/index/half_bin/odd").expect("keys");
    assert_eq!(odd, names((0..1_200).filter(|number| number % 2 == 1)));
    assert_eq!(keys_at(at, "/buckets/many/index/$bucket/many").expect("keys").len(), 1_200);
    let some = keys_at(at, "/buckets/many/index/$key/key-00010/key-00012").expect("keys");
    assert_eq!(some, names(10..13));
    let matching = keys_at(at, "/buckets/many/index/half_bin/a/z?term_regex=%5Eev").expect("keys");
    assert_eq!(matching.len(), 600);

    let (mut pages, mut more, mut seen) = (0, String::new(), Vec::new());
    loop {
        let page = json_at(at, &format!("/buckets/many/index/n_int/-100/2000?max_results=500{more}"));
        seen.extend(texts(&page["keys"]));
        pages += 1;
        let Some(continuation) = page.get("continuation") else { break };
        more = format!(
            "&continuation={}",
            continuation.as_str().expect("text").replace('=', "%3D").replace('+', "%2B")
        );
    }
    assert_eq!((pages, seen), (3, names(0..1_200).into_iter().collect()));

    let streamed_parts = get(at, "/buckets/many/index/n_int/-100/2000?stream=true").expect("answered");
    let keys = objects(&streamed_parts).iter().flat_map(|part| texts(&part["keys"])).count();
    assert_eq!(keys, 1_200);
    for (path, body) in [
        ("/buckets/b/index/f_bad/1", "Invalid query: {unknown_field_type,<<\"f_bad\">>}\n"),
        ("/buckets/b/index/n_int/x", "Invalid query: {field_parsing_failed,{<<\"n_int\">>,<<\"x\">>}}\n"),
    ] {
        let refused = get(at, path).expect("answered");
        assert_eq!((refused.status, refused.body.as_str()), (400, body));
    }

    let mut client = Client::connect(pb[2]);
    let terms = RpbIndexReq { return_terms: Some(true), max_results: Some(2), ..query("n_int", "-2", "1") };
    let page: RpbIndexResp = client.ask(&terms).expect("answered");
    let pair = |term: &str, number| RpbPair::new(term.as_bytes(), name(number).as_bytes());
    assert_eq!((page.results, page.done), (vec![pair("-2", 98), pair("-1", 99)], None));
    let rest = RpbIndexReq { continuation: page.continuation, ..terms };
    assert_eq!(
        client.ask::<RpbIndexResp>(&rest).expect("answered").results,
        [pair("0", 100), pair("1", 101)]
    );
    let stream = RpbIndexReq { stream: Some(true), ..query("n_int", "-100", "2000") };
    let parts = streamed::<RpbIndexResp>(&mut client, &stream, |part| part.done == Some(true));
    assert_eq!(parts.iter().map(|part| part.keys.len()).sum::<usize>(), 1_200);
    let bodies = RpbIndexReq { return_body: Some(true), stream: Some(true), ..query("n_int", "0", "2") };
    let parts = streamed::<RpbIndexBodyResp>(&mut client, &bodies, |part| part.done == Some(true));
    let objects: Vec<_> = parts.into_iter().flat_map(|part| part.objects).collect();
    assert_eq!(objects.len(), 3);
    assert_eq!(
        (&objects[0].key[..], &objects[0].object.content[0].value[..]),
        (&name(100).into_bytes()[..], &b"a value"[..])
    );
}

/// An index follows what is written: an entry goes with the value that had it.
#[test]
fn an_entry_goes_when_its_value_is_replaced_or_deleted() {
    let dir = tempfile::tempdir().expect("a directory");
    let (node, _) = lone(&dir, "");
    let path = "/buckets/b/keys/k";
    let write = |vclock: Option<&str>, index: &str| {
        let mut headers = vec![("Content-Type", "text/plain"), ("X-Riak-Index-f_bin", index)];
        headers.extend(vclock.map(|vclock| ("X-Riak-Vclock", vclock)));
        assert_eq!(http::send(node.http, "PUT", path, &headers, "x").expect("answered").status, 204);
        get(node.http, path).expect("answered")
    };
    let found =
        |term: &str| keys_at(node.http, &format!("/buckets/b/index/f_bin/{term}")).expect("keys").len();
    let first = write(None, "one, two");
    assert_eq!([found("one"), found("two"), found("three")], [1, 1, 0]);
    let second = write(first.vclock(), "three, two");
    assert_eq!([found("one"), found("two"), found("three")], [0, 1, 1]);
    assert_eq!(second.header("x-riak-index-f_bin"), Some("three, two"));
    assert_eq!(delete(node.http, path, second.vclock()).expect("answered").status, 204);
    assert_eq!([found("two"), found("three")], [0, 0]);
    let long = "x".repeat(40_000);
    let headers = [("Content-Type", "text/plain"), ("X-Riak-Index-f_bin", long.as_str())];
    assert_eq!(http::send(node.http, "PUT", path, &headers, "x").expect("answered").status, 400);
}

#[test]
fn who_asks_for_something_else_in_the_middle_of_a_stream_is_told_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_node, pb) = lone(&dir, "");
    write_all(pb, (0..KEYS).map(indexed));
    let mut client = Client::connect(pb);
    client.send(&list_keys("many")).expect("sent");
    client.expect::<RpbListKeysResp>().expect("the stream has begun");
    client.send(&RpbGetReq { bucket: "many".into(), key: "k".into(), ..RpbGetReq::default() }).expect("sent");
    let busy = loop {
        match client.expect::<RpbListKeysResp>() {
            Ok(part) if part.done == Some(true) => break None,
            Ok(_) => {}
            Err(why) => break Some(why),
        }
    };
    // The stream may have ended before the request came.
    if let Some(why) = busy {
        assert_eq!(why, "Cannot send another request while one is in progress");
        assert!(client.has_hung_up());
    }
}

#[test]
fn only_who_may_lists() {
    let dir = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(&dir.path().join("ca"));
    let grants = r#"
[[grant]]
to = ["alice"]
permissions = ["riak_kv.list_keys", "riak_kv.index"]
type = "default"
bucket = "carts"
[[grant]]
to = ["alice"]
permissions = ["riak_kv.list_buckets"]
type = "default"
"#;
    let (_node, https) = guarded_by(&dir, &authority, grants);
    let client = Private::new(&authority, None);
    let ask = |path: &str, who: &str| {
        let reply = client.send(https, "GET", path, Some(who), "").expect("answered");
        (reply.status, reply.body)
    };
    let put =
        client.send(https, "PUT", "/buckets/carts/keys/k", Some("alice:milk"), "bread").expect("answered");
    assert_eq!(put.status, 204);
    assert_eq!(ask("/buckets/carts/keys?keys=true", "alice:milk"), (200, "{\"keys\":[\"k\"]}".to_owned()));
    assert_eq!(ask("/buckets?buckets=true", "alice:milk"), (200, "{\"buckets\":[\"carts\"]}".to_owned()));
    assert_eq!(ask("/buckets/carts/index/$bucket/x", "alice:milk").0, 200);
    for (path, who, told) in [
        ("/buckets/orders/keys?keys=true", "alice:milk", "'riak_kv.list_keys' on default/orders"),
        ("/buckets/carts/keys?keys=stream", "oscar:milk", "'riak_kv.list_keys' on default/carts"),
        ("/types/t/buckets?buckets=true", "alice:milk", "'riak_kv.list_buckets' on t"),
        ("/buckets/orders/index/f_bin/x", "alice:milk", "'riak_kv.index' on default/orders"),
    ] {
        let (status, body) = ask(path, who);
        assert_eq!(status, 403, "{path}: {body}");
        assert!(body.contains(told), "{path}: {body}");
    }
}
