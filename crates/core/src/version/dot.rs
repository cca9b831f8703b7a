use core::fmt;

use crate::id::{NodeId, StoreId};

/// Who counts: one continuous line of coordinated writes to one key by one store in one boot (or several boots
/// with clean stops between them). A forgotten key never continues an old count, because its next write mints
/// another actor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    /// The coordinating node.
    pub node: NodeId,
    /// The disk it counts on.
    pub store: StoreId,
    /// The boot in which the actor was minted; raised and synced at every start.
    pub boot: u64,
    /// Counts the actors minted in that boot.
    pub mint: u64,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.node, self.boot, self.mint)
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}.{}.{}", self.node, self.store.0, self.boot, self.mint)
    }
}

/// One write event, for ever: no two writes share a dot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    /// Who counted.
    pub actor: Actor,
    /// The count, from 1.
    pub counter: u64,
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.actor, self.counter)
    }
}

impl fmt::Debug for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}", self.actor, self.counter)
    }
}
