//! Conditional puts: Riak's `if_none_match` and `if_not_modified`.
//!
//! A get comes first, and the put follows if what was read fits. The two are not one step: of two clients that ask
//! at the same time both may pass, and then their writes are siblings like any others.
//!
//! A request whose answer was lost is repeated when its own write is there already. It held then, so it is not asked
//! again: neither where the coordinator remembers the request, nor where the get finds what it wrote.

use super::Caller;
use crate::boundary::{Answer, Condition, Unfit};
use crate::coordinator::put::PutRequest;

/// A put that waits for its get.
#[derive(Clone, Debug)]
pub(crate) struct ConditionalPut {
    pub caller: Caller,
    pub condition: Condition,
    pub put: PutRequest,
    /// The get has found what an earlier try of the same request wrote.
    pub is_done: bool,
}

impl Condition {
    /// Why this does not hold of what a get answers; `None` when it does. Pure.
    pub fn unfit(&self, read: &Answer) -> Option<Unfit> {
        let state = &read.siblings;
        match self {
            Self::NoneMatch => state.is_found().then_some(Unfit::Found),
            Self::NotModified(_) if !state.is_found() => Some(Unfit::NotFound),
            Self::NotModified(context) => (*context != read.context()).then_some(Unfit::Modified),
        }
    }
}
