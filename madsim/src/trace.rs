//! What happened in a run, line by line, and the digest of it: two runs of one seed are the same run if the lines are the same.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use madsim::time::Instant;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Shared by all that have something to tell.
#[derive(Clone)]
pub struct Trace {
    began: Instant,
    told: Arc<Mutex<Told>>,
}

/// What was told, in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// One line for each thing that happened, with its simulated time in microseconds.
    pub lines: Vec<String>,
    /// What is wrong: a sentence each.
    pub problems: Vec<String>,
}

impl Trace {
    /// Begins now, by the simulated clock.
    pub fn new() -> Self {
        Self { began: Instant::now(), told: Arc::default() }
    }

    /// Something happened.
    pub fn tell(&self, what: impl fmt::Display) {
        let line = format!("{:>10} {what}", self.began.elapsed().as_micros());
        self.told().lines.push(line);
    }

    /// Something is wrong.
    pub fn accuse(&self, what: impl fmt::Display) {
        self.tell(format_args!("WRONG {what}"));
        self.told().problems.push(what.to_string());
    }

    /// Nanoseconds since the beginning.
    pub fn elapsed_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Everything so far.
    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

impl Told {
    /// The name of this run.
    pub fn digest(&self) -> u64 {
        xxh3_64(self.lines.join("\n").as_bytes())
    }
}
