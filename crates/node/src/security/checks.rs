//! Passwords are checked a few at a time, and few wait for their turn.
//!
//! A check takes long on purpose. Without a bound, strangers who guess would have all others wait behind them; with one
//! for all, a single place that sends guesses would take all of it. So there is one for each address, too.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Passwords checked at once.
const AT_ONCE_MAX: usize = 2;
/// Checks under way and waiting, of all addresses.
const WAITING_MAX: usize = 256;
/// Of them, those of one address.
const OF_ONE_ADDRESS_MAX: usize = 64;

/// Whose turn it is.
pub(super) struct Checks {
    turns: Arc<Semaphore>,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    all: usize,
    by_address: BTreeMap<IpAddr, usize>,
}

/// A place among those that wait for a check. Dropped, it is free.
pub(super) struct InLine {
    waiting: Arc<Mutex<Waiting>>,
    address: IpAddr,
}

impl Checks {
    pub fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE_MAX)), waiting: Arc::default() }
    }

    /// A place among those that wait; none if there are too many.
    pub fn stand_in_line(&self, address: IpAddr) -> Option<InLine> {
        let mut waiting = lock(&self.waiting);
        let all_full = waiting.all >= WAITING_MAX;
        let of_one = waiting.by_address.entry(address).or_default();
        if all_full || *of_one >= OF_ONE_ADDRESS_MAX {
            if *of_one == 0 {
                waiting.by_address.remove(&address);
            }
            return None;
        }
        *of_one += 1;
        waiting.all += 1;
        Some(InLine { waiting: Arc::clone(&self.waiting), address })
    }

    /// Comes when it is this one's turn, which lasts until the permit is dropped.
    pub async fn turn(&self, _: &InLine) -> Option<OwnedSemaphorePermit> {
        // Nobody closes the semaphore.
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        let mut waiting = lock(&self.waiting);
        waiting.all -= 1;
        if let Some(of_one) = waiting.by_address.get_mut(&self.address) {
            *of_one -= 1;
            if *of_one == 0 {
                waiting.by_address.remove(&self.address);
            }
        }
    }
}

fn lock(waiting: &Mutex<Waiting>) -> std::sync::MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Checks {
        /// Nobody has a turn as long as this is kept.
        pub async fn all_turns(&self) -> OwnedSemaphorePermit {
            Arc::clone(&self.turns).acquire_many_owned(AT_ONCE_MAX as u32).await.expect("nobody closes it")
        }
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn one_address_does_not_keep_others_out_of_the_line() {
        let checks = Checks::new();
        let mut of_one: Vec<_> =
            (0..OF_ONE_ADDRESS_MAX).map(|_| checks.stand_in_line(address(1)).expect("room")).collect();
        assert!(checks.stand_in_line(address(1)).is_none());
        assert!(checks.stand_in_line(address(2)).is_some());
        of_one.pop();
        assert!(checks.stand_in_line(address(1)).is_some(), "one has gone");
    }

    #[test]
    fn the_line_has_an_end_and_leaves_nothing_behind() {
        let checks = Checks::new();
        let all: Vec<_> = (0..WAITING_MAX)
            .map(|number| checks.stand_in_line(address((number % 8) as u8)).expect("room"))
            .collect();
        assert!(checks.stand_in_line(address(100)).is_none());
        drop(all);
        let waiting = lock(&checks.waiting);
        assert_eq!((waiting.all, waiting.by_address.len()), (0, 0));
    }
}
