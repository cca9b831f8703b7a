//! Whom a storage completion concerns.

use alloc::vec::Vec;

use super::Machines;
use crate::anti_entropy::Answers;
use crate::boundary::Event;
use crate::cx::Cx;
use crate::desk::{Applied, Waiter};
use crate::key::Key;
use crate::message::{Message, ReapMessage};
use crate::replica::{Change, Reaper, Refused, Serve};
use crate::storage::{Name, StorageCompletion, StorageError, Ticket};
use crate::version::Digest;

impl Machines {
    pub(super) fn on_storage(&mut self, cx: &mut Cx, completion: StorageCompletion) {
        match completion {
            StorageCompletion::Read { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::Get(op)) => {
                    if let (Err(StorageError::Corrupt), Some(key)) = (&result, self.gets.key_of(op)) {
                        self.mender.noticed(cx, &key);
                    }
                    let checked = self.gets.on_local_read(cx, op, result);
                    self.on_checked(cx, checked);
                }
                Some(Waiter::Read { from, op, key }) => {
                    if result == Err(StorageError::Corrupt) {
                        self.mender.noticed(cx, &key);
                    }
                    Serve::on_read_done(cx, from, op, &key, result);
                }
                Some(Waiter::ExchangeRead { op, key }) => {
                    if result == Err(StorageError::Corrupt) {
                        self.mender.noticed(cx, &key);
                    }
                    self.exchanges.on_local_read(cx, op, key, result);
                }
                other => unexpected("read", other.as_ref()),
            },
            StorageCompletion::Hints { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::HintScan { home }) => self.hints.on_scanned(cx, home, result),
                other => unexpected("hint scan", other.as_ref()),
            },
            StorageCompletion::TreeHashes { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::ExchangeHashes { op }) => self.exchanges.on_hashes(cx, op, result),
                Some(Waiter::AnswerHashes { from, op, theirs }) => {
                    Answers::on_hashes(cx, from, op, &theirs, result);
                }
                other => unexpected("tree hash", other.as_ref()),
            },
            StorageCompletion::LeafKeys { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::ExchangeKeys { op, leaves }) => self.exchanges.on_keys(cx, op, leaves, result),
                Some(Waiter::AnswerKeys { from, op, theirs }) => {
                    Answers::on_leaf_keys(cx, from, op, theirs, result);
                }
                other => unexpected("leaf listing", other.as_ref()),
            },
            StorageCompletion::Page { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::HandoffScan { partition }) => self.handoff.on_page(cx, partition, result),
                Some(Waiter::ReapScan) => self.reaper.on_page(cx, result),
                other => unexpected("page", other.as_ref()),
            },
            StorageCompletion::Occupied { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::HandoffSurvey) => self.handoff.on_occupied(cx, result),
                other => unexpected("list of partitions", other.as_ref()),
            },
            StorageCompletion::Names { ticket, result } => self.on_names(cx, ticket, result),
            StorageCompletion::Saved { ticket, result } => match cx.env.desk.complete(ticket) {
                Some(Waiter::ClusterSaved) => self.gossip.on_saved(cx, result.is_ok()),
                Some(Waiter::Nobody) => {}
                other => unexpected("saved state", other.as_ref()),
            },
            StorageCompletion::Found { ticket, result } => self.on_found(cx, ticket, result),
            StorageCompletion::Applied { ticket, result } => self.on_applied(cx, ticket, result),
            StorageCompletion::Synced { through } => {
                while let Some(applied) = cx.env.desk.next_synced(through) {
                    self.on_durable(cx, applied);
                }
            }
            StorageCompletion::SyncFailed => {
                cx.event(Event::StorageFailed);
                for applied in cx.env.desk.sync_failed() {
                    self.on_update_failed(cx, applied.waiter, StorageError::Failed);
                }
            }
        }
    }

    /// Of these keys, those that this node agrees may be reaped.
    fn agreed(&self, cx: &Cx, keys: &[(Key, Digest)], names: Result<Vec<Name>, StorageError>) -> Vec<Key> {
        let mut agreed = Reaper::agreed(cx, keys, &names.unwrap_or_default());
        agreed.retain(|key| !self.is_busy(cx, key));
        agreed
    }

    /// What reaping looks at.
    fn on_names(&mut self, cx: &mut Cx, ticket: Ticket, result: Result<Vec<Name>, StorageError>) {
        match cx.env.desk.complete(ticket) {
            Some(Waiter::ReapNames { op, keys }) => {
                let agreed = self.agreed(cx, &keys, result);
                let (me, fence) = (cx.me(), cx.env.cluster.fence);
                if self.reaper.asks_behind(op).is_some_and(|asked| self.gossip.kept_fence() >= asked) {
                    let highest = self.reaper.on_agree(cx, me, op, &agreed, fence);
                    self.raise_for_reaping(cx, highest);
                }
            }
            Some(Waiter::ReapAnswer { from, op, keys }) => {
                let keys = self.agreed(cx, &keys, result);
                let fence = cx.env.cluster.fence;
                cx.send(from, Message::Reap(ReapMessage::Agree { op, keys, fence }));
            }
            other => unexpected("names", other.as_ref()),
        }
    }

    fn on_applied(
        &mut self,
        cx: &mut Cx,
        ticket: Ticket,
        result: Result<Result<Change, Refused>, StorageError>,
    ) {
        let Some((waiter, key)) = cx.env.desk.complete_update(ticket) else {
            return unexpected("update", None);
        };
        match (result, waiter) {
            (Err(error), Waiter::Mend) => {
                cx.event(Event::StorageFailed);
                self.on_update_failed(cx, Waiter::Mend, error);
                self.mender.on_failed(&key);
            }
            (Err(StorageError::Corrupt), waiter) => {
                self.mender.noticed(cx, &key);
                self.on_update_failed(cx, waiter, StorageError::Corrupt);
            }
            (Err(error), waiter) => {
                cx.event(Event::StorageFailed);
                self.on_update_failed(cx, waiter, error);
            }
            (Ok(settled), Waiter::HintSettle { home, delivered }) => {
                self.hints.on_settled(cx, home, key, delivered, settled.ok().as_ref());
            }
            (Ok(Ok(change)), Waiter::Confirm { from, op, digest }) if change.siblings.digest() != digest => {
                Serve::on_differs(cx, from, op);
            }
            (Ok(Err(_)), Waiter::HandoffDrop) => self.handoff.on_kept(cx, &key),
            (Ok(Err(_)), Waiter::ReapDrop) => {}
            (Ok(Ok(change)), waiter) => {
                let put = if let Waiter::Put(op) = waiter { Some(op) } else { None };
                let (newly_owed, bytes) = (change.newly_owed.clone(), change.siblings.value_bytes());
                cx.env.desk.await_sync(ticket, Applied { waiter, newly_owed, bytes, key });
                if let Some(op) = put {
                    self.puts.on_applied(cx, op, &change);
                }
            }
            (Ok(Err(Refused::Mutation(refusal))), Waiter::Put(op)) => self.puts.on_refused(cx, op, refusal),
            // Another node can coordinate a put that has spent this node's actor: it has others.
            (
                Ok(Err(Refused::NotFound | Refused::MovedOn | Refused::Mutation(_) | Refused::Spent)),
                waiter,
            ) => {
                self.on_update_failed(cx, waiter, StorageError::Failed);
            }
        }
    }

    fn on_durable(&mut self, cx: &mut Cx, applied: Applied) {
        let Applied { waiter, newly_owed, bytes, key } = applied;
        if let Waiter::HintRedirect { home } = waiter {
            return self.hints.on_redirected(cx, home, newly_owed, key, bytes);
        }
        for home in newly_owed {
            self.hints.on_stored(cx, home, key.clone(), bytes);
        }
        match waiter {
            Waiter::Put(op) => self.puts.on_durable(cx, op),
            Waiter::PutOwe { op, home } => self.puts.on_owed(cx, op, home),
            Waiter::Write { from, op } | Waiter::Confirm { from, op, .. } => {
                Serve::on_write_durable(cx, from, op);
            }
            Waiter::ExchangeMerge { op } => self.exchanges.on_merged(cx, op, Ok(())),
            Waiter::HandoffDrop => self.handoff.on_dropped(cx, key),
            Waiter::ReapDrop => self.reaper.on_dropped(cx, key),
            Waiter::Mend => {
                self.mender.on_mended(cx, key);
                self.hints.look_through(cx);
            }
            Waiter::Nobody => {}
            other => unexpected("sync", Some(&other)),
        }
    }

    fn on_update_failed(&mut self, cx: &mut Cx, waiter: Waiter, error: StorageError) {
        match waiter {
            Waiter::Put(op) => {
                for (caller, put) in self.puts.on_local_failure(cx, op) {
                    self.forwards.start_elsewhere(cx, caller, put);
                }
            }
            Waiter::PutOwe { op, home } => self.puts.on_owed(cx, op, home),
            Waiter::Write { from, op } | Waiter::Confirm { from, op, .. } => {
                Serve::on_write_failed(cx, from, op, error);
            }
            Waiter::HintSettle { home, .. } | Waiter::HintRedirect { home, .. } => {
                self.hints.on_settle_failed(cx, home);
            }
            Waiter::ExchangeMerge { op } => self.exchanges.on_merged(cx, op, Err(error)),
            Waiter::HandoffDrop => self.handoff.on_failed(cx),
            Waiter::Nobody | Waiter::ReapDrop | Waiter::Mend => {}
            other => unexpected("failed update", Some(&other)),
        }
    }
}

/// The driver broke the storage contract; going on would acknowledge what may not be kept.
#[track_caller]
pub(super) fn unexpected(what: &str, waiter: Option<&Waiter>) {
    panic!("storage completion of a {what} that belongs to {waiter:?}");
}
