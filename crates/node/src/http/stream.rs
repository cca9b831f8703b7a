//! Bodies of answers: whole ones, and ones that are sent as they come about.
//!
//! A streamed body is a short channel. Whoever fills it waits while the client does not read, so a slow client holds up its
//! own answer and nothing else; one that reads nothing for too long is cut off (`patient`), and its answer given up. Its
//! connection counts as busy until the last byte has gone, or the client has.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;

use super::{Response, Visit};
use crate::doors::Standing;

/// Pieces that wait for a client to read them.
const PIECES_MAX: usize = 2;

/// What a client is sent.
pub(super) enum Reply {
    Whole(Response),
    Streamed(http::Response<Pieces>),
}

/// What hyper is handed.
pub(super) type Outgoing = Either<Full<Bytes>, Streaming>;

/// A body that comes in pieces. One that ends without having been [finished](Filler::finish) is cut off, so that the client
/// does not take it for whole.
pub(super) struct Pieces(mpsc::Receiver<Option<Bytes>>);

/// The other end of a body.
pub(super) struct Filler(mpsc::Sender<Option<Bytes>>);

/// The client has gone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// A body, and the end that is to be filled.
pub(super) fn pieces() -> (Filler, Pieces) {
    let (filler, pieces) = mpsc::channel(PIECES_MAX);
    (Filler(filler), Pieces(pieces))
}

impl Filler {
    /// Sends a piece, once there is room.
    pub async fn send(&self, piece: Bytes) -> Result<(), Gone> {
        self.0.send(Some(piece)).await.map_err(|_| Gone)
    }

    /// That was all.
    pub async fn finish(self) {
        // Whoever has gone needs no end.
        _ = self.0.send(None).await;
    }

    /// The client has gone.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Whole(response)
    }
}

impl Reply {
    /// For hyper. The connection of `visit` stands as `standing` says once all is sent.
    pub fn outgoing(self, visit: &Arc<Visit>, standing: Standing) -> http::Response<Outgoing> {
        match self {
            Self::Whole(response) => {
                visit.place.stand(standing);
                response.map(|body| Either::Left(Full::new(body)))
            }
            Self::Streamed(response) => response.map(|pieces| {
                Either::Right(Streaming { pieces, ended: false, visit: Arc::clone(visit), standing })
            }),
        }
    }
}

/// A streamed body on its way.
pub(super) struct Streaming {
    pieces: Pieces,
    ended: bool,
    visit: Arc<Visit>,
    standing: Standing,
}

impl Body for Streaming {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let piece = std::task::ready!(self.pieces.0.poll_recv(cx));
        self.ended = !matches!(piece, Some(Some(_)));
        Poll::Ready(match piece {
            Some(Some(piece)) => Some(Ok(Frame::data(piece))),
            Some(None) => None,
            None => Some(Err(io::Error::other("the answer was cut off"))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.visit.place.stand(self.standing);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::doors::Doors;
    use crate::security::Origin;
    use crate::tls::Proof;

    async fn streaming() -> (Filler, Streaming) {
        let place = Doors::new(1, 1).enter().await;
        let origin = Origin { address: [127, 0, 0, 1].into(), proof: Proof::default() };
        let (filler, pieces) = pieces();
        let visit = Arc::new(Visit { origin, place });
        visit.place.stand(Standing::Busy);
        (filler, Streaming { pieces, ended: false, visit, standing: Standing::Idle })
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_whole_only_when_it_was_finished() {
        let (filler, body) = streaming().await;
        let visit = Arc::clone(&body.visit);
        filler.send("one".into()).await.expect("there is room");
        filler.send(" two".into()).await.expect("there is room");
        let read = tokio::spawn(body.collect());
        filler.finish().await;
        assert_eq!(read.await.expect("no panic").expect("whole").to_bytes(), "one two");
        assert_eq!(visit.place.standing(), Standing::Idle, "busy until the last byte");

        let (filler, body) = streaming().await;
        filler.send("one".into()).await.expect("there is room");
        drop(filler);
        assert!(body.collect().await.is_err(), "a client must not take half a list for the whole");
    }

    #[tokio::test]
    async fn who_has_gone_is_sent_nothing_more() {
        let (filler, body) = streaming().await;
        drop(body);
        filler.closed().await;
        assert_eq!(filler.send("one".into()).await, Err(Gone));
    }
}
