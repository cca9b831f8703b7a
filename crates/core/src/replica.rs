//! What one node keeps of one key, and the machines that serve and deliver it.

#[cfg(test)]
mod bench;
mod handoff;
mod hints;
#[cfg(test)]
mod laws;
mod mend;
mod owed;
mod reap;
mod record;
mod serve;

pub(crate) use handoff::Handoff;
pub(crate) use hints::Hints;
pub(crate) use mend::Mender;
pub use owed::HintTotal;
pub(crate) use owed::Owed;
pub use reap::REAP_BATCH_MAX;
pub(crate) use reap::Reaper;
pub use record::{Change, Record, Refused, Settled, Update, Write, Written};
pub(crate) use serve::Serve;
