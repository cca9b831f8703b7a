//! xxh3-128 of what is given piece by piece.

use alloc::boxed::Box;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// What is hashed at once; xxh3 itself goes another way beyond that.
const SHORT_MAX: usize = 240;

/// Nearly everything that gets a name here is short: it is gathered and hashed in one go, which takes a fraction of what
/// xxh3's streaming state takes to be set up.
pub(crate) struct Hash128 {
    short: [u8; SHORT_MAX],
    len: usize,
    /// Everything so far, once that is long.
    long: Option<Box<Xxh3>>,
}

impl Default for Hash128 {
    fn default() -> Self {
        Self { short: [0; SHORT_MAX], len: 0, long: None }
    }
}

impl Hash128 {
    #[inline]
    pub fn add(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        match self.short.get_mut(self.len..end) {
            Some(room) if self.long.is_none() => {
                room.copy_from_slice(bytes);
                self.len = end;
            }
            _ => self.add_to_long(bytes),
        }
    }

    #[cold]
    fn add_to_long(&mut self, bytes: &[u8]) {
        let begun = || {
            let mut long = Box::new(Xxh3::new());
            long.update(&self.short[..self.len]);
            long
        };
        self.long.get_or_insert_with(begun).update(bytes);
    }

    pub fn value(&self) -> u128 {
        self.long.as_ref().map_or_else(|| xxh3_128(&self.short[..self.len]), |long| long.digest128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    quickcheck::quickcheck! {
        fn pieces_do_not_matter(pieces: Vec<Vec<u8>>) -> bool {
            let mut hash = Hash128::default();
            pieces.iter().for_each(|piece| hash.add(piece));
            hash.value() == xxh3_128(&pieces.concat())
        }
    }
}
