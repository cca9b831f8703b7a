//! Values with units, as people write them.

use std::fmt;
use std::time::Duration;

use cartwheel_core::Quorum;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::streams::Chance;

/// A duration, written as `250us`, `5ms`, `1m 30s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(Duration);

impl Span {
    /// So many nanoseconds.
    pub const fn from_ns(ns: u64) -> Self {
        Self(Duration::from_nanos(ns))
    }

    /// So many microseconds.
    pub const fn from_us(us: u64) -> Self {
        Self(Duration::from_micros(us))
    }

    /// So many milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }

    /// In nanoseconds.
    pub fn ns(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }

    /// As the standard library's type.
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration of 0 or more with its unit, such as \"250us\", \"5ms\" or \"1m 30s\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                let parsed = humantime::parse_duration(text).ok();
                let bounded = parsed.filter(|span| *span <= Duration::from_secs(366 * 86_400));
                bounded.map(Span).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A latency that is aimed at: a duration, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetSpec(pub Option<Span>);

impl Default for TargetSpec {
    fn default() -> Self {
        Self(Some(Span::from_ms(50)))
    }
}

impl Serialize for TargetSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(span) => span.serialize(serializer),
            None => serializer.serialize_str("off"),
        }
    }
}

impl<'de> Deserialize<'de> for TargetSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "off" {
            return Ok(Self(None));
        }
        Span::deserialize(de::value::StringDeserializer::new(text))
            .map(|span| Self(Some(span)))
            .map_err(|error: D::Error| de::Error::custom(format!("{error}, or \"off\"")))
    }
}

/// A probability within 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Probability(f64, Chance);

impl Probability {
    /// `None` outside 0..=1.
    pub fn new(value: f64) -> Option<Self> {
        Chance::from_probability(value).map(|chance| Self(value, chance))
    }

    /// As a number.
    pub const fn value(self) -> f64 {
        self.0
    }

    /// As something to draw against.
    pub const fn chance(self) -> Chance {
        self.1
    }
}

impl Serialize for Probability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::new(value)
            .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Float(value), &"a probability of 0 to 1"))
    }
}

/// A quorum: a number, or `one`, `quorum`, `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumSpec(pub Quorum);

impl Default for QuorumSpec {
    fn default() -> Self {
        Self(Quorum::Majority)
    }
}

impl Serialize for QuorumSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Quorum::One => serializer.serialize_str("one"),
            Quorum::Default | Quorum::Majority => serializer.serialize_str("quorum"),
            Quorum::All => serializer.serialize_str("all"),
            Quorum::Count(count) => serializer.serialize_u8(count),
        }
    }
}

impl<'de> Deserialize<'de> for QuorumSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrWord;
        impl Visitor<'_> for NumberOrWord {
            type Value = QuorumSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of 1 to n, \"one\", \"quorum\" or \"all\"")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<QuorumSpec, E> {
                let count = u8::try_from(value).ok().filter(|count| *count > 0);
                count
                    .map(|count| QuorumSpec(Quorum::Count(count)))
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(value), &self))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<QuorumSpec, E> {
                self.visit_i64(i64::try_from(value).unwrap_or(-1))
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<QuorumSpec, E> {
                match word {
                    "one" => Ok(QuorumSpec(Quorum::One)),
                    "quorum" => Ok(QuorumSpec(Quorum::Majority)),
                    "all" => Ok(QuorumSpec(Quorum::All)),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(NumberOrWord)
    }
}
