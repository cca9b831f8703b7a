//! Bodies of requests: each bounded in size and time, and all of them together in what they occupy.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cartwheel_riak::http::Refusal;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Longest body that is read although nobody wants it, in bytes, and how long that may take.
const SKIPPED_MAX: usize = 64 * 1024;
const SKIPPED_WITHIN: Duration = Duration::from_secs(1);

/// How much of bodies is kept, and for how long it is waited.
#[derive(Debug)]
pub(crate) struct Bodies {
    /// Longest body of a client's put.
    pub each_max: usize,
    pub timeout: Duration,
    together: Arc<Semaphore>,
    together_max: usize,
}

/// A whole body, and the room that it takes for as long as this is kept.
pub(crate) struct Whole {
    pub bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub fn new(each_max: usize, together_max: usize, timeout: Duration) -> Self {
        Self { each_max, timeout, together: Arc::new(Semaphore::new(together_max)), together_max }
    }

    /// The bound for all of them, in bytes.
    pub fn together_max(&self) -> usize {
        self.together_max
    }

    /// A client's body.
    pub async fn read(&self, body: Incoming) -> Result<Whole, Refusal> {
        self.read_up_to(body, self.each_max).await
    }

    /// A client's body that is JSON. What its values take is paid for before they are read: two bytes are enough to send one.
    pub async fn read_json(&self, body: Incoming) -> Result<Whole, Refusal> {
        let Whole { bytes, _room: read } = self.read(body).await?;
        let mut room = self.room_for(json_weight(&bytes))?;
        if let Some(read) = read {
            room.merge(read);
        }
        Ok(Whole { bytes, _room: Some(room) })
    }

    /// A whole body, of at most `limit` bytes.
    pub async fn read_up_to(&self, body: Incoming, limit: usize) -> Result<Whole, Refusal> {
        if body.size_hint().lower() > limit as u64 {
            return Err(Refusal::BodyTooLarge { limit });
        }
        match timeout(self.timeout, self.collect(body, limit)).await {
            Ok(read) => read,
            Err(_) => Err(Refusal::Body(format!("not within {} ms", self.timeout.as_millis()))),
        }
    }

    /// Reads a short body that nobody wants. With one that is not read a connection ends, and clients that keep theirs
    /// find out with their next request.
    pub async fn skip(&self, mut body: Incoming) {
        let read = async {
            let mut left = SKIPPED_MAX;
            while let Some(Ok(frame)) = body.frame().await {
                match left.checked_sub(frame.into_data().map_or(0, |data| data.len())) {
                    Some(rest) => left = rest,
                    None => return,
                }
            }
        };
        // Whoever is slow has its connection ended.
        _ = timeout(SKIPPED_WITHIN.min(self.timeout), read).await;
    }

    /// Room is taken as bytes come, not as they are announced: who announces much and sends nothing takes none. Nobody
    /// waits for room, so no two bodies can wait for each other's.
    async fn collect(&self, mut body: Incoming, limit: usize) -> Result<Whole, Refusal> {
        let mut bytes = BytesMut::new();
        let mut room: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Refusal::Body(error.to_string()))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > limit {
                return Err(Refusal::BodyTooLarge { limit });
            }
            let more = self.room_for(data.len())?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Whole { bytes: bytes.freeze(), _room: room })
    }

    /// Room for so many bytes more, if there is any.
    pub fn room_for(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let full = |_| Refusal::BodiesTooLarge { limit: self.together_max };
        Arc::clone(&self.together).try_acquire_many_owned(bytes).map_err(full)
    }
}

/// Most that a value of JSON takes, with its name, in bytes.
const JSON_VALUE_BYTES: usize = 128;

/// About how many bytes the values in a text take, at most: commas and brackets within strings count, too.
fn json_weight(text: &[u8]) -> usize {
    text.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() * JSON_VALUE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_json_weigh_what_they_take() {
        assert_eq!(json_weight(b"5"), 0);
        assert_eq!(json_weight(b"{\"add_all\": [\"milk\", \"bread\"]}"), 3 * JSON_VALUE_BYTES);
        let list = serde_json::from_slice::<Vec<serde_json::Value>>(b"[0,0,0,0]").expect("a list");
        assert!(list.len() * size_of_val(&list[0]) < json_weight(b"[0,0,0,0]"));
    }

    #[test]
    fn bodies_share_their_room_and_give_it_back() {
        let bodies = Bodies::new(8, 10, Duration::from_secs(1));
        let first = bodies.room_for(8).expect("room");
        assert_eq!(bodies.room_for(8).map(drop), Err(Refusal::BodiesTooLarge { limit: 10 }));
        let second = bodies.room_for(2).expect("room");
        drop(first);
        assert!(bodies.room_for(8).is_ok());
        drop(second);
    }
}
