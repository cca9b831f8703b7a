//! What whoever watches over nodes reads.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, until};
use crate::http::{delete, get, put, send};

/// The samples of `/metrics`: name with labels, and value. Whatever is not well formed fails.
fn metrics(cluster: &Cluster, node: usize) -> BTreeMap<String, f64> {
    let page = get(cluster.http(node), "/metrics").expect("answered");
    assert_eq!(page.status, 200);
    let content_type = page.header("content-type").expect("a type");
    assert!(content_type.starts_with("application/openmetrics-text; version=1.0.0"), "{content_type}");
    assert!(page.body.ends_with("# EOF\n") && page.body.matches("# EOF").count() == 1, "{}", page.body);
    let samples = page.body.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a sample");
            assert!(name.starts_with("cartwheel_"), "{line}");
            (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")))
        })
        .collect()
}

#[test]
fn what_is_asked_is_measured_under_the_names_of_prometheus_and_of_riak() {
    let mut cluster = Cluster::of_three();
    let path = "/buckets/b/keys/k";
    assert_eq!(get(cluster.http(0), path).expect("answered").status, 404);
    for value in ["milk", "bread"] {
        assert_eq!(put(cluster.http(0), path, None, value).expect("answered").status, 204);
    }
    let seen = get(cluster.http(0), path).expect("answered");
    assert_eq!(seen.status, 300, "two versions");
    assert_eq!(delete(cluster.http(0), path, seen.vclock()).expect("answered").status, 204);
    assert_eq!(get(cluster.http(0), "/buckets/b/keys?keys=true").expect("answered").status, 200);
    let measured = metrics(&cluster, 0);
    let sample = |name: &str| *measured.get(name).unwrap_or_else(|| panic!("no {name} in {measured:#?}"));
    for (name, value) in [
        (r#"cartwheel_requests_total{operation="get",outcome="not_found"}"#, 1.0),
        (r#"cartwheel_requests_total{operation="get",outcome="ok"}"#, 1.0),
        (r#"cartwheel_requests_total{operation="put",outcome="ok"}"#, 2.0),
        (r#"cartwheel_requests_total{operation="delete",outcome="ok"}"#, 1.0),
        (r#"cartwheel_requests_total{operation="list",outcome="ok"}"#, 1.0),
        (r#"cartwheel_request_duration_seconds_count{operation="put"}"#, 2.0),
        (r#"cartwheel_request_duration_seconds_count{operation="list"}"#, 1.0),
        ("cartwheel_siblings_sum", 2.0),
        ("cartwheel_serves", 1.0),
        ("cartwheel_boot", 1.0),
        ("cartwheel_sibling_reads_total", 1.0),
        ("cartwheel_sloppy_writes_total", 0.0),
        (r#"cartwheel_peer_dropped_messages_total{peer="n2"}"#, 0.0),
        (r#"cartwheel_member_info{status="member",ring="#, 1.0),
    ] {
        let found = measured.iter().find(|(known, _)| known.starts_with(name));
        assert_eq!(found.map(|(_, value)| *value), Some(value), "{name} in {measured:#?}");
    }
    assert!(sample(r#"cartwheel_request_duration_seconds_sum{operation="put"}"#) > 0.0);

    let stats: serde_json::Value =
        serde_json::from_str(&get(cluster.http(0), "/stats").expect("answered").body).expect("JSON");
    assert_eq!((&stats["node_gets_total"], &stats["node_puts_total"]), (&2.into(), &3.into()));
    assert_eq!(stats["ring_num_partitions"], 16);
    assert_eq!(stats["node_get_fsm_siblings_100"], 2);
    assert!(stats["node_put_fsm_time_95"].as_u64().is_some_and(|us| us > 0), "{stats}");
    assert!(stats["riak_kv_version"].as_str().is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit())));

    cluster.nodes[1].kill();
    cluster.nodes[2].kill();
    let unmet =
        put(cluster.http(0), &format!("{path}?pw=quorum&timeout=1500"), None, "eggs").expect("answered");
    assert_eq!(unmet.status, 503);
    until("failures are counted by their reason", || {
        let measured = metrics(&cluster, 0);
        let failed = |name: &str| measured.get(name).copied().unwrap_or(0.0);
        failed(r#"cartwheel_requests_total{operation="put",outcome="quorum_unmet"}"#)
            + failed(r#"cartwheel_requests_total{operation="put",outcome="timeout"}"#)
            >= 1.0
    });
}

#[test]
fn probes_tell_a_node_that_lives_from_one_that_serves() {
    let cluster = Cluster::of_three();
    let probe = |page: &str| get(cluster.http(0), page).expect("answered");
    assert_eq!((probe("/health").status, probe("/health").body.as_str()), (200, "ok\n"));
    until("it serves", || probe("/ready").status == 200);
    let mut newcomer = crate::cluster::Node::new(&cluster.dir, "n4");
    newcomer.configure("test", &[("n1", cluster.nodes[0].peer), ("n2", cluster.nodes[1].peer)]);
    newcomer.start();
    let probe = |page: &str| get(newcomer.http, page).expect("answered");
    assert_eq!(probe("/health").status, 200, "it lives");
    let not_ready = probe("/ready");
    assert_eq!(not_ready.status, 503);
    assert!(not_ready.body.starts_with("takes no requests: it is "), "{not_ready:?}");
    let refused = send(cluster.http(0), "POST", "/metrics", &[], "").expect("answered");
    assert_eq!(refused.status, 405);
}
