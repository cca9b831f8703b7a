//! Executes the core's storage requests on an embedded engine, with group commit. Blocking threads, no async runtime.
//!
//! # A data directory
//!
//! | entry | what |
//! |---|---|
//! | `LOCK` | locked while a process has the directory open |
//! | `identity` | whose data this is: cluster, node, store id, format |
//! | `boot` | boot number, since when every stop was clean, whether the last one was |
//! | `cluster` | the cluster's state, as this node knew it last |
//! | `engine/` | fjall: the keyspaces `records`, `hints`, `tombstones`, `index`, `meta` |
//!
//! [`Store::open`] checks and raises all that and gives an [`Opened`], which knows what the core's `Boot` needs.
//! [`Opened::start`] starts the threads, [`Opened::start_stepped`] leaves it to the caller to run what they would;
//! [`StoreHandle::submit`] takes requests and never blocks; [`StoreHandle::close`] is the clean stop. A handle that is dropped instead is a crash: the next start is told so.
//!
//! # The contract of `cartwheel_core::storage`, and what keeps it
//!
//! 1. *Order*: one committer thread applies updates in the order of their submission. A batch is committed, and so
//!    visible to readers, before its completions are handed out.
//! 2. *Exactly one completion*: each request travels through one queue to one thread, which answers it.
//! 3. *Synced*: one sync per batch, after its commit and before the next batch; the watermark is its last ticket.
//! 4. *Fence*: after a failed sync or commit everything is refused until the directory is opened anew.
//! 5. *Bounds*: the queues are bounded by the core's `storage_inflight_max`; batches by [`BATCH_UPDATES_MAX`] and
//!    [`BATCH_BYTES_MAX`].

mod backup;
mod boot;
mod cluster_file;
mod committer;
mod engine;
mod error;
mod fault;
mod handle;
mod identity;
mod keeper;
mod lock;
mod open;
mod reader;
mod record;
mod room;
mod salvage;
mod state_file;
mod trees;
mod worker;

pub use backup::{Backup, BackupError};
pub use committer::{BATCH_BYTES_MAX, BATCH_UPDATES_MAX};
pub use engine::{Holding, Indexing};
pub use error::{BeginError, CloseError, OpenError};
#[doc(hidden)]
pub use fault::Faults;
pub use handle::{Inspector, StoreHandle};
pub use identity::Identity;
pub use open::{Opened, Store};
pub use salvage::Salvaged;
pub use worker::{Step, Worker};
