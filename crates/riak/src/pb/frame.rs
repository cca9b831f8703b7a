//! Frames: `u32` length of what follows, big-endian, `u8` code, the message.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::message::Coded;

/// Bytes of the length.
pub const LENGTH_BYTES: usize = 4;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What the body is.
    pub code: u8,
    /// The message; empty where there is none.
    pub body: Bytes,
}

/// What is no frame. Nothing after this point of the connection can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not even a code.
    #[error("a frame without a message code")]
    Empty,
    /// More than the reader takes.
    #[error("a message of {size} bytes; at most {max} are allowed")]
    TooLarge {
        /// How long it is, with its code.
        size: usize,
        /// What is allowed.
        max: usize,
    },
}

/// Appends a message.
pub fn put<M: Coded>(out: &mut BytesMut, message: &M) {
    let length = message.encoded_len();
    out.reserve(LENGTH_BYTES + 1 + length);
    put_head(out, M::CODE, length);
    // The room is there: a buffer that grows refuses nothing.
    _ = message.encode(out);
}

/// Appends a message that has no body.
pub fn put_bare(out: &mut BytesMut, code: u8) {
    put_head(out, code, 0);
}

fn put_head(out: &mut BytesMut, code: u8, length: usize) {
    out.put_u32(u32::try_from(length + 1).unwrap_or(u32::MAX));
    out.put_u8(code);
}

/// How long the first frame of `buffer` says it is, with its code and without its length; `None`: too little is there to
/// say.
///
/// # Errors
///
/// It is shorter than its code, or longer than `max`: found out before a byte of it is awaited.
pub fn announced(buffer: &[u8], max: usize) -> Result<Option<usize>, FrameError> {
    let Some(length) = buffer.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    match u32::from_be_bytes(*length) as usize {
        0 => Err(FrameError::Empty),
        size if size > max => Err(FrameError::TooLarge { size, max }),
        size => Ok(Some(size)),
    }
}

/// Takes the first frame off `buffer`, if it is all there.
///
/// # Errors
///
/// As [`announced`].
pub fn take(buffer: &mut BytesMut, max: usize) -> Result<Option<Frame>, FrameError> {
    let Some(size) = announced(buffer, max)? else { return Ok(None) };
    if buffer.len() < LENGTH_BYTES + size {
        return Ok(None);
    }
    buffer.advance(LENGTH_BYTES);
    let mut body = buffer.split_to(size).freeze();
    let code = body.get_u8();
    Ok(Some(Frame { code, body }))
}

#[cfg(test)]
mod tests {
    use super::super::code;
    use super::super::message::RpbGetClientIdResp;
    use super::*;

    const MAX: usize = 64;

    #[test]
    fn frames_arrive_however_the_stream_is_cut() {
        let mut bytes = BytesMut::new();
        put_bare(&mut bytes, code::PING_REQ);
        put(&mut bytes, &RpbGetClientIdResp { client_id: Bytes::from_static(b"abcd") });
        put_bare(&mut bytes, code::PING_RESP);
        assert_eq!(bytes[..5], [0, 0, 0, 1, 1]);
        for step in 1..bytes.len() {
            let (mut buffer, mut seen) = (BytesMut::new(), Vec::new());
            for chunk in bytes.chunks(step) {
                buffer.extend_from_slice(chunk);
                while let Some(frame) = take(&mut buffer, MAX).expect("frames") {
                    seen.push((frame.code, frame.body));
                }
            }
            assert_eq!(
                seen,
                [(1, Bytes::new()), (4, Bytes::from_static(b"\x0a\x04abcd")), (2, Bytes::new())]
            );
        }
    }

    #[test]
    fn what_is_no_frame_is_known_by_its_length() {
        let taken = |bytes: &[u8]| take(&mut BytesMut::from(bytes), MAX);
        assert_eq!(taken(&[0, 0, 0, 0]), Err(FrameError::Empty));
        assert_eq!(taken(&[0, 0, 0, 65]), Err(FrameError::TooLarge { size: 65, max: MAX }));
        assert_eq!(taken(&[0xff; 4]), Err(FrameError::TooLarge { size: 0xffff_ffff, max: MAX }));
        assert_eq!(taken(&[0, 0, 0, 64]), Ok(None));
        assert_eq!(taken(&[0, 0, 0]), Ok(None));
    }
}
