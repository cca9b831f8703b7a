//! What real nodes record, whatever kills them, does the same again.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

use crate::cluster::{Cluster, cartwheel, until};
use crate::http::{get, put};

const KEYS: usize = 20;

fn path(key: usize) -> String {
    format!("/buckets/carts/keys/cart-{key}")
}

fn data(cluster: &Cluster) -> Vec<PathBuf> {
    cluster.nodes.iter().map(|node| node.data()).collect()
}

/// `cartwheel replay --flight DIR...` with more words.
fn replay(dirs: &[PathBuf], words: &[&str]) -> Output {
    cartwheel().args(["replay", "--flight"]).args(dirs).args(words).output().expect("the binary")
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    assert!(output.status.success(), "{out}{err}");
    out
}

fn json(dirs: &[PathBuf], words: &[&str]) -> Value {
    serde_json::from_str(&said(&replay(dirs, &[&["--json"], words].concat()))).expect("JSON")
}

/// Everything that was recorded was re-executed: how many inputs.
fn all_equal(flight: &Value) -> u64 {
    let boots = flight["boots"].as_array().expect("a list");
    let number = |boot: &Value, what: &str| boot[what].as_u64().expect("a number");
    for boot in boots {
        assert_eq!(boot["outputs_equal"], true, "{boot}");
        assert_eq!(number(boot, "inputs_executed"), number(boot, "inputs_read"), "{boot}");
    }
    boots.iter().map(|boot| number(boot, "inputs_executed")).sum()
}

/// A load, a node that is killed in the middle of it, and in the end all of them.
fn incident(cluster: &mut Cluster) {
    for key in 0..KEYS {
        assert_eq!(
            put(cluster.http(key % 3), &path(key), None, "secret milk").expect("answered").status,
            204
        );
    }
    cluster.nodes[1].kill();
    for key in 0..KEYS {
        let seen = get(cluster.http(0), &path(key)).expect("answered");
        let written = put(cluster.http(2), &path(key), seen.vclock(), "secret butter").expect("answered");
        assert_eq!(written.status, 204);
    }
    let owed = |cluster: &Cluster| cluster.nodes[0].owes() + cluster.nodes[2].owes();
    until("each missed write is owed to n2", || owed(cluster) >= KEYS as u64);
    cluster.nodes[1].start();
    until("n2 has got what it missed", || owed(cluster) == 0);
    cluster.wait_until_drained();
    let recorded = |index: usize| cluster.nodes[index].status()["flight"]["recorded"].as_u64();
    let before = recorded(1);
    until("the recorder goes on", || recorded(1) > before);
    cluster.nodes.iter_mut().for_each(crate::cluster::Node::kill);
}

#[test]
fn three_nodes_that_were_killed_do_the_same_again() {
    let mut cluster = Cluster::of_three();
    incident(&mut cluster);
    let dirs = data(&cluster);
    let flight = json(&dirs, &["--key", "carts/cart-1"]);
    assert_eq!(flight["boots"].as_array().map(Vec::len), Some(4), "n2 twice");
    assert!(all_equal(&flight) > 500, "{flight}");
    assert_eq!(flight["key"]["homes"].as_array().map(Vec::len), Some(3));
    for node in flight["nodes"].as_array().expect("a list") {
        let versions = node["record"]["siblings"].as_array().expect("seen");
        let value = versions[0]["value"].as_str().expect("text");
        assert!(versions.len() == 1 && value.contains("secret butter"), "{node}");
    }

    // In the middle, n2 is down, and is owed what it misses.
    let boots = flight["boots"].as_array().expect("a list");
    let second = boots.iter().find(|boot| boot["node"] == "n2" && boot["boot"] == 2).expect("a boot");
    let before = second["begins_ns"].as_u64().expect("a time") - 1_000_000;
    let until = format!("{}.{:09}s", before / 1_000_000_000, before % 1_000_000_000);
    let beyond = replay(&dirs, &["--until", "100000s"]);
    let why = String::from_utf8_lossy(&beyond.stderr).into_owned();
    assert!(beyond.status.code() == Some(2) && why.contains("--until: the recordings end at "), "{beyond:?}");
    let text = said(&replay(&dirs, &["--until", &until, "--key", "carts/cart-1"]));
    assert!(text.contains("outputs equal") && text.contains("hint      it owes the key to n2"), "{text}");

    let page = cluster.dir.path().join("flight.html");
    said(&replay(&dirs, &["--report", page.to_str().expect("a path")]));
    let page = fs::read_to_string(page).expect("a page");
    assert!(page.contains("Flight of n1 n2 n3") && page.contains("secret butter"));
}

#[test]
fn where_only_hashes_are_kept_it_is_the_same_and_no_value_is_there() {
    let mut cluster = Cluster::of_three_with(&["flight_values = \"hashes\""]);
    incident(&mut cluster);
    let dirs = data(&cluster);
    let flight = json(&dirs, &["--key", "carts/cart-1"]);
    assert!(all_equal(&flight) > 500, "{flight}");
    let homes = flight["nodes"].as_array().expect("a list");
    assert!(homes.iter().all(|node| node["record"]["siblings"].as_array().map(Vec::len) == Some(1)));
    let trace = cluster.dir.path().join("flight.jsonl");
    said(&replay(&dirs, &["--since", "0s", "--trace", trace.to_str().expect("a path")]));
    let trace = fs::read_to_string(trace).expect("a trace");
    assert!(trace.contains("cart-1") && !trace.contains("secret"), "a value was kept");
}

#[test]
fn a_node_without_a_flight_recorder_records_nothing() {
    let mut cluster = Cluster::of_three_with(&["flight_bytes_max = 0"]);
    assert_eq!(put(cluster.http(0), &path(0), None, "milk").expect("answered").status, 204);
    assert_eq!(cluster.nodes[0].status()["flight"], Value::Null);
    cluster.nodes.iter_mut().for_each(crate::cluster::Node::kill);
    let output = replay(&data(&cluster)[..1], &[]);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), complaint.lines().count()), (Some(2), 1), "{complaint}");
    assert!(complaint.contains("no flight recording is here"), "{complaint}");
}
