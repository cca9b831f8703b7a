//! How popular keys are, by rank: Zipf's law, exactly.
//!
//! YCSB's generator approximates the law by inverting its integral, with floats. A table of cumulated integer weights has
//! the same law without the approximation, one draw, one binary search, and the same answer on every platform; the first m
//! ranks of it are the law for m keys, so keys can be added.

use crate::streams::Stream;

/// The weight of the first rank.
const FIRST: f64 = (1_u64 << 32) as f64;

/// Weights of 1 / rank^theta.
#[derive(Clone, Debug)]
pub struct Ranks {
    /// Of each rank and all before it.
    cumulated: Vec<u64>,
}

impl Ranks {
    /// So many.
    pub fn new(count: u32, theta: f64) -> Self {
        let mut sum = 0;
        let cumulated = (1..=count).map(|rank| {
            sum += ((FIRST * libm::pow(f64::from(rank), -theta)) as u64).max(1);
            sum
        });
        Self { cumulated: cumulated.collect() }
    }

    /// One of the first `count`, counted from 0.
    pub fn draw(&self, count: usize, stream: &mut Stream) -> usize {
        let among = &self.cumulated[..count];
        let drawn = stream.below(among.last().copied().unwrap_or(0));
        among.partition_point(|sum| *sum <= drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{Component, Streams};

    const DRAWS: u32 = 100_000;

    fn shares(theta: f64, count: u32, seed: u64) -> Vec<f64> {
        let (ranks, mut stream) = (Ranks::new(1_000, theta), Streams::new(seed).stream(Component::Keys));
        let mut drawn = vec![0_u32; count as usize];
        (0..DRAWS).for_each(|_| drawn[ranks.draw(count as usize, &mut stream)] += 1);
        drawn.into_iter().map(|times| f64::from(times) / f64::from(DRAWS)).collect()
    }

    fn is_within_theory(theta: f64, count: u32, seed: u64) -> bool {
        let zeta: f64 = (1..=count).map(|rank| libm::pow(f64::from(rank), -theta)).sum();
        let is_near = |(rank, share): (u32, &f64)| {
            let expected = libm::pow(f64::from(rank), -theta) / zeta;
            // Five standard deviations of what is counted.
            let deviation = libm::sqrt(expected * (1.0 - expected) / f64::from(DRAWS));
            (share - expected).abs() <= 5.0 * deviation + 1e-9
        };
        (1..).zip(&shares(theta, count, seed)).take(20).all(is_near)
    }

    #[test]
    fn the_head_is_as_frequent_as_the_law_says() {
        for (theta, count) in [(0.99, 1_000), (0.99, 10), (0.5, 300), (1.5, 1_000), (0.0, 4), (3.0, 1)] {
            assert!(is_within_theory(theta, count, 7), "theta {theta}, {count} ranks");
        }
        let head = shares(0.99, 1_000, 3)[0];
        // 1 / zeta(1000, 0.99) = 1 / 7.73.
        assert!((0.126..0.133).contains(&head), "{head}");
    }

    quickcheck::quickcheck! {
        fn every_rank_that_is_drawn_is_there(theta: u8, count: u16, seed: u64) -> bool {
            let count = 1 + u32::from(count) % 500;
            let (ranks, mut stream) =
                (Ranks::new(count, f64::from(theta) / 25.0), Streams::new(seed).stream(Component::Keys));
            (0..200).all(|_| ranks.draw(count as usize, &mut stream) < count as usize)
        }
    }
}
