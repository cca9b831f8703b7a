//! Members come and go under load: no request fails for good, no acknowledged write is lost, and in the end each node
//! holds what the ring says, and nothing else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use cartwheel_node::{ClusterReport, PartitionReport};

use crate::cluster::{Cluster, Node, until, until_ok};
use crate::http::put;
use crate::shop::Shop;

const CLIENTS: u32 = 3;
/// Enough that every partition holds some.
const KEYS: usize = 150;
/// Writes that must be acknowledged while one change is under way or done.
const ACKED_PER_CHANGE: usize = 40;

fn cluster_of(node: &Node) -> ClusterReport {
    node.ask("cluster")
}

fn member_status(report: &ClusterReport, name: &str) -> String {
    report.members.iter().find(|member| member.name == name).map(|it| it.status.clone()).unwrap_or_default()
}

impl Cluster {
    /// Starts a newcomer that knows the founders.
    pub fn newcomer(&mut self, name: &str) {
        let mut node = Node::new(&self.dir, name);
        let founders: Vec<(&str, SocketAddr)> =
            self.nodes[..3].iter().map(|node| (node.name.as_str(), node.peer)).collect();
        node.configure("test", &founders);
        node.start();
        until(&format!("{name} has made itself known"), || {
            self.nodes.iter().filter(|node| node.is_running()).all(|member| {
                member_status(&cluster_of(member), name) == "joining" || !cluster_of(member).serves
            })
        });
        self.nodes.push(node);
    }

    /// Prepares each of `changes`, commits them together, and waits until nothing moves any more.
    pub fn change(&self, by: usize, changes: &[&[&str]]) {
        let operator = &self.nodes[by];
        let before = cluster_of(operator).ring.epoch;
        for change in changes {
            operator.operate(change);
        }
        operator.operate(&["commit"]);
        operator.operate(&["transfers", "--watch"]);
        let report = cluster_of(operator);
        assert!(report.ring.epoch >= before + 3, "{report:#?}");
        assert_eq!(report.ring.phase, "settled");
    }

    fn running(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.is_running())
    }

    fn wait_until_quiet(&self) {
        for node in self.running() {
            until(&format!("nothing moves at {}", node.name), || {
                let status = node.status();
                ["hints_idle", "membership_idle"].iter().all(|idle| status[idle] == true)
                    && ["fetches", "handoff_open", "recovering"].iter().all(|open| status[open] == 0)
                    && status["suspected"].as_array().is_some_and(Vec::is_empty)
            });
        }
    }
}

/// The nodes that keep each partition: the first N distinct owners from it on.
fn homes(report: &ClusterReport) -> Vec<Vec<String>> {
    let owners = &report.ring.owners;
    let homes = |partition: usize| {
        let mut homes: Vec<String> = Vec::new();
        for owner in owners[partition..].iter().chain(&owners[..partition]) {
            if homes.len() < usize::from(report.ring.n) && !homes.contains(owner) {
                homes.push(owner.clone());
            }
        }
        homes
    };
    (0..owners.len()).map(homes).collect()
}

/// Each home of a partition holds as many keys of it as the others, all homes of all partitions together hold `keys`,
/// and nobody else holds anything.
fn placement(cluster: &Cluster, keys: usize) -> Result<(), String> {
    let homes = homes(&cluster_of(&cluster.nodes[0]));
    let mut held: BTreeMap<u32, BTreeMap<String, u64>> = BTreeMap::new();
    for node in cluster.running() {
        for partition in node.ask::<Vec<PartitionReport>>("partitions") {
            held.entry(partition.partition).or_default().insert(node.name.clone(), partition.records);
        }
    }
    let mut total = 0;
    for (partition, homes) in (0..).zip(&homes) {
        let held = held.remove(&partition).unwrap_or_default();
        let counts: Vec<u64> = homes.iter().map(|home| held.get(home).copied().unwrap_or(0)).collect();
        if held.keys().any(|node| !homes.contains(node)) || counts.iter().any(|count| *count != counts[0]) {
            return Err(format!("partition {partition} of {homes:?} is held as {held:?}"));
        }
        total += counts[0];
    }
    if total == keys as u64 { Ok(()) } else { Err(format!("{total} of {keys} keys are held")) }
}

#[test]
fn members_join_leave_and_are_replaced_under_load() {
    let mut cluster = Cluster::of_three();
    for key in 0..KEYS {
        let written =
            put(cluster.http(key % 3), &format!("/buckets/b/keys/{key}"), None, "milk").expect("answered");
        assert_eq!(written.status, 204, "{written:?}");
    }
    for name in ["n4", "n5"] {
        cluster.newcomer(name);
    }
    // n3 will leave and n2 will die: clients go on asking them, as clients do, and turn to the next.
    let shop = Shop::new(cluster.nodes.iter().map(|node| node.http).collect(), 8, Duration::from_millis(5));
    std::thread::scope(|scope| {
        let _closing = shop.open();
        for client in 0..CLIENTS {
            let shop = &shop;
            scope.spawn(move || shop.visit(client));
        }
        let goes_on = || {
            let so_far = shop.acked();
            until("clients are served", || shop.acked() >= so_far + ACKED_PER_CHANGE);
        };
        goes_on();
        cluster.change(0, &[&["join", "n4"], &["join", "n5"]]);
        goes_on();
        cluster.nodes[3].operate(&["remove", "n2"]);
        // On a busy machine it may be suspected for a moment.
        until("it is warned of", || cluster.nodes[3].operate(&["plan"]).contains("warning: n2 is alive"));
        cluster.nodes[3].operate(&["clear"]);
        cluster.change(3, &[&["leave", "n3"]]);
        goes_on();
        cluster.nodes[1].kill();
        goes_on();
        cluster.newcomer("n6");
        cluster.change(4, &[&["replace", "n2", "n6", "--dead"]]);
        goes_on();
    });
    cluster.wait_until_quiet();
    let report = cluster_of(&cluster.nodes[0]);
    let status = |name| member_status(&report, name);
    let statuses = ["n1", "n2", "n3", "n4", "n5", "n6"].map(status);
    assert_eq!(statuses, ["member", "removed", "left", "member", "member", "member"]);
    let given_up = shop.given_up();
    assert!(given_up.is_empty(), "requests that failed eight times in turn: {given_up:#?}");

    let members: Vec<&Node> = [0, 3, 4, 5].map(|index| &cluster.nodes[index]).into();
    // The carts are four more keys.
    until_ok("each node holds what the ring says", || placement(&cluster, KEYS + 4));
    assert!(shop.assert_nothing_lost(&members) >= 5 * ACKED_PER_CHANGE as u64);
    assert_removed_one_is_refused(&mut cluster);
}

/// n2 was declared dead, and comes back with its disk.
fn assert_removed_one_is_refused(cluster: &mut Cluster) {
    cluster.nodes[1].start();
    let returned = &cluster.nodes[1];
    until("n2 has been told", || returned.status()["member"] == "removed");
    let refused = put(returned.http, "/buckets/b/keys/0", None, "stale").expect("answered");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.contains("not a member"), "{refused:?}");
    assert!(returned.log().contains("this node was removed from the cluster"), "{}", returned.log());
    let refused = returned.operator(&["plan"]);
    assert_eq!(refused.status.code(), Some(1));
    let again = cluster.nodes[0].operator(&["join", "n2"]);
    let why = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(why.contains("n2 is removed; it must be joining"), "{why}");
}
