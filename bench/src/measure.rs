//! Clocks. What is measured is CPU time of the whole process, because machines are shared; and wall time beside it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What one run of a world did.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub messages: u64,
    /// Where the world counts them.
    pub events: Option<u64>,
    pub simulated_ns: u64,
}

/// How long it took.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    pub cpu: Duration,
    pub wall: Duration,
}

/// Does `work` on a thread of its own: madsim runs one world on a thread, and what is fair for one is fair for all.
pub fn measure<T: Send>(work: impl FnOnce() -> T + Send) -> (T, Took) {
    let (cpu, wall) = (now(ClockId::ProcessCPUTime), now(ClockId::Monotonic));
    let done = std::thread::scope(|scope| scope.spawn(work).join().expect("worlds do not panic"));
    let took = Took { cpu: now(ClockId::ProcessCPUTime) - cpu, wall: now(ClockId::Monotonic) - wall };
    (done, took)
}

fn now(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// The one in the middle; of two in the middle, the upper one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
