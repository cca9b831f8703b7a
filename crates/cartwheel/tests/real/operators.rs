//! What operators are told, in words and in exit statuses.

use std::process::Output;

use cartwheel_node::{AdminAnswer, ClusterReport};

use crate::cluster::{Cluster, Node, cartwheel, free_address, until};
use crate::http::{put, send};

/// One line, and the exit status.
fn refusal(Output { status, stderr, .. }: Output) -> (Option<i32>, String) {
    let stderr = String::from_utf8(stderr).expect("text");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    (status.code(), stderr)
}

fn assert_refused(output: Output, code: i32, words: &str) {
    let (status, line) = refusal(output);
    assert_eq!(status, Some(code), "{line}");
    assert!(line.contains(words), "{line:?} should say {words:?}");
}

#[test]
fn what_is_not_done_is_one_line_that_says_what_to_do() {
    let cluster = Cluster::of_three();
    let node = &cluster.nodes[0];
    until("the cluster is founded", || node.ask::<ClusterReport>("cluster").serves);
    assert_refused(
        node.operator(&["join", "n9"]),
        1,
        "n9 has not made itself known to this cluster; known are n1 n2 n3",
    );
    assert_refused(node.operator(&["join", "n2"]), 1, "n2 is member; it must be joining");
    assert_refused(node.operator(&["set", "n2"]), 2, "nothing to set; give --weight, --zone or both");
    assert_refused(node.operator(&["commit"]), 1, "nothing is prepared");
    let nobody = free_address().to_string();
    let output = cartwheel().args(["cluster", "status", "--node", &nobody]).output().expect("the binary");
    assert_refused(output, 1, "cannot connect");
    let output = cartwheel().args(["cluster", "status", "--node", "n1"]).output().expect("the binary");
    assert_eq!(output.status.code(), Some(2));
    let output =
        cartwheel().args(["cluster", "status"]).env("CARTWHEEL_NODE", &nobody).output().expect("the binary");
    assert_refused(output, 1, &nobody);
}

#[test]
fn a_change_that_is_impossible_alone_waits_for_another_and_exactly_the_plan_shown_is_committed() {
    let cluster = Cluster::of_three();
    let node = &cluster.nodes[0];
    until("the cluster is founded", || node.ask::<ClusterReport>("cluster").serves);
    let said = node.operate(&["leave", "n2"]);
    assert!(
        said.contains("it cannot be committed like that: 2 members would be left; allowed: at least 3 (n)"),
        "{said}"
    );
    let staged = || node.ask::<ClusterReport>("cluster").staged;
    assert_eq!(staged().len(), 1, "it may become possible");
    node.operate(&["clear"]);
    assert_eq!(staged(), []);

    node.operate(&["set", "n2", "--weight", "2", "--zone", "east"]);
    let seen = |node: &Node| node.ask::<ClusterReport>("cluster").staged.len() == 1;
    until("everybody shows what is prepared", || cluster.nodes.iter().all(seen));
    let planned: AdminAnswer =
        serde_json::from_str(&cluster.nodes[1].operate(&["plan", "--json"])).expect("JSON");
    let plan = planned.plan.expect("a plan");
    let owns: Vec<u32> = plan.balance.iter().map(|node| node.after).collect();
    assert!(owns[1] > owns[0] && owns[1] > owns[2], "{plan:?}");

    node.operate(&["set", "n2", "--weight", "3"]);
    let stale = node.operator(&["commit", "--plan", &plan.plan]);
    assert_refused(stale, 1, "is not what is prepared");
    let committed = node.operate(&["commit"]);
    assert!(committed.contains("n2 gets weight 3") && committed.contains("committed"), "{committed}");
    node.operate(&["transfers", "--watch"]);
    let report: ClusterReport = serde_json::from_str(&node.operate(&["status", "--json"])).expect("JSON");
    let n2 = report.members.iter().find(|member| member.name == "n2").expect("a member");
    assert_eq!((n2.weight, n2.zone.as_str()), (3, "east"), "set one after the other");
    assert!(n2.owns > 16 / 3, "{n2:?}");
}

#[test]
fn every_page_for_operators_can_be_printed() {
    let cluster = Cluster::of_three();
    let node = &cluster.nodes[0];
    until("the cluster is founded", || node.ask::<ClusterReport>("cluster").serves);
    for page in ["status", "ring", "hints", "anti-entropy", "transfers"] {
        let shown = node.operate(&[page]);
        assert!(!shown.is_empty(), "{page}");
        let json = node.operate(&[page, "--json"]);
        serde_json::from_str::<serde_json::Value>(&json)
            .unwrap_or_else(|error| panic!("{page}: {error}: {json}"));
    }
}

#[test]
fn a_request_that_a_web_page_could_make_changes_nothing() {
    let cluster = Cluster::of_three();
    let node = cluster.http(0);
    let stage = "/cartwheel/cluster/stage";
    let leave = r#"{"node":"n2","change":"leave"}"#;
    let json = [("Content-Type", "application/json")];
    for (method, path, headers, body, status, words) in [
        ("POST", stage, &[("Content-Type", "text/plain")][..], leave, 400, "allowed is application/json"),
        ("POST", stage, &json[..], r#"{"node":"n2"}"#, 400, "missing field `change`"),
        ("POST", stage, &json[..], &"x".repeat(1 << 17), 400, "body too large"),
        ("GET", stage, &[][..], "", 405, "allowed is POST"),
        ("DELETE", "/cartwheel/cluster", &[][..], "", 405, "allowed is GET"),
        ("GET", "/cartwheel/ring", &[][..], "", 404, "there is no such page"),
    ] {
        let reply = send(node, method, path, headers, body).expect("answered");
        assert_eq!(reply.status, status, "{method} {path} {reply:?}");
        assert!(reply.body.contains(words), "{:?} should say {words:?}", reply.body);
    }
    assert_eq!(cluster.nodes[0].ask::<ClusterReport>("cluster").staged, []);
}

#[test]
fn a_node_that_moves_is_found_again() {
    let mut cluster = Cluster::of_three();
    assert_eq!(put(cluster.http(0), "/buckets/b/keys/k?w=all", None, "milk").expect("answered").status, 204);
    cluster.nodes[1].kill();
    let members: Vec<(String, std::net::SocketAddr)> =
        cluster.nodes.iter().map(|node| (node.name.clone(), node.peer)).collect();
    let moved = &mut cluster.nodes[1];
    (moved.http, moved.peer) = (free_address(), free_address());
    let peer = moved.peer;
    let here = |(name, known): &(String, std::net::SocketAddr)| if name == "n2" { peer } else { *known };
    // Only its own configuration is changed.
    let members: Vec<_> = members.iter().map(|member| (member.0.as_str(), here(member))).collect();
    moved.configure("test", &members);
    moved.start();
    until("everybody writes to it there", || {
        put(cluster.http(0), "/buckets/b/keys/k?w=all", None, "bread").is_ok_and(|reply| reply.status == 204)
    });
    let here = cluster.nodes[1].http.to_string();
    until("operators are shown where", || {
        let report: ClusterReport = cluster.nodes[2].ask("cluster");
        report.members.iter().any(|member| member.name == "n2" && member.http.as_ref() == Some(&here))
    });
}

#[test]
fn a_cluster_that_moves_as_a_whole_finds_itself_again() {
    let mut cluster = Cluster::of_three();
    assert_eq!(put(cluster.http(0), "/buckets/b/keys/k?w=all", None, "milk").expect("answered").status, 204);
    for node in &cluster.nodes {
        until("it has kept where the others are", || {
            let report: ClusterReport = node.ask("cluster");
            report.members.len() == 3 && report.members.iter().all(|member| member.http.is_some())
        });
    }
    for node in &mut cluster.nodes {
        node.terminate();
        (node.http, node.peer) = (free_address(), free_address());
    }
    let members: Vec<(String, std::net::SocketAddr)> =
        cluster.nodes.iter().map(|node| (node.name.clone(), node.peer)).collect();
    let members: Vec<_> = members.iter().map(|(name, peer)| (name.as_str(), *peer)).collect();
    cluster.nodes.iter().for_each(|node| node.configure("test", &members));
    cluster.nodes.iter_mut().for_each(Node::spawn);
    cluster.nodes.iter_mut().for_each(Node::wait_until_ready);
    // What each kept of the others leads nowhere; what they are configured with does.
    for node in 0..3 {
        until("everybody is written to", || {
            put(cluster.http(node), "/buckets/b/keys/k?w=all", None, "bread")
                .is_ok_and(|reply| reply.status == 204)
        });
    }
}
