//! A moment: counted from the beginning of the recordings, or by the clock on the wall.

use std::str::FromStr;
use std::time::SystemTime;

use cartwheel_sim::scenario::Span;

use crate::replay::moment;

/// A moment, as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long after the beginning.
    After(Span),
    /// In microseconds since 1970.
    Wall(u64),
}

impl FromStr for When {
    type Err = String;

    /// `2.31s`, or `2026-11-28T20:13:01.5Z` (the `T` may be a space, the `Z` may be left out).
    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_rfc3339_weak(text) {
            Ok(at) => {
                let since =
                    at.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| "allowed: a date after 1970")?;
                Ok(Self::Wall(u64::try_from(since.as_micros()).unwrap_or(u64::MAX)))
            }
            Err(_) => moment(text).map(Self::After),
        }
    }
}

impl When {
    /// In nanoseconds after the beginning, which was at `base_us` by the clock.
    pub fn on_line(self, base_us: u64) -> Result<u64, String> {
        match self {
            Self::After(span) => Ok(span.ns()),
            Self::Wall(us) => match us.checked_sub(base_us) {
                Some(after) => Ok(after.saturating_mul(1_000)),
                None => Err(format!("{}: nothing is recorded before {}", wall(us), wall(base_us))),
            },
        }
    }
}

/// `2026-11-28 20:13:01.500000 UTC`.
pub fn wall(us: u64) -> String {
    let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_micros(us);
    let text = humantime::format_rfc3339_micros(at).to_string();
    text.replace('T', " ").replace('Z', " UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spans_or_dates() {
        let when = |text: &str| text.parse::<When>();
        assert_eq!(when("2.5s").unwrap().on_line(7), Ok(2_500_000_000));
        let base_us = 1_764_361_981_000_000;
        assert_eq!(wall(base_us), "2025-11-28 20:33:01.000000 UTC");
        for text in ["2025-11-28T20:33:01.5Z", "2025-11-28 20:33:01.5"] {
            assert_eq!(when(text).unwrap().on_line(base_us), Ok(500_000_000), "{text}");
        }
        let early = when("2025-11-28T20:33:00Z").unwrap().on_line(base_us).unwrap_err();
        assert!(early.contains("nothing is recorded before 2025-11-28 20:33:01"), "{early}");
        assert!(when("yesterday").unwrap_err().contains("allowed: a time with its unit"));
    }
}
