//! Bucket types: created and activated by `cartwheel admin`, known everywhere and for ever.

use std::process::Output;

use serde_json::Value;

use crate::cluster::{Cluster, Node, cartwheel, until};
use crate::http::{get, put, send};

impl Node {
    /// `cartwheel admin ...`, asking this node: whether it was done, and what it prints.
    pub fn admin(&self, words: &[&str]) -> (bool, String) {
        let url = format!("http://{}", self.http);
        let Output { status, stdout, stderr } =
            cartwheel().arg("admin").args(words).args(["--node", &url]).output().expect("the binary");
        let said = [stdout, stderr].concat();
        (status.success(), String::from_utf8(said).expect("text"))
    }

    fn props(&self, path: &str) -> Value {
        let reply = get(self.http, path).expect("it runs");
        serde_json::from_str::<Value>(&reply.body).map(|shown| shown["props"].clone()).unwrap_or_default()
    }
}

const KEY: &str = "/types/carts/buckets/b/keys/k";

#[test]
fn types_are_known_everywhere_over_restarts_and_by_who_joins_later() {
    let mut cluster = Cluster::of_three();
    let [n1, n2, n3] = cluster.nodes.as_slice() else { panic!("three") };
    assert_eq!(get(n1.http, KEY).expect("answered").body, "Unknown bucket type: carts");
    let (created, said) =
        n1.admin(&["bucket-type", "create", "carts", r#"{"props":{"n_val":2,"shop":{"open":true}}}"#]);
    assert!(created, "{said}");
    until("n2 knows the type", || {
        n2.admin(&["bucket-type", "status", "carts"]).1.contains("may be activated")
    });
    assert_eq!(put(n2.http, KEY, None, "bread").expect("answered").status, 404, "created only");
    assert!(n2.admin(&["bucket-type", "activate", "carts"]).0);
    assert_eq!(put(n2.http, KEY, None, "bread").expect("answered").status, 204);
    for node in [n1, n3] {
        until("everybody knows", || get(node.http, KEY).is_ok_and(|reply| reply.body == "bread"));
        let props = node.props("/types/carts/props");
        assert_eq!((&props["n_val"], &props["active"]), (&2.into(), &true.into()), "{props}");
        assert_eq!(props["shop"]["open"], true);
    }
    let own = send(
        n3.http,
        "PUT",
        "/types/carts/buckets/b/props",
        &[("Content-Type", "application/json")],
        r#"{"props":{"r":"one"}}"#,
    );
    assert_eq!(own.expect("answered").status, 204);
    assert!(n3.admin(&["bucket-type", "update", "carts", r#"{"props":{"w":"all"}}"#]).0);
    for node in [n1, n2] {
        until("everybody has heard", || {
            let props = node.props("/types/carts/buckets/b/props");
            (&props["r"], &props["w"], &props["n_val"]) == (&"one".into(), &"all".into(), &2.into())
        });
    }

    // One dies, two stop in order; all three start on what their disks know. The operator was answered when n3's knew: who
    // dies may have heard a moment ago, and hears again.
    cluster.nodes[0].kill();
    cluster.nodes[1].terminate();
    cluster.nodes[2].terminate();
    cluster.nodes.iter_mut().for_each(Node::spawn);
    cluster.nodes.iter_mut().for_each(Node::wait_until_ready);
    for node in &cluster.nodes {
        until("the value is there", || get(node.http, KEY).is_ok_and(|reply| reply.body == "bread"));
        until("the properties are there", || node.props("/types/carts/buckets/b/props")["w"] == "all");
    }

    cluster.newcomer("n4");
    cluster.change(0, &[&["join", "n4"]]);
    let n4 = &cluster.nodes[3];
    assert_eq!(n4.admin(&["bucket-type", "list"]), (true, "default (active)\ncarts (active)\n".to_owned()));
    assert_eq!(get(n4.http, KEY).expect("answered").body, "bread");
}

#[test]
fn with_riaks_defaults_an_untyped_bucket_shows_one_value_and_a_typed_one_all() {
    let cluster = Cluster::of_three_with(&["riak_defaults = true"]);
    let n1 = &cluster.nodes[0];
    assert!(n1.log().contains("riak_defaults: of concurrent writes to an untyped bucket one is shown"));
    assert!(n1.admin(&["bucket-type", "create", "plain"]).0);
    assert!(n1.admin(&["bucket-type", "activate", "plain"]).0);
    for (path, status) in [("/buckets/b/keys/k", 200), ("/types/plain/buckets/b/keys/k", 300)] {
        for value in ["bread", "eggs"] {
            assert_eq!(put(n1.http, path, None, value).expect("answered").status, 204, "{path}");
        }
        assert_eq!(get(n1.http, path).expect("answered").status, status, "{path}");
    }
    let untyped = n1.props("/buckets/b/props");
    assert_eq!((&untyped["allow_mult"], &untyped["dvv_enabled"]), (&false.into(), &false.into()));
    let typed = n1.props("/types/plain/buckets/b/props");
    assert_eq!((&typed["allow_mult"], &typed["dvv_enabled"]), (&true.into(), &true.into()));
}

#[test]
fn scripts_that_were_written_for_riak_are_told_what_they_expect() {
    let cluster = Cluster::of_three();
    let n1 = &cluster.nodes[0];
    for (words, done, said) in [
        (&["create", "maps", r#"{"props":{"datatype":"map"}}"#][..], true, "maps created\n"),
        (&["status", "maps"], true, "maps has been created and may be activated\n"),
        (&["activate", "maps"], true, "maps has been activated\n"),
        (&["status", "maps"], true, "datatype: map\n"),
        (&["status", "maps"], true, "chash_keyfun: {riak_core_util,chash_std_keyfun}\n"),
        (&["create", "maps", r#"{"props":{}}"#], false, "Error creating bucket type maps:\nalready_active"),
        (
            &["update", "maps", r#"{"props":{"datatype":"set"}}"#],
            false,
            "[{datatype,\"set not supported for bucket datatype property\"}]",
        ),
        (
            &["update", "maps", r#"{"n_val":3}"#],
            false,
            "Cannot update bucket type maps: no props field found in json",
        ),
        (
            &["update", "maps", r#"{"props":{"precommit":[{"mod":"m","fun":"f"}]}}"#],
            false,
            "Erlang functions",
        ),
        (&["create", "sets", "datatype=set"], false, "Cannot create bucket type sets: invalid json"),
        (&["activate", "sets"], false, "Error activating bucket type sets:\nundefined"),
        (&["status", "sets"], false, "sets is not an existing bucket type"),
        (&["create", "default"], false, "default_type"),
        (&["list"], true, "default (active)\nmaps (active)\n"),
    ] {
        let (was_done, was_said) = n1.admin(&[&["bucket-type"], words].concat());
        assert_eq!(was_done, done, "{words:?}: {was_said}");
        assert!(was_said.contains(said), "{words:?}: {was_said:?} should say {said:?}");
    }
    let (shown, status) = n1.admin(&["status"]);
    assert!(shown && status.contains("riak_kv_version : "), "{status}");
    let (shown, members) = n1.admin(&["member-status"]);
    assert!(shown && ["n1", "n2", "n3"].iter().all(|name| members.contains(name)), "{members}");
    assert!(n1.admin(&["cluster", "leave", "n3"]).0);
    assert!(n1.admin(&["cluster", "plan"]).1.contains("2 members would be left"));
    assert!(n1.admin(&["cluster", "clear"]).0);
}
