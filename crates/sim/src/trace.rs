//! What happened to every node: the digest, one number that names all of it; and, for runs that somebody wants to look
//! into, a recording, which is written in formats that other tools read.

mod chrome;
mod datatype;
mod format;
mod jsonl;
mod recorder;
mod recording;
mod shiviz;
mod witness;
mod words;

pub use datatype::value as data_type_in_words;
pub use format::{Format, UnknownFormat};
pub(crate) use recorder::Recorder;
pub use recording::Recording;
pub(crate) use recording::{Band, Carried, Fate, Lane, Step, Talk, Waited};
pub use shiviz::SHIVIZ_PARSER;
pub use witness::{Shown, Testimony, Witness};
pub use words::fault as fault_in_words;
pub use words::text_of;
pub(crate) use words::{
    request_name, siblings as siblings_in_words, value as value_in_words, version as version_in_words,
};

use std::hash::{Hash, Hasher};

use cartwheel_core::Input;
use cartwheel_core::canonical::CanonicalBytes;
use cartwheel_core::message::Message;
use xxhash_rust::xxh3::xxh3_128;

/// So many bytes of inputs are hashed at once: a few at a time cost several times as much.
const HASHED_BYTES: usize = 4_096;

/// The hash of every `(now, node, input)`, in their order.
///
/// Inputs are hashed through their `Hash` implementations into a byte string of little-endian words, so that the
/// digest depends on neither the platform nor on any hasher's key.
#[derive(Debug, Default)]
pub struct TraceDigest {
    /// The hash of all that came before, and what came since.
    bytes: CanonicalBytes,
}

impl TraceDigest {
    /// Adds one input. How many bytes that is made of.
    pub fn add(&mut self, now_ns: u64, node: u32, input: &Input) -> u64 {
        if self.bytes.as_slice().len() >= HASHED_BYTES {
            let before = self.value();
            self.bytes.clear();
            before.hash(&mut self.bytes);
        }
        now_ns.hash(&mut self.bytes);
        node.hash(&mut self.bytes);
        let before = self.bytes.as_slice().len();
        input.hash(&mut self.bytes);
        (self.bytes.as_slice().len() - before) as u64
    }

    /// The digest so far.
    pub fn value(&self) -> u128 {
        xxh3_128(self.bytes.as_slice())
    }
}

/// How much `message` takes, in bytes: all that it is made of, in plain, and a few for the frame.
pub fn size(message: &Message) -> u64 {
    let mut size = Size(24);
    message.hash(&mut size);
    size.0
}

/// Counts what is hashed instead of hashing it.
struct Size(u64);

impl Hasher for Size {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 += bytes.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartwheel_core::id::NodeId;
    use cartwheel_core::message::LivenessMessage;

    #[test]
    fn the_digest_is_frozen_and_sees_time_node_and_input() {
        let ping = Input::Peer { from: NodeId(2), message: Message::Liveness(LivenessMessage::Ping) };
        let digest = |now, node, input: &Input| {
            let mut trace = TraceDigest::default();
            trace.add(now, node, input);
            trace.value()
        };
        let value = digest(5, 1, &ping);
        assert_ne!(value, digest(6, 1, &ping));
        assert_ne!(value, digest(5, 2, &ping));
        assert_ne!(value, digest(5, 1, &Input::Timeout));
        assert_eq!(format!("{value:032x}"), "e04d60329ee8d2321240e5953746c7af");
    }
}
