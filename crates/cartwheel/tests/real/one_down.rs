use crate::cluster::{Cluster, until};
use crate::http::{get, put};

const KEYS: usize = 30;

fn path(key: usize) -> String {
    format!("/buckets/carts/keys/cart-{key}")
}

fn owed(cluster: &Cluster) -> u64 {
    [0, 2].iter().map(|&node| cluster.nodes[node].owes()).sum()
}

#[test]
fn a_node_that_was_killed_gets_what_it_missed() {
    let mut cluster = Cluster::of_three();
    for key in 0..KEYS {
        assert_eq!(put(cluster.http(key % 3), &path(key), None, "before").expect("answered").status, 204);
    }
    cluster.nodes[1].kill();

    for key in 0..KEYS {
        let (here, there) = ([0, 2][key % 2], [2, 0][key % 2]);
        let seen = get(cluster.http(here), &path(key)).expect("answered");
        assert_eq!(seen.values(), ["before"]);
        let written =
            put(cluster.http(there), &path(key), seen.vclock(), "while n2 was down").expect("answered");
        assert_eq!(written.status, 204, "{written:?}");
        assert_eq!(get(cluster.http(here), &path(key)).expect("answered").values(), ["while n2 was down"]);
    }
    until("each missed write is owed to n2", || owed(&cluster) >= KEYS as u64);

    // What is owed is on disk: its keeper may be killed, too.
    let runs = || cluster.nodes[0].status()["requests_running"] != 0;
    until("no put may owe more", || !runs());
    let before = cluster.nodes[0].owes();
    cluster.nodes[0].kill();
    cluster.nodes[0].start();
    assert_eq!(cluster.nodes[0].owes(), before, "counted again at the start");

    cluster.nodes[1].start();
    cluster.wait_until_drained();
    assert_eq!(owed(&cluster), 0);
    let delivered: u64 = [0, 2].iter().map(|&node| cluster.nodes[node].count("hints_delivered")).sum();
    assert!(delivered > 0, "what was owed was delivered as hints, not by reads");

    // Alone, n2 can only answer from its own copy.
    cluster.nodes[0].kill();
    cluster.nodes[2].kill();
    for key in 0..KEYS {
        let own = get(cluster.http(1), &format!("{}?r=1", path(key))).expect("answered");
        assert_eq!(own.values(), ["while n2 was down"], "{}", path(key));
    }
}

#[test]
fn a_quorum_that_cannot_be_met_is_an_error_that_says_by_how_much() {
    let mut cluster = Cluster::of_three();
    cluster.nodes[1].kill();
    let refused =
        put(cluster.http(0), &format!("{}?w=all&timeout=2000", path(0)), None, "milk").expect("answered");
    assert_eq!(refused.status, 503, "{refused:?}");
    let numbers = refused.header("x-cartwheel-error").expect("the numbers");
    assert!(numbers.contains("2 of 3 replicas"), "{numbers}");
    // An error is no promise that nothing was kept.
    assert_eq!(get(cluster.http(2), &path(0)).expect("answered").values(), ["milk"]);
}

#[test]
fn a_node_that_was_stopped_cleanly_says_so_and_goes_on_where_it_was() {
    let mut cluster = Cluster::of_three();
    assert_eq!(put(cluster.http(0), &path(0), None, "milk").expect("answered").status, 204);
    assert!(cluster.nodes[0].terminate().success());
    cluster.nodes[0].start();
    let status = cluster.nodes[0].status();
    assert_eq!((&status["boot"], &status["continuous_since"]), (&2.into(), &1.into()), "{status}");
    assert_eq!(get(cluster.http(0), &path(0)).expect("answered").values(), ["milk"]);
}

#[test]
fn a_node_that_lost_its_disk_gets_everything_back_without_a_single_read() {
    let mut cluster = Cluster::of_three();
    for key in 0..KEYS {
        assert_eq!(put(cluster.http(key % 3), &path(key), None, "milk").expect("answered").status, 204);
    }
    cluster.wait_until_drained();
    cluster.nodes[1].kill();
    cluster.nodes[1].lose_disk();
    cluster.nodes[1].start();
    let repaired = || cluster.nodes.iter().map(|node| node.count("anti_entropy_repairs")).sum::<u64>();
    until("the exchanges have found every key", || repaired() >= KEYS as u64);
    cluster.wait_until_drained();

    // Alone, n2 can only answer from its own copy.
    cluster.nodes[0].kill();
    cluster.nodes[2].kill();
    for key in 0..KEYS {
        let own = || get(cluster.http(1), &format!("{}?r=1", path(key))).expect("answered").values();
        until("the last repairs are durable", || own() == ["milk"]);
    }
}
