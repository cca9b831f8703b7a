//! Data types on real nodes: increments that are tried at several nodes, some of which are killed, count once.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cluster::{Cluster, until_ok};
use crate::http::{Reply, get, send};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Three nodes, and a bucket type of each kind of data type.
fn cluster() -> Cluster {
    let cluster = Cluster::of_three();
    for (name, datatype) in [("counters", "counter"), ("sets", "set"), ("maps", "map"), ("hlls", "hll")] {
        let create = format!("{{\"name\":\"{name}\",\"props\":{{\"datatype\":\"{datatype}\"}}}}");
        let activate = format!("{{\"name\":\"{name}\"}}");
        for (what, body) in [("create", create), ("activate", activate)] {
            let path = format!("/cartwheel/types/{what}");
            // It is not active before it is known everywhere.
            until_ok("the bucket type is there", || {
                let made = send(cluster.http(0), "POST", &path, &[JSON], &body).map_err(|e| e.to_string())?;
                if made.status < 300 { Ok(()) } else { Err(format!("{made:?}")) }
            });
        }
        for node in 0..3 {
            until_ok("every node knows the type", || {
                let there = get(cluster.http(node), &format!("/types/{name}/props")).expect("answered");
                if there.status == 200 { Ok(()) } else { Err(format!("{there:?}")) }
            });
        }
    }
    cluster
}

fn change(
    cluster: &Cluster,
    node: usize,
    path: &str,
    id: Option<&str>,
    body: &str,
) -> std::io::Result<Reply> {
    let mut headers = vec![JSON];
    headers.extend(id.map(|id| ("X-Cartwheel-Request-Id", id)));
    send(cluster.http(node), "POST", path, &headers, body)
}

fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_else(|error| panic!("{error}: {reply:?}"))
}

#[test]
fn increments_that_are_tried_at_nodes_that_die_count_once() {
    let mut cluster = cluster();
    let path = "/types/counters/buckets/b/datatypes/visits";
    let (mut acknowledged, mut unknown) = (0, 0);
    for number in 0..90_u32 {
        match number {
            30 => cluster.nodes[1].kill(),
            60 => cluster.nodes[1].start(),
            _ => {}
        }
        // Each is tried twice, at two nodes, under one name: whoever was first, it counts once.
        let id = format!("{number:032x}");
        let tried = [0, 1].map(|more| {
            let node = (number as usize + more) % 3;
            change(&cluster, node, path, Some(&id), "1").is_ok_and(|reply| reply.status == 204)
        });
        if tried.contains(&true) { acknowledged += 1 } else { unknown += 1 }
    }
    assert_eq!(unknown, 0, "there was always a node that could be asked");
    cluster.wait_until_drained();
    for node in 0..3 {
        until_ok("the nodes have told each other", || {
            let shown = get(cluster.http(node), &format!("{path}?r=3")).expect("answered");
            if shown.status == 200 && json(&shown)["value"] == acknowledged {
                Ok(())
            } else {
                Err(format!("{shown:?}"))
            }
        });
    }
}

#[test]
fn what_is_added_on_one_side_survives_a_remove_that_had_not_seen_it() {
    let cluster = cluster();
    let path = "/types/sets/buckets/b/datatypes/cart";
    let added = change(&cluster, 0, &format!("{path}?returnbody=true"), None, "{\"add_all\":[\"a\",\"b\"]}");
    let seen = json(&added.expect("answered"));
    assert_eq!(seen["value"], serde_json::json!(["a", "b"]));
    let again = change(&cluster, 1, path, None, "{\"add\":\"a\"}").expect("answered");
    assert_eq!(again.status, 204);
    let body = format!("{{\"remove_all\":[\"a\",\"b\"],\"context\":{}}}", seen["context"]);
    assert_eq!(change(&cluster, 2, path, None, &body).expect("answered").status, 204);
    let shown = get(cluster.http(0), &format!("{path}?r=3")).expect("answered");
    assert_eq!(json(&shown)["value"], serde_json::json!(["a"]));
    let refused = change(&cluster, 0, path, None, "{\"remove\":\"zz\"}").expect("answered");
    assert_eq!(refused.status, 500);
    assert!(refused.body.contains("{precondition,{not_present,<<\"zz\">>}}"));
    // A key that the server makes, and a delete through the objects' path.
    let made =
        change(&cluster, 0, "/types/sets/buckets/b/datatypes", None, "{\"add\":\"x\"}").expect("answered");
    assert_eq!(made.status, 201);
    let location = made.header("location").expect("where it is").replace("/keys/", "/datatypes/");
    assert_eq!(json(&get(cluster.http(1), &location).expect("answered"))["value"], serde_json::json!(["x"]));
    let keys = location.replace("/datatypes/", "/keys/");
    assert_eq!(crate::http::delete(cluster.http(2), &keys, None).expect("answered").status, 204);
    let gone = get(cluster.http(1), &format!("{location}?r=3")).expect("answered");
    assert_eq!((gone.status, &gone.body[..]), (404, "{\"type\":\"set\",\"error\":\"notfound\"}"));
}

#[test]
fn maps_and_estimates_and_counters_of_the_older_kind() {
    let cluster = cluster();
    let path = "/types/maps/buckets/b/datatypes/user?returnbody=true";
    let body = "{\"update\":{\"name_register\":{\"assign\":\"Jan\"},\"logins_counter\":2,\"vip_flag\":\"enable\",\
                \"carts_map\":{\"update\":{\"today_set\":{\"add\":\"milk\"}}}}}";
    let shown = json(&change(&cluster, 0, path, None, body).expect("answered"));
    let value = serde_json::json!({
        "name_register": "Jan", "logins_counter": 2, "vip_flag": true, "carts_map": { "today_set": ["milk"] }
    });
    assert_eq!(shown["value"], value);
    let hll = "/types/hlls/buckets/b/datatypes/visitors";
    let visitors: BTreeSet<String> = (0..5).map(|number| format!("\"v{number}\"")).collect();
    let all = visitors.into_iter().collect::<Vec<_>>().join(",");
    for node in 0..3 {
        let added = change(&cluster, node, hll, None, &format!("{{\"add_all\":[{all}]}}")).expect("answered");
        assert_eq!(added.status, 204);
    }
    assert_eq!(json(&get(cluster.http(1), hll).expect("answered"))["value"], 5);
    let old = "/buckets/b/counters/c";
    assert_eq!(get(cluster.http(0), old).expect("answered").status, 404);
    assert_eq!(change(&cluster, 0, old, None, "5").expect("answered").status, 204);
    let shown = change(&cluster, 1, &format!("{old}?returnvalue=true"), None, "-2").expect("answered");
    assert_eq!((shown.status, &shown.body[..]), (200, "3"));
}
