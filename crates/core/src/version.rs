//! Versions of one key, and the two functions that decide which survive.
//!
//! Every version is a [`Dot`] plus its causal past: a dotted version vector. A version is dropped only because
//! another version's past *contains its dot*, and a past contains only what the writer's [`Context`] contained.
//! Nothing here looks at a clock, except [`Policy::LastWriteWins`], which exists to show what that costs.

mod context;
mod dot;
mod prune;
mod siblings;
mod vector;

pub use context::Context;
pub use dot::{Actor, Dot};
pub(crate) use prune::pruned;
pub use siblings::{Digest, Policy, Siblings, Value, Version};
pub use vector::VersionVector;
