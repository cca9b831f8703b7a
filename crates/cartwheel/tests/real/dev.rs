//! `cartwheel dev`, as a person uses it.

use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::{cartwheel, free_ports as free_ports_in_a_row, until};
use crate::http::{get, put};
use crate::pb::Client;

struct Dev {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    nodes: Vec<(SocketAddr, Pid)>,
}

impl Dev {
    /// Runs until all nodes are ready.
    fn start(data: &str, port: u16) -> Self {
        Self::start_with(data, port, &[])
    }

    fn start_with(data: &str, port: u16, words: &[&str]) -> Self {
        let mut process = cartwheel()
            .args(["dev", "--data", data, "--http-port", &port.to_string()])
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let mut dev = Self { process, lines, nodes: Vec::new() };
        loop {
            let line = dev.line();
            if line.starts_with("ready") {
                return dev;
            }
            if line.contains("https://") || line.contains("protocol buffers") {
                continue;
            }
            dev.nodes.push(node(&line));
        }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("another line").expect("text")
    }

    fn stop(mut self) {
        signal(&self.process, Signal::TERM);
        assert!(self.process.wait().expect("buried").success());
        for (http, _) in &self.nodes {
            assert!(get(*http, "/ping").is_err(), "{http} has stopped, too");
        }
    }
}

impl Drop for Dev {
    /// A test that failed leaves no nodes behind.
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(&self.process, Signal::TERM);
            drop(self.process.wait());
        }
    }
}

fn signal(process: &Child, signal: Signal) {
    let pid = Pid::from_raw(process.id().try_into().expect("a pid")).expect("a pid");
    kill_process(pid, signal).expect("signalled");
}

/// `n1  http://127.0.0.1:8098  pid 123`
fn node(line: &str) -> (SocketAddr, Pid) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["n1" | "n2" | "n3" | "n4", url, "pid", pid] = words.as_slice() else {
        panic!("{line:?} names no node")
    };
    let http = url.strip_prefix("http://").and_then(|http| http.parse().ok()).expect("an address");
    (http, Pid::from_raw(pid.parse().expect("a number")).expect("a pid"))
}

/// Four nodes in steps of 10, the peer's port next to the HTTP port.
const PORTS: u16 = 32;
/// From a node's protocol-buffers port to its HTTP port.
const PB_OFFSET: u16 = 11;

/// The first node's HTTP port, in a row that nobody else is given.
fn free_ports(count: u16) -> u16 {
    free_ports_in_a_row(count + PB_OFFSET) + PB_OFFSET
}

#[test]
fn a_development_cluster_survives_the_death_of_a_node_and_its_own_end() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("dev").display().to_string();
    let port = free_ports(PORTS);
    let mut dev = Dev::start(&data, port);
    let http: Vec<SocketAddr> = dev.nodes.iter().map(|(http, _)| *http).collect();
    assert_eq!(http.iter().map(SocketAddr::port).collect::<Vec<_>>(), [port, port + 10, port + 20]);
    let path = "/buckets/b/keys/k";
    assert_eq!(put(http[0], path, None, "milk").expect("answered").status, 204);
    let mut binary = Client::connect(([127, 0, 0, 1], port + 10 - PB_OFFSET).into());
    assert_eq!(binary.get("b", "k").content[0].value, "milk", "protocol buffers at 11 below HTTP");

    kill_process(dev.nodes[1].1, Signal::KILL).expect("killed");
    assert!(dev.line().starts_with("n2 (pid "), "says who died");
    let how = dev.line();
    let (_, command) = how.split_once("start it again with: ").expect("says how to start it again");
    assert_eq!(get(http[2], path).expect("answered").values(), ["milk"]);

    let mut words = command.split_whitespace().skip(1);
    let mut again = cartwheel().args(words.by_ref()).stderr(Stdio::null()).spawn().expect("the binary");
    until("n2 answers again", || get(http[1], "/ping").is_ok());
    assert_eq!(get(http[1], path).expect("answered").values(), ["milk"]);
    signal(&again, Signal::TERM);
    assert!(again.wait().expect("buried").success());
    dev.stop();

    let dev = Dev::start(&data, port);
    assert_eq!(get(http[1], path).expect("answered").values(), ["milk"], "the same cluster again");
    dev.stop();
}

#[test]
fn a_cluster_that_has_begun_with_tls_goes_on_with_it_and_so_does_one_that_joins() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("dev").display().to_string();
    let port = free_ports(PORTS);
    Dev::start_with(&data, port, &["--tls"]).stop();
    let dev = Dev::start(&data, port);
    let ca = format!("{data}/tls/ca.pem");
    let status = |port: u16| {
        let node = format!("https://localhost:{port}");
        let asked = cartwheel().args(["cluster", "status", "--node", &node, "--ca", &ca]).output();
        let asked = asked.expect("the binary");
        let said = String::from_utf8_lossy(&[asked.stdout, asked.stderr].concat()).into_owned();
        assert!(asked.status.success(), "{said}");
        said
    };
    assert!(status(port + 12).contains("n3"));
    let path = "/buckets/b/keys/k?w=all&timeout=20000";
    until("all keep a write", || put(dev.nodes[0].0, path, None, "milk").is_ok_and(|it| it.status == 204));

    let added = cartwheel().args(["dev", "add", "--data", &data]).output().expect("the binary");
    assert!(added.status.success(), "{added:?}");
    let config = format!("{data}/n4/node.toml");
    let mut n4 =
        cartwheel().args(["serve", "--config", &config]).stderr(Stdio::null()).spawn().expect("the binary");
    until("n4 has made itself known", || status(port + 2).contains("n4"));
    signal(&n4, Signal::TERM);
    assert!(n4.wait().expect("buried").success());
    dev.stop();
}

#[test]
fn a_cluster_keeps_its_size() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().display().to_string();
    let port = free_ports(PORTS);
    Dev::start(&data, port).stop();
    let refused = cartwheel().args(["dev", "--nodes", "4", "--data", &data]).output().expect("the binary");
    assert_eq!(refused.status.code(), Some(2));
    let why = String::from_utf8(refused.stderr).expect("text");
    assert!(why.contains("holds 3 nodes, not 4; leave out --nodes"), "{why}");
}

#[test]
fn a_second_start_leaves_a_running_cluster_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("dev").display().to_string();
    let dev = Dev::start(&data, free_ports(PORTS));
    let config = || std::fs::read_to_string(format!("{data}/n1/node.toml")).expect("readable");
    let before = config();
    let elsewhere = free_ports(PORTS).to_string();
    let second =
        cartwheel().args(["dev", "--data", &data, "--http-port", &elsewhere]).output().expect("the binary");
    assert_eq!(second.status.code(), Some(2));
    let why = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(why.contains("n1 is running"), "{why}");
    assert_eq!(config(), before);
    dev.stop();
}

#[test]
fn a_node_is_added_as_dev_says_and_belongs_to_the_cluster_ever_after() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("dev").display().to_string();
    let port = free_ports(PORTS);
    let dev = Dev::start(&data, port);
    let node = format!("http://127.0.0.1:{port}");
    let said = cartwheel().args(["dev", "add", "--data", &data]).output().expect("the binary");
    let said = String::from_utf8(said.stdout).expect("text");
    let after = |label: &str| {
        let line = said.lines().find_map(|line| line.trim().strip_prefix(label)).expect("said");
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut added =
        cartwheel().args(after("start it with:")).stderr(Stdio::null()).spawn().expect("the binary");
    let http = SocketAddr::from(([127, 0, 0, 1], port + 30));
    until("n4 may be let in", || {
        cartwheel().args(after("then let it in with:")).output().expect("the binary").status.success()
    });
    for step in ["see what would move:", "and make it so with:"] {
        let done = cartwheel().args(after(step)).output().expect("the binary");
        assert!(done.status.success(), "{step} {done:?}");
    }
    let watched =
        cartwheel().args(["cluster", "transfers", "--watch", "--node", &node]).output().expect("the binary");
    assert!(watched.status.success(), "{watched:?}");
    let path = "/buckets/b/keys/k";
    assert_eq!(put(http, path, None, "milk").expect("answered").status, 204);
    signal(&added, Signal::TERM);
    assert!(added.wait().expect("buried").success());
    dev.stop();

    let dev = Dev::start(&data, port);
    assert_eq!(dev.nodes.len(), 4);
    assert_eq!(get(http, path).expect("answered").values(), ["milk"]);
    dev.stop();
}
