//! All nodes are killed at once under load, several times: no acknowledged write may be missing afterwards.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use cartwheel_check::{Copies, Copy, History, Insight, Operation, Outcome, WriteId, judge};

use crate::cluster::{Cluster, Node, until};
use crate::http::{get, put};

const CLIENTS: u32 = 6;
const CARTS: u64 = 4;
const ROUNDS: usize = 3;
/// Acknowledged writes in each round before the power goes.
const ACKED_PER_ROUND: usize = 150;

/// What all clients share.
struct Shop {
    nodes: Vec<SocketAddr>,
    began: Instant,
    next_id: AtomicU64,
    closed: AtomicBool,
    history: Mutex<History>,
}

/// Closes the shop at the end of its scope, also when that comes as a panic: the clients would go on for ever.
struct Closing<'a>(&'a AtomicBool);

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
    fn acked(&self) -> usize {
        self.history.lock().expect("whole").acked().count()
    }

    /// Adds to carts until the shop is closed.
    fn visit(&self, client: u32) {
        let mut turn = u64::from(client);
        while !self.closed.load(Ordering::Relaxed) {
            turn += 1;
            self.add(client, turn % CARTS, turn);
        }
    }

    /// Reads a cart, adds one item to all that it was shown, and writes that.
    fn add(&self, client: u32, cart: u64, turn: u64) {
        let node = |turn: u64| self.nodes[usize::try_from(turn).expect("small") % self.nodes.len()];
        let Ok(shown) = get(node(turn), &path(cart)) else { return };
        if ![200, 300, 404].contains(&shown.status) {
            return;
        }
        let versions: Vec<Vec<u64>> = shown.values().iter().map(|value| items(value)).collect();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let union: BTreeSet<u64> = versions.iter().flatten().copied().collect();
        let body: Vec<String> = union.iter().chain([&id]).map(ToString::to_string).collect();
        let outcome = match put(node(turn / 2), &path(cart), shown.vclock(), &body.join(",")) {
            Ok(reply) if reply.status == 204 => Outcome::Acked,
            Ok(reply) if reply.status == 400 => panic!("{reply:?}"),
            _ => Outcome::Unknown,
        };
        let own = |version: &Vec<u64>| WriteId(*version.last().expect("an id"));
        self.history.lock().expect("whole").record(Operation {
            id: WriteId(id),
            client,
            key: path(cart),
            deletes: false,
            seen: versions.iter().map(own).collect(),
            what: format!("adds item {id}"),
            outcome,
            ended_ns: u64::try_from(self.began.elapsed().as_nanos()).expect("a short test"),
            acked_by: Vec::new(),
        });
    }
}

#[test]
fn no_acknowledged_write_is_lost_when_all_nodes_are_killed_under_load() {
    let mut cluster = Cluster::of_three();
    let shop = Shop {
        nodes: cluster.nodes.iter().map(|node| node.http).collect(),
        began: Instant::now(),
        next_id: AtomicU64::new(1),
        closed: AtomicBool::new(false),
        history: Mutex::default(),
    };
    for round in 1..=ROUNDS {
        shop.closed.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let shop = &shop;
                scope.spawn(move || shop.visit(client));
            }
            let _closing = Closing(&shop.closed);
            until("enough was written", || shop.acked() >= round * ACKED_PER_ROUND);
            cluster.nodes.iter_mut().for_each(Node::kill);
        });
        cluster.nodes.iter_mut().for_each(Node::spawn);
        cluster.nodes.iter_mut().for_each(Node::wait_until_ready);
    }
    cluster.wait_until_drained();
    let history = shop.history.into_inner().expect("whole");
    let copies = copies(&cluster);
    let verdict = judge(&history, &copies, &Insight::NONE);
    // A request that was done twice may show an old version again; from outside nobody can tell.
    assert!(verdict.lost.is_empty() && verdict.diverged.is_empty(), "{verdict:#?}");
    assert!(verdict.acked_writes >= (ROUNDS * ACKED_PER_ROUND) as u64);
    assert_items_kept(&history, &cluster);
}

/// What each node answers when all must.
fn copies(cluster: &Cluster) -> Copies {
    (0..CARTS).map(|cart| (path(cart), cluster.nodes.iter().map(|node| copy(node, cart)).collect())).collect()
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
fn assert_items_kept(history: &History, cluster: &Cluster) {
    for cart in 0..CARTS {
        let kept: BTreeSet<u64> =
            shown(&cluster.nodes[0], cart).iter().flat_map(|value| items(value)).collect();
        let missing: Vec<&Operation> =
            history.acked().filter(|write| write.key == path(cart) && !kept.contains(&write.id.0)).collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
