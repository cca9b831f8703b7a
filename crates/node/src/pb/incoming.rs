//! Frames from a client, within bounds: each in size and in time, and all of them together, with the bodies of HTTP
//! requests, in what they occupy.

use std::time::Duration;

use bytes::BytesMut;
use cartwheel_riak::pb::frame::{self, Frame, LENGTH_BYTES};
use cartwheel_riak::pb::{Refusal, weight};
use tokio::io::AsyncReadExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use crate::http::Bodies;
use crate::tls::{Stream, what_happened};

/// Read at once, where more may come.
const CHUNK_BYTES: usize = 16 << 10;

/// What there is of frames.
pub(super) struct Incoming<'a> {
    bodies: &'a Bodies,
    buffer: BytesMut,
    /// For what is in the buffer.
    room: Option<OwnedSemaphorePermit>,
    /// Since when a frame is under way.
    began: Option<Instant>,
}

/// A frame, and the room that it takes, read, for as long as this is kept.
pub(super) struct Arrived {
    pub frame: Frame,
    _room: OwnedSemaphorePermit,
}

/// Why there is no next frame.
#[derive(Debug)]
pub(super) enum NoFrame {
    /// The client hung up, between two frames.
    Closed,
    /// It hung up in the middle of one, or was lost.
    Broken(String),
    /// It has not sent the rest in time.
    Late(Duration),
    /// What it sends is not read on.
    Refused(Refusal),
}

impl From<Refusal> for NoFrame {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<'a> Incoming<'a> {
    pub fn new(bodies: &'a Bodies) -> Self {
        Self { bodies, buffer: BytesMut::new(), room: None, began: None }
    }

    /// Whether there is nothing of a next frame yet.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The next frame, of at most `max` bytes. Safe to cancel.
    pub async fn next(&mut self, stream: &mut Stream, max: usize) -> Result<Arrived, NoFrame> {
        loop {
            if let Some(arrived) = self.take(max)? {
                return Ok(arrived);
            }
            let read = stream.read_buf(&mut self.buffer);
            let read = match self.began {
                None => read.await,
                Some(began) => match timeout(self.bodies.timeout.saturating_sub(began.elapsed()), read).await
                {
                    Ok(read) => read,
                    Err(_) => return Err(NoFrame::Late(self.bodies.timeout)),
                },
            };
            match read {
                Ok(0) if self.buffer.is_empty() => return Err(NoFrame::Closed),
                Ok(0) => return Err(NoFrame::Broken("closed in the middle of a frame".to_owned())),
                Ok(bytes) => self.keep(bytes)?,
                Err(error) => return Err(NoFrame::Broken(what_happened(&error))),
            }
        }
    }

    fn take(&mut self, max: usize) -> Result<Option<Arrived>, Refusal> {
        let missing = match frame::announced(&self.buffer, max)? {
            None => CHUNK_BYTES,
            Some(size) => (LENGTH_BYTES + size).saturating_sub(self.buffer.len()),
        };
        match frame::take(&mut self.buffer, max)? {
            None => {
                // As bytes come, not as they are announced: who announces much and sends nothing takes nothing.
                self.buffer.reserve(missing.min(self.buffer.len().max(CHUNK_BYTES)));
                Ok(None)
            }
            Some(frame) => {
                self.began = (!self.buffer.is_empty()).then(Instant::now);
                let size = LENGTH_BYTES + 1 + frame.body.len();
                let mut room = self.bodies.room_for(weight(&frame)).map_err(|_| self.overloaded())?;
                if let Some(read) = self.room.as_mut().and_then(|room| room.split(size)) {
                    room.merge(read);
                }
                Ok(Some(Arrived { frame, _room: room }))
            }
        }
    }

    fn keep(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.began.get_or_insert_with(Instant::now);
        let more = self.bodies.room_for(bytes).map_err(|_| self.overloaded())?;
        match &mut self.room {
            Some(room) => room.merge(more),
            None => self.room = Some(more),
        }
        Ok(())
    }

    fn overloaded(&self) -> Refusal {
        Refusal::Overloaded { limit: self.bodies.together_max() }
    }
}

#[cfg(test)]
mod tests {
    use cartwheel_riak::pb::code;
    use tokio::io::AsyncWriteExt;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(1);

    fn pair() -> (tokio::io::DuplexStream, Stream) {
        let (client, node) = tokio::io::duplex(1 << 20);
        (client, Box::new(node))
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_client_sends_ahead_waits_and_a_frame_that_has_begun_must_end() {
        let bodies = Bodies::new(100, 1_000, TIMEOUT);
        let (mut client, mut node) = pair();
        let mut incoming = Incoming::new(&bodies);
        client.write_all(&[0, 0, 0, 1, 1, 0, 0, 0, 1, 7, 0, 0]).await.expect("room");
        for expected in [code::PING_REQ, code::GET_SERVER_INFO_REQ] {
            let arrived = incoming.next(&mut node, 100).await.expect("a frame");
            assert_eq!(arrived.frame.code, expected);
        }
        assert!(!incoming.is_empty());
        assert!(matches!(incoming.next(&mut node, 100).await, Err(NoFrame::Late(TIMEOUT))));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_may_be_silent_for_long() {
        let bodies = Bodies::new(100, 1_000, TIMEOUT);
        let (client, mut node) = pair();
        let mut incoming = Incoming::new(&bodies);
        let waited = tokio::time::timeout(1_000 * TIMEOUT, incoming.next(&mut node, 100)).await;
        assert!(waited.is_err());
        drop(client);
        assert!(matches!(incoming.next(&mut node, 100).await, Err(NoFrame::Closed)));
    }

    #[tokio::test]
    async fn a_frame_takes_room_until_it_is_done_with() {
        let bodies = Bodies::new(20, 30, TIMEOUT);
        let (mut client, mut node) = pair();
        let mut incoming = Incoming::new(&bodies);
        let frame = [[0, 0, 0, 16].as_slice(), &[9; 16]].concat();
        client.write_all(&frame).await.expect("room");
        let first = incoming.next(&mut node, 20).await.expect("a frame");
        client.write_all(&frame).await.expect("room");
        let Err(NoFrame::Refused(refusal)) = incoming.next(&mut node, 20).await else { panic!("no room") };
        assert_eq!(refusal, Refusal::Overloaded { limit: 30 });
        drop((first, incoming));
        assert!(bodies.room_for(30).is_ok(), "all of it is given back");
    }

    #[tokio::test]
    async fn a_length_beyond_the_bound_is_refused_before_a_byte_of_it_comes() {
        let bodies = Bodies::new(100, 1_000, TIMEOUT);
        let (mut client, mut node) = pair();
        client.write_all(&(1_u32 << 30).to_be_bytes()).await.expect("room");
        let refused = Incoming::new(&bodies).next(&mut node, 100).await;
        assert!(matches!(refused, Err(NoFrame::Refused(Refusal::Frame(_)))));
    }
}
