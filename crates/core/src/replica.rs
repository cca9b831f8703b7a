//! What one node keeps of one key, and the machines that serve and deliver it.

mod hints;
#[cfg(test)]
mod laws;
mod record;
mod serve;

pub(crate) use hints::Hints;
pub use record::{Change, Record, Refused, Settled, Update, Write};
pub(crate) use serve::Serve;
