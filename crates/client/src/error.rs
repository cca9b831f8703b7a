//! Why a request failed, and what that means for the data.

use std::io;
use std::time::Duration;

mod text;

pub(crate) use self::text::error_of;

/// Why a request failed. [`Error::fate`] says what became of a write.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client was told something that makes no sense. Nothing was sent.
    #[error("{0}")]
    Setup(String),
    /// No node could be reached. Nothing was done.
    #[error("no node can be reached; the last one tried, {node}: {why}")]
    Unreachable {
        /// The last node that was tried, as it was named to the client.
        node: String,
        /// What was in the way there.
        why: String,
    },
    /// The node does not let this client in: TLS, user or password. Nothing was done.
    #[error("{node} does not let this client in: {why}")]
    NotLetIn {
        /// The node.
        node: String,
        /// What it said, or what is wrong with its certificate.
        why: String,
    },
    /// The user may not do this. Nothing was done.
    #[error("{0}")]
    Denied(String),
    /// The request makes no sense to the node: a quorum above N, an empty key, an index without a type. Nothing was done.
    #[error("refused: {0}")]
    Refused(String),
    /// There is no bucket type of that name. Nothing was done.
    #[error("no such bucket type: {0}")]
    NoSuchType(String),
    /// The bucket type's data type is another one. Nothing was done.
    #[error("wrong data type: {0}")]
    WrongType(String),
    /// What was to be removed from a set or map is not there. Nothing of the operation was done.
    #[error("cannot be removed, it is not there: {0}")]
    NotPresent(String),
    /// A write's condition did not hold. Nothing was written.
    #[error("the condition does not hold: {0}")]
    Condition(Unmet),
    /// The nodes that were asked have too much to do. Nothing was done.
    #[error("overloaded: {0}")]
    Overloaded(String),
    /// The nodes that were asked take no requests: they are not members of the cluster yet, or not any more. Nothing was done.
    #[error("takes no requests: {0}")]
    NotServing(String),
    /// Fewer replicas answered than were demanded. A write may be on those that did, and spreads from there.
    #[error("{quorum} not met: {got} of {needed}")]
    QuorumUnmet {
        /// Which quorum: `r`, `pr`, `w`, `pw`, `dw` or `node_confirms`.
        quorum: String,
        /// How many were demanded.
        needed: u32,
        /// How many there were.
        got: u32,
        /// What became of the data.
        fate: Fate,
    },
    /// The time was up.
    #[error("timed out{}", waited(*.after))]
    TimedOut {
        /// How long this client waited; `None`: the node said so.
        after: Option<Duration>,
        /// What became of the data.
        fate: Fate,
    },
    /// The connection to a node broke before the answer came, and there was no other way to get it.
    #[error("{node} hung up: {source}")]
    Broken {
        /// The node.
        node: String,
        /// What happened to the connection.
        source: io::Error,
        /// What became of the data.
        fate: Fate,
    },
    /// The node failed in a way that it describes in words that this client does not know.
    #[error("{text}")]
    Failed {
        /// Its words.
        text: String,
        /// What became of the data.
        fate: Fate,
    },
    /// The answer is not what the protocol has for this request.
    #[error("the answer makes no sense: {what}")]
    Protocol {
        /// What is wrong with it.
        what: String,
        /// What became of the data.
        fate: Fate,
    },
    /// A value that is not what the program takes it for. Nothing was written.
    #[error("value: {0}")]
    Value(#[from] serde_json::Error),
    /// [`update`](crate::Bucket::update) was overtaken by other writers again and again. Nothing was written.
    #[error("overtaken by other writers {attempts} times")]
    Overtaken {
        /// How often it was tried.
        attempts: u32,
    },
    /// There is more than one value, and the caller wants the only one. Nothing was done.
    #[error("{count} siblings where one value is wanted")]
    Siblings {
        /// How many there are.
        count: usize,
    },
}

/// What became of a write that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing was written.
    NotDone,
    /// It may have been written, on some replicas or on all, or may be so yet. Sent again under the same
    /// [`RequestId`](crate::RequestId) it is not done twice, as long as the node that had it remembers.
    Unknown,
}

/// A condition of a write that did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// Something is there, where nothing was wanted.
    #[error("something is there")]
    Found,
    /// Nothing is there, where something was wanted.
    #[error("nothing is there")]
    NotFound,
    /// What is there is not what the client had seen.
    #[error("it was changed in the meantime")]
    Modified,
}

impl Error {
    /// What became of the data. Reads change nothing: theirs is always [`Fate::NotDone`].
    pub fn fate(&self) -> Fate {
        match self {
            Self::QuorumUnmet { fate, .. }
            | Self::TimedOut { fate, .. }
            | Self::Broken { fate, .. }
            | Self::Failed { fate, .. }
            | Self::Protocol { fate, .. } => *fate,
            _ => Fate::NotDone,
        }
    }

    /// The same error, where an earlier attempt may have been carried out: then nothing that a later one says is proof that
    /// nothing was.
    pub(crate) fn in_doubt(self) -> Self {
        let fate = Fate::Unknown;
        match self {
            Self::QuorumUnmet { quorum, needed, got, .. } => Self::QuorumUnmet { quorum, needed, got, fate },
            Self::TimedOut { after, .. } => Self::TimedOut { after, fate },
            Self::Broken { node, source, .. } => Self::Broken { node, source, fate },
            Self::Failed { text, .. } => Self::Failed { text, fate },
            Self::Protocol { what, .. } => Self::Protocol { what, fate },
            known => Self::Failed { text: known.to_string(), fate },
        }
    }
}

fn waited(after: Option<Duration>) -> String {
    after.map(|after| format!(" after {} ms", after.as_millis())).unwrap_or_default()
}
