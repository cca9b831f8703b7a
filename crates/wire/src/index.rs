//! Disk keys of index entries: bucket type, bucket, index, term and key, each escaped and terminated as in
//! [`encode_key`](crate::encode_key).
//!
//! So the entries of a bucket are one range, those of one of its indexes are, and each is sorted by term, then key. That
//! a key is there at all is an entry, too: of the index without a name, under the term without bytes.

use bytes::{Bytes, BytesMut};
use cartwheel_core::Key;

use crate::error::DecodeError;
use crate::key::{put_part, take_part};
use crate::limits::{DISK_KEY_BYTES_MAX, TERM_BYTES_MAX};

/// The parts of an entry's disk key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexKey<'a> {
    /// The bucket's type.
    pub bucket_type: &'a [u8],
    /// The bucket.
    pub bucket: &'a [u8],
    /// The index; empty: the keys that are there.
    pub field: &'a [u8],
    /// The term.
    pub term: &'a [u8],
    /// The key.
    pub key: &'a [u8],
}

impl<'a> IndexKey<'a> {
    /// The entry that says that `key` is there.
    pub fn there(key: &'a Key) -> Self {
        Self::of(key, b"", b"")
    }

    /// The entry of `key` in an index.
    pub fn of(key: &'a Key, field: &'a [u8], term: &'a [u8]) -> Self {
        Self { bucket_type: key.bucket_type(), bucket: key.bucket(), field, term, key: key.key() }
    }

    /// The disk key.
    pub fn encode(&self) -> Bytes {
        let Self { bucket_type, bucket, field, term, key } = *self;
        index_prefix(&[bucket_type, bucket, field, term, key])
    }
}

/// How the disk keys of all entries begin whose first parts are these.
pub fn index_prefix(parts: &[&[u8]]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(parts.iter().map(|part| part.len() + 2).sum());
    for part in parts {
        put_part(&mut bytes, part);
    }
    bytes.freeze()
}

/// The parts of an entry's disk key, in order: bucket type, bucket, index, term, key.
///
/// # Errors
///
/// Bytes that [`IndexKey::encode`] does not make: [`DecodeError::Key`].
pub fn decode_index_key(mut bytes: &[u8]) -> Result<[Vec<u8>; 5], DecodeError> {
    let mut parts: [Vec<u8>; 5] = Default::default();
    for part in &mut parts {
        *part = take_part(&mut bytes)?;
    }
    if bytes.is_empty() { Ok(parts) } else { Err(DecodeError::Key("bytes after its end")) }
}

/// Whether an entry can be kept for `key`. Client APIs refuse one that cannot: the storage engine would.
pub fn index_key_fits(key: &Key, field: &[u8], term: &[u8]) -> bool {
    let escaped = |part: &[u8]| part.len() + part.iter().filter(|byte| **byte == 0).count() + 2;
    let parts = [key.bucket_type(), key.bucket(), field, term, key.key()];
    field.len() <= TERM_BYTES_MAX
        && term.len() <= TERM_BYTES_MAX
        && parts.into_iter().map(escaped).sum::<usize>() <= DISK_KEY_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::KEY_BYTES_MAX;

    quickcheck::quickcheck! {
        fn entries_come_back_and_are_sorted_by_their_parts(a: [Vec<u8>; 5], b: [Vec<u8>; 5]) -> bool {
            // Few distinct bytes, so that prefixes, zeros and escapes meet.
            let few = |parts: [Vec<u8>; 5]| {
                parts.map(|part| part.iter().map(|it| [0, 1, 2, 0xff][usize::from(it % 4)]).collect::<Vec<u8>>())
            };
            let (a, b) = (few(a), few(b));
            let encoded = |parts: &[Vec<u8>; 5]| {
                let [bucket_type, bucket, field, term, key] = parts;
                IndexKey { bucket_type, bucket, field, term, key }.encode()
            };
            let (x, y) = (encoded(&a), encoded(&b));
            x.cmp(&y) == a.cmp(&b) && decode_index_key(&x).as_ref() == Ok(&a)
        }
    }

    #[test]
    fn the_format_is_frozen() {
        let key = Key::new(b"carts", b"a\0b");
        let entry = IndexKey::of(&key, b"n_int", b"7").encode();
        assert_eq!(&entry[..], b"default\0\x01carts\0\x01n_int\0\x017\0\x01a\0\xffb\0\x01");
        assert_eq!(
            &IndexKey::there(&key).encode()[..],
            b"default\0\x01carts\0\x01\0\x01\0\x01a\0\xffb\0\x01"
        );
    }

    #[test]
    fn every_key_that_fits_can_be_said_to_be_there_and_long_terms_cannot_be_kept() {
        let longest = Key::new(b"", &vec![0; KEY_BYTES_MAX - Key::DEFAULT_TYPE.len()]);
        assert!(index_key_fits(&longest, b"", b""));
        assert!(!index_key_fits(&longest, b"f_bin", &[b'x'; 2_000]));
        let short = Key::new(b"b", b"k");
        assert!(index_key_fits(&short, b"f_bin", &vec![b'x'; TERM_BYTES_MAX]));
        assert!(!index_key_fits(&short, b"f_bin", &vec![b'x'; TERM_BYTES_MAX + 1]));
    }
}
