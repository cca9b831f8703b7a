//! Who a member is, for failure detection: a node in one of its lives.

use crate::id::NodeId;

/// A node in one of its lives. Of two identities of one node the greater is the newer, and everybody keeps that.
///
/// In SWIM a member that was declared down stays down, so that late rumours cannot revive it. A node that restarts
/// or was wrongly declared down therefore comes back under a greater identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    pub node: NodeId,
    /// Raised at every start of the node.
    pub boot: u64,
    /// Raised whenever the node learns that it was declared down.
    pub renewal: u32,
}

impl Identity {
    /// Stands for a member of which only the ring has told: less than any identity it may be using, and equal to
    /// that of a node that was started with boot 0.
    pub fn unheard(node: NodeId) -> Self {
        Self { node, boot: 0, renewal: 0 }
    }

    /// The next life after this one.
    pub fn successor(self) -> Option<Self> {
        match self.renewal.checked_add(1) {
            Some(renewal) => Some(Self { renewal, ..self }),
            None => Some(Self { boot: self.boot.checked_add(1)?, renewal: 0, ..self }),
        }
    }
}

impl foca::Identity for Identity {
    type Addr = NodeId;

    fn renew(&self) -> Option<Self> {
        self.successor()
    }

    fn addr(&self) -> NodeId {
        self.node
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self > adversary
    }
}
