//! Clients that fill carts over HTTP, and remember what they were told.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cartwheel_check::{History, Operation, Outcome, WriteId};

use crate::cluster::FORWARD_TIMEOUT;
use crate::http::{Client, Reply};
use crate::random::Random;
use crate::trace::Trace;

/// Nodes that a client asks, one after another, before it gives a request up.
const ATTEMPTS: usize = 3;

/// What all clients share.
pub struct Shop {
    nodes: Vec<SocketAddr>,
    carts: usize,
    trace: Trace,
    next_id: AtomicU64,
    closed: AtomicBool,
    /// What clients were told of their writes.
    history: Mutex<History>,
    /// Writes that were asked for more than once, or may have been: one of them may have been done twice.
    repeated: Mutex<BTreeSet<WriteId>>,
}

/// The bucket of all carts.
pub const BUCKET: &str = "carts";

/// The name of a cart.
pub fn cart(number: usize) -> String {
    format!("cart-{number}")
}

fn path(cart: &str) -> String {
    format!("/buckets/{BUCKET}/keys/{cart}")
}

/// The items that a cart's value names, each the id of the write that added it; last that of the write itself. `None` if it is
/// not a value of this cart.
pub fn items(cart: &str, value: &str) -> Option<Vec<u64>> {
    let items: Option<Vec<u64>> =
        value.strip_prefix(cart)?.strip_prefix(':')?.split(',').map(|item| item.parse().ok()).collect();
    items.filter(|items| !items.is_empty())
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One client: a connection to each node.
pub struct Shopper {
    number: u32,
    random: Random,
    clients: Vec<Client>,
}

impl Shopper {
    /// Client `number` of the shop.
    pub fn new(shop: &Shop, seed: u64, number: u32) -> Self {
        let clients = shop.nodes.iter().map(|node| Client::new(*node)).collect();
        Self { number, random: Random::new(seed, 1 + u64::from(number)), clients }
    }
}

impl Shop {
    /// A shop with `carts` carts, kept by `nodes`.
    pub fn new(nodes: Vec<SocketAddr>, carts: usize, trace: Trace) -> Self {
        Self {
            nodes,
            carts,
            trace,
            next_id: AtomicU64::new(1),
            closed: AtomicBool::new(false),
            history: Mutex::default(),
            repeated: Mutex::default(),
        }
    }

    /// The names of all carts.
    pub fn carts(&self) -> impl Iterator<Item = String> {
        (0..self.carts).map(cart)
    }

    /// Nobody comes any more; who is in it finishes.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// What clients were told.
    pub fn history(&self) -> MutexGuard<'_, History> {
        lock(&self.history)
    }

    /// Whether the write `id` may have been asked for more than once.
    pub fn is_repeated(&self, id: WriteId) -> bool {
        lock(&self.repeated).contains(&id)
    }

    /// Adds to carts until the shop is closed.
    pub async fn visit(&self, mut shopper: Shopper) {
        while !self.closed.load(Ordering::Relaxed) {
            let node = shopper.random.below(self.nodes.len());
            let cart = cart(shopper.random.below(self.carts));
            // What became of it is in the history.
            self.add(&mut shopper, node, &cart, ATTEMPTS).await;
            let pause = shopper.random.time(5..150);
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads a cart at `node`, adds one item to all that it was shown, and writes that. Whether all of it succeeded, within so
    /// many `attempts` at one node after another.
    pub async fn add(&self, shopper: &mut Shopper, node: usize, cart: &str, attempts: usize) -> bool {
        let get =
            Wish { method: "GET", cart, headers: &[("accept", "multipart/mixed, */*;q=0.5")], body: "" };
        let (Some(shown), _) = self.ask(shopper, node, &get, attempts).await else { return false };
        let versions: Option<Vec<Vec<u64>>> =
            shown.values().unwrap_or_default().iter().map(|value| items(cart, value)).collect();
        let Some(versions) = versions else {
            self.trace.accuse(format_args!("{cart} was asked for, and {:?} was shown", shown.body()));
            return false;
        };
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let union: BTreeSet<u64> = versions.iter().flatten().copied().collect();
        let items: Vec<String> = union.iter().chain([&id]).map(ToString::to_string).collect();
        let (request, body) = (format!("{id:032x}"), format!("{cart}:{}", items.join(",")));
        let mut headers = vec![("content-type", "text/plain"), ("x-cartwheel-request-id", &request)];
        headers.extend(shown.vclock.as_deref().map(|vclock| ("x-riak-vclock", vclock)));
        let put = Wish { method: "PUT", cart, headers: &headers, body: &body };
        let began = Instant::now();
        let (written, asked) = self.ask(shopper, node, &put, attempts).await;
        // A node asks another one to coordinate a put, too, when the first has been silent for so long.
        if asked > 1 || began.elapsed() >= FORWARD_TIMEOUT {
            lock(&self.repeated).insert(WriteId(id));
        }
        let own = |version: &Vec<u64>| WriteId(version[version.len() - 1]);
        self.history().record(Operation {
            id: WriteId(id),
            client: shopper.number,
            key: cart.to_owned(),
            deletes: false,
            seen: versions.iter().map(own).collect(),
            what: format!("adds item {id}"),
            outcome: if written.is_some() { Outcome::Acked } else { Outcome::Unknown },
            ended_ns: self.trace.elapsed_ns(),
            acked_by: Vec::new(),
        });
        written.is_some()
    }

    /// The first good answer, of `first` and the nodes after it; and how many were asked.
    async fn ask(
        &self,
        shopper: &mut Shopper,
        first: usize,
        wish: &Wish<'_>,
        attempts: usize,
    ) -> (Option<Reply>, usize) {
        for attempt in 0..attempts {
            let node = (first + attempt) % self.nodes.len();
            let Wish { method, cart, headers, body } = *wish;
            let who = format!("c{} {method} {cart} at n{}", shopper.number, node + 1);
            self.trace.tell(format_args!("{who}: {}", body.rsplit(',').next().unwrap_or_default()));
            let answered = shopper.clients[node].send(method, &path(cart), headers, body.to_owned()).await;
            match &answered {
                Err(error) => self.trace.tell(format_args!("{who}: {error}")),
                Ok(reply) => {
                    let own = |value: &String| items(cart, value)?.last().copied();
                    let shown: Vec<_> = reply.values().unwrap_or_default().iter().map(own).collect();
                    self.trace.tell(format_args!(
                        "{who}: {} {shown:?} {:016x}",
                        reply.status,
                        reply.digest()
                    ));
                }
            }
            let Ok(reply) = answered else { continue };
            match (method, reply.status) {
                ("GET", 200 | 300 | 404) | ("PUT", 204) => return (Some(reply), attempt + 1),
                // It was tried, and has failed, or nothing is known of it.
                (_, 503) => {}
                (_, status) => {
                    self.trace.accuse(format_args!("{who} was answered {status}: {}", reply.body()));
                }
            }
        }
        (None, attempts)
    }
}

/// A request.
struct Wish<'a> {
    method: &'static str,
    cart: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
}
