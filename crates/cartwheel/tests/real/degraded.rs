//! A node that can write no more: it says so, others serve, and it comes back by itself.

use crate::cluster::{Cluster, until};
use crate::http::{get, put};

const KEYS: usize = 40;

fn path(key: usize) -> String {
    format!("/buckets/carts/keys/cart-{key}")
}

fn write_all(cluster: &Cluster, nodes: &[usize], value: &str) {
    for key in 0..KEYS {
        let http = cluster.http(nodes[key % nodes.len()]);
        let seen = get(http, &path(key)).expect("answered");
        let written = put(http, &path(key), seen.vclock(), value).expect("answered");
        assert_eq!(written.status, 204, "{written:?}");
    }
}

#[test]
fn a_node_whose_store_fails_says_so_and_comes_back_when_it_can() {
    let mut cluster = Cluster::of_three();
    cluster.nodes[1].terminate();
    cluster.nodes[1].spawn_limited();
    cluster.nodes[1].wait_until_ready();
    write_all(&cluster, &[0, 1, 2], "before");

    // Its log cannot grow either, and that must not matter.
    cluster.nodes[1].limit_files(Some(0));
    write_all(&cluster, &[0, 2], "meanwhile");
    let degraded = || get(cluster.http(1), "/ping").is_ok_and(|reply| reply.status == 503);
    until("n2 says that it is degraded", degraded);
    until("it says why", || {
        get(cluster.http(1), &path(0)).is_ok_and(|reply| reply.body.starts_with("degraded: "))
    });
    write_all(&cluster, &[0, 2], "and again");

    cluster.nodes[1].limit_files(None);
    until("n2 takes part again", || get(cluster.http(1), "/ping").is_ok_and(|reply| reply.status == 200));
    until("n2 serves", || cluster.nodes[1].status()["serves"] == true);
    cluster.wait_until_drained();
    cluster.nodes[0].kill();
    cluster.nodes[2].kill();
    for key in 0..KEYS {
        let own = get(cluster.http(1), &format!("{}?r=1", path(key))).expect("answered");
        assert_eq!(own.values(), ["and again"], "{}", path(key));
    }
}
