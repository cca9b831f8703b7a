//! The same messages on madsim: a node for each place, one `Endpoint` on each, madsim's own latencies of 1 to 10 ms.
//!
//! Messages go as values, not as bytes, which is the cheapest that an endpoint has.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use madsim::net::Endpoint;
use madsim::runtime::{Handle, Runtime};
use madsim::time::Instant;
use madsim::{Config, task};

use crate::measure::Run;
use crate::workload::{Clients, Crowd, MESSAGES_PER_OPERATION, Message, Node};

const PORT: u16 = 1;
const TAG: u64 = 0;

fn ip(place: usize) -> IpAddr {
    let [_, _, high, low] = (place as u32 + 1).to_be_bytes();
    Ipv4Addr::new(10, 0, high, low).into()
}

fn place(address: SocketAddr) -> usize {
    let IpAddr::V4(ip) = address.ip() else { unreachable!("all are IPv4") };
    let [_, _, high, low] = ip.octets();
    usize::from(high) * 256 + usize::from(low) - 1
}

async fn bind(place: usize) -> Endpoint {
    Endpoint::bind((ip(place), PORT)).await.expect("the port is free")
}

async fn send(endpoint: &Endpoint, to: usize, message: Message) {
    let to = SocketAddr::new(ip(to), PORT);
    endpoint.send_to_raw(to, TAG, Box::new(message)).await.expect("the network is up");
}

async fn hear(endpoint: &Endpoint) -> (usize, Message) {
    let (payload, from) = endpoint.recv_from_raw(TAG).await.expect("the network is up");
    (place(from), *payload.downcast().expect("nothing but messages is sent"))
}

async fn be_node(crowd: Crowd, place: usize, endpoint: Endpoint) {
    let mut node = Node::new(crowd, place);
    loop {
        let (from, message) = hear(&endpoint).await;
        for (to, message) in node.hears(from, message).into_iter().flatten() {
            send(&endpoint, to, message).await;
        }
    }
}

async fn be_clients(crowd: Crowd, operations: u64) {
    let endpoint = bind(crowd.clients_place()).await;
    let mut clients = Clients::new(crowd, operations);
    for (to, message) in clients.begin() {
        send(&endpoint, to, message).await;
    }
    while !clients.are_done() {
        let (_, message) = hear(&endpoint).await;
        if let Some((to, message)) = clients.hear(message) {
            send(&endpoint, to, message).await;
        }
    }
}

/// A thread runs one world and no second one: the caller sees to that.
pub fn run(crowd: Crowd, operations: u64, seed: u64) -> Run {
    let simulated_ns = Runtime::with_seed_and_config(seed, Config::default()).block_on(async move {
        let began = Instant::now();
        let host = |place| Handle::current().create_node().ip(ip(place)).build();
        for place in 0..crowd.nodes {
            let bound: task::JoinHandle<_> = host(place).spawn(async move {
                let endpoint = bind(place).await;
                task::spawn(be_node(crowd, place, endpoint));
            });
            bound.await.expect("nobody stops it");
        }
        host(crowd.clients_place()).spawn(be_clients(crowd, operations)).await.expect("nobody stops it");
        began.elapsed().as_nanos() as u64
    });
    Run { messages: operations * MESSAGES_PER_OPERATION, events: None, simulated_ns }
}
