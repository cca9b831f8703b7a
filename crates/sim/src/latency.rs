//! How long things take.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::scenario::Span;
use crate::streams::Stream;

/// A distribution of durations. Sampled with `libm` and IEEE basic operations only: the same on every platform.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Latency {
    /// Always the same.
    Fixed {
        /// How long.
        value: Span,
    },
    /// Anything between, equally likely.
    Uniform {
        /// At least.
        min: Span,
        /// At most.
        max: Span,
    },
    /// Memoryless, after a floor.
    Exponential {
        /// At least.
        #[serde(default)]
        min: Span,
        /// The mean of what is added to `min`.
        mean: Span,
    },
    /// The logarithm is normal: a body with a long tail, as networks and disks have.
    LogNormal {
        /// Half take longer.
        median: Span,
        /// Standard deviation of the logarithm; 0.5 puts the 99th percentile at 3.2 medians.
        sigma: f64,
    },
}

impl Latency {
    /// Draws one, in nanoseconds.
    pub fn sample(&self, stream: &mut Stream) -> u64 {
        match *self {
            Self::Fixed { value } => value.ns(),
            Self::Uniform { min, max } => stream.between(min.ns(), max.ns()),
            Self::Exponential { min, mean } => {
                min.ns().saturating_add((-libm::log(stream.unit()) * mean.ns() as f64) as u64)
            }
            Self::LogNormal { median, sigma } => {
                let normal = libm::sqrt(-2.0 * libm::log(stream.unit())) * libm::cos(TAU * stream.unit());
                (libm::exp(sigma * normal) * median.ns() as f64) as u64
            }
        }
    }

    /// What is wrong with it: the key, and what is allowed.
    pub(crate) fn problem(&self) -> Option<(&'static str, String)> {
        match *self {
            Self::Uniform { min, max } if min > max => {
                Some(("min", format!("{min} is above max; allowed: at most {max}")))
            }
            Self::LogNormal { sigma, .. } if !(0.0..=3.0).contains(&sigma) => {
                Some(("sigma", format!("{sigma}; allowed: 0 to 3")))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{Component, Streams};

    fn quantiles(latency: Latency) -> (u64, u64) {
        let mut stream = Streams::new(7).stream(Component::Nemesis);
        let mut drawn: Vec<u64> = (0..20_000).map(|_| latency.sample(&mut stream)).collect();
        drawn.sort_unstable();
        (drawn[10_000] / 1_000, drawn[19_800] / 1_000)
    }

    fn ms(value: u64) -> Span {
        Span::from_ns(value * 1_000_000)
    }

    #[test]
    fn distributions_have_the_quantiles_they_promise() {
        assert_eq!(quantiles(Latency::Fixed { value: ms(3) }), (3_000, 3_000));
        // ln 2 and ln 100 means.
        let (p50, p99) = quantiles(Latency::Exponential { min: ms(0), mean: ms(10) });
        assert!((6_700..7_200).contains(&p50) && (43_500..49_000).contains(&p99), "{p50} {p99}");
        // exp(0.5 * 2.326) = 3.2 medians.
        let (p50, p99) = quantiles(Latency::LogNormal { median: ms(10), sigma: 0.5 });
        assert!((9_800..10_200).contains(&p50) && (30_500..33_500).contains(&p99), "{p50} {p99}");
        let (p50, p99) = quantiles(Latency::Uniform { min: ms(0), max: ms(10) });
        assert!((4_850..5_150).contains(&p50) && (9_850..9_950).contains(&p99), "{p50} {p99}");
    }
}
