//! Randomness: one seed, split into a ChaCha stream for each component.
//!
//! A component draws only from its own stream, so that one client more does not reshuffle everybody else's luck. What
//! befalls messages and disk accesses comes from no stream, but is named by what they are (`luck.rs`).

use std::convert::Infallible;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng, TryRng};

/// Who draws. Nodes and clients are counted from 0, lives from 1.
#[allow(missing_docs, reason = "the fields name nodes and clients")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Component {
    /// What befalls messages, clients' requests, and disks.
    Luck,
    /// The names of a node's stores.
    Stores { node: u32 },
    /// Skew and drift of a node's clocks.
    Clock { node: u32 },
    /// The core's own seed in a life of a node that begins then: by its time, so that a crash less earlier on leaves
    /// later lives as they were.
    Boot { node: u32, at_ns: u64 },
    /// A client's choices.
    Client { client: u32 },
    /// Which faults strike, and when.
    Nemesis,
    /// The options of a swarm run.
    Swarm,
    /// What a campaign makes of what it has kept.
    Mutation,
    /// When a client crashes.
    Outages { client: u32 },
    /// Which keys are popular.
    Keys,
}

impl Component {
    fn label(self) -> [u32; 4] {
        let [kind, one, other] = match self {
            Self::Boot { node, at_ns } => return [5, node, (at_ns >> 32) as u32, at_ns as u32],
            Self::Luck => [1, 0, 0],
            Self::Stores { node } => [3, node, 0],
            Self::Clock { node } => [4, node, 0],
            Self::Client { client } => [6, client, 0],
            Self::Nemesis => [7, 0, 0],
            Self::Swarm => [8, 0, 0],
            Self::Mutation => [11, 0, 0],
            Self::Outages { client } => [9, client, 0],
            Self::Keys => [10, 0, 0],
        };
        [kind, one, other, 0]
    }
}

/// The root of all randomness of a run.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// All streams of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The seed of `component`'s stream: the run's seed and the component's label, side by side.
    pub fn seed(self, component: Component) -> [u8; 32] {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        for (at, word) in component.label().into_iter().enumerate() {
            seed[8 + 4 * at..12 + 4 * at].copy_from_slice(&word.to_le_bytes());
        }
        seed
    }

    /// `component`'s stream.
    pub fn stream(self, component: Component) -> Stream {
        Stream(ChaCha8Rng::from_seed(self.seed(component)))
    }
}

/// Draws of one component, or for one event.
#[derive(Clone, Debug)]
pub struct Stream<R = ChaCha8Rng>(R);

/// What is drawn for one event.
pub type Draws = Stream<Mixer>;

impl<R: Rng> Stream<R> {
    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; 0 when that is 0. Multiply-shift: the bias is below 2^-32 for bounds below 2^32.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// An index into a list of `len`.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// A number of `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True with `chance`.
    pub fn happens(&mut self, chance: Chance) -> bool {
        chance.0 != 0 && (self.bits() >> 11) < chance.0
    }

    /// A float in (0, 1], 53 bits.
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

impl From<u64> for Draws {
    /// What is drawn for an event of this name.
    fn from(name: u64) -> Self {
        Self(Mixer(name))
    }
}

/// SplitMix64: a counter and a mix of its bits. It costs nothing to begin, which is what it is for: most events draw
/// once or twice.
#[derive(Clone, Debug)]
pub struct Mixer(u64);

impl TryRng for Mixer {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(GOLDEN);
        Ok(scatter(self.0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for part in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            part.copy_from_slice(&word[..part.len()]);
        }
        Ok(())
    }
}

/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A name made of a name and one word more.
pub fn mix(name: u64, word: u64) -> u64 {
    scatter(name.wrapping_add(GOLDEN) ^ word.wrapping_mul(0xD6E8_FEB8_6659_FD93))
}

/// Each bit that comes out depends on every bit that went in (Stafford's variant 13 of MurmurHash3's last step).
fn scatter(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A probability, in units of 2^-53, so that comparing it needs no float.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance(u64);

impl Chance {
    /// Never.
    pub const NEVER: Self = Self(0);

    /// From a probability within 0..=1; `None` outside.
    pub fn from_probability(probability: f64) -> Option<Self> {
        // A product with a power of two is exact.
        (0.0..=1.0).contains(&probability).then_some(Self((probability * (1_u64 << 53) as f64) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_draw_from_streams_of_their_own() {
        let streams = Streams::new(42);
        let boot = |node, at_ns| streams.stream(Component::Boot { node, at_ns }).bits();
        assert_eq!(boot(1, 2), boot(1, 2));
        assert_ne!(boot(1, 2), boot(2, 1));
        assert_ne!(boot(1, 2), Streams::new(43).stream(Component::Boot { node: 1, at_ns: 2 }).bits());
    }

    #[test]
    fn certain_and_impossible_are_exact() {
        let mut stream = Streams::new(1).stream(Component::Nemesis);
        let certain = Chance::from_probability(1.0).unwrap();
        assert!((0..1_000).all(|_| stream.happens(certain) && !stream.happens(Chance::NEVER)));
        assert_eq!(Chance::from_probability(-0.1), None);
        assert_eq!(Chance::from_probability(f64::NAN), None);
    }
}
