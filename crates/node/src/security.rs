//! Who may do what: Riak's model of users, groups, sources and grants.
//!
//! `policy` decides, without I/O; `file` reads what it decides by; `password` knows hashes; `needs` says which
//! permission a request takes; `gate` stands before the API and asks the others.

mod file;
mod gate;
mod needs;
mod password;
mod policy;

#[cfg(test)]
mod laws;

pub use password::{PasswordHash, hash_password};

pub(crate) use file::read;
pub(crate) use gate::{Denial, Gate, Origin, Visitor};
pub(crate) use needs::need;
pub(crate) use policy::{Permission, Scope};
