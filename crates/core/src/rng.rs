//! The core's only source of randomness: one ChaCha stream, seeded by the driver.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Draws that are the same on every platform for the same seed.
#[derive(Clone, Debug)]
pub struct CoreRng(ChaCha8Rng);

impl CoreRng {
    /// A stream of its own for each `seed`.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha8Rng::from_seed(seed))
    }

    /// Any 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}
