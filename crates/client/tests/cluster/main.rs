//! The client with real nodes in the process.

mod datatypes;
mod failover;
mod listings;
mod objects;
mod tls;
mod wipe;
