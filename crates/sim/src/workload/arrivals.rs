//! When a client makes its next visit.

use crate::latency::Latency;
use crate::scenario::{ArrivalSpec, Span};
use crate::streams::Stream;

/// The visits of one client.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// It thinks after each visit.
    Closed {
        /// For how long.
        think: Latency,
    },
    /// Visits come at times that are drawn without looking at how those before went. A client that is still busy makes
    /// them late, and how long they take counts from when they came: who waits in line waits, too.
    Open {
        /// From one to the next: exponential, as where many people know nothing of each other.
        gap: Latency,
        /// When the last one came.
        last_ns: Option<u64>,
    },
}

impl Arrivals {
    /// Of one of so many `clients`.
    pub fn new(spec: &ArrivalSpec, clients: u32) -> Self {
        match spec {
            ArrivalSpec::Closed { think } => Self::Closed { think: think.clone() },
            ArrivalSpec::Open { rate } => {
                let mean = Span::from_ns((f64::from(clients) / rate * 1e9) as u64);
                Self::Open { gap: Latency::Exponential { min: Span::default(), mean }, last_ns: None }
            }
        }
    }

    /// When the next visit comes, for a client that is free since `now_ns`; perhaps earlier than that.
    pub fn next(&mut self, now_ns: u64, stream: &mut Stream) -> u64 {
        match self {
            Self::Closed { think } => now_ns.saturating_add(think.sample(stream)),
            Self::Open { gap, last_ns } => {
                let next = last_ns.unwrap_or(now_ns).saturating_add(gap.sample(stream));
                *last_ns = Some(next);
                next
            }
        }
    }

    /// When the visit came that begins at `now_ns`.
    pub fn came(&self, now_ns: u64) -> u64 {
        match self {
            Self::Closed { .. } => now_ns,
            Self::Open { last_ns, .. } => last_ns.unwrap_or(now_ns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{Component, Streams};

    #[test]
    fn an_open_loop_keeps_its_rate_whatever_its_visits_take() {
        let mut stream = Streams::new(1).stream(Component::Client { client: 0 });
        let mut arrivals = Arrivals::new(&ArrivalSpec::Open { rate: 100.0 }, 5);
        let mut free_ns = 0;
        for _ in 0..10_000 {
            let came_ns = arrivals.next(free_ns, &mut stream);
            let began_ns = came_ns.max(free_ns);
            assert_eq!(arrivals.came(began_ns), came_ns);
            // Each takes half of the time that there is between two, on average.
            free_ns = began_ns + 25_000_000;
        }
        // One client in five makes 20 visits a second.
        let seconds = arrivals.came(0) / 1_000_000_000;
        assert!((490..510).contains(&seconds), "{seconds}");
    }
}
