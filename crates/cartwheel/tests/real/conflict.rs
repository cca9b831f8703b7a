use crate::cluster::Cluster;
use crate::http::{get, put, send};

#[test]
fn concurrent_writes_are_both_shown_until_a_client_reconciles_them() {
    let cluster = Cluster::of_three();
    let cart = "/buckets/carts/keys/anna";
    assert_eq!(put(cluster.http(0), cart, None, "milk").expect("answered").status, 204);
    let seen = get(cluster.http(1), cart).expect("answered");
    assert_eq!(seen.values(), ["milk"]);

    // Two devices add to the cart that both have seen.
    for (node, cart_body) in [(1, "milk, bread"), (2, "milk, eggs")] {
        let written = put(cluster.http(node), cart, seen.vclock(), cart_body).expect("answered");
        assert_eq!(written.status, 204, "{written:?}");
    }
    let conflict = get(cluster.http(0), cart).expect("answered");
    assert_eq!(conflict.status, 300, "{conflict:?}");
    let mut values = conflict.values();
    values.sort();
    assert_eq!(values, ["milk, bread", "milk, eggs"]);

    let all = "milk, bread, eggs";
    assert_eq!(put(cluster.http(2), cart, conflict.vclock(), all).expect("answered").status, 204);
    let reconciled = get(cluster.http(1), cart).expect("answered");
    assert_eq!((reconciled.status, reconciled.body.as_str()), (200, all));
}

#[test]
fn a_delete_hides_what_it_has_seen_and_nothing_else() {
    let cluster = Cluster::of_three();
    let cart = "/buckets/carts/keys/berta";
    put(cluster.http(0), cart, None, "milk").expect("answered");
    let deleted = send(cluster.http(1), "DELETE", cart, &[], "").expect("answered");
    assert_eq!(deleted.status, 204, "{deleted:?}");
    let gone = get(cluster.http(2), cart).expect("answered");
    assert_eq!((gone.status, gone.header("x-riak-deleted")), (404, Some("true")));
    assert!(gone.vclock().is_some(), "what was deleted is still something to have seen");

    put(cluster.http(0), cart, None, "eggs").expect("answered");
    let beside = get(cluster.http(2), cart).expect("answered");
    assert_eq!(beside.status, 300, "a write that had not seen the delete stands beside it");
    let mut values = beside.values();
    values.sort();
    assert_eq!(values, ["", "eggs"]);
}

#[test]
fn a_retried_request_writes_once() {
    let cluster = Cluster::of_three();
    let headers =
        [("Content-Type", "text/plain"), ("X-Cartwheel-Request-Id", "0123456789abcdef0123456789abcdef")];
    let made: Vec<_> = (0..2)
        .map(|_| send(cluster.http(0), "POST", "/buckets/carts/keys", &headers, "milk").expect("answered"))
        .collect();
    assert_eq!(made[0].status, 201, "{made:?}");
    let location = made[0].header("location").expect("a location");
    assert_eq!(made[1].header("location"), Some(location));
    assert_eq!(get(cluster.http(1), location).expect("answered").values(), ["milk"]);
}

#[test]
fn a_body_beyond_the_bound_is_refused_with_the_bound() {
    let cluster = Cluster::of_three();
    let request = [("Content-Type", "text/plain")];
    let path = "/buckets/b/keys/large";
    let large = "x".repeat((8 << 20) + 1);
    let refused = send(cluster.http(0), "PUT", path, &request, &large);
    // The node answers without reading it all; whether a client that is still sending hears that is up to the network.
    if let Ok(refused) = refused {
        assert_eq!(refused.status, 413);
        assert_eq!(refused.body, "body too large: body_bytes_max is 8388608 bytes\n");
    }
    assert_eq!(get(cluster.http(0), path).expect("answered").status, 404);
}
