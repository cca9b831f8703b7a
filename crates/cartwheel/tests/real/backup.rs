//! Backups of nodes that go on, and what they are good for.

use crate::cluster::{Cluster, cartwheel, until};
use crate::http::{get, put};

const KEYS: usize = 60;

fn path(key: usize) -> String {
    format!("/buckets/carts/keys/cart-{key}")
}

fn write_all(cluster: &Cluster, value: &str) {
    for key in 0..KEYS {
        let http = cluster.http(key % 3);
        let seen = get(http, &path(key)).expect("answered");
        assert_eq!(
            put(http, &format!("{}?w=all", path(key)), seen.vclock(), value).expect("answered").status,
            204
        );
    }
}

fn restore(cluster: &Cluster, node: usize, name: &str) -> std::process::Output {
    let node = &cluster.nodes[node];
    let mut restore = cartwheel();
    restore.arg("restore").arg(node.backup(name)).arg("--config").arg(node.config());
    restore.output().expect("the binary")
}

#[test]
fn a_cluster_that_is_lost_as_a_whole_comes_back_from_its_backups() {
    let mut cluster = Cluster::of_three();
    write_all(&cluster, "kept");
    for node in &cluster.nodes {
        let said = node.operate(&["backup", "monday"]);
        assert!(said.contains("keys, ") && said.contains("backups/monday"), "{said}");
    }
    let again = cluster.nodes[0].operator(&["backup", "monday"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("monday is there already"), "{again:?}");
    let odd = cluster.nodes[0].operator(&["backup", "../monday"]);
    assert!(String::from_utf8_lossy(&odd.stderr).contains("allowed are"), "{odd:?}");
    write_all(&cluster, "lost");

    let there = restore(&cluster, 0, "monday");
    assert_eq!(there.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&there.stderr).contains("there is data in its place"), "{there:?}");
    for node in &mut cluster.nodes {
        node.kill();
        node.lose_disk();
    }
    for node in 0..3 {
        let restored = restore(&cluster, node, "monday");
        assert!(restored.status.success(), "{restored:?}");
    }
    cluster.nodes.iter_mut().for_each(crate::cluster::Node::spawn);
    cluster.nodes.iter_mut().for_each(crate::cluster::Node::wait_until_ready);
    until("they serve", || cluster.nodes.iter().all(|node| node.status()["serves"] == true));
    for key in 0..KEYS {
        let kept = get(cluster.http(key % 3), &format!("{}?r=all", path(key))).expect("answered");
        assert_eq!(kept.values(), ["kept"], "{}", path(key));
    }
    write_all(&cluster, "after");
    assert!(
        !cluster.nodes.iter().any(crate::cluster::Node::has_put_aside),
        "nobody knows better than the backups"
    );
}

#[test]
fn a_backup_that_is_put_back_beside_nodes_that_went_on_is_put_aside() {
    let mut cluster = Cluster::of_three();
    write_all(&cluster, "before");
    cluster.nodes[1].operate(&["backup", "old"]);
    // Another start, of which the others hear: the copy knows nothing of it.
    cluster.nodes[1].kill();
    cluster.nodes[1].start();
    write_all(&cluster, "after");
    cluster.nodes[1].kill();
    cluster.nodes[1].lose_disk();
    assert!(restore(&cluster, 1, "old").status.success());
    cluster.nodes[1].start();
    until("it is put aside", || cluster.nodes[1].has_put_aside());
    until("it holds everything again", || {
        let status = cluster.nodes[1].ask::<serde_json::Value>("status");
        status["recovering"] == 0 && status["fetches"] == 0 && status["serves"] == true
    });
    for key in 0..KEYS {
        let kept = get(cluster.http(1), &format!("{}?r=all", path(key))).expect("answered");
        assert_eq!(kept.values(), ["after"], "{}", path(key));
    }
}
