//! Frames on peer connections: `u32` length of what follows, `u8` version, `u32` CRC-32C of the payload, payload; all
//! big-endian. The length is checked against a bound before a byte of it is awaited.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::tls::what_happened;

/// The only version so far. A receiver refuses others; which are spoken is agreed in the handshake.
const VERSION: u8 = 1;
const LENGTH: usize = 4;
/// Version and checksum.
const HEADER: usize = 5;

/// Why a connection cannot be read on. Nothing after this point of it can be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("frame of {size} bytes; at most {max} are allowed")]
    Size { size: usize, max: usize },
    #[error("frame version {0}; expected {VERSION}")]
    Version(u8),
    #[error("frame checksum {found:08x}; computed {computed:08x}")]
    Checksum { found: u32, computed: u32 },
    #[error("closed in the middle of a frame")]
    Cut,
    #[error("{}", what_happened(.0))]
    Io(#[from] std::io::Error),
}

/// Appends one frame. The caller has checked the payload against the bound.
pub(crate) fn put(out: &mut BytesMut, payload: &[u8]) {
    out.put_u32(u32::try_from(HEADER + payload.len()).unwrap_or(u32::MAX));
    out.put_u8(VERSION);
    out.put_u32(crc32c::crc32c(payload));
    out.put_slice(payload);
}

/// Takes the first frame's payload off `buffer`, if it is all there.
pub(crate) fn take(buffer: &mut BytesMut, payload_max: usize) -> Result<Option<Bytes>, FrameError> {
    let Some(length) = buffer.first_chunk::<LENGTH>() else { return Ok(None) };
    let size = u32::from_be_bytes(*length) as usize;
    if !(HEADER..=HEADER + payload_max).contains(&size) {
        return Err(FrameError::Size { size, max: HEADER + payload_max });
    }
    if buffer.len() < LENGTH + size {
        buffer.reserve(LENGTH + size - buffer.len());
        return Ok(None);
    }
    let mut frame = buffer.split_to(LENGTH + size).freeze();
    frame.advance(LENGTH);
    let (version, found) = (frame.get_u8(), frame.get_u32());
    let computed = crc32c::crc32c(&frame);
    match () {
        () if version != VERSION => Err(FrameError::Version(version)),
        () if found != computed => Err(FrameError::Checksum { found, computed }),
        () => Ok(Some(frame)),
    }
}

/// Reads frames off a connection.
pub(crate) struct FrameReader<R> {
    io: R,
    buffer: BytesMut,
    payload_max: usize,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub fn new(io: R, payload_max: usize) -> Self {
        Self { io, buffer: BytesMut::new(), payload_max }
    }

    /// Other bounds from here on.
    pub fn allow(&mut self, payload_max: usize) {
        self.payload_max = payload_max;
    }

    /// The next payload; `None` when the other side closed between two frames. Safe to cancel.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        loop {
            if let Some(payload) = take(&mut self.buffer, self.payload_max)? {
                return Ok(Some(payload));
            }
            if self.io.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(FrameError::Cut) };
            }
        }
    }

    /// Takes exactly `N` bytes that are no frame. Safe to cancel.
    pub async fn raw<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        loop {
            if let Some(&bytes) = self.buffer.first_chunk::<N>() {
                self.buffer.advance(N);
                return Ok(bytes);
            }
            if self.io.read_buf(&mut self.buffer).await? == 0 {
                return Err(FrameError::Cut);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(payloads: &[&[u8]]) -> BytesMut {
        let mut out = BytesMut::new();
        payloads.iter().for_each(|payload| put(&mut out, payload));
        out
    }

    #[test]
    fn frames_arrive_however_the_stream_is_cut() {
        let bytes = framed(&[b"one", b"", b"three"]);
        for step in 1..bytes.len() {
            let (mut buffer, mut seen) = (BytesMut::new(), Vec::new());
            for chunk in bytes.chunks(step) {
                buffer.extend_from_slice(chunk);
                while let Some(payload) = take(&mut buffer, 5).expect("intact") {
                    seen.push(payload);
                }
            }
            assert_eq!(seen, [&b"one"[..], b"", b"three"], "in steps of {step}");
        }
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let bytes = framed(&[b"payload"]);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(take(&mut damaged, 7), Ok(Some(_))), "bit {bit}");
        }
    }

    #[test]
    fn an_oversized_frame_is_refused_before_it_arrives() {
        let mut length_only = BytesMut::from(&u32::MAX.to_be_bytes()[..]);
        assert!(matches!(take(&mut length_only, 1 << 20), Err(FrameError::Size { .. })));
        let mut too_short = BytesMut::from(&[0, 0, 0, 4][..]);
        assert!(matches!(take(&mut too_short, 1 << 20), Err(FrameError::Size { size: 4, .. })));
    }
}
