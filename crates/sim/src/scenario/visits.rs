//! Visits at set times: a workload spelled out, as a shrunk scenario has it.

use serde::{Deserialize, Serialize};

use super::units::Span;

/// One visit of one client to one cart, or other key. Clients, carts and nodes are those of the workload and the cluster; a client that
/// is still busy makes its visit as soon as it is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitSpec {
    /// When.
    pub at: Span,
    /// Who, counted from 1.
    pub client: u32,
    /// Which cart, or other key, counted from 0.
    #[serde(alias = "key")]
    pub cart: u32,
    /// What becomes of it.
    #[serde(default)]
    pub does: Deed,
    /// Which item a visit removes, counted from 0, the one that has been there for longest.
    #[serde(default, skip_serializing_if = "is_first")]
    pub item: u32,
    /// How many keys a visit reads that only reads, from `cart` on.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub reads: u32,
    /// The request that reads the cart. A blind visit has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<RequestSpec>,
    /// The request that writes it; where it is not said, as the one that reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<RequestSpec>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_first(item: &u32) -> bool {
    *item == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(reads: &u32) -> bool {
    *reads == 1
}

fn one() -> u32 {
    1
}

/// What a visit does to a cart, or another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Adds an item to what was read. A register is given a new value in the place of what was read.
    #[default]
    Add,
    /// Adds an item without having read anything: the write is concurrent with everything.
    AddBlindly,
    /// Takes an item out; adds one where there is none.
    Remove,
    /// Deletes the cart.
    Delete,
    /// Reads, and changes nothing.
    Read,
    /// Writes with what the client remembers of having seen of the key, perhaps long ago.
    Update,
}

impl Deed {
    /// Whether it begins with a read.
    pub fn reads_first(self) -> bool {
        !matches!(self, Self::AddBlindly | Self::Update)
    }
}

/// How a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    /// The node that is asked first, counted from 1; each retry goes to the next one.
    pub node: u32,
    /// No stand-ins are accepted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// A majority of homes is demanded, and a get does not take "not found" for an answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub primary: bool,
    /// The client crashes while it waits for the first answer, unless that comes before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash: Option<CrashSpec>,
}

/// How a client crashes and comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrashSpec {
    /// So long after it asked.
    pub after: Span,
    /// How long it is away. It then repeats its request, with the same id.
    pub lasts: Span,
    /// Whom it asks then, counted from 1.
    pub node: u32,
}

impl RequestSpec {
    /// The nodes that it names.
    pub fn nodes_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        std::iter::once(&mut self.node).chain(self.crash.as_mut().map(|crash| &mut crash.node))
    }
}

impl VisitSpec {
    /// The requests that it may make, to be looked at or changed.
    pub fn requests_mut(&mut self) -> impl Iterator<Item = &mut RequestSpec> {
        self.read.iter_mut().chain(self.write.iter_mut())
    }

    /// The nodes that its requests name.
    pub fn nodes(&self) -> impl Iterator<Item = u32> {
        let requests = self.read.iter().chain(self.write.iter());
        requests.flat_map(|request| [Some(request.node), request.crash.map(|crash| crash.node)]).flatten()
    }
}
