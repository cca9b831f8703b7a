//! Visits at set times: a workload spelled out, as a shrunk scenario has it.

use serde::{Deserialize, Serialize};

use super::units::Span;

/// One visit of one client to one cart. Clients, carts and nodes are those of the workload and the cluster; a client that
/// is still busy makes its visit as soon as it is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitSpec {
    /// When.
    pub at: Span,
    /// Who, counted from 1.
    pub client: u32,
    /// Which cart, counted from 0.
    pub cart: u32,
    /// What becomes of it.
    #[serde(default)]
    pub does: Deed,
    /// Which item a visit removes, counted from 0, the one that has been there for longest.
    #[serde(default, skip_serializing_if = "is_first")]
    pub item: u32,
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

/// What a visit does to a cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Adds an item to what was read.
    #[default]
    Add,
    /// Adds an item without having read anything: the write is concurrent with everything.
    AddBlindly,
    /// Takes an item out; adds one where there is none.
    Remove,
    /// Deletes the cart.
    Delete,
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
}

impl VisitSpec {
    /// The requests that it may make, to be looked at or changed.
    pub fn requests_mut(&mut self) -> impl Iterator<Item = &mut RequestSpec> {
        self.read.iter_mut().chain(self.write.iter_mut())
    }

    /// The nodes that it asks first.
    pub fn nodes(&self) -> impl Iterator<Item = u32> {
        self.read.iter().chain(self.write.iter()).map(|request| request.node)
    }
}
