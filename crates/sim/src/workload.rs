//! What clients do, and what they remember of it: the ground truth.

pub(crate) mod cart;
mod tally;
mod truth;

use bytes::Bytes;
use cartwheel_check::WriteId;

pub use cart::{Ask, Carts, Next};
pub(crate) use tally::{End, Tally};
pub use truth::{Places, Truth};

/// Every value that a workload writes begins with the id of its write.
pub fn write_id(value: &Bytes) -> Option<WriteId> {
    let bytes = value.first_chunk::<8>()?;
    Some(WriteId(u64::from_le_bytes(*bytes)))
}
