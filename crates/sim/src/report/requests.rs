//! How the requests of clients went.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// How long requests took, in microseconds of simulated time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Half took at most this.
    pub p50_us: u64,
    /// 95 % took at most this.
    pub p95_us: u64,
    /// 99 % took at most this.
    pub p99_us: u64,
    /// 99.9 % took at most this.
    pub p999_us: u64,
    /// The longest.
    pub max_us: u64,
}

impl Quantiles {
    /// Of what `histogram` recorded in microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile);
        Self {
            p50_us: at(0.5),
            p95_us: at(0.95),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: histogram.max(),
        }
    }
}

/// Requests of one kind, each counted once however often it was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// How many were made.
    pub attempted: u64,
    /// How many succeeded.
    pub succeeded: u64,
    /// How long those took, retries included.
    pub latency: Quantiles,
    /// How those ended that did not succeed.
    pub failed: Failures,
}

/// Requests that were given up, by how the last attempt ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// Too few replicas answered in time.
    pub timeout: u64,
    /// All that could be asked had answered, too many with an error.
    pub quorum_unmet: u64,
    /// The node had too much to do.
    pub overloaded: u64,
    /// The node's disk failed.
    pub storage_failed: u64,
    /// The node was no member.
    pub not_a_member: u64,
    /// The request was refused for what it asked.
    pub refused: u64,
    /// The node was down.
    pub unreachable: u64,
    /// The node went down before it answered.
    pub disconnected: u64,
}

impl Failures {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_reason().into_iter().map(|(_, count)| count).sum()
    }

    /// How many for each reason, by the names that reports use.
    pub fn by_reason(&self) -> [(&'static str, u64); 8] {
        [
            ("timeout", self.timeout),
            ("quorum_unmet", self.quorum_unmet),
            ("overloaded", self.overloaded),
            ("storage_failed", self.storage_failed),
            ("not_a_member", self.not_a_member),
            ("refused", self.refused),
            ("unreachable", self.unreachable),
            ("disconnected", self.disconnected),
        ]
    }
}
