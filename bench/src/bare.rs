//! The bare event loop: a heap, a ChaCha8 stream, and messages that bounce. No simulator of anything can do less.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::measure::Run;
use crate::workload::{Clients, Crowd, MESSAGES_PER_OPERATION, Message, Node};

/// A message on its way. The order is that of time, then of sending.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Arrival {
    at_ns: u64,
    seq: u64,
    from: u32,
    to: u32,
    message: Message,
}

struct Wire {
    heap: BinaryHeap<Reverse<Arrival>>,
    luck: ChaCha8Rng,
    now_ns: u64,
    seq: u64,
}

impl Wire {
    /// Takes 1 to 10 ms.
    fn send(&mut self, from: usize, to: usize, message: Message) {
        let latency_ns = 1_000_000 + ((u128::from(self.luck.next_u64()) * 9_000_000) >> 64) as u64;
        self.seq += 1;
        let (from, to) = (from as u32, to as u32);
        self.heap.push(Reverse(Arrival {
            at_ns: self.now_ns + latency_ns,
            seq: self.seq,
            from,
            to,
            message,
        }));
    }
}

pub fn run(crowd: Crowd, operations: u64, seed: u64) -> Run {
    let mut wire = Wire { heap: BinaryHeap::new(), luck: ChaCha8Rng::seed_from_u64(seed), now_ns: 0, seq: 0 };
    let mut nodes: Vec<Node> = (0..crowd.nodes).map(|place| Node::new(crowd, place)).collect();
    let mut clients = Clients::new(crowd, operations);
    let clients_place = crowd.clients_place();
    for (to, message) in clients.begin() {
        wire.send(clients_place, to, message);
    }
    let mut events = 0;
    while let Some(Reverse(Arrival { at_ns, from, to, message, .. })) = wire.heap.pop() {
        wire.now_ns = at_ns;
        events += 1;
        let place = to as usize;
        if place == clients_place {
            if let Some((to, message)) = clients.hear(message) {
                wire.send(clients_place, to, message);
            }
        } else {
            for (to, message) in nodes[place].hears(from as usize, message).into_iter().flatten() {
                wire.send(place, to, message);
            }
        }
    }
    assert!(clients.are_done());
    Run { messages: operations * MESSAGES_PER_OPERATION, events: Some(events), simulated_ns: wire.now_ns }
}
