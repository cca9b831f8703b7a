//! Riak's HTTP API: a request's head becomes a [`Call`], the core's answer becomes a response.
//!
//! The driver reads the head, calls [`Call::parse`], reads the body only of a call that wants one, hands the core the
//! call's operation, and renders what comes back. Everything that is wrong with a request is a [`Refusal`]; nothing
//! that a client asks for and that is not done is passed over in silence.

mod accept;
mod call;
mod condition;
mod datatype;
mod delete;
mod fields;
mod get;
mod index;
mod link;
mod listing;
mod object;
mod props;
mod put;
mod query;
mod refusal;
mod resources;
mod response;
mod route;
mod siblings;

pub use call::{Call, Defaults, request_id};
pub use datatype::{Admitted, DataType};
pub use delete::Delete;
pub use get::Get;
pub use index::Index;
pub use listing::{Coming, List, Listed};
pub use props::{BucketProps, PropsVerb};
pub use put::Put;
pub use refusal::Refusal;
pub use resources::Resources;
pub use response::{Response, pong};
