//! What a node wanted done, as one number.

use std::hash::{Hash, Hasher};

use cartwheel_core::canonical::CanonicalBytes;
use cartwheel_core::time::Instant;
use cartwheel_core::{Output, storage::StorageOp};
use xxhash_rust::xxh3::xxh3_64;

use crate::entry::Values;
use crate::stand_in::stand_in_output;

/// Makes digests of outputs; keeps the room that they need.
#[derive(Debug, Default)]
pub struct OutputDigest {
    bytes: CanonicalBytes,
}

impl OutputDigest {
    /// The digest of all outputs of one input, in their order, and of when the node wants to be called next: 32 bits of the
    /// xxh3 of their [canonical bytes](CanonicalBytes). Where only hashes are kept of values, it is of what stands in for them.
    pub fn of(&mut self, outputs: &[Output], next: Option<Instant>, values: Values) -> u32 {
        self.bytes.clear();
        for output in outputs {
            match values {
                Values::Whole => self.add(output),
                Values::Hashes => self.add(&stand_in_output(output)),
            }
        }
        next.hash(&mut self.bytes);
        xxh3_64(self.bytes.as_slice()) as u32
    }

    /// A node's state of the cluster is large, and has a digest of its own.
    fn add(&mut self, output: &Output) {
        match output {
            Output::Storage(request) => {
                request.ticket.hash(&mut self.bytes);
                match &request.op {
                    StorageOp::SaveCluster { cluster } => cluster.digest().hash(&mut self.bytes),
                    op => op.hash(&mut self.bytes),
                }
            }
            output => output.hash(&mut self.bytes),
        }
        self.bytes.write_u8(0xff);
    }
}
