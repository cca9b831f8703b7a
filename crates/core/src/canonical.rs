//! One byte string for whatever is `Hash`, the same on every platform: what a trace is named by, and what tells whether
//! two nodes wanted the same done.

use alloc::vec::Vec;
use core::hash::Hasher;

/// Collects what is hashed instead of hashing it: little-endian words, lengths as 64 bits. Fill it through `Hash`, and
/// hash the bytes with whatever hash is to be frozen.
#[derive(Debug, Default)]
pub struct CanonicalBytes(Vec<u8>);

impl CanonicalBytes {
    /// What was collected.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Forgets it, and keeps the room it took.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

// Inlined elsewhere: a word takes less time than the call.
impl Hasher for CanonicalBytes {
    /// Nothing is hashed here: always 0.
    fn finish(&self) -> u64 {
        0
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.0.push(value);
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.write(&value.to_le_bytes());
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.write(&value.to_le_bytes());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.write(&value.to_le_bytes());
    }

    #[inline]
    fn write_u128(&mut self, value: u128) {
        self.write(&value.to_le_bytes());
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }
}
