//! One connection: who has come in, what it may send now, and how it ends.
//!
//! Where users are told apart, TLS comes first, then a name and its proof, then requests, as with Riak. Whether they are is
//! asked anew with each request, and what a user may do, too, and whether it could still come in: a connection lives long.

use bytes::Bytes;
use cartwheel_riak::pb::frame::Frame;
use cartwheel_riak::pb::message::{RpbAuthReq, RpbGetClientIdResp};
use cartwheel_riak::pb::{Refusal, Request, code};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Duration, timeout};

use super::incoming::{Arrived, NoFrame};
use super::{ClientSide, Ended, Gone, Incoming, Outgoing, Place, Standing, Stopping, Stream, Trouble, table};
use crate::http::{Api, IN_THE_WAY};
use crate::security::{CROWDED, Denial, Entrance, Origin, Unproven, Visitor};
use crate::tls::Proof;

/// Long enough for a connection that a client keeps for later.
const NO_LIMIT: Duration = Duration::from_hours(365 * 24);
/// How often a client may say who it is and be wrong.
const TRIES_MAX: u8 = 3;
/// How long what a client still sends is thrown away after it was told why it is not read, and how much of it: a connection
/// that is closed with bytes unread would take the reason with it.
const LINGER_MAX: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: usize = 16 << 20;

pub(super) struct Session<'a> {
    api: &'a Api,
    side: &'a ClientSide,
    origin: Origin,
    place: Place,
    stop: Stopping,
    /// What the client calls itself, to be told again.
    client_id: Bytes,
    /// Who has proven its name.
    user: Option<Entrance>,
    tries: u8,
}

/// What follows a request.
enum Next {
    /// The next one.
    Request,
    /// A TLS handshake.
    Handshake,
    /// Nothing.
    End(Ended),
}

/// What a client may send now.
enum Phase {
    /// `STARTTLS`, and nothing else.
    Plain,
    /// Who it is, and nothing else.
    Private,
    /// Requests.
    In(Visitor),
    /// Nothing more: it could not come in again, for this reason.
    Out(String),
}

impl<'a> Session<'a> {
    pub fn new(api: &'a Api, side: &'a ClientSide, origin: Origin, place: Place, stop: Stopping) -> Self {
        let client_id = Bytes::from_static(&[0; 4]);
        Self { api, side, origin, place, stop, client_id, user: None, tries: 0 }
    }

    /// Serves the connection until its end.
    pub async fn run(mut self, mut stream: Stream) -> Ended {
        let api = self.api;
        let mut incoming = Incoming::new(&api.bodies);
        loop {
            let next = match self.next_frame(&mut incoming, &mut stream).await {
                Ok(arrived) => {
                    // Whoever has to say who it is, and has not, may still be shown out.
                    if self.standing() == Standing::Idle {
                        self.place.stand(Standing::Busy);
                    }
                    let next = self.serve(arrived, &mut stream).await;
                    self.place.stand(self.standing());
                    next
                }
                Err(ended) => Next::End(ended),
            };
            match next {
                Next::Request => {}
                Next::End(ended) => return ended,
                // What came before the handshake came from anybody.
                Next::Handshake if !incoming.is_empty() => {
                    return Ended::TurnedAway("bytes between STARTTLS and TLS".to_owned());
                }
                Next::Handshake => match self.shake_hands(stream).await {
                    Ok(private) => stream = private,
                    Err(ended) => return ended,
                },
            }
        }
    }

    /// The next frame; or how the connection ended, after the client was told what is wrong with what it sends.
    async fn next_frame(
        &mut self,
        incoming: &mut Incoming<'_>,
        stream: &mut Stream,
    ) -> Result<Arrived, Ended> {
        let max = self.frame_bytes_max();
        // Whoever does not say who it is, and must, is waited for no longer than the head of an HTTP request.
        let known = self.user.is_some() || !self.api.gate.is_on();
        let patience = if known { NO_LIMIT } else { self.api.header_timeout };
        let refusal = tokio::select! {
            biased;
            () = self.stop.wait() => return Err(Ended::Over),
            () = self.place.told_to_leave() => {
                return Err(match self.place.standing() {
                    Standing::Unheard => Ended::TurnedAway(IN_THE_WAY.to_owned()),
                    Standing::Idle | Standing::Busy => Ended::Over,
                });
            }
            arrived = timeout(patience, incoming.next(stream, max)) => match arrived {
                Ok(Ok(arrived)) => return Ok(arrived),
                Ok(Err(NoFrame::Closed)) => return Err(Ended::Over),
                Ok(Err(NoFrame::Broken(why))) => return Err(Ended::Broke(why)),
                Ok(Err(NoFrame::Late(span))) => {
                    let why = format!("no whole message within {} ms", span.as_millis());
                    return Err(if known { Ended::Broke(why) } else { Ended::TurnedAway(why) });
                }
                Ok(Err(NoFrame::Refused(refusal))) => refusal,
                Err(_) => return Err(Ended::TurnedAway("no user in time".to_owned())),
            },
        };
        let why = refusal.to_string();
        // Riak drops a frame without a code without a word.
        if !matches!(refusal, Refusal::Frame(cartwheel_riak::pb::frame::FrameError::Empty)) {
            self.say_and_linger(&refusal, stream).await;
        }
        Err(Ended::TurnedAway(why))
    }

    /// A value, and what goes with it; before a client is known, no more than a name and a password.
    fn frame_bytes_max(&self) -> usize {
        let api = self.api;
        if self.user.is_some() || !api.gate.is_on() {
            api.bodies.each_max + api.header_bytes_max
        } else {
            api.header_bytes_max
        }
    }

    fn standing(&self) -> Standing {
        if self.api.gate.is_on() && self.user.is_none() { Standing::Unheard } else { Standing::Idle }
    }

    async fn serve(&mut self, arrived: Arrived, stream: &mut Stream) -> Next {
        let mut out = Outgoing::new(stream, self.api.bodies.timeout);
        let (answered, next) = match self.answer(&arrived.frame, &mut out).await {
            Ok(next) => (Ok(()), next),
            Err(trouble) => self.tell(trouble, &mut out).await,
        };
        let flushed = match answered {
            Ok(()) => out.flush().await,
            Err(gone) => Err(gone),
        };
        match (flushed, next) {
            (Err(gone), _) => Next::End(gone.into()),
            (Ok(()), Next::End(ended)) => {
                linger(stream).await;
                Next::End(ended)
            }
            (Ok(()), next) => next,
        }
    }

    /// Tells a client what went wrong.
    async fn tell(&self, trouble: Trouble, out: &mut Outgoing<'_>) -> (Result<(), Gone>, Next) {
        let refusal = match trouble {
            Trouble::Gone(gone) => return (Err(gone), Next::Request),
            Trouble::Denied(Denial { refusal, reason }) => {
                self.api.refused(&self.origin, &reason);
                Refusal::Other(refusal.to_string())
            }
            Trouble::Refused(refusal) => refusal,
        };
        let next = match refusal.closes() {
            true => Next::End(Ended::Broke(refusal.to_string())),
            false if self.tries >= TRIES_MAX => {
                Next::End(Ended::TurnedAway("no good credentials in too many tries".to_owned()))
            }
            false => Next::Request,
        };
        (out.send(&refusal.message()).await, next)
    }

    async fn answer(&mut self, frame: &Frame, out: &mut Outgoing<'_>) -> Result<Next, Trouble> {
        let visitor = match (self.phase(), frame.code) {
            (Phase::Plain, code::START_TLS) if self.side.is_private() => {
                out.send_bare(code::START_TLS);
                return Ok(Next::Handshake);
            }
            (Phase::Plain, code::START_TLS) => {
                return Err(
                    Refusal::Other("STARTTLS: this node has no certificate (client_tls)".to_owned()).into()
                );
            }
            (Phase::Plain, _) => return Err(Refusal::Insecure.into()),
            (Phase::Private, code::AUTH_REQ) => return self.log_in(frame, out).await,
            (Phase::Private, _) => return Err(Refusal::Unauthenticated.into()),
            (Phase::Out(reason), _) => {
                out.send(&Refusal::Unauthenticated.message()).await?;
                return Ok(Next::End(Ended::TurnedAway(reason)));
            }
            // Once a client is in, these mean nothing.
            (Phase::In(_), code::START_TLS) => return Err(Refusal::NoSecurity.into()),
            (Phase::In(_), code::AUTH_REQ) => return Err(Refusal::UnknownCode(code::AUTH_REQ).into()),
            (Phase::In(visitor), _) => visitor,
        };
        match Request::read(frame.clone())? {
            Request::GetClientId => {
                out.send(&RpbGetClientIdResp { client_id: self.client_id.clone() }).await?;
            }
            // Copied: a part of a large message would keep all of it.
            Request::SetClientId(id) if id.client_id.len() <= CLIENT_ID_BYTES_MAX => {
                self.client_id = Bytes::copy_from_slice(&id.client_id);
                out.send_bare(code::SET_CLIENT_ID_RESP);
            }
            Request::SetClientId(_) => {
                return Err(Refusal::Other(format!("client id: at most {CLIENT_ID_BYTES_MAX} bytes")).into());
            }
            request => table::answer(self.api, &visitor, request, out).await?,
        }
        Ok(Next::Request)
    }

    fn phase(&mut self) -> Phase {
        match (self.api.gate.is_on(), &self.origin.proof, &mut self.user) {
            (false, ..) => Phase::In(Visitor::Anybody),
            (true, Proof::Plain, _) => Phase::Plain,
            (true, _, None) => Phase::Private,
            (true, _, Some(user)) => match self.api.gate.visitor(&self.origin, user) {
                Ok(visitor) => Phase::In(visitor),
                Err(reason) => Phase::Out(reason),
            },
        }
    }

    async fn log_in(&mut self, frame: &Frame, out: &mut Outgoing<'_>) -> Result<Next, Trouble> {
        let Request::Auth(RpbAuthReq { user, password }) = Request::read(frame.clone())? else {
            return Err(Refusal::Unauthenticated.into());
        };
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let (user, password) = (text(&user), text(&password));
        let proven = tokio::select! {
            biased;
            () = self.place.told_to_leave() => {
                return Ok(Next::End(Ended::TurnedAway(IN_THE_WAY.to_owned())));
            }
            proven = self.api.gate.log_in(&self.origin, &user, &password) => proven,
        };
        match proven {
            Ok(entrance) => {
                self.user = Some(entrance);
                out.send_bare(code::AUTH_RESP);
                Ok(Next::Request)
            }
            Err(Unproven::Crowded) => {
                self.api.refused(&self.origin, CROWDED);
                Err(Refusal::Crowded.into())
            }
            Err(Unproven::Wrong(reason)) => {
                self.api.refused(&self.origin, &reason);
                self.tries += 1;
                Err(Refusal::AuthenticationFailed.into())
            }
        }
    }

    async fn shake_hands(&mut self, stream: Stream) -> Result<Stream, Ended> {
        let shaken = tokio::select! {
            () = self.stop.wait() => return Err(Ended::Over),
            () = self.place.told_to_leave() => return Err(Ended::TurnedAway(IN_THE_WAY.to_owned())),
            shaken = timeout(self.api.header_timeout, self.side.answer(stream)) => shaken,
        };
        match shaken {
            Ok(Ok((stream, proof))) => {
                self.origin.proof = proof;
                Ok(stream)
            }
            Ok(Err(why)) => Err(Ended::TurnedAway(format!("TLS: {why}"))),
            Err(_) => Err(Ended::TurnedAway("no TLS handshake in time".to_owned())),
        }
    }

    async fn say_and_linger(&self, refusal: &Refusal, stream: &mut Stream) {
        let mut out = Outgoing::new(stream, self.api.bodies.timeout);
        // Whoever has gone does not hear it.
        if out.send(&refusal.message()).await.is_ok() && out.flush().await.is_ok() {
            linger(stream).await;
        }
    }
}

/// Longest id that a client may give itself. Riak's have four bytes.
const CLIENT_ID_BYTES_MAX: usize = 1_024;

/// Nothing more is said; what still comes is thrown away for a while.
async fn linger(stream: &mut Stream) {
    // With TLS, this is something to be read, too.
    if !matches!(timeout(LINGER_MAX, stream.shutdown()).await, Ok(Ok(()))) {
        return;
    }
    let mut thrown_away = 0;
    let mut chunk = [0; 4 << 10];
    let began = tokio::time::Instant::now();
    while thrown_away < LINGER_BYTES_MAX {
        let left = LINGER_MAX.saturating_sub(began.elapsed());
        match tokio::time::timeout(left, stream.read(&mut chunk)).await {
            Ok(Ok(bytes)) if bytes > 0 => thrown_away += bytes,
            _ => return,
        }
    }
}
