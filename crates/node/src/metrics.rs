//! What is measured: for Prometheus (`/metrics`), and under Riak's names (`/stats`).
//!
//! What clients asked is counted as it is answered; everything else is what the node says of itself when it is asked
//! ([`told`]), so that there is one account of it.

mod riak;
mod told;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cartwheel_core::coverage::CoverageError;
use cartwheel_core::version::Value;
use cartwheel_core::{Answer, ClientError, ClientOp, QuorumKind};
use prometheus_client::encoding::text::{encode, encode_registry};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use self::riak::Requests;
use self::told::Told;
use crate::report::Report;

pub(crate) use riak::{RIAK_VERSION, stats};

/// What a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Get,
    Put,
    Delete,
    Update,
    List,
}

/// A label whose values have names of their own.
macro_rules! label {
    ($label:ident: $($value:ident = $name:literal),+) => {
        impl EncodeLabelValue for $label {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
                match self {
                    $(Self::$value => $name.encode(encoder),)+
                }
            }
        }
    };
}

label!(Operation: Get = "get", Put = "put", Delete = "delete", Update = "update", List = "list");
label!(QuorumLabel: R = "r", Pr = "pr", W = "w", Pw = "pw");
label!(Outcome: Ok = "ok", NotFound = "not_found", Timeout = "timeout", QuorumUnmet = "quorum_unmet", Uncovered = "uncovered", Overloaded = "overloaded",
    StorageFailed = "storage_failed", NotAMember = "not_a_member", ConditionUnmet = "condition_unmet", Invalid = "invalid");

impl Operation {
    pub fn of(op: &ClientOp) -> Self {
        match op {
            ClientOp::Get(_) => Self::Get,
            ClientOp::Put { value: Value::Tombstone, .. } => Self::Delete,
            ClientOp::Put { value: Value::Data(_) | Value::DataType(_), .. } => Self::Put,
            ClientOp::Update { .. } => Self::Update,
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Outcome {
    Ok,
    NotFound,
    Timeout,
    QuorumUnmet,
    Uncovered,
    Overloaded,
    StorageFailed,
    NotAMember,
    ConditionUnmet,
    Invalid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: Operation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    operation: Operation,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuorumLabels {
    quorum: QuorumLabel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum QuorumLabel {
    R,
    Pr,
    W,
    Pw,
}

/// What clients asked of this node since its start.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<OperationLabels, Histogram>,
    siblings: Histogram,
    value_bytes: Family<OperationLabels, Histogram>,
    quorums_unmet: Family<QuorumLabels, Counter>,
    pb_connects: Counter,
    pb_connections: Gauge,
    riak: Mutex<Requests>,
}

/// From half a millisecond to 16 s.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 16))
}

/// From 64 bytes to 64 MiB.
fn sizes() -> Histogram {
    Histogram::new(exponential_buckets(64.0, 4.0, 11))
}

impl Metrics {
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix(PREFIX),
            requests: Family::default(),
            durations: Family::new_with_constructor(durations),
            siblings: Histogram::new([1.0, 2.0, 3.0, 5.0, 10.0, 25.0, 50.0, 100.0]),
            value_bytes: Family::new_with_constructor(sizes),
            quorums_unmet: Family::default(),
            pb_connects: Counter::default(),
            pb_connections: Gauge::default(),
            riak: Mutex::default(),
        };
        let registry = &mut metrics.registry;
        registry.register(
            "requests",
            "Requests of clients, by what they asked and how it ended",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "How long requests took that succeeded",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register(
            "siblings",
            "Versions shown by a get that found something",
            metrics.siblings.clone(),
        );
        registry.register_with_unit(
            "value_size",
            "Bytes of all versions that a get showed, or of what a put wrote",
            Unit::Bytes,
            metrics.value_bytes.clone(),
        );
        registry.register(
            "quorum_unmet",
            "Requests that failed because a quorum was not met, by the quorum",
            metrics.quorums_unmet.clone(),
        );
        registry.register(
            "pb_connects",
            "Connections that clients made to the protocol-buffers port",
            metrics.pb_connects.clone(),
        );
        registry.register(
            "pb_connections",
            "Connections of clients to the protocol-buffers port that there are",
            metrics.pb_connections.clone(),
        );
        metrics
    }

    /// A request of a client was answered.
    pub fn answered(
        &self,
        operation: Operation,
        written: Option<usize>,
        result: &Result<Answer, ClientError>,
        took: Duration,
    ) {
        let outcome = outcome(operation, result);
        self.requests.get_or_create(&RequestLabels { operation, outcome }).inc();
        let labels = OperationLabels { operation };
        match result {
            Ok(answer) => {
                self.durations.get_or_create(&labels).observe(took.as_secs_f64());
                let versions = answer.siblings.versions().len();
                if operation == Operation::Get && versions > 0 {
                    self.siblings.observe(versions as f64);
                }
                let bytes =
                    written.unwrap_or_else(|| usize::try_from(answer.siblings.value_bytes()).unwrap_or(0));
                if operation != Operation::Delete {
                    self.value_bytes.get_or_create(&labels).observe(bytes as f64);
                }
                self.riak().succeeded(operation, took, versions as u64, bytes as u64);
            }
            Err(ClientError::QuorumUnmet { quorum, .. }) => {
                let quorum = match quorum {
                    QuorumKind::R => QuorumLabel::R,
                    QuorumKind::Pr => QuorumLabel::Pr,
                    QuorumKind::W => QuorumLabel::W,
                    QuorumKind::Pw => QuorumLabel::Pw,
                };
                self.quorums_unmet.get_or_create(&QuorumLabels { quorum }).inc();
            }
            Err(_) => {}
        }
    }

    /// A client wants a listing, or queries an index.
    pub fn listing(&self) -> ListingUnderWay {
        let (requests, durations) = (self.requests.clone(), self.durations.clone());
        ListingUnderWay { requests, durations, began: Instant::now() }
    }

    /// A client has connected to the protocol-buffers port, and stays for as long as what is returned is kept.
    pub fn pb_connected(&self) -> Connected {
        self.pb_connects.inc();
        self.pb_connections.inc();
        Connected(self.pb_connections.clone())
    }

    /// Everything, in the text format of Prometheus (OpenMetrics).
    pub fn text(&self, report: Report) -> String {
        let mut text = String::new();
        let mut told = Registry::with_prefix(PREFIX);
        told.register_collector(Box::new(Told(report)));
        // Writing into a string cannot fail.
        _ = encode_registry(&mut text, &self.registry);
        _ = encode(&mut text, &told);
        text
    }

    fn riak(&self) -> MutexGuard<'_, Requests> {
        self.riak.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A listing that is counted when it ends; one that its client gives up is not.
#[derive(Debug)]
pub(crate) struct ListingUnderWay {
    requests: Family<RequestLabels, Counter>,
    durations: Family<OperationLabels, Histogram>,
    began: Instant,
}

impl ListingUnderWay {
    /// It has ended: its last part is there, or there is none.
    pub fn ended(&self, failed: Option<&CoverageError>) {
        let (operation, outcome) = (Operation::List, failed.map_or(Outcome::Ok, uncovered));
        self.requests.get_or_create(&RequestLabels { operation, outcome }).inc();
        if failed.is_none() {
            let took = self.began.elapsed().as_secs_f64();
            self.durations.get_or_create(&OperationLabels { operation }).observe(took);
        }
    }
}

fn uncovered(error: &CoverageError) -> Outcome {
    match error {
        CoverageError::Timeout => Outcome::Timeout,
        CoverageError::Uncovered { .. } => Outcome::Uncovered,
        CoverageError::Overloaded { .. } => Outcome::Overloaded,
        CoverageError::NotAMember => Outcome::NotAMember,
        CoverageError::NoType => Outcome::Invalid,
    }
}

/// A connection that is counted.
#[derive(Debug)]
pub(crate) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Before all names.
const PREFIX: &str = "cartwheel";

fn outcome(operation: Operation, result: &Result<Answer, ClientError>) -> Outcome {
    match result {
        Ok(answer) if operation == Operation::Get && !answer.siblings.is_found() => Outcome::NotFound,
        Ok(_) => Outcome::Ok,
        Err(ClientError::Timeout { .. }) => Outcome::Timeout,
        Err(ClientError::QuorumUnmet { .. }) => Outcome::QuorumUnmet,
        Err(ClientError::Overloaded { .. }) => Outcome::Overloaded,
        Err(ClientError::StorageFailed) => Outcome::StorageFailed,
        Err(ClientError::NotAMember) => Outcome::NotAMember,
        Err(ClientError::Unfit(_) | ClientError::Refused(_)) => Outcome::ConditionUnmet,
        Err(ClientError::Invalid(_) | ClientError::NoType) => Outcome::Invalid,
    }
}
