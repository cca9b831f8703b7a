//! A client.
mod bucket;
mod builder;
mod call;
mod client;
mod connection;
mod content;
mod datatype;
mod delete;
mod error;
mod get;
mod listing;
mod node;
mod object;
mod options;
mod props;
mod put;
mod query;
mod quorum;
mod request_id;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod update;

pub use bucket::{Bucket, BucketType};
pub use builder::Builder;
pub use client::{Client, ServerInfo};
pub use content::{Content, Link};
pub use datatype::{
    Counter, CounterKind, CounterOps, DataType, ElementOps, FieldType, FlagOps, GSet, GSetKind, Hll, HllKind,
    Kind, Map, MapKind, MapOps, MapValue, RegisterOps, Set, SetKind, SetOps,
};
pub use delete::Delete;
pub use error::{Error, Fate, Unmet};
pub use get::Get;
pub use listing::Listing;
pub use object::{Context, Object};
pub use props::Props;
pub use put::{Put, Written};
pub use query::{Continuation, IndexEntry, Page, Query};
pub use quorum::Quorum;
pub use request_id::RequestId;
pub use tls::Tls;
