//! How long things take.

use std::f64::consts::TAU;

use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::scenario::Span;
use crate::streams::Stream;

/// A distribution of durations. Sampled with `libm` and IEEE basic operations only: the same on every platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// A heavy tail: twice as long is 2^-alpha as likely.
    Pareto {
        /// At least.
        min: Span,
        /// The smaller, the heavier the tail; at 1 or less there is no mean.
        alpha: f64,
        /// At most: what is drawn above is cut down to this.
        #[serde(default = "Latency::default_max")]
        max: Span,
    },
    /// One of several distributions, each time anew: a body and a tail, a cache that is hit or missed.
    Mixture {
        /// Which, and how often each.
        of: Vec<Share>,
    },
    /// As it was recorded: how many samples were at most so long, and longer than the one before.
    Histogram {
        /// In the order of time.
        buckets: Vec<Bucket>,
    },
}

/// One part of a [`Latency::Mixture`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// How often, against the others.
    pub weight: u32,
    /// How long it takes then.
    pub latency: Latency,
}

/// One bucket of a [`Latency::Histogram`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// At most.
    pub up_to: Span,
    /// So many samples.
    pub count: u64,
}

impl Latency {
    /// Draws one, in nanoseconds.
    pub fn sample<R: Rng>(&self, stream: &mut Stream<R>) -> u64 {
        match self {
            Self::Fixed { value } => value.ns(),
            Self::Uniform { min, max } => stream.between(min.ns(), max.ns()),
            Self::Exponential { min, mean } => {
                min.ns().saturating_add((-libm::log(stream.unit()) * mean.ns() as f64) as u64)
            }
            Self::LogNormal { median, sigma } => {
                let normal = libm::sqrt(-2.0 * libm::log(stream.unit())) * libm::cos(TAU * stream.unit());
                (libm::exp(sigma * normal) * median.ns() as f64) as u64
            }
            Self::Pareto { min, alpha, max } => {
                let times = libm::exp(-libm::log(stream.unit()) / alpha);
                ((times * min.ns() as f64) as u64).min(max.ns())
            }
            Self::Mixture { of } => {
                let mut drawn = stream.below(of.iter().map(|share| u64::from(share.weight)).sum());
                let share = of.iter().find(|share| {
                    let is_it = drawn < u64::from(share.weight);
                    drawn = drawn.saturating_sub(u64::from(share.weight));
                    is_it
                });
                share.map_or(0, |share| share.latency.sample(stream))
            }
            Self::Histogram { buckets } => {
                let mut drawn = stream.below(buckets.iter().map(|bucket| bucket.count).sum());
                let mut above = 0;
                for Bucket { up_to, count } in buckets {
                    if drawn < *count {
                        return stream.between((above + 1).min(up_to.ns()), up_to.ns());
                    }
                    drawn -= count;
                    above = up_to.ns();
                }
                above
            }
        }
    }

    fn default_max() -> Span {
        Span::from_ms(10_000)
    }

    /// What is wrong with it: the key, and what is allowed.
    pub(crate) fn problem(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Uniform { min, max } if min > max => {
                Some(("min", format!("{min} is above max; allowed: at most {max}")))
            }
            Self::LogNormal { sigma, .. } if !(0.0..=3.0).contains(sigma) => {
                Some(("sigma", format!("{sigma}; allowed: 0 to 3")))
            }
            Self::Pareto { alpha, .. } if !(0.1..=100.0).contains(alpha) => {
                Some(("alpha", format!("{alpha}; allowed: 0.1 to 100")))
            }
            Self::Pareto { min, max, .. } if min > max => {
                Some(("min", format!("{min} is above max; allowed: at most {max}")))
            }
            Self::Mixture { of } if of.iter().all(|share| share.weight == 0) => {
                Some(("of", "no weight; allowed: at least one above 0".into()))
            }
            Self::Mixture { of } => of.iter().find_map(|share| share.latency.problem()),
            Self::Histogram { buckets } if buckets.iter().all(|bucket| bucket.count == 0) => {
                Some(("buckets", "no count; allowed: at least one above 0".into()))
            }
            Self::Histogram { buckets } => {
                let falls = buckets.windows(2).find(|pair| pair[1].up_to <= pair[0].up_to)?;
                let message = format!("{} after {}; allowed: rising", falls[1].up_to, falls[0].up_to);
                Some(("buckets", message))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{Component, Streams};

    fn quantiles(latency: &Latency) -> (u64, u64) {
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
        assert_eq!(quantiles(&Latency::Fixed { value: ms(3) }), (3_000, 3_000));
        // ln 2 and ln 100 means.
        let (p50, p99) = quantiles(&Latency::Exponential { min: ms(0), mean: ms(10) });
        assert!((6_700..7_200).contains(&p50) && (43_500..49_000).contains(&p99), "{p50} {p99}");
        // exp(0.5 * 2.326) = 3.2 medians.
        let (p50, p99) = quantiles(&Latency::LogNormal { median: ms(10), sigma: 0.5 });
        assert!((9_800..10_200).contains(&p50) && (30_500..33_500).contains(&p99), "{p50} {p99}");
        let (p50, p99) = quantiles(&Latency::Uniform { min: ms(0), max: ms(10) });
        assert!((4_850..5_150).contains(&p50) && (9_850..9_950).contains(&p99), "{p50} {p99}");
        // 2^(1/2) and 100^(1/2) minima.
        let pareto = Latency::Pareto { min: ms(10), alpha: 2.0, max: ms(1_000) };
        let (p50, p99) = quantiles(&pareto);
        assert!((14_000..14_300).contains(&p50) && (95_000..106_000).contains(&p99), "{p50} {p99}");
        // Nine in ten from the body: the 99th percentile is the 90th of the tail.
        let share = |weight, latency| Share { weight, latency };
        let tail = Latency::Uniform { min: ms(100), max: ms(200) };
        let of = vec![share(9, Latency::Fixed { value: ms(1) }), share(1, tail)];
        let (p50, p99) = quantiles(&Latency::Mixture { of });
        assert!(p50 == 1_000 && (185_000..195_000).contains(&p99), "{p50} {p99}");
        let bucket = |up_to, count| Bucket { up_to: ms(up_to), count };
        let buckets = vec![bucket(1, 0), bucket(2, 75), bucket(4, 20), bucket(100, 5)];
        let (p50, p99) = quantiles(&Latency::Histogram { buckets });
        assert!((1_640..1_700).contains(&p50) && (78_000..83_500).contains(&p99), "{p50} {p99}");
    }

    #[test]
    fn what_cannot_be_drawn_from_is_told() {
        let problem = |latency: Latency| latency.problem().map(|(key, message)| format!("{key}: {message}"));
        let empty =
            Latency::Mixture { of: vec![Share { weight: 0, latency: Latency::Fixed { value: ms(1) } }] };
        assert_eq!(problem(empty).unwrap(), "of: no weight; allowed: at least one above 0");
        let bucket = |up_to| Bucket { up_to: ms(up_to), count: 1 };
        let falling = Latency::Histogram { buckets: vec![bucket(2), bucket(1)] };
        assert_eq!(problem(falling).unwrap(), "buckets: 1ms after 2ms; allowed: rising");
        assert!(problem(Latency::Pareto { min: ms(1), alpha: 0.0, max: ms(2) }).is_some());
    }
}
