//! Whom this node turned away: counted, and logged with the reason, but not so often that a flood of strangers fills
//! the log.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::counters::Shared;

/// Lines that may be written at once.
const BURST: u32 = 20;
/// From then on, one line in each of these.
const PACE: Duration = Duration::from_secs(1);

/// Those turned away at one door.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    total: Shared,
    log: Mutex<Option<Ration>>,
}

/// What may still be written.
#[derive(Debug)]
struct Ration {
    lines: u32,
    refilled: Instant,
    /// Since the last line that was written.
    unsaid: u64,
}

impl Refusals {
    /// Counts one. If it may be written: how many were not, since the last that was.
    pub fn count(&self) -> Option<u64> {
        self.total.add(1);
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let ration = log.get_or_insert_with(|| Ration { lines: BURST, refilled: Instant::now(), unsaid: 0 });
        let earned = ration.refilled.elapsed().as_secs() / PACE.as_secs();
        if earned > 0 {
            ration.lines = BURST.min(ration.lines + u32::try_from(earned).unwrap_or(BURST));
            ration.refilled = Instant::now();
        }
        if ration.lines == 0 {
            ration.unsaid += 1;
            return None;
        }
        ration.lines -= 1;
        Some(std::mem::take(&mut ration.unsaid))
    }

    pub fn total(&self) -> u64 {
        self.total.value()
    }
}

/// Those turned away at all doors.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    /// Whoever called as a peer and is none.
    pub peers: Refusals,
    /// Connections and requests of clients.
    pub clients: Refusals,
}

/// Who was turned away since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrangersReport {
    /// Connections that were to be a peer's: not of this cluster, no good certificate, not heard in time, in the way.
    pub peers_refused: u64,
    /// Connections and requests of clients: no TLS where it is asked for, no HTTP, no good credentials, no grant, not
    /// heard in time, in the way, nothing read of an answer.
    pub clients_refused: u64,
}

impl Strangers {
    pub fn report(&self) -> StrangersReport {
        StrangersReport { peers_refused: self.peers.total(), clients_refused: self.clients.total() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_counted_and_not_written() {
        let refusals = Refusals::default();
        let written = (0..1_000).filter(|_| refusals.count().is_some()).count();
        assert_eq!(written, 20);
        tokio::time::advance(3 * PACE).await;
        assert_eq!(refusals.count(), Some(980), "tells how many were not written");
        assert_eq!([refusals.count(), refusals.count(), refusals.count()], [Some(0), Some(0), None]);
        assert_eq!(refusals.total(), 1_004);
        tokio::time::advance(1_000 * PACE).await;
        assert_eq!(
            (0..100).filter(|_| refusals.count().is_some()).count(),
            20,
            "and no more at once than before"
        );
    }
}
