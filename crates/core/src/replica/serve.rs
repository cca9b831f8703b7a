//! The replica's side: answering coordinators from the local store.

use crate::cx::Cx;
use crate::desk::Waiter;
use crate::id::{NodeId, OpId};
use crate::key::Key;
use crate::message::{Message, ReplicaError, ReplicaMessage};
use crate::replica::Update;
use crate::storage::{StorageError, StorageOp};
use crate::version::Siblings;

/// Serves reads and writes of peers. All its state is in the storage desk.
#[derive(Debug)]
pub(crate) struct Serve;

impl Serve {
    pub fn on_read(cx: &mut Cx, from: NodeId, op: OpId, key: Key) {
        if cx.storage_has_room() {
            cx.storage(StorageOp::Read { key }, Waiter::Read { from, op });
        } else {
            Self::read_reply(cx, from, op, Err(ReplicaError::Overloaded));
        }
    }

    pub fn on_read_done(cx: &mut Cx, from: NodeId, op: OpId, result: Result<Siblings, StorageError>) {
        Self::read_reply(cx, from, op, result.map_err(ReplicaError::Storage));
    }

    pub fn on_write(cx: &mut Cx, from: NodeId, op: OpId, key: Key, siblings: Siblings, owed: Option<NodeId>) {
        if !cx.storage_has_room() {
            return Self::write_reply(cx, from, op, Err(ReplicaError::Overloaded));
        }
        let owed = owed.filter(|&home| home != cx.me());
        if owed.is_some_and(|home| !cx.may_owe(home, &key)) {
            return Self::write_reply(cx, from, op, Err(ReplicaError::Overloaded));
        }
        let update = Update::Merge { siblings, owed, policy: cx.env.config.policy };
        cx.apply(key, update, Waiter::Write { from, op });
    }

    /// The state is durable here: only now is it acknowledged.
    pub fn on_write_durable(cx: &mut Cx, from: NodeId, op: OpId) {
        Self::write_reply(cx, from, op, Ok(()));
    }

    pub fn on_write_failed(cx: &mut Cx, from: NodeId, op: OpId, error: StorageError) {
        Self::write_reply(cx, from, op, Err(ReplicaError::Storage(error)));
    }

    fn read_reply(cx: &mut Cx, to: NodeId, op: OpId, result: Result<Siblings, ReplicaError>) {
        cx.send(to, Message::Replica(ReplicaMessage::ReadReply { op, result }));
    }

    fn write_reply(cx: &mut Cx, to: NodeId, op: OpId, result: Result<(), ReplicaError>) {
        cx.send(to, Message::Replica(ReplicaMessage::WriteReply { op, result }));
    }
}
