//! What one node keeps of one key, and the machines that serve and deliver it.

mod hints;
#[cfg(test)]
mod laws;
mod owed;
mod record;
mod serve;

pub(crate) use hints::Hints;
pub use owed::HintTotal;
pub(crate) use owed::Owed;
pub use record::{Change, Record, Refused, Settled, Update, Write};
pub(crate) use serve::Serve;
