//! The deterministic simulator: years of cluster life in minutes, bit for bit the same on every machine.
//!
//! A [`Scenario`] and a seed go in, a [`Report`] comes out. Inside, the protocol core of the production node runs
//! unchanged against simulated networks, disks and clocks ([`simulator`](run)); clients keep the ground truth
//! ([`workload`]); [`nemesis`] injects faults; `cartwheel-check` judges.

mod clock;
pub mod corpus;
mod disk;
pub mod fuzz;
pub mod latency;
mod lookup;
mod luck;
pub mod museum;
pub mod nemesis;
mod network;
mod oracle;
mod queue;
pub mod replay;
pub mod report;
pub mod scenario;
pub mod shrink;
mod simulator;
pub mod streams;
pub mod swarm;
mod timeline;
pub mod trace;
pub mod workload;

pub use oracle::Promise;
pub use report::Report;
pub use scenario::{Scenario, ScenarioError};
pub use simulator::{Lived, replay, run, run_and_spell_out, run_heard, run_recorded, run_watched};
pub use timeline::Moment;
