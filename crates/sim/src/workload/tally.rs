//! How requests of one kind went.

use cartwheel_core::ClientError;
use hdrhistogram::Histogram;

use crate::report::{Failures, Quantiles, Requests};

/// Requests, and how long those took that succeeded.
#[derive(Debug)]
pub struct Tally {
    failed: Failures,
    latency_us: Histogram<u64>,
}

/// How an attempt ended that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The node said so.
    Told(ClientError),
    /// There was nobody to connect to.
    Unreachable,
    /// The connection broke before an answer came.
    Disconnected,
}

impl End {
    /// Whether the request may have been done nevertheless.
    pub fn is_maybe_done(&self) -> bool {
        match self {
            Self::Told(error) => !matches!(
                error,
                ClientError::Overloaded { .. } | ClientError::Invalid(_) | ClientError::StorageFailed
            ),
            Self::Unreachable => false,
            Self::Disconnected => true,
        }
    }
}

impl Default for Tally {
    fn default() -> Self {
        // Up to an hour, with three significant digits.
        let latency_us = Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("the bounds are valid");
        Self { failed: Failures::default(), latency_us }
    }
}

impl Tally {
    /// One succeeded.
    pub fn succeeded(&mut self, took_us: u64) {
        self.latency_us.saturating_record(took_us);
    }

    /// One was given up, because its last attempt ended so.
    pub fn failed(&mut self, end: &End) {
        let Failures {
            timeout,
            quorum_unmet,
            overloaded,
            storage_failed,
            not_a_member,
            refused,
            unreachable,
            disconnected,
        } = &mut self.failed;
        *match end {
            End::Unreachable => unreachable,
            End::Disconnected => disconnected,
            End::Told(ClientError::Timeout { .. }) => timeout,
            End::Told(ClientError::QuorumUnmet { .. }) => quorum_unmet,
            End::Told(ClientError::Overloaded { .. }) => overloaded,
            End::Told(ClientError::StorageFailed) => storage_failed,
            End::Told(ClientError::NotAMember) => not_a_member,
            End::Told(
                ClientError::Invalid(_)
                | ClientError::Unfit(_)
                | ClientError::NoType
                | ClientError::Refused(_),
            ) => refused,
        } += 1;
    }

    /// For the report.
    pub fn requests(&self) -> Requests {
        let (succeeded, latency) = (self.latency_us.len(), Quantiles::of(&self.latency_us));
        Requests { attempted: self.failed.total() + succeeded, succeeded, latency, failed: self.failed }
    }
}
