//! Starts that must not happen, and strangers who must not get in.

use std::net::TcpListener;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::cluster::{Node, cartwheel, free_address, until};

/// Starts a node that will not run; its one line.
fn refusal(node: &Node) -> String {
    complaint(cartwheel().arg("serve").arg("--config").arg(node.config()))
}

fn complaint(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().expect("the binary");
    let stderr = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(2), "{stderr}");
    // What was opened before may have been logged.
    let complaints: Vec<&str> = stderr.lines().filter(|line| line.starts_with("cartwheel: ")).collect();
    let [complaint] = complaints.as_slice() else { panic!("{stderr}") };
    (*complaint).to_owned()
}

fn assert_says(line: &str, words: &[&str]) {
    for word in words {
        assert!(line.contains(word), "{line:?} should say {word:?}");
    }
}

/// A cluster of one, whose data directory exists.
fn lone(dir: &TempDir) -> Node {
    let mut node = Node::new(dir, "n1");
    node.configure("shop", &[("n1", node.peer)]);
    node.start();
    assert!(node.terminate().success());
    node
}

#[test]
fn data_of_another_cluster_is_not_touched() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = lone(&dir);
    node.configure("bank", &[("n1", node.peer)]);
    assert_says(&refusal(&node), &["data", "shop", "bank"]);
}

#[test]
fn data_of_another_node_is_not_touched() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut node = lone(&dir);
    node.name = "n2".to_owned();
    node.configure("shop", &[("n2", node.peer)]);
    assert_says(&refusal(&node), &["data", "n1", "n2"]);
}

#[test]
fn what_was_fixed_when_the_cluster_was_founded_stays() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut node = lone(&dir);
    // Its state is kept some moments after the start.
    node.start();
    until("the state of the cluster is kept", || {
        node.config().with_file_name("data").join("cluster").exists()
    });
    assert!(node.terminate().success());
    let good = std::fs::read_to_string(node.config()).expect("written");
    std::fs::write(node.config(), good.replace("partitions = 16", "partitions = 32")).expect("written");
    assert_says(&refusal(&node), &["partitions = 32", "founded with partitions = 16, for ever"]);
}

#[test]
fn an_address_in_use_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = Node::new(&dir, "n1");
    node.configure("shop", &[("n1", node.peer)]);
    let taken = TcpListener::bind(node.http).expect("free");
    assert_says(&refusal(&node), &["http", &node.http.to_string(), "in use"]);
    drop(taken);
    let taken = TcpListener::bind(node.peer).expect("free");
    assert_says(&refusal(&node), &["peer", &node.peer.to_string(), "in use"]);
    drop(taken);
}

#[test]
fn data_in_use_is_not_opened_twice() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut node = lone(&dir);
    node.start();
    let (http, peer) = (node.http, node.peer);
    (node.http, node.peer) = (free_address(), free_address());
    node.configure("shop", &[("n1", node.peer)]);
    assert_says(&refusal(&node), &["data"]);
    (node.http, node.peer) = (http, peer);
}

#[test]
fn a_bad_configuration_is_one_line_with_file_key_and_what_is_allowed() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = Node::new(&dir, "n1");
    node.configure("shop", &[("n1", node.peer)]);
    let good = std::fs::read_to_string(node.config()).expect("written");
    let file = node.config().display().to_string();
    std::fs::write(node.config(), good.replace("partitions", "partition")).expect("written");
    assert_says(&refusal(&node), &[&file, "partition", "unknown field", "`partitions`"]);
    std::fs::write(node.config(), good.replace("n = 1", "n = 2")).expect("written");
    assert_says(&refusal(&node), &[&file, "n = 2", "allowed are 1..=1"]);
    std::fs::remove_file(node.config()).expect("removed");
    assert_says(&refusal(&node), &[&file, "cannot be read"]);
}

#[test]
fn a_stranger_is_refused_and_both_sides_say_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut ours, mut theirs) = (Node::new(&dir, "n1"), Node::new(&dir, "n2"));
    let members = [("n1", ours.peer), ("n2", theirs.peer)];
    ours.configure("shop", &members);
    theirs.configure("bank", &members);
    ours.start();
    theirs.start();
    until("both have logged it", || {
        let why = r#"cluster \"shop\" called cluster \"bank\""#;
        let said = |log: String| log.contains(why) || log.contains(&why.replace('\\', ""));
        said(ours.log()) && said(theirs.log())
    });
}
