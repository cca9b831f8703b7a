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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dot {
    /// Who counted.
    pub actor: Actor,
    /// The count, from 1.
    pub counter: u64,
}

impl Dot {
    /// The highest count. Nobody gets there by counting; but clients hand contexts back, and may have written anything into
    /// them. What claims more is no dot, whoever sends it, and an actor that is claimed to be there counts no more. So a count
    /// never overflows, and what is stored can always be read again.
    pub const COUNTER_MAX: u64 = u64::MAX / 2;

    /// The dot after this one; `None` after the last one.
    pub(crate) fn next(self) -> Option<Self> {
        (self.counter < Self::COUNTER_MAX).then(|| Self { counter: self.counter + 1, ..self })
    }

    /// As it is hashed, for the names of states: its words, the low byte of each first.
    pub(crate) fn to_bytes(self) -> [u8; 40] {
        let Self { actor: Actor { node, store, boot, mint }, counter } = self;
        let mut bytes = [0; 40];
        for (at, word) in [node.0, store.0, boot, mint, counter].into_iter().enumerate() {
            bytes[8 * at..8 * at + 8].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

/// What deriving it would feed the hasher word by word; dots are most of what is hashed of a state.
impl core::hash::Hash for Dot {
    #[inline]
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        state.write(&self.to_bytes());
    }
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
