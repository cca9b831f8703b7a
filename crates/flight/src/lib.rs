//! The flight recorder: everything that happens to a node, with the times at which it happened, in bounded room on its disk;
//! and its re-execution, which shows that the core does the same again.
//!
//! The core is a function of its settings, its [`Boot`](cartwheel_core::Boot) (seed included) and the list of `(now, input)`.
//! So that is what is kept, and of the outputs only a digest after each input. [`Recorder`] is the node's end: it notes,
//! and a thread of its own writes. [`find`] and [`re_execute`] are the other end.
//!
//! # The format
//!
//! A recording is a directory of *segments* `NNNNNN.rec`, numbered through all starts of the node. A segment is the eight
//! bytes [`MAGIC`](format::MAGIC) and then *frames*: length of the payload (32 bits, little-endian), its crc32c, and the
//! payload, which is LZ4. The first frame is the segment's head: whose inputs these are, of which boot, from which number on, and in
//! the first segment of a boot all that the core was told at its birth. Each other frame has the number of its first input and
//! then entries: time since the head, digest of the outputs, input. Entries are protobuf, in the encoding of `cartwheel-wire`.
//!
//! Every frame stands alone, so a torn or damaged one takes nothing else with it; and numbers show what is missing.

mod digest;
mod entry;
pub mod format;
mod read;
mod recorder;
mod recording;
mod replay;
mod ring;
mod stand_in;
mod writer;

pub use digest::OutputDigest;
pub use entry::{Birth, Entries, Head, Heard, Origin, Values};
pub use read::{Item, Segment, SegmentError};
pub use recorder::{Gauges, Kept, Limits, Recorder};
pub use recording::{BootRecording, FindError, Found, find};
pub use replay::{Difference, Moment, Outcome, re_execute};
pub use stand_in::{stand_in, stand_in_input, stand_in_output};
