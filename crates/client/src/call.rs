//! Sending a request until it is answered: which node, how often, how long, and what may be sent twice.
//!
//! A *read* may be sent to any node, any number of times. A *write* carries a name ([`RequestId`](crate::RequestId)), and the
//! node that did it remembers the name. So once an attempt may have reached a node (it was sent, and no answer came), the
//! write is *in doubt*, and goes to the same node again as long as that can be called. If it cannot be, a write that is
//! harmless when done twice (an object's put: at worst a second sibling with the same value) goes to another node; one that is
//! not (counters add up) waits for this one, and fails with [`Fate::Unknown`] when the attempts are over.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::frame::{self, Frame};
use cartwheel_riak::pb::message::Coded;
use tokio::time::{Instant, sleep, timeout_at};

use crate::client::Inner;
use crate::connection::{NoConnection, error_text};
use crate::error::{Error, Fate};
use crate::node::{Lease, Node};

/// As long as anybody waits: some durations, `Duration::MAX` among them, end at no moment that can be named.
const FOR_EVER: Duration = Duration::from_hours(24 * 365 * 30);

/// The moment when `limit` is over.
fn in_time(limit: Duration) -> Instant {
    Instant::now() + limit.min(FOR_EVER)
}

/// What may be done with a request that may have been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing: it may be sent anywhere.
    Read,
    /// To the node that may have it, and if that is gone, to another one.
    Anywhere,
    /// To the node that may have it, and to no other.
    SameNode,
    /// To nobody: the nodes do not remember the names of writes.
    Nowhere,
}

/// A request, ready to be sent.
pub(crate) struct Call {
    frame: Bytes,
    repeat: Repeat,
    /// For all attempts together.
    timeout: Option<Duration>,
}

impl Call {
    pub fn new<M: Coded>(message: &M, repeat: Repeat, timeout: Option<Duration>) -> Self {
        let mut frame = BytesMut::new();
        frame::put(&mut frame, message);
        Self { frame: frame.freeze(), repeat, timeout }
    }

    pub fn bare(code: u8) -> Self {
        Self { frame: crate::connection::bare(code).freeze(), repeat: Repeat::Read, timeout: None }
    }

    /// What becomes of the data when an attempt is sent and nothing is heard.
    pub fn fate(&self) -> Fate {
        if self.repeat == Repeat::Read { Fate::NotDone } else { Fate::Unknown }
    }
}

/// How one attempt failed.
struct Failure {
    error: Error,
    /// Where to go from here.
    next: Next,
}

/// What may follow a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Nothing: it would fail again.
    Nothing,
    /// Nothing was done: any node.
    Anybody,
    /// It may have been done there.
    Doubt,
    /// It may have been done there, and the node is silent.
    Silence,
}

impl Inner {
    /// The one frame that answers `call`, with the connection that it came on, for more frames to come.
    pub async fn call(&self, call: &Call) -> Result<(Frame, Lease), Error> {
        let limit = call.timeout.unwrap_or(self.limits.timeout);
        let deadline = in_time(limit);
        let mut doubted: Option<usize> = None;
        let (mut in_doubt, mut attempt, mut last_node) = (false, 0, None);
        loop {
            attempt += 1;
            let index = doubted.unwrap_or_else(|| self.choose(last_node));
            last_node = Some(index);
            let tried = self.attempt(&self.nodes[index], call, deadline, limit).await;
            let Failure { error, next } = match tried {
                Ok(answered) => return Ok(answered),
                Err(failure) => failure,
            };
            if matches!(next, Next::Doubt | Next::Silence) && call.repeat != Repeat::Read {
                in_doubt = true;
            }
            doubted = match (next, call.repeat) {
                (Next::Doubt, Repeat::Anywhere) | (Next::Doubt | Next::Silence, Repeat::SameNode) => {
                    Some(index)
                }
                // It was in doubt before, and still is: only that node knows.
                (_, Repeat::SameNode) => doubted,
                _ => None,
            };
            let pause = self.pause(attempt);
            let may_go_on = match next {
                Next::Nothing => false,
                Next::Anybody => true,
                Next::Doubt | Next::Silence => call.repeat != Repeat::Nowhere,
            };
            let over = attempt >= self.limits.attempts || in_time(pause) >= deadline;
            if !may_go_on || over {
                return Err(if in_doubt { error.in_doubt() } else { error });
            }
            // Another node is there at once; the same one, or all of them, need a moment.
            let is_free = doubted.is_none() && self.nodes.iter().any(|node| node.rests().is_zero());
            if !(is_free && attempt < self.nodes.len().try_into().unwrap_or(u32::MAX)) {
                sleep(pause).await;
            }
        }
    }

    /// The same for a request with one frame for an answer.
    pub async fn ask(&self, call: &Call) -> Result<Frame, Error> {
        let (frame, lease) = self.call(call).await?;
        lease.give_back();
        Ok(frame)
    }

    async fn attempt(
        &self,
        node: &Arc<Node>,
        call: &Call,
        deadline: Instant,
        limit: Duration,
    ) -> Result<(Frame, Lease), Failure> {
        let _busy = node.busy();
        let name = || node.address.clone();
        let until = deadline.min(in_time(self.limits.attempt_timeout));
        let mut lease = match timeout_at(until, node.lease()).await {
            Ok(Ok(lease)) => lease,
            Ok(Err(NoConnection::Lost(error))) => {
                let error = Error::Unreachable { node: name(), why: error.to_string() };
                return Err(Failure { error, next: Next::Anybody });
            }
            Ok(Err(NoConnection::NotLetIn(why))) => {
                return Err(Failure { error: Error::NotLetIn { node: name(), why }, next: Next::Nothing });
            }
            Err(_) => {
                let why = "all connections to it are in use".to_owned();
                return Err(Failure { error: Error::Unreachable { node: name(), why }, next: Next::Anybody });
            }
        };
        let sent = async {
            lease.connection.send(&call.frame).await?;
            lease.connection.receive().await
        };
        match timeout_at(until, sent).await {
            Ok(Ok(Frame { code: code::ERROR_RESP, body })) => {
                let failure = refused(&error_text(body), call);
                // Whether the node hangs up after it has said so shows when the connection is used again.
                lease.give_back();
                Err(failure)
            }
            Ok(Ok(frame)) => Ok((frame, lease)),
            Ok(Err(source)) => {
                let next =
                    if source.kind() == io::ErrorKind::InvalidData { Next::Nothing } else { Next::Doubt };
                if !lease.is_used {
                    node.is_unwell();
                }
                Err(Failure { error: Error::Broken { node: name(), source, fate: call.fate() }, next })
            }
            Err(_) => {
                node.is_unwell();
                let error = Error::TimedOut { after: Some(limit), fate: call.fate() };
                Err(Failure { error, next: Next::Silence })
            }
        }
    }

    /// The node to send a request to: of those that are well the one with the least to do, in turns, and not `not` if there
    /// is another one. When none is well, the one that has rested longest.
    fn choose(&self, not: Option<usize>) -> usize {
        let count = self.nodes.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % count;
        let in_turn = (0..count).map(|step| (first + step) % count);
        let by = |index: &usize| {
            let node = &self.nodes[*index];
            (node.rests(), not == Some(*index), node.load())
        };
        in_turn.min_by_key(by).unwrap_or(0)
    }

    /// Doubles with each attempt; cut at random, so that clients that failed together do not come back together.
    fn pause(&self, attempt: u32) -> Duration {
        let longest = self.limits.backoff.saturating_mul(1 << attempt.saturating_sub(1).min(8));
        let mut random = [0];
        _ = getrandom::fill(&mut random);
        longest / 2 + longest / 2 / u32::from(u8::MAX) * u32::from(random[0])
    }
}

fn refused(text: &str, call: &Call) -> Failure {
    let error = crate::error::error_of(text, call.fate());
    let next = match &error {
        Error::Overloaded(_) | Error::NotServing(_) => Next::Anybody,
        // A node whose disk has failed has sent the write to nobody.
        Error::Failed { text, .. } if text == "the coordinator's store failed" => Next::Anybody,
        Error::TimedOut { .. } | Error::QuorumUnmet { .. } => Next::Doubt,
        _ => Next::Nothing,
    };
    Failure { error, next }
}
