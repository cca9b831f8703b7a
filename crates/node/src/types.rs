//! Bucket types as operators see them: what the admin API shows and takes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A bucket type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeReport {
    /// Its name.
    pub name: String,
    /// Whether clients find it.
    pub active: bool,
    /// All properties, by Riak's names.
    pub props: Map<String, Value>,
}

/// What is to become of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeRequest {
    /// Its name.
    pub name: String,
    /// Properties to create it with, or to set: those that are not named stay.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub props: Map<String, Value>,
}
