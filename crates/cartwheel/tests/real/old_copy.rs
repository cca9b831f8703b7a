use std::time::Duration;

use crate::cluster::{Cluster, until};
use crate::http::{delete, get, put};

const DELETED: &str = "/buckets/carts/keys/deleted";
const KEPT: &str = "/buckets/carts/keys/kept";

/// A backup that is put back may hold what has been deleted, and reaped everywhere, since it was made.
#[test]
fn an_old_copy_of_a_disk_is_put_aside_and_brings_nothing_back() {
    let mut cluster = Cluster::of_three();
    for path in [DELETED, KEPT] {
        assert_eq!(
            put(cluster.http(0), &format!("{path}?w=all"), None, "milk").expect("answered").status,
            204
        );
    }
    assert!(cluster.nodes[2].terminate().success());
    cluster.nodes[2].back_up();
    cluster.nodes[2].start();
    cluster.wait_until_drained();

    let seen = get(cluster.http(0), DELETED).expect("answered");
    assert_eq!(delete(cluster.http(0), DELETED, seen.vclock()).expect("answered").status, 204);
    let written = put(cluster.http(0), &format!("{KEPT}?w=all"), None, "eggs").expect("answered");
    assert_eq!(written.status, 204);
    until("the tombstone is reaped by all", || cluster.nodes.iter().all(|node| node.status()["reaped"] == 1));

    cluster.nodes[2].kill();
    cluster.nodes[2].put_back();
    cluster.nodes[2].spawn();
    until("n3 has put the copy aside", || cluster.nodes[2].has_put_aside());
    cluster.nodes[2].wait_until_ready();
    until("n3 holds everything again", || {
        let status = cluster.nodes[2].status();
        status["boot"] == 1 && status["recovering"] == 0 && status["serves"] == true
    });
    std::thread::sleep(Duration::from_millis(500));

    for node in 0..3 {
        assert_eq!(get(cluster.http(node), &format!("{DELETED}?r=all")).expect("answered").status, 404);
    }
    cluster.nodes[0].kill();
    cluster.nodes[1].kill();
    let mut own = get(cluster.http(2), &format!("{KEPT}?r=1")).expect("answered").values();
    own.sort_unstable();
    assert_eq!(own, ["eggs", "milk"]);
    assert!(
        cluster.nodes[2].log().contains("is an old copy: this is start 2 of it, and peers have seen start 2")
    );
}
