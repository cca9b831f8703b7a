//! Properties of buckets and bucket types, by Riak's names and as JSON values: what clients set, what they are shown, and
//! what they are told is wrong.
//!
//! Both APIs and `cartwheel admin` come through here. What the core knows has a field of its own there; what means
//! something to Riak only, and what somebody's application made up, is kept as JSON text and shown again. What would
//! have to be *done* by Erlang functions (hooks, another hash, another way to find links) is refused, unless it is just
//! what is shown anyway: a client that sends back what it was shown changes nothing.

mod erlang;
mod message;
mod read;
mod shown;
mod trouble;

pub use message::{of_message, to_message};
pub use read::read;
pub use shown::{Held, shown};
pub use trouble::{Problem, Trouble};

use cartwheel_core::membership::Bucket;
use serde_json::{Value, json};

/// What has properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A bucket.
    Bucket(Bucket),
    /// A bucket type, by its name.
    Type(Vec<u8>),
}

impl Owner {
    /// The bucket type that it is, or is of.
    pub fn bucket_type(&self) -> &[u8] {
        match self {
            Self::Bucket(bucket) => &bucket.bucket_type,
            Self::Type(name) => name,
        }
    }
}

/// What is so everywhere, and cannot be set.
fn fixed() -> [(&'static str, Value); 4] {
    [
        ("chash_keyfun", json!({ "mod": "riak_core_util", "fun": "chash_std_keyfun" })),
        ("linkfun", json!({ "mod": "riak_kv_wm_link_walker", "fun": "mapreduce_linkfun" })),
        ("postcommit", json!([])),
        ("precommit", json!([])),
    ]
}

/// What is only kept, and shown even if nobody has set it.
fn kept() -> [(&'static str, Value); 6] {
    [
        ("big_vclock", json!(50)),
        ("old_vclock", json!(86_400)),
        ("rw", json!("quorum")),
        ("small_vclock", json!(50)),
        ("sync_on_write", json!("backend")),
        ("young_vclock", json!(20)),
    ]
}
