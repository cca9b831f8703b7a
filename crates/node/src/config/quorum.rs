use std::fmt;

use cartwheel_core::Quorum;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A quorum as configuration files spell it: a number, or `one`, `quorum`, `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumSetting(pub Quorum);

impl Default for QuorumSetting {
    fn default() -> Self {
        Self(Quorum::Majority)
    }
}

impl<'de> Deserialize<'de> for QuorumSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Spelling)
    }
}

impl Serialize for QuorumSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Quorum::One => serializer.serialize_str("one"),
            Quorum::Default | Quorum::Majority => serializer.serialize_str("quorum"),
            Quorum::All => serializer.serialize_str("all"),
            Quorum::Count(count) => serializer.serialize_u8(count),
        }
    }
}

struct Spelling;

impl Visitor<'_> for Spelling {
    type Value = QuorumSetting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer within 1..=n, or one of `one`, `quorum`, `all`")
    }

    fn visit_i64<E: Error>(self, count: i64) -> Result<Self::Value, E> {
        match u8::try_from(count) {
            Ok(count) => Ok(QuorumSetting(Quorum::Count(count))),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(count), &self)),
        }
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Self::Value, E> {
        match u8::try_from(count) {
            Ok(count) => Ok(QuorumSetting(Quorum::Count(count))),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(count), &self)),
        }
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
        match word {
            "one" => Ok(QuorumSetting(Quorum::One)),
            "quorum" => Ok(QuorumSetting(Quorum::Majority)),
            "all" => Ok(QuorumSetting(Quorum::All)),
            _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
        }
    }
}
