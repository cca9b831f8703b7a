//! What a seed decides, drawn apart from madsim's own stream: the plan of a run is the same whatever the code does with it.

use std::ops::Range;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A stream of draws.
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of `component` under `seed`.
    pub fn new(seed: u64, component: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(component);
        Self(rng)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        usize::try_from(self.0.next_u64() % bound).unwrap_or_default()
    }

    /// A number of the range.
    pub fn within(&mut self, range: Range<usize>) -> usize {
        range.start + self.below(range.end - range.start)
    }

    /// A time of the range, to the millisecond.
    pub fn time(&mut self, ms: Range<usize>) -> Duration {
        Duration::from_millis(self.within(ms) as u64)
    }
}
