//! Simulator throughput against the bare event loop, in one run: read the ratio, not the rates.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "a benchmark measures wall time and prints"
)]

use std::collections::BinaryHeap;
use std::hint::black_box;

use cartwheel_sim::streams::{Component, Streams};
use cartwheel_sim::{Scenario, run, swarm};

fn seconds(work: impl FnOnce() -> u64) -> (u64, f64) {
    let began = std::time::Instant::now();
    let done = work();
    (done, began.elapsed().as_secs_f64())
}

/// A heap and a ChaCha8 stream, no protocol: what any simulator pays for an event.
fn bare(events: u64) -> u64 {
    let mut stream = Streams::new(1).stream(Component::Nemesis);
    let mut heap = BinaryHeap::new();
    for seq in 0..100_u64 {
        heap.push(std::cmp::Reverse((stream.bits() >> 40, seq)));
    }
    for seq in 100..events {
        if let Some(std::cmp::Reverse((at, _))) = heap.pop() {
            heap.push(std::cmp::Reverse((at + (stream.bits() >> 40), seq)));
        }
    }
    black_box(heap.len());
    events
}

fn main() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sim-scenarios/shopping-cart.toml");
    let cart = Scenario::load(&path).unwrap_or_else(|error| panic!("{error}"));
    let rows = [
        ("bare event loop", seconds(|| bare(10_000_000))),
        ("shopping cart, 5 nodes", seconds(|| (0..20).map(|seed| run(&cart, seed).events).sum())),
        ("general swarm", seconds(|| (0..500).map(|seed| run(&swarm::scenario(seed), seed).events).sum())),
    ];
    let (events, took) = rows[0].1;
    let bare_rate = events as f64 / took;
    for (name, (events, took)) in rows {
        let rate = events as f64 / took;
        println!("{name:24} {:6.2} M events/s   1/{:.1} of the bare loop", rate / 1e6, bare_rate / rate);
    }
}
