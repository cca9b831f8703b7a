//! Cartwheel itself: the whole protocol, every oracle and the trace digest, as `cartwheel sim run` runs them. There is no run
//! without oracles and digest, so none is measured.
//!
//! Carts are read and written, and no fault strikes. Beside the messages of reads and writes there are those of gossip, SWIM and
//! anti-entropy; beside messages, events are disk requests, syncs, timers and clients.

use cartwheel_sim::scenario::{Deed, RequestSpec, Span, VisitSpec};
use cartwheel_sim::{Report, Scenario};

use crate::measure::Run;
use crate::workload::Crowd;

/// Two carts for each client.
const CARTS_PER_CLIENT: u32 = 2;
/// A client that is busy makes its last visit late, and none once clients stop.
const LATE_NS: u64 = 200_000_000;

/// A scenario with a seed, and how many messages are sent when it runs.
#[derive(Debug)]
pub struct World {
    scenario: Scenario,
    seed: u64,
    messages: u64,
    digest: String,
}

impl World {
    /// So many simulated seconds of reading and writing, each client with a pause of 50 ms on average between its visits.
    pub fn steady(crowd: Crowd, seconds: u64, seed: u64) -> Self {
        Self::new(scenario(crowd, Span::from_ms(seconds * 1_000)), seed)
    }

    /// Exactly so many requests: half are gets, half are puts. Each client visits a cart every 50 ms.
    pub fn of_requests(crowd: Crowd, requests: u64, seed: u64) -> Self {
        let (nodes, clients) = (crowd.nodes as u64, crowd.clients as u64);
        let visits = requests / 2;
        let gap_ns = 50_000_000 / clients;
        let mut scenario = scenario(crowd, Span::from_ns(gap_ns * visits + LATE_NS));
        scenario.visit = (0..visits)
            .map(|visit| VisitSpec {
                at: Span::from_ns(gap_ns * visit),
                client: (visit % clients) as u32 + 1,
                cart: (visit % (clients * u64::from(CARTS_PER_CLIENT))) as u32,
                does: Deed::Add,
                item: 0,
                reads: 1,
                read: Some(RequestSpec {
                    node: (visit % nodes) as u32 + 1,
                    strict: false,
                    primary: false,
                    crash: None,
                }),
                write: None,
            })
            .collect();
        let report = cartwheel_sim::run(&scenario, seed);
        assert_eq!(report.gets.attempted + report.puts.attempted, requests);
        Self::new(scenario, seed)
    }

    fn new(scenario: Scenario, seed: u64) -> Self {
        let report = cartwheel_sim::run(&scenario, seed);
        assert_eq!(report.verdict, "green", "{:?}", report.explanations());
        Self { scenario, seed, messages: report.messages_sent, digest: report.trace_digest }
    }

    /// Another life of the same world.
    pub fn run(&self) -> Run {
        let Report { trace_digest, events, simulated_ns, .. } = cartwheel_sim::run(&self.scenario, self.seed);
        assert_eq!(trace_digest, self.digest);
        Run { messages: self.messages, events: Some(events), simulated_ns }
    }
}

fn scenario(crowd: Crowd, duration: Span) -> Scenario {
    let text = include_str!("cartwheel.toml");
    let mut scenario = Scenario::parse("cartwheel.toml", text).expect("the file is right");
    scenario.duration = duration;
    scenario.cluster.nodes = crowd.nodes as u32;
    scenario.cluster.partitions = (crowd.nodes as u32 * 8).next_power_of_two();
    scenario.workload.clients = crowd.clients as u32;
    scenario.workload.keys = scenario.workload.clients * CARTS_PER_CLIENT;
    scenario
}
