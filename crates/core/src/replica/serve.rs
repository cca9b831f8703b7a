//! The replica's side: answering coordinators from the local store.

use crate::cx::Cx;
use crate::desk::Waiter;
use crate::flaw::Flaw;
use crate::id::{NodeId, OpId};
use crate::key::Key;
use crate::message::{Message, ReplicaError, ReplicaMessage};
use crate::replica::Update;
use crate::storage::{StorageError, StorageOp};
use crate::version::{Digest, Siblings};

/// Serves reads and writes of peers. All its state is in the storage desk.
#[derive(Debug)]
pub(crate) struct Serve;

impl Serve {
    /// A museum piece: a write behind this fence is taken by everybody (who has that flaw).
    pub const UNFENCED: u64 = u64::MAX;

    pub fn on_read(cx: &mut Cx, from: NodeId, op: OpId, key: Key) {
        if cx.storage_has_room() {
            cx.storage(StorageOp::Read { key: key.clone() }, Waiter::Read { from, op, key });
        } else {
            Self::read_reply(cx, from, op, Err(ReplicaError::Overloaded));
        }
    }

    pub fn on_read_done(
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        key: &Key,
        result: Result<Siblings, StorageError>,
    ) {
        let result = Self::unless_recovering(cx, key, result.map_err(ReplicaError::Storage));
        Self::read_reply(cx, from, op, result);
    }

    /// What a home says of a key while it does not hold again what it should: nothing means nothing.
    pub fn unless_recovering(
        cx: &Cx,
        key: &Key,
        result: Result<Siblings, ReplicaError>,
    ) -> Result<Siblings, ReplicaError> {
        let partition = cx.env.cluster.ring.partition(key.token());
        match result {
            Ok(held) if held.is_empty() && cx.env.recovering.contains(&partition) => {
                Err(ReplicaError::Recovering)
            }
            result => result,
        }
    }

    /// Does this node hold exactly the state `digest`, durably? The answer waits for the sync that covers it.
    pub fn on_confirm(cx: &mut Cx, from: NodeId, op: OpId, key: Key, digest: Digest) {
        if cx.storage_has_room() {
            cx.apply(key, Update::Confirm, Waiter::Confirm { from, op, digest });
        } else {
            Self::write_reply(cx, from, op, Err(ReplicaError::Overloaded));
        }
    }

    /// It holds something else.
    pub fn on_differs(cx: &mut Cx, from: NodeId, op: OpId) {
        Self::write_reply(cx, from, op, Err(ReplicaError::Differs));
    }

    /// A node on a new disk that has not heard of the cluster yet cannot tell what may be stored.
    pub fn on_too_early(cx: &mut Cx, from: NodeId, op: OpId) {
        Self::write_reply(cx, from, op, Err(ReplicaError::Overloaded));
    }

    /// Was this write sent behind a lower fence than this node's? Then it may be older than what was reaped.
    pub fn is_fenced(cx: &mut Cx, from: NodeId, op: OpId, fence: u64) -> bool {
        let own = cx.env.cluster.fence;
        let is_unfenced = fence == Self::UNFENCED;
        let is_refused = fence < own || (is_unfenced && !cx.has(Flaw::RepairTreatsMissingAsStale));
        if is_refused {
            Self::write_reply(cx, from, op, Err(ReplicaError::Fenced(own)));
        }
        is_refused
    }

    pub fn on_write(cx: &mut Cx, from: NodeId, op: OpId, key: Key, siblings: Siblings, owed: Option<NodeId>) {
        if !cx.storage_has_room() {
            return Self::write_reply(cx, from, op, Err(ReplicaError::Overloaded));
        }
        let owed = owed.filter(|&home| home != cx.me());
        if owed.is_some_and(|home| !cx.may_owe(home, &key)) {
            return Self::write_reply(cx, from, op, Err(ReplicaError::Overloaded));
        }
        let update = Update::Merge { siblings: cx.received(siblings), owed, policy: cx.policy(&key) };
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
