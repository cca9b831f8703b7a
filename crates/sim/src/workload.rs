//! What clients do, and what they remember of it: the ground truth.
//!
//! All kinds of workloads share one loop ([`Clients`]): a visit begins when its time has come, asks for a key, tries again
//! at other nodes, and is written down. Kinds differ in what a visit does to what it reads.

mod arrivals;
pub(crate) mod changes;
mod client;
mod clients;
mod keyspace;
mod kind;
mod plan;
mod popularity;
mod tally;
mod truth;
mod value;
mod writes;

pub use client::{Ask, Next};
pub use clients::Clients;
pub(crate) use keyspace::Keyspace;
pub(crate) use tally::{End, Tally};
pub use truth::{Places, Truth};
pub use value::write_id;
