//! Driving a client's request: [`quorum`] decides, the machines ask and answer.

mod admission;
mod conditional;
mod coverage;
mod forward;
mod get;
mod put;
pub mod quorum;

pub(crate) use conditional::ConditionalPut;
pub(crate) use coverage::{Coverage, Looking, Serve as CoverageServe};
pub(crate) use forward::Forwards;
pub(crate) use get::{Asker, Checked, Gets};
pub(crate) use put::{PutRequest, Puts, answer_caller};

use crate::id::{CallId, NodeId, OpId};

/// Who waits for a request's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A client of this node.
    Client(CallId),
    /// A node that forwarded its client's put.
    Peer { node: NodeId, op: OpId },
}
