//! One client, and one request of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cartwheel_check::WriteId;
use cartwheel_core::datatype::Op;
use cartwheel_core::id::RequestId;
use cartwheel_core::version::{Context, Value};
use cartwheel_core::{ClientOp, Key, Quorum};

use super::arrivals::Arrivals;
use crate::scenario::{CrashSpec, Span, VisitSpec};
use crate::streams::Stream;

/// A request for `node` (counted from 0).
#[derive(Debug)]
pub struct Ask {
    /// Where to send it.
    pub node: usize,
    /// Its id.
    pub request: RequestId,
    /// The key.
    pub key: Key,
    /// What to do.
    pub op: ClientOp,
    /// The client crashes after that, unless it has been answered.
    pub crash_after: Option<Span>,
}

/// What a client does next.
#[derive(Debug)]
pub enum Next {
    /// Ask a node.
    Ask(Ask),
    /// Make a visit in so many nanoseconds.
    Think(u64),
    /// Nothing any more.
    Rest,
}

#[derive(Debug)]
pub struct Client {
    pub stream: Stream,
    /// Says when it crashes.
    pub outages: Stream,
    pub arrivals: Arrivals,
    /// The keys that it is still to fill, before anything else.
    pub to_load: VecDeque<u32>,
    pub requests: u64,
    pub visit: Option<Visit>,
    /// The visits that it is still to make, where they are not drawn.
    pub script: VecDeque<VisitSpec>,
    /// What the visit does: as the scenario says, or as far as it was drawn.
    pub plan: Option<VisitSpec>,
    /// What it has seen of keys, where its workload updates without reading first.
    pub memory: BTreeMap<usize, Seen>,
}

/// What a client was shown of a key.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub context: Context,
    pub writes: BTreeSet<WriteId>,
}

/// One request of one client, through all its attempts.
#[derive(Debug)]
pub struct Visit {
    pub key: usize,
    /// When it came, which may be before it was made.
    pub began_ns: u64,
    pub request: RequestId,
    pub attempts: u32,
    pub node: usize,
    /// Whether some attempt may have been done.
    pub maybe_done: bool,
    pub doing: Doing,
    pub sloppy: bool,
    pub primary: Option<Quorum>,
    /// Its client has not crashed yet, and may.
    pub crash: Option<CrashSpec>,
}

#[derive(Clone, Debug)]
pub enum Doing {
    /// So many more keys are read after this one.
    Reading {
        more: u32,
    },
    Writing(Pending),
    /// Changing a data type.
    Changing {
        op: Op,
        context: Option<Context>,
    },
}

/// A write on its way.
#[derive(Clone, Debug)]
pub struct Pending {
    pub id: WriteId,
    pub value: Value,
    pub seen: Seen,
    pub what: String,
}
