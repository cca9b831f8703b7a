//! An async client of Cartwheel, and of Riak KV, over the protocol-buffers API.
//!
//! ```
//! use std::collections::BTreeSet;
//!
//! use cartwheel_client::{Client, Content, Error};
//!
//! # async fn run(nodes: Vec<String>) -> Result<(), Error> {
//! // Where the nodes answer: `let nodes = ["127.0.0.1:8087", "127.0.0.1:8097"];`
//! let client = Client::connect(nodes).await?;
//! let carts = client.bucket("carts");
//!
//! // Writing, reading, deleting. What a write replaces is what its writer was shown: the context.
//! carts.put("alice", "milk").await?;
//! let cart = carts.get("alice").await?;
//! carts.put("alice", "milk, bread").context(cart.context).await?;
//! let cart = carts.get("alice").await?;
//! assert_eq!(cart.value()?.map(Content::to_text).as_deref(), Some("milk, bread"));
//! carts.delete("alice").context(cart.context).await?;
//!
//! // Read, change, write, in JSON. Two that do so at the same time both succeed: the next one sees both carts.
//! let add = |item: &str| {
//!     let item = item.to_owned();
//!     move |carts: Vec<BTreeSet<String>>| carts.into_iter().flatten().chain([item]).collect()
//! };
//! carts.update_json("bob", add("eggs")).await?;
//! let cart: BTreeSet<String> = carts.update_json("bob", add("tea")).await?;
//! assert_eq!(cart, BTreeSet::from(["eggs".to_owned(), "tea".to_owned()]));
//! # Ok(())
//! # }
//! # #[tokio::main]
//! # async fn main() {
//! #     let cluster = cartwheel_client::testing::TestCluster::start(3).await.unwrap();
//! #     run(cluster.addresses().iter().map(ToString::to_string).collect()).await.unwrap();
//! # }
//! ```
//!
//! [`Client`] is the door: it keeps connections to all nodes that it is told, spreads requests over them, and goes on with the
//! others when one is lost. [`Bucket`] has the requests; each is a value with setters (`.r(2)`, `.timeout(..)`) that is
//! awaited. [`Counter`], [`Set`], [`Map`], [`GSet`] and [`Hll`] are handles for data types, [`Query`] and [`Listing`] find keys,
//! [`Props`] are the properties of buckets, [`Tls`] is how to come in where nodes tell users apart, and
#![cfg_attr(feature = "testing", doc = "[`testing`] is a cluster in the process, for tests.")]
#![cfg_attr(not(feature = "testing"), doc = "the feature `testing` has a cluster in the process, for tests.")]
//!
//! # When something fails
//!
//! Requests are sent again, up to [`Builder::attempts`] times within [`Builder::timeout`], with a pause in between. Writes carry a
//! name ([`RequestId`]) that stays the same, so that a node which has done it already does not do it twice. An error says by its
//! [`fate`](Error::fate) whether a write was not done, or may have been. How this works, and what it cannot do, is in
//! `docs/client.md`.

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
