//! All nodes are killed at once under load, several times: no acknowledged write may be missing afterwards.

use std::time::Duration;

use crate::cluster::{Cluster, Node, until};
use crate::shop::Shop;

const CLIENTS: u32 = 6;
const ROUNDS: usize = 3;
/// Acknowledged writes in each round before the power goes.
const ACKED_PER_ROUND: usize = 150;

#[test]
fn no_acknowledged_write_is_lost_when_all_nodes_are_killed_under_load() {
    let mut cluster = Cluster::of_three();
    let nodes = cluster.nodes.iter().map(|node| node.http).collect();
    let shop = Shop::new(nodes, 1, Duration::ZERO);
    for round in 1..=ROUNDS {
        std::thread::scope(|scope| {
            let _closing = shop.open();
            for client in 0..CLIENTS {
                let shop = &shop;
                scope.spawn(move || shop.visit(client));
            }
            until("enough was written", || shop.acked() >= round * ACKED_PER_ROUND);
            cluster.nodes.iter_mut().for_each(Node::kill);
        });
        cluster.nodes.iter_mut().for_each(Node::spawn);
        cluster.nodes.iter_mut().for_each(Node::wait_until_ready);
    }
    cluster.wait_until_drained();
    let nodes: Vec<&Node> = cluster.nodes.iter().collect();
    assert!(shop.assert_nothing_lost(&nodes) >= (ROUNDS * ACKED_PER_ROUND) as u64);
}
