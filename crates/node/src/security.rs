//! Who may do what: Riak's model of users, groups, sources and grants.
//!
//! What is known comes from two places: a file of this node, which comes first, and the cluster's gossiped state, which
//! operators change at any node. `policy` decides, without I/O; `file` and `shared` read what it decides by; `operators` says
//! what becomes of what they want; `password` knows hashes; `needs` says which permission a request takes; `gate` stands before
//! the API and asks the others.

mod checks;
mod file;
mod gate;
mod needs;
mod operators;
mod password;
mod policy;
mod shared;

#[cfg(test)]
mod laws;

pub use operators::{Grant, GrantReport, Role, RoleReport, SecurityReport, SecurityRequest, SourceReport};
pub use password::{PasswordHash, hash_password};

pub(crate) use file::read;
pub(crate) use gate::{CROWDED, Denial, Entrance, Gate, Origin, Unproven, Visitor};
pub(crate) use needs::need;
pub(crate) use operators::changes;
pub(crate) use policy::{Permission, Scope};
pub(crate) use shared::Shared;
