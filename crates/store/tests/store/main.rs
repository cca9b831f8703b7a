//! The store, as the driver of a node uses it.

mod boots;
mod corruption;
mod directory;
mod durability;
mod hints;
mod index;
mod kept;
mod kill;
mod pages;
mod stepped;
mod support;
mod tombstones;
mod trees;
