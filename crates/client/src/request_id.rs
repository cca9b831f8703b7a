//! Names for writes.

use bytes::Bytes;

/// The client's own name for a write, which makes a retry safe: a node that has done it, and remembers, does not do it again.
///
/// The client names each write itself, and keeps the name when it sends it again. A program that wants to go on trying after
/// that, or after its own restart, makes a name, keeps it, and gives it to each attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub u128);

impl RequestId {
    /// A name that nobody else has.
    pub fn random() -> Self {
        let mut id = [0; 16];
        // Where the system has no randomness nothing works: TLS and hash maps neither.
        getrandom::fill(&mut id).unwrap_or_else(|error| panic!("the system has no randomness: {error}"));
        Self(u128::from_le_bytes(id))
    }

    pub(crate) fn to_field(self) -> Bytes {
        Bytes::copy_from_slice(&self.0.to_be_bytes())
    }
}
