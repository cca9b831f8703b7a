//! How fast the simulator is, beside the bare event loop, madsim and turmoil: `just bench`. ARCHITECTURE.md tells how to read it.
//!
//! Machines differ, and are shared: rounds are interleaved, so that each world sees the same good and bad moments, and ratios
//! within one run are what counts.

#[cfg(not(madsim))]
compile_error!("madsim wants `--cfg madsim`: build inside bench/, and without RUSTFLAGS in the environment");

mod bare;
mod cartwheel;
mod madsim;
mod measure;
mod results;
mod table;
mod turmoil;
mod workload;

use std::time::Duration;

use clap::Parser;

use self::measure::{Run, Took, measure, median};
use self::results::{Fresh, Results, Speed};
use self::workload::Crowd;

/// Operations of a fresh world.
const FRESH_OPERATIONS: u64 = 1_000;
const SMALL: Crowd = Crowd { nodes: 5, clients: 10 };
/// turmoil works in ticks: the more there is to do in each, the cheaper is a message.
const SMALL_CROWDED: Crowd = Crowd { nodes: 5, clients: 100 };
const LARGE: Crowd = Crowd { nodes: 100, clients: 200 };

/// How fast the simulator is, beside the bare event loop, madsim and turmoil.
#[derive(Debug, Parser)]
struct Arguments {
    /// For machines.
    #[arg(long)]
    json: bool,
    /// One short round: shows that it works, and says nothing about speed.
    #[arg(long)]
    quick: bool,
    /// How often everything is measured; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Something to measure.
struct Subject {
    world: &'static str,
    crowd: Crowd,
    /// How many worlds a sample consists of.
    worlds: u32,
    run: Box<dyn Fn(u64) -> Run + Send + Sync>,
    samples: Vec<Sample>,
}

#[derive(Clone, Copy)]
struct Sample {
    run: Run,
    took: Took,
}

impl Subject {
    fn new(
        world: &'static str,
        crowd: Crowd,
        worlds: u32,
        run: impl Fn(u64) -> Run + Send + Sync + 'static,
    ) -> Self {
        Self { world, crowd, worlds, run: Box::new(run), samples: Vec::new() }
    }

    fn measure(&mut self, round: u64) {
        let runs: Vec<(Run, Took)> = (0..self.worlds).map(|_| measure(|| (self.run)(round))).collect();
        let run = runs[0].0;
        let took = Took {
            cpu: runs.iter().map(|(_, took)| took.cpu).sum::<Duration>() / self.worlds,
            wall: runs.iter().map(|(_, took)| took.wall).sum::<Duration>() / self.worlds,
        };
        self.samples.push(Sample { run, took });
    }

    fn median(&self, what: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(what).collect())
    }

    fn messages_rate(&self) -> f64 {
        self.median(|sample| sample.run.messages as f64 / sample.took.cpu.as_secs_f64())
    }

    fn events_rate(&self) -> Option<f64> {
        self.samples[0].run.events?;
        Some(self.median(|sample| sample.run.events.unwrap_or(0) as f64 / sample.took.cpu.as_secs_f64()))
    }

    fn simulated_rate(&self, clock: impl Fn(Took) -> Duration) -> f64 {
        self.median(|sample| sample.run.simulated_ns as f64 / 1e9 / clock(sample.took).as_secs_f64())
    }

    fn worlds_rate(&self) -> f64 {
        self.median(|sample| 1.0 / sample.took.cpu.as_secs_f64())
    }
}

/// Long runs: as many operations, or simulated seconds, as take each world less than a second or two.
const LONG: [Long; 3] = [
    Long { crowd: SMALL, madsim: 50_000, turmoil: 50_000, cartwheel_seconds: 40 },
    Long { crowd: SMALL_CROWDED, madsim: 50_000, turmoil: 100_000, cartwheel_seconds: 5 },
    Long { crowd: LARGE, madsim: 50_000, turmoil: 4_000, cartwheel_seconds: 3 },
];
const BARE_OPERATIONS: u64 = 1_000_000;

struct Long {
    crowd: Crowd,
    madsim: u64,
    turmoil: u64,
    cartwheel_seconds: u64,
}

/// Long runs, of `share` of their length.
fn long_runs(share: f64) -> Vec<Subject> {
    let part = |of: u64| ((of as f64 * share) as u64).max(1);
    let mut subjects = Vec::new();
    for Long { crowd, madsim, turmoil, cartwheel_seconds } in LONG {
        let (bare, madsim, turmoil) = (part(BARE_OPERATIONS), part(madsim), part(turmoil));
        let world = cartwheel::World::steady(crowd, part(cartwheel_seconds), 1);
        subjects.push(Subject::new("bare loop", crowd, 1, move |seed| bare::run(crowd, bare, seed)));
        subjects.push(Subject::new("cartwheel", crowd, 1, move |_| world.run()));
        subjects.push(Subject::new("madsim", crowd, 1, move |seed| madsim::run(crowd, madsim, seed)));
        subjects.push(Subject::new("turmoil", crowd, 1, move |seed| turmoil::run(crowd, turmoil, seed)));
    }
    subjects
}

/// Worlds of 1,000 operations.
fn fresh_worlds(share: f64) -> Vec<Subject> {
    let part = |of: u32| ((f64::from(of) * share) as u32).max(1);
    let ours = cartwheel::World::of_requests(SMALL, FRESH_OPERATIONS, 1);
    vec![
        Subject::new("bare loop", SMALL, part(200), |seed| bare::run(SMALL, FRESH_OPERATIONS, seed)),
        Subject::new("cartwheel", SMALL, part(10), move |_| ours.run()),
        Subject::new("madsim", SMALL, part(20), |seed| madsim::run(SMALL, FRESH_OPERATIONS, seed)),
        Subject::new("turmoil", SMALL, part(20), |seed| turmoil::run(SMALL, FRESH_OPERATIONS, seed)),
    ]
}

fn speeds(subjects: &[Subject]) -> Vec<Speed> {
    let speed = |subject: &Subject| {
        let crowd = subject.crowd;
        let is_bare = |other: &&Subject| other.world == "bare loop" && other.crowd == crowd;
        let bare = subjects.iter().find(is_bare).expect("the bare loop runs with each crowd");
        let (messages, events) = (subject.messages_rate(), subject.events_rate());
        Speed {
            world: subject.world,
            nodes: crowd.nodes,
            clients: crowd.clients,
            messages_per_cpu_second: messages,
            events_per_cpu_second: events,
            simulated_seconds_per_wall_second: subject.simulated_rate(|took| took.wall),
            simulated_seconds_per_cpu_second: subject.simulated_rate(|took| took.cpu),
            bare_by_messages: bare.messages_rate() / messages,
            bare_by_events: events.and_then(|events| Some(bare.events_rate()? / events)),
        }
    };
    subjects.iter().map(speed).collect()
}

fn main() {
    let arguments = Arguments::parse();
    let (share, rounds) = if arguments.quick { (0.02, 1) } else { (1.0, arguments.rounds.max(1)) };
    let mut long = long_runs(share);
    let mut fresh = fresh_worlds(share);
    for round in 0..rounds as u64 {
        for subject in long.iter_mut().chain(&mut fresh) {
            subject.measure(round);
        }
    }
    let fresh = fresh
        .iter()
        .map(|subject| Fresh { world: subject.world, worlds_per_cpu_second: subject.worlds_rate() })
        .collect();
    let results = Results::new(rounds, speeds(&long), fresh);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&results).expect("numbers and words are JSON"));
    } else {
        print!("{results}");
    }
}
