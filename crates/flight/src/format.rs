//! Frames: what survives a `kill -9` at any byte, and tells when it was changed.

use bytes::Bytes;

/// What every segment begins with. The last byte is the version of the format.
pub const MAGIC: [u8; 8] = *b"CWFLGHT\x01";

/// Length and checksum.
pub(crate) const FRAME_HEAD_BYTES: usize = 8;

/// Longest payload, in bytes, before and after compression: an input has at most a message or a page of records.
pub const PAYLOAD_BYTES_MAX: usize = 512 << 20;

/// `plain` as a frame.
pub fn frame(plain: &[u8]) -> Vec<u8> {
    let payload = lz4_flex::block::compress_prepend_size(plain);
    let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    let crc = checksum(len, &payload).to_le_bytes();
    [&len, &crc, payload.as_slice()].concat()
}

/// The length is part of it: a wrong one is no accident of the payload.
fn checksum(len: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&len), payload)
}

/// The next frame of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A good one: what is in it, and how many bytes it took.
    Frame(Bytes, usize),
    /// Its checksum is wrong, or it cannot be uncompressed; it claims so many bytes.
    Damaged(usize),
    /// It ends after the bytes do: it was being written, or its length is damaged.
    Torn,
    /// Nothing is left.
    End,
}

/// The frame that `bytes` begin with.
pub fn next(bytes: &[u8]) -> Next {
    if bytes.is_empty() {
        return Next::End;
    }
    let Some((head, rest)) = bytes.split_first_chunk::<FRAME_HEAD_BYTES>() else { return Next::Torn };
    let [l0, l1, l2, l3, c0, c1, c2, c3] = *head;
    let len = [l0, l1, l2, l3];
    let (size, crc) = (u32::from_le_bytes(len) as usize, u32::from_le_bytes([c0, c1, c2, c3]));
    let Some(payload) = rest.get(..size).filter(|_| size <= PAYLOAD_BYTES_MAX) else { return Next::Torn };
    let taken = FRAME_HEAD_BYTES + size;
    if crc != checksum(len, payload) {
        return Next::Damaged(taken);
    }
    let is_bounded = |size: usize| size <= PAYLOAD_BYTES_MAX;
    match lz4_flex::block::uncompressed_size(payload) {
        Ok((size, _)) if is_bounded(size) => match lz4_flex::block::decompress_size_prepended(payload) {
            Ok(plain) => Next::Frame(plain.into(), taken),
            Err(_) => Next::Damaged(taken),
        },
        _ => Next::Damaged(taken),
    }
}
