//! The judge: what clients saw goes in, an explained verdict comes out.
//!
//! One judge for the simulator, for real clusters and for CI. It never looks at a server's clock or version vector:
//! every write carries a [`WriteId`] of its own and the set of writes that its client had been shown, and that is
//! the ground truth. A write that was acknowledged is kept when it is still there at the end, or when something
//! still there was written by a client that had been shown it, directly or through others. What an acknowledged write
//! had superseded stays away, no two siblings are held of which one's writer had been shown the other, and what was
//! refused was not done. A delete is a write, too, and may vanish once nothing that it superseded is left.

mod convergence;
mod durability;
mod history;
mod knowledge;
mod supersession;
mod verdict;

pub use convergence::diverged;
pub use durability::lost;
pub use history::{Copies, Copy, History, Operation, Outcome, WriteId};
pub use supersession::{Superseded, false_siblings, refused_but_done, resurrected};
pub use verdict::{Diverged, Insight, Lost, Verdict, judge};
