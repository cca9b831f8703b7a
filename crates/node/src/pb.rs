//! The protocol-buffers side: Riak's binary API as `cartwheel-riak` understands it.
//!
//! A connection is a loop: take a frame, do what it asks, write the answer, and only then look at the next; what a client
//! sends ahead waits in the connection, so answers come in order. `incoming` reads within bounds, `outgoing` writes to
//! clients that may be slow, `session` knows who has come in and whether TLS must come first, and `table` says who does
//! what is asked.

mod datatypes;
mod incoming;
mod listings;
mod needs;
mod objects;
mod outgoing;
mod preflist;
mod props;
mod session;
mod table;

use std::net::SocketAddr;
use std::sync::Arc;

use cartwheel_riak::pb::Refusal;
use tokio::net::{TcpListener, TcpStream};

use crate::doors::{Doors, Place, Standing};
use crate::http::Api;
use crate::listener::accept;
use crate::security::{Denial, Origin};
use crate::stop::Stopping;
use crate::tls::{ClientSide, Proof, Stream};

use self::incoming::Incoming;
use self::outgoing::{Gone, Outgoing};
use self::session::Session;

pub(crate) use needs::needs;

/// Where clients come to.
pub(crate) struct PbDoor {
    pub listener: TcpListener,
    /// What clients are shown that ask for TLS.
    pub side: ClientSide,
    /// The room that all addresses of clients share.
    pub doors: Arc<Doors>,
}

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The client is told.
    Refused(Refusal),
    /// The client may not.
    Denied(Denial),
    /// The client is not there any more, or reads nothing.
    Gone(Gone),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Denial> for Trouble {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<Gone> for Trouble {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

impl From<Gone> for Ended {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Lost(why) => Self::Broke(why),
            Gone::Deaf(deaf) => Self::TurnedAway(deaf.to_string()),
        }
    }
}

/// Answers until told to stop, then until the connections that are busy have got their answers.
pub(crate) async fn run(PbDoor { listener, side, doors }: PbDoor, api: Arc<Api>, mut stop: Stopping) {
    loop {
        let stopped = stop.clone();
        tokio::select! {
            (stream, from, place) = accept(&listener, &doors) => {
                let (api, side) = (Arc::clone(&api), side.clone());
                tokio::spawn(async move { visit(stream, from, place, &side, &api, stopped).await });
            }
            () = stop.wait() => break,
        }
    }
    drop(listener);
    doors.wait_until_empty().await;
}

/// One connection, from its beginning to its end.
async fn visit(
    stream: TcpStream,
    from: SocketAddr,
    place: Place,
    side: &ClientSide,
    api: &Api,
    stop: Stopping,
) {
    let _connected = api.metrics.pb_connected();
    let origin = Origin { address: from.ip(), proof: Proof::Plain };
    let session = Session::new(api, side, origin, place, stop);
    match session.run(Box::new(stream)).await {
        Ended::Over => {}
        Ended::TurnedAway(reason) => api.turned_away(from, &reason),
        Ended::Broke(reason) => tracing::debug!(%from, reason, "client connection broke"),
    }
}

/// How a connection ended.
#[derive(Debug)]
enum Ended {
    /// Somebody hung up between two requests.
    Over,
    /// That of a stranger, or of somebody who reads nothing: it is counted as such.
    TurnedAway(String),
    /// In the middle of something.
    Broke(String),
}
