//! Clients that fill carts, and what must be true of the carts afterwards.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cartwheel_check::{Copies, Copy, History, Insight, Operation, Outcome, WriteId, judge};

use crate::cluster::Node;
use crate::http::{Reply, get, put_as};

/// Carts that all clients fill.
const CARTS: u64 = 4;

/// What all clients share.
pub struct Shop {
    nodes: Vec<SocketAddr>,
    /// How many nodes in turn a client asks before it gives a request up.
    attempts: usize,
    /// Between two visits of a client.
    pause: Duration,
    began: Instant,
    next_id: AtomicU64,
    closed: AtomicBool,
    /// What was answered to requests that were given up, node by node.
    given_up: Mutex<Vec<Vec<String>>>,
    history: Mutex<History>,
}

/// Closes the shop at the end of its scope, also when that comes as a panic: the clients would go on for ever.
pub struct Closing<'a>(&'a AtomicBool);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn path(cart: u64) -> String {
    format!("/buckets/carts/keys/cart-{cart}")
}

/// A cart's value: the items (each the id of the write that added it), and last the id of the write itself.
fn items(value: &str) -> Vec<u64> {
    value.split(',').map(|item| item.parse().expect("an id")).collect()
}

impl Shop {
    pub fn new(nodes: Vec<SocketAddr>, attempts: usize, pause: Duration) -> Self {
        Self {
            nodes,
            attempts,
            pause,
            began: Instant::now(),
            next_id: AtomicU64::new(1),
            closed: AtomicBool::new(false),
            given_up: Mutex::default(),
            history: Mutex::default(),
        }
    }

    pub fn acked(&self) -> usize {
        self.history.lock().expect("whole").acked().count()
    }

    /// Requests that were given up after all attempts, by what was answered.
    pub fn given_up(&self) -> Vec<Vec<String>> {
        self.given_up.lock().expect("whole").clone()
    }

    pub fn open(&self) -> Closing<'_> {
        self.closed.store(false, Ordering::Relaxed);
        Closing(&self.closed)
    }

    /// Adds to carts until the shop is closed.
    pub fn visit(&self, client: u32) {
        let mut turn = u64::from(client);
        while !self.closed.load(Ordering::Relaxed) {
            turn += 1;
            self.add(client, turn % CARTS, turn);
            std::thread::sleep(self.pause);
        }
    }

    /// The first good answer of the nodes, asked one after another.
    fn ask(
        &self,
        turn: u64,
        good: &[u16],
        ask: impl Fn(SocketAddr) -> std::io::Result<Reply>,
    ) -> Option<Reply> {
        let first = usize::try_from(turn).expect("small");
        let mut answers = Vec::new();
        for attempt in 0..self.attempts {
            let node = (first + attempt) % self.nodes.len();
            let asked = self.began.elapsed();
            let answer = match ask(self.nodes[node]) {
                Ok(reply) if good.contains(&reply.status) => return Some(reply),
                Ok(reply) if reply.status == 400 => panic!("{reply:?}"),
                Ok(reply) => format!("{} {}", reply.status, reply.body.trim()),
                Err(error) => error.to_string(),
            };
            let answered = self.began.elapsed();
            answers.push(format!("node {node}, from {asked:?} to {answered:?}: {answer}"));
        }
        self.given_up.lock().expect("whole").push(answers);
        None
    }

    /// Reads a cart, adds one item to all that it was shown, and writes that.
    fn add(&self, client: u32, cart: u64, turn: u64) {
        let Some(shown) = self.ask(turn, &[200, 300, 404], |node| get(node, &path(cart))) else { return };
        let versions: Vec<Vec<u64>> = shown.values().iter().map(|value| items(value)).collect();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let union: BTreeSet<u64> = versions.iter().flatten().copied().collect();
        let body: Vec<String> = union.iter().chain([&id]).map(ToString::to_string).collect();
        let (request, body) = (format!("{id:032x}"), body.join(","));
        let written =
            self.ask(turn / 2, &[204], |node| put_as(node, &path(cart), &request, shown.vclock(), &body));
        let own = |version: &Vec<u64>| WriteId(*version.last().expect("an id"));
        self.history.lock().expect("whole").record(Operation {
            id: WriteId(id),
            client,
            key: path(cart),
            deletes: false,
            seen: versions.iter().map(own).collect(),
            what: format!("adds item {id}"),
            outcome: if written.is_some() { Outcome::Acked } else { Outcome::Unknown },
            ended_ns: u64::try_from(self.began.elapsed().as_nanos()).expect("a short test"),
            acked_by: Vec::new(),
        });
    }

    /// Every acknowledged write is on each of `nodes`, or was replaced by one that had seen it. How many there were.
    pub fn assert_nothing_lost(self, nodes: &[&Node]) -> u64 {
        let history = self.history.into_inner().expect("whole");
        let verdict = judge(&history, &copies(nodes), &Insight::NONE);
        // A request that was done twice may show an old version again; from outside nobody can tell.
        assert!(verdict.lost.is_empty() && verdict.diverged.is_empty(), "{verdict:#?}");
        assert_items_kept(&history, nodes[0]);
        verdict.acked_writes
    }
}

/// What each node answers when all must.
fn copies(nodes: &[&Node]) -> Copies {
    (0..CARTS).map(|cart| (path(cart), nodes.iter().map(|node| copy(node, cart)).collect())).collect()
}

fn copy(node: &Node, cart: u64) -> Copy {
    let last = |value: &String| WriteId(*items(value).last().expect("an id"));
    Copy { node: node.name.clone(), versions: shown(node, cart).iter().map(last).collect() }
}

fn shown(node: &Node, cart: u64) -> Vec<String> {
    let reply = get(node.http, &format!("{}?r=all", path(cart))).expect("answered");
    assert!([200, 300].contains(&reply.status), "{reply:?}");
    reply.values()
}

/// The same question asked in the shop's own terms, without the judge.
fn assert_items_kept(history: &History, node: &Node) {
    for cart in 0..CARTS {
        let kept: BTreeSet<u64> = shown(node, cart).iter().flat_map(|value| items(value)).collect();
        let missing: Vec<&Operation> =
            history.acked().filter(|write| write.key == path(cart) && !kept.contains(&write.id.0)).collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
