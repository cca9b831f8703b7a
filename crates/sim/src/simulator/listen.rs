//! Somebody else hears what each node hears, and what it wants done: all that a node is.

use cartwheel_core::time::{Instant, Now};
use cartwheel_core::{Boot, Config, Input, Output};

use super::Simulator;
use crate::report::Report;
use crate::scenario::Scenario;

/// What befell a node. Nodes are counted from 0.
#[derive(Clone, Copy, Debug)]
pub enum Lived<'a> {
    /// It was born.
    Born {
        /// Which.
        node: u32,
        /// Its settings.
        config: &'a Config,
        /// What its driver knew.
        boot: &'a Boot,
        /// When.
        now: Now,
        /// What it wants done at once.
        outputs: &'a [Output],
        /// When it wants to be called.
        next: Option<Instant>,
    },
    /// It was handed an input.
    Heard {
        /// Which.
        node: u32,
        /// When.
        now: Now,
        /// What.
        input: &'a Input,
        /// What it wants done about it.
        outputs: &'a [Output],
        /// When it wants to be called.
        next: Option<Instant>,
    },
}

/// As [`run`](super::run), told to `listener` node by node as it goes. The run is the same.
pub fn run_heard(scenario: &Scenario, seed: u64, listener: &mut dyn FnMut(Lived<'_>)) -> Report {
    let mut simulator = Simulator::new(scenario, seed);
    simulator.listener = Some(listener);
    simulator.run();
    simulator.report()
}
