//! Riak's protocol-buffers API: a frame becomes a [`Request`], the core's answer becomes messages.
//!
//! [`message`] has the messages as they are on the wire, [`frame`] what is around them, [`code`] their numbers. The driver
//! takes frames off a connection, reads each with [`Request::read`], translates those about keys ([`Get`], [`Put`],
//! [`Delete`], [`DtFetch`], [`DtUpdate`]) to what it asks the core, and writes back what these make of the answer. Whatever is wrong with a request is a
//! [`Refusal`], which knows Riak's text for it, and whether Riak hangs up after it.

pub mod code;
mod datatype;
mod delete;
mod erlang;
pub mod frame;
mod get;
mod index;
mod listing;
pub mod message;
mod names;
pub mod props;
mod put;
mod quorum;
mod refusal;
mod request;
mod request_id;
mod shown;
mod weight;

pub use datatype::{DtFetch, DtUpdate, OldCounter, kind_of};
pub use delete::Delete;
pub use erlang::binary;
pub use get::Get;
pub use index::Index;
pub use listing::{list_buckets, list_keys, uncovered};
pub use names::{bucket_of, key_of};
pub use put::Put;
pub use quorum::{code_of, quorum_of};
pub use refusal::Refusal;
pub use request::Request;
pub use request_id::request_id;
pub use weight::weight;
