//! What nodes have asked of each other, by operation: an answer names only that.

use std::collections::VecDeque;

use cartwheel_core::Key;
use cartwheel_core::id::{NodeId, OpId};
use cartwheel_core::message::ReplicaMessage;
use cartwheel_core::version::Siblings;

/// So many operations of a node are remembered; an answer to an older one is not judged.
const KEPT: usize = 1 << 14;

/// Reads and writes on their way, by who asked.
#[derive(Debug, Default)]
pub struct Sent(Vec<Operations>);

/// What one node asked in its present life. A node numbers its operations one after the other, from anywhere.
#[derive(Debug, Default)]
struct Operations {
    first: u64,
    asked: VecDeque<Option<Asked>>,
}

/// A read or a write.
#[derive(Debug)]
pub struct Asked {
    /// When it was first sent.
    pub at_ns: u64,
    /// Of what.
    pub key: Key,
    /// What is to be held, where it is a write.
    pub state: Option<Siblings>,
    /// Who has told the node that asked that they hold it.
    pub held_by: Vec<NodeId>,
}

impl Sent {
    /// `from` says `message` to somebody.
    pub fn says(&mut self, at_ns: u64, from: NodeId, message: &ReplicaMessage) {
        let (op, key, state) = match message {
            ReplicaMessage::Read { op, key } => (*op, key, None),
            ReplicaMessage::Write { op, key, siblings, .. } => (*op, key, Some(siblings)),
            // A confirmation is looked into by the one who asks for it: it holds the state itself.
            ReplicaMessage::Confirm { .. }
            | ReplicaMessage::ReadReply { .. }
            | ReplicaMessage::WriteReply { .. } => return,
        };
        if let Some(slot @ None) = self.operations(from).slot(op.0) {
            let (key, state) = (key.clone(), state.cloned());
            *slot = Some(Asked { at_ns, key, state, held_by: Vec::new() });
        }
    }

    /// What `op` of `by` is.
    pub fn asked(&self, by: NodeId, op: OpId) -> Option<&Asked> {
        let operations = self.0.get(by.0 as usize)?;
        operations.asked.get(usize::try_from(op.0.checked_sub(operations.first)?).ok()?)?.as_ref()
    }

    /// `node` hears that `from` holds what `op` asked it to hold.
    pub fn is_held(&mut self, node: NodeId, op: OpId, from: NodeId) {
        let Some(operations) = self.0.get_mut(node.0 as usize) else { return };
        let Some(at) = op.0.checked_sub(operations.first) else { return };
        if let Some(Some(asked)) = operations.asked.get_mut(at as usize)
            && !asked.held_by.contains(&from)
        {
            asked.held_by.push(from);
        }
    }

    /// Whether `from` has told `node` that it holds exactly `state` of `key`, which it was asked since then.
    pub fn has_told(&self, since_ns: u64, node: NodeId, from: NodeId, key: &Key, state: &Siblings) -> bool {
        let asked =
            self.0.get(node.0 as usize).into_iter().flat_map(|operations| operations.asked.iter().rev());
        let recent = asked.flatten().take_while(|asked| asked.at_ns >= since_ns);
        recent
            .filter(|asked| asked.held_by.contains(&from) && asked.key == *key)
            .any(|asked| asked.state.as_ref().is_some_and(|asked| asked == state))
    }

    /// `node` crashed: it counts on from elsewhere.
    pub fn crashed(&mut self, node: NodeId) {
        *self.operations(node) = Operations::default();
    }

    fn operations(&mut self, node: NodeId) -> &mut Operations {
        let at = node.0 as usize;
        if self.0.len() <= at {
            self.0.resize_with(at + 1, Operations::default);
        }
        &mut self.0[at]
    }
}

impl Operations {
    /// The slot of `op`; `None` where it is too old. An operation may send its first message after later ones.
    fn slot(&mut self, op: u64) -> Option<&mut Option<Asked>> {
        if self.asked.is_empty() {
            self.first = op;
        }
        let early = usize::try_from(self.first.saturating_sub(op)).ok().filter(|early| *early <= KEPT)?;
        (0..early).for_each(|_| self.asked.push_front(None));
        self.first -= early as u64;
        let at = usize::try_from(op - self.first).ok().filter(|at| *at < self.asked.len() + KEPT)?;
        if self.asked.len() <= at {
            self.asked.resize_with(at + 1, || None);
        }
        let spare = self.asked.len().saturating_sub(KEPT).min(at);
        self.asked.drain(..spare);
        self.first += spare as u64;
        self.asked.get_mut(at - spare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{dot, key, siblings, version};

    fn write(op: u64, state: &Siblings) -> ReplicaMessage {
        ReplicaMessage::Write { op: OpId(op), key: key(), siblings: state.clone(), owed: None }
    }

    #[test]
    fn who_has_told_whom_is_known_by_operation() {
        let (node, peer) = (NodeId(1), NodeId(2));
        let state = siblings(&[version(dot(1, 1), &[], 1)]);
        let mut sent = Sent::default();
        sent.says(5, node, &write(100, &state));
        sent.says(6, node, &write(102, &state));
        assert!(!sent.has_told(5, node, peer, &key(), &state));
        sent.is_held(node, OpId(100), peer);
        assert!(sent.has_told(5, node, peer, &key(), &state));
        assert!(!sent.has_told(6, node, peer, &key(), &state), "it was asked before that");
        assert!(!sent.has_told(5, node, peer, &key(), &Siblings::default()));
        assert!(sent.asked(node, OpId(101)).is_none() && sent.asked(node, OpId(99)).is_none());
    }

    #[test]
    fn another_life_begins_anew_and_old_operations_are_forgotten() {
        let node = NodeId(1);
        let mut sent = Sent::default();
        (0..3 * KEPT as u64).for_each(|op| sent.says(op, node, &write(op, &Siblings::default())));
        assert_eq!(sent.0[1].asked.len(), KEPT);
        assert_eq!(sent.asked(node, OpId(3 * KEPT as u64 - 1)).unwrap().at_ns, 3 * KEPT as u64 - 1);
        sent.crashed(node);
        sent.says(7, node, &write(5, &Siblings::default()));
        sent.says(8, node, &write(3, &Siblings::default()));
        assert_eq!(sent.asked(node, OpId(3)).unwrap().at_ns, 8, "it was begun before the other one");
        assert_eq!(sent.asked(node, OpId(5)).unwrap().at_ns, 7);
    }
}
