//! Disk keys: 8 big-endian bytes of token, then bucket type, bucket and key, each escaped and terminated.
//!
//! Escaping (a zero byte becomes `00 ff`, the end is `00 01`) instead of length prefixes, because lengths do not
//! sort: so the order of the bytes is exactly the order of [`Key`], even among keys whose tokens collide, and a
//! partition, or one token's keys of one bucket, is one range.

use bytes::{BufMut, Bytes, BytesMut};
use cartwheel_core::Key;

use crate::error::DecodeError;
use crate::limits::KEY_BYTES_MAX;

const TOKEN_BYTES: usize = 8;
const ESCAPE: u8 = 0x00;
const ZERO: u8 = 0xff;
const END: u8 = 0x01;

/// Whether `key` is within [`KEY_BYTES_MAX`]. Client APIs refuse one that is not: peers and disks would.
pub fn key_fits(key: &Key) -> bool {
    check_parts([key.bucket_type(), key.bucket(), key.key()]).is_ok()
}

/// `key` as a disk key: at most 8 + 2 * [`KEY_BYTES_MAX`] + 6 bytes for a key that [fits](key_fits).
pub fn encode_key(key: &Key) -> Bytes {
    let parts = [key.bucket_type(), key.bucket(), key.key()];
    let unescaped: usize = parts.iter().map(|part| part.len() + 2).sum();
    let mut bytes = BytesMut::with_capacity(TOKEN_BYTES + unescaped);
    bytes.put_u64(key.token().0);
    for part in parts {
        put_part(&mut bytes, part);
    }
    bytes.freeze()
}

/// The key that [`encode_key`] made `bytes` of.
///
/// # Errors
///
/// Bytes that it does not make: [`DecodeError::Key`], [`DecodeError::Token`], [`DecodeError::TooMany`].
pub fn decode_key(bytes: &[u8]) -> Result<Key, DecodeError> {
    let (token, mut rest) =
        bytes.split_first_chunk::<TOKEN_BYTES>().ok_or(DecodeError::Key("shorter than a token"))?;
    let bucket_type = take_part(&mut rest)?;
    let bucket = take_part(&mut rest)?;
    let key = take_part(&mut rest)?;
    if !rest.is_empty() {
        return Err(DecodeError::Key("bytes after its end"));
    }
    check_parts([&bucket_type, &bucket, &key])?;
    let key = Key::typed(&bucket_type, &bucket, &key);
    let stored = u64::from_be_bytes(*token);
    let expected = key.token().0;
    if stored == expected { Ok(key) } else { Err(DecodeError::Token { stored, expected }) }
}

pub fn check_parts(parts: [&[u8]; 3]) -> Result<(), DecodeError> {
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    if bytes <= KEY_BYTES_MAX {
        Ok(())
    } else {
        Err(DecodeError::TooMany { what: "bytes of a key", max: KEY_BYTES_MAX })
    }
}

pub fn put_part(bytes: &mut BytesMut, part: &[u8]) {
    for &byte in part {
        bytes.put_u8(byte);
        if byte == ESCAPE {
            bytes.put_u8(ZERO);
        }
    }
    bytes.put_slice(&[ESCAPE, END]);
}

/// The part at the front of `rest`, which then begins after its end.
pub fn take_part(rest: &mut &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut part = Vec::new();
    loop {
        match **rest {
            [ESCAPE, ZERO, ref after @ ..] => {
                part.push(ESCAPE);
                *rest = after;
            }
            [ESCAPE, END, ref after @ ..] => {
                *rest = after;
                return Ok(part);
            }
            [ESCAPE, ..] => return Err(DecodeError::Key("an unknown escape")),
            [byte, ref after @ ..] => {
                part.push(byte);
                *rest = after;
            }
            [] => return Err(DecodeError::Key("a part without an end")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(parts: &[Vec<u8>]) -> Bytes {
        let mut bytes = BytesMut::new();
        for part in parts {
            put_part(&mut bytes, part);
        }
        bytes.freeze()
    }

    #[test]
    fn parts_sort_as_their_bytes_do() {
        fn holds(a: [Vec<u8>; 3], b: [Vec<u8>; 3]) -> bool {
            // Few distinct bytes, so that prefixes, zeros and escapes meet.
            let few = |parts: [Vec<u8>; 3]| {
                parts
                    .map(|part| part.iter().map(|b| [0, 1, 2, 0xff][usize::from(b % 4)]).collect::<Vec<u8>>())
            };
            let (a, b) = (few(a), few(b));
            parts(&a).cmp(&parts(&b)) == a.cmp(&b)
        }
        quickcheck::quickcheck(holds as fn([Vec<u8>; 3], [Vec<u8>; 3]) -> bool);
        for (a, b) in [("", "\0"), ("\0", "\0\0"), ("a", "a\0"), ("a\0", "a\u{1}"), ("\0", "\u{1}")] {
            let one = |part: &str| parts(&[part.as_bytes().to_vec()]);
            assert!(one(a) < one(b), "{a:?} {b:?}");
        }
    }
}
