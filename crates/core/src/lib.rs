//! Cartwheel's protocol core: an always-writable, leaderless key-value store after Amazon's Dynamo (SOSP 2007),
//! as one state machine without I/O.
//!
//! # The contract
//!
//! A [`Node`] is driven by [`Node::handle`]: the driver hands over one [`Input`] and the time, the node puts
//! [`Output`]s into the caller's [`Outbox`]. The node never blocks, never reads a clock, never draws randomness of
//! its own (its seed is part of its [`Boot`]), and never depends on the order of a hash table or on a float: **the
//! same inputs at the same times give the same outputs, bit for bit, on every platform.** The list of inputs is
//! therefore a complete trace of the node; simulator replay and the flight recorder rest on that.
//!
//! The driver owes the node three things: outputs are carried out in the order in which they were put, storage
//! requests are executed as [`storage`] describes, and [`Node::handle`] is called with [`Input::Timeout`] once the
//! time that [`Node::next_timeout`] names has come. Messages may be lost, repeated, delayed or reordered.
//!
//! # The promise
//!
//! A put that was answered with success is never lost while fewer than W of the nodes that acknowledged it lose
//! their disks, and a put is never refused because some replica is down. What keeps the promise is in
//! [`version`] (a version is dropped only because another one's writer had seen it), in
//! [`replica::Record`] (a dot names one write for ever), and in the coordinators (a home that did not
//! acknowledge is owed a durable hint).

#![no_std]

extern crate alloc;

pub mod anti_entropy;
mod background;
pub mod boundary;
pub mod canonical;
mod config;
mod coordinator;
pub mod coverage;
mod cx;
pub mod datatype;
mod deadlines;
mod desk;
pub mod flaw;
mod hash;
pub mod id;
mod key;
pub mod membership;
pub mod message;
mod node;
pub mod replica;
pub mod ring;
mod rng;
pub mod storage;
pub mod time;
pub mod version;

pub use background::BackgroundStatus;
pub use boundary::{
    AdminOp, AdminReply, AdminRequest, Answer, ClientError, ClientOp, ClientReply, ClientRequest, Condition,
    Event, Input, Invalid, Outbox, Output, Quorum, QuorumKind, ReadOptions, Unfit, WriteOptions,
};
pub use config::{Boot, Config, ConfigError};
pub use coordinator::quorum::Needs;
pub use key::Key;
pub use node::{Node, Status};
