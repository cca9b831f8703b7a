//! Starting, killing and watching nodes.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;

use crate::http;

/// Longer than anything here takes, even on a machine that several people use.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test.
pub fn cartwheel() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cartwheel"))
}

/// Waits until `condition` holds.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited {PATIENCE:?} until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until `condition` holds; if it never does, says what was in the way last.
pub fn until_ok(what: &str, mut condition: impl FnMut() -> Result<(), String>) {
    let end = Instant::now() + PATIENCE;
    while let Err(why) = condition() {
        assert!(Instant::now() < end, "waited {PATIENCE:?} until {what}: {why}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The first of `count` ports in a row that nobody listens on and nobody else here is given. Below the range from
/// which the system takes ports for outgoing connections: otherwise one of those could sit on the port of a node that
/// is down when it is started again.
pub fn free_ports(count: u16) -> u16 {
    const FIRST: u16 = 18_000;
    const COUNT: u16 = 14_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Other test runs on this machine start elsewhere.
    let start = u16::try_from(std::process::id() * 61 % u32::from(COUNT)).expect("below COUNT");
    loop {
        let offset = NEXT.fetch_add(count, Ordering::Relaxed) % (COUNT - count);
        let first = FIRST + (start + offset) % (COUNT - count);
        if (first..first + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
}

pub fn free_address() -> SocketAddr {
    ([127, 0, 0, 1], free_ports(1)).into()
}

/// One node: its files, its addresses, and its process while it runs.
pub struct Node {
    pub name: String,
    pub http: SocketAddr,
    pub peer: SocketAddr,
    dir: PathBuf,
    child: Option<Child>,
}

impl Node {
    pub fn new(dir: &TempDir, name: &str) -> Self {
        let dir = dir.path().join(name);
        fs::create_dir_all(&dir).expect("a directory");
        Self { name: name.to_owned(), http: free_address(), peer: free_address(), dir, child: None }
    }

    pub fn config(&self) -> PathBuf {
        self.dir.join("node.toml")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    pub fn configure(&self, cluster: &str, members: &[(&str, SocketAddr)]) {
        let Self { name, http, peer, .. } = self;
        let n = members.len().min(3);
        let mut text = format!(
            "cluster = \"{cluster}\"\nnode = \"{name}\"\ndata = \"data\"\nhttp = \"{http}\"\npeer = \"{peer}\"\n\
             partitions = 16\nn = {n}\nhint_interval_ms = 200\nanti_entropy_interval_ms = 50\n\
             gossip_interval_ms = 100\nswim_interval_ms = 200\nhandoff_interval_ms = 100\nstart_wait_ms = 500\n"
        );
        for (name, peer) in members {
            text += &format!("[[member]]\nname = \"{name}\"\npeer = \"{peer}\"\n");
        }
        fs::write(self.config(), text).expect("written");
    }

    /// Adds to its configuration: lines, and tables.
    pub fn configure_also(&self, lines: &str, tables: &str) {
        let before = fs::read_to_string(self.config()).expect("configured");
        fs::write(self.config(), format!("{lines}\n{before}\n{tables}\n")).expect("written");
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Bytes of memory that it occupies.
    pub fn memory(&self) -> u64 {
        let id = self.child.as_ref().expect("it runs").id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }

    /// Where its data is.
    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Starts it, and waits until it answers.
    pub fn start(&mut self) {
        self.spawn();
        self.wait_until_ready();
    }

    pub fn spawn(&mut self) {
        let log = File::options().append(true).create(true).open(self.dir.join("log")).expect("a log");
        let child = cartwheel()
            .args(["serve".as_ref(), "--config".as_ref(), self.config().as_os_str()])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("the binary"));
    }

    /// Starts it so that its files can be kept from growing, with an error instead of a signal.
    pub fn spawn_limited(&mut self) {
        let log = File::options().append(true).create(true).open(self.dir.join("log")).expect("a log");
        let program = cartwheel().get_program().to_owned();
        let child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" serve --config \"$1\""])
            .args([program.as_os_str(), self.config().as_os_str()])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("a shell"));
    }

    /// No file of it grows beyond so many bytes; `None`: as it likes.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(self.pid()), Resource::Fsize, limit).expect("a limit");
    }

    fn pid(&self) -> Pid {
        let child = self.child.as_ref().expect("it runs");
        Pid::from_raw(child.id().try_into().expect("a pid")).expect("a pid")
    }

    pub fn wait_until_ready(&mut self) {
        let end = Instant::now() + PATIENCE;
        while !http::get(self.http, "/ping").is_ok_and(|reply| reply.status == 200) {
            let child = self.child.as_mut().expect("started");
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none(), "{} ended: {ended:?}\n{}", self.name, self.log());
            assert!(Instant::now() < end, "{} does not answer\n{}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Whether it has had a connection to every other member.
    fn has_called_all(&self) -> bool {
        let status = self.status();
        let peers = status["peers"].as_array().expect("a list");
        peers.iter().all(|peer| peer["connects"].as_u64().is_some_and(|times| times > 0))
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("buried");
        }
    }

    /// How many keys it keeps for others.
    pub fn owes(&self) -> u64 {
        let status = self.status();
        let hints = status["hints"].as_array().expect("a list");
        hints.iter().map(|hint| hint["keys"].as_u64().expect("a number")).sum()
    }

    /// Where its backup of this name is.
    pub fn backup(&self, name: &str) -> PathBuf {
        self.dir.join("backups").join(name)
    }

    /// Deletes its data, while it is down.
    pub fn lose_disk(&self) {
        assert!(self.child.is_none(), "{} is running", self.name);
        fs::remove_dir_all(self.dir.join("data")).expect("removed");
    }

    /// Copies its data, while it is down.
    pub fn back_up(&self) {
        copy(&self.dir.join("data"), &self.dir.join("backup"));
    }

    /// Puts the copy in the place of its data, while it is down.
    pub fn put_back(&self) {
        self.lose_disk();
        fs::rename(self.dir.join("backup"), self.dir.join("data")).expect("renamed");
    }

    /// Whether it took its data for an old copy.
    pub fn has_put_aside(&self) -> bool {
        self.dir.join("data.old-1").is_dir()
    }

    /// SIGTERM: how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = self.pid();
        let mut child = self.child.take().expect("it runs");
        kill_process(pid, Signal::TERM).expect("terminated");
        child.wait().expect("buried")
    }

    pub fn status(&self) -> serde_json::Value {
        self.ask("status")
    }

    /// What it says of itself or the cluster, in JSON.
    pub fn ask<T: serde::de::DeserializeOwned>(&self, page: &str) -> T {
        let reply = http::get(self.http, &format!("/cartwheel/{page}")).expect("it runs");
        serde_json::from_str(&reply.body).unwrap_or_else(|error| panic!("{error}: {reply:?}"))
    }

    /// `cartwheel cluster ...`, asking this node.
    pub fn operator(&self, words: &[&str]) -> Output {
        let url = format!("http://{}", self.http);
        cartwheel().arg("cluster").args(words).args(["--node", &url]).output().expect("the binary")
    }

    /// The same, which must succeed: what it prints.
    pub fn operate(&self, words: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.operator(words);
        let said = String::from_utf8_lossy(&stderr).into_owned();
        assert!(status.success(), "{words:?}: {said}");
        String::from_utf8(stdout).expect("text")
    }

    /// One of its counters.
    pub fn count(&self, counter: &str) -> u64 {
        self.status()["counters"][counter].as_u64().unwrap_or_else(|| panic!("no counter {counter}"))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy(&from, &to) } else { fs::copy(&from, &to).map(drop).expect("copied") }
    }
}

#[expect(clippy::print_stderr, reason = "a test that fails shows what the nodes said")]
impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- log of {}:\n{}", self.name, self.log());
        }
    }
}

/// A cluster of nodes that know each other.
pub struct Cluster {
    pub nodes: Vec<Node>,
    /// After the nodes, which it must outlive.
    pub dir: TempDir,
}

impl Cluster {
    /// Starts three nodes, and waits until they answer, and have called each other.
    pub fn of_three() -> Self {
        Self::of_three_with(&[])
    }

    /// The same, with something set on each.
    pub fn of_three_with(lines: &[&str]) -> Self {
        Self::of_three_each(|_| lines.join("\n"))
    }

    /// The same, with what is set depending on the node.
    pub fn of_three_each(lines: impl Fn(usize) -> String) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let mut nodes: Vec<Node> = ["n1", "n2", "n3"].map(|name| Node::new(&dir, name)).into();
        let members: Vec<(String, SocketAddr)> =
            nodes.iter().map(|node| (node.name.clone(), node.peer)).collect();
        let members: Vec<(&str, SocketAddr)> =
            members.iter().map(|(name, peer)| (name.as_str(), *peer)).collect();
        nodes.iter().for_each(|node| node.configure("test", &members));
        nodes.iter().enumerate().for_each(|(index, node)| node.configure_also(&lines(index), ""));
        nodes.iter_mut().for_each(Node::spawn);
        nodes.iter_mut().for_each(Node::wait_until_ready);
        // Who answers does not yet reach the others, and a write to all of them would be told so.
        for node in &nodes {
            until(&format!("{} has called the others", node.name), || node.has_called_all());
        }
        Self { nodes, dir }
    }

    pub fn http(&self, index: usize) -> SocketAddr {
        self.nodes[index].http
    }

    /// Waits until no node owes anything to another, as far as each knows, and none suspects another.
    pub fn wait_until_drained(&self) {
        for node in &self.nodes {
            until(&format!("the hints of {} are delivered", node.name), || {
                let status = node.status();
                status["hints_idle"] == true && status["suspected"].as_array().is_some_and(Vec::is_empty)
            });
        }
    }
}
