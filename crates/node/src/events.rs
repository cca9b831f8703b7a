//! What the core tells, as lines of the log.

use std::collections::BTreeSet;
use std::time::Duration;

use cartwheel_core::Event;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::MemberStatus;
use tokio::time::Instant;

/// What an operator wants to see goes to the log as it happens; what comes once per request only when asked for.
pub(crate) struct EventLog {
    me: NodeId,
    /// Nodes of other clusters that were complained of already: they speak up again and again.
    foreign: BTreeSet<NodeId>,
    failures: Failures,
}

/// Operations that the store refused: a disk that is full refuses thousands a second, and one line in a while says as much.
#[derive(Default)]
struct Failures {
    /// Since the last line.
    count: u64,
    last_line: Option<Instant>,
}

const FAILURE_LINE_EVERY: Duration = Duration::from_secs(10);

impl Failures {
    /// One more: how many there were since the last line, if it is time for another.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        let is_time = self.last_line.is_none_or(|last| now - last >= FAILURE_LINE_EVERY);
        is_time.then(|| {
            self.last_line = Some(now);
            std::mem::take(&mut self.count)
        })
    }
}

impl EventLog {
    pub fn new(me: NodeId) -> Self {
        Self { me, foreign: BTreeSet::new(), failures: Failures::default() }
    }

    pub fn log(&mut self, event: &Event, name: impl Fn(NodeId) -> String) {
        match event {
            Event::Suspected { node } => {
                tracing::warn!(node = name(*node), "suspected: others stand in for it");
            }
            Event::Alive { node } => tracing::info!(node = name(*node), "alive again"),
            Event::StorageFailed => {
                if let Some(operations) = self.failures.count(Instant::now()) {
                    tracing::error!(operations, "the store refused or failed; other nodes are asked instead");
                }
            }
            Event::MemberChanged { node, status } => self.member_changed(*node, *status, &name),
            Event::RingChanged { version, phase } => {
                let phase = phase.map_or("settled", crate::cluster::phase_in_words);
                tracing::info!(ring = %version, phase, "the ring changed");
            }
            Event::RingSuperseded { lost, by } => {
                tracing::warn!(%lost, %by, "another commit won over the one that this node followed; look at the plan again");
            }
            Event::BackgroundThrottled { rate, p99 } => {
                tracing::info!(rate, ?p99, "the foreground suffers: background work is held back");
            }
            Event::BackgroundRecovered => tracing::info!("background work goes at its full rate again"),
            Event::PartitionRecovered { partition } => {
                tracing::info!(partition = partition.0, "holds a partition again");
            }
            Event::RecordDamaged { key } => {
                tracing::error!(%key, "a record fails its checksum; the other homes are asked for theirs");
            }
            Event::RecordMended { key } => {
                tracing::warn!(%key, "a damaged record was made anew of what the other homes hold");
            }
            Event::MetadataChanged => tracing::info!("users and grants of the cluster changed"),
            Event::LastWriteWins { bucket } => {
                tracing::warn!(%bucket, "last_write_wins: concurrent writes are decided by clocks, acknowledged ones are lost");
            }
            Event::Foreign { node } => {
                if self.foreign.len() < 1_024 && self.foreign.insert(*node) {
                    tracing::warn!(
                        node = name(*node),
                        "of a cluster that was founded otherwise; not listened to"
                    );
                }
            }
            other => log_request(other, name),
        }
    }

    fn member_changed(&self, node: NodeId, status: MemberStatus, name: impl Fn(NodeId) -> String) {
        let (member, status_text) = (name(node), status.to_string());
        match status {
            _ if node != self.me => tracing::info!(member, status = status_text, "a member changed"),
            MemberStatus::Removed => {
                tracing::warn!(
                    "this node was removed from the cluster: clients are refused, and it never returns; stop it"
                );
            }
            MemberStatus::Left => {
                tracing::info!("this node has left the cluster, owing nothing; it may be stopped");
            }
            _ => tracing::info!(member, status = status_text, "this node changed"),
        }
    }
}

/// What comes with single keys.
fn log_request(event: &Event, name: impl Fn(NodeId) -> String) {
    let name = |node: &NodeId| name(*node);
    match event {
        Event::SloppyWrite { key } => tracing::debug!(%key, "sloppy write"),
        Event::HintStored { home, key } => tracing::debug!(home = name(home), %key, "hint stored"),
        Event::HintRefused { home, key } => {
            tracing::debug!(home = name(home), %key, "hint refused: hint_bytes_max is reached");
        }
        Event::HintDelivered { home, key } => tracing::debug!(home = name(home), %key, "hint delivered"),
        Event::HintRedirected { home, key } => tracing::debug!(home = name(home), %key, "hint redirected"),
        Event::SiblingsRead { key, count } => tracing::debug!(%key, count, "siblings read"),
        Event::ReadRepair { key, node } => tracing::debug!(node = name(node), %key, "read repair"),
        Event::AntiEntropyRepair { key, peer } => {
            tracing::debug!(peer = name(peer), %key, "anti-entropy repair");
        }
        Event::Forwarded { key, to } => tracing::trace!(to = name(to), %key, "forwarded"),
        Event::RequestRepeated { request } => {
            tracing::debug!(request = format!("{:032x}", request.0), "request repeated");
        }
        Event::PartitionReceived { partition } => {
            tracing::debug!(partition = partition.0, "partition received");
        }
        Event::HandedOver { key } => tracing::debug!(%key, "handed over"),
        Event::Reaped { key } => tracing::debug!(%key, "reaped"),
        other => tracing::info!(?other, "event"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_failures_is_a_line_now_and_then() {
        let (mut failures, now) = (Failures::default(), Instant::now());
        assert_eq!(failures.count(now), Some(1));
        for _ in 0..1_000 {
            assert_eq!(failures.count(now + Duration::from_secs(9)), None);
        }
        assert_eq!(failures.count(now + Duration::from_secs(10)), Some(1_001));
        assert_eq!(failures.count(now + Duration::from_secs(11)), None);
    }
}
