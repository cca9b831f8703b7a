//! The record: everything a store keeps for one key, and the one pure function that changes it.
//!
//! No read-modify-write crosses the storage boundary. The core sends an [`Update`]; whoever executes it (the real
//! store, the simulated disk) calls [`Update::apply`] on what is stored and writes the result.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use crate::datatype::{Held, Mutation, Refusal};
use crate::flaw::Flaw;
use crate::id::{NodeId, RequestId};
use crate::time::WallTime;
use crate::version::{Actor, Context, Digest, Dot, Policy, Siblings, Value, Version, VersionVector, pruned};

/// What a store keeps for one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// The versions. The only part that travels.
    pub siblings: Siblings,
    /// The last dot that *this store* issued for this key: the licence to go on counting under its actor. A
    /// record that arrived by merge, or was not found, has none.
    pub kept: Option<Dot>,
    /// Home nodes that this node owes the key to: one hint each. Ordered, without repetition.
    pub owed: Vec<NodeId>,
}

/// A client's write, as its coordinator hands it to the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Write {
    /// The client's request. A version that this request already made is not made again.
    pub request: RequestId,
    /// What the client had been shown.
    pub context: Context,
    /// What it writes.
    pub value: Written,
    /// The coordinator's clock.
    pub written_at: WallTime,
}

/// What a write writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// This, whatever is there.
    Value(Value),
    /// What is there, changed. Its context is its own, and does not say what it replaces: it replaces what it was made
    /// of.
    Changed(Arc<Mutation>),
}

impl Written {
    /// How much it carries, in bytes.
    pub fn value_bytes(&self) -> u64 {
        match self {
            Self::Value(Value::Data(data)) => data.len() as u64,
            Self::Value(Value::Tombstone) => 0,
            Self::Value(Value::DataType(value)) => value.value_bytes(),
            Self::Changed(mutation) => mutation.op.value_bytes(),
        }
    }
}

impl From<Value> for Written {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// A value is hashed as itself, as it was before there was anything else to write: traces are named by it.
impl Hash for Written {
    fn hash<H: Hasher>(&self, state: &mut H) {
        const AFTER_VALUES: isize = 3;
        match self {
            Self::Value(value) => value.hash(state),
            Self::Changed(mutation) => {
                state.write_isize(AFTER_VALUES);
                mutation.hash(state);
            }
        }
    }
}

/// A change to one record. Each is idempotent, except that `Coordinate` issues a dot (once for each request).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Update {
    /// Issue a dot for a client's write and add it.
    Coordinate {
        /// The write. In a box, because whatever is asked of a store is moved about as often as this is.
        write: Arc<Write>,
        /// The dot that this coordinator issued earlier for the same request. While the record has seen it, perhaps in
        /// the past of what superseded it, no other one is issued.
        made: Option<Dot>,
        /// The actor to count under when the record has none that may go on.
        mint: Actor,
        /// The oldest boot of this store since which every stop was clean. Kept actors of older boots are void:
        /// dots may have left for peers without surviving here.
        continuous_since: u64,
        /// The write's past is cut down to so many entries.
        past_entries_max: u32,
        /// The home node that this node stands in for, if it is not one itself.
        owed: Option<NodeId>,
        /// The bucket's policy.
        policy: Policy,
        /// A museum piece.
        flaw: Option<Flaw>,
    },
    /// Join a state that another node holds.
    Merge {
        /// That state.
        siblings: Siblings,
        /// The home node that this node stands in for, if any: the merge stores a hint.
        owed: Option<NodeId>,
        /// The bucket's policy.
        policy: Policy,
    },
    /// Store a hint for `home` beside what is here already.
    Owe {
        /// The home node that did not acknowledge.
        home: NodeId,
    },
    /// `home` keeps the key no longer; those that do are owed it instead.
    Redirect {
        /// Who was owed it.
        home: NodeId,
        /// Who keeps it now. Nobody: nothing is owed to `home` any more, and this node keeps the key itself.
        to: Vec<NodeId>,
    },
    /// Nothing changes; once it is durable, so is everything applied before.
    Confirm,
    /// Every home of the key durably holds the state `held`: delete the record, unless it has moved on since or
    /// somebody is still owed it.
    Drop {
        /// The state they hold.
        held: Digest,
    },
    /// `home` durably holds the state `delivered`: delete the hint for it, unless the record has moved on since.
    Settle {
        /// The home node that acknowledged.
        home: NodeId,
        /// The state it acknowledged.
        delivered: Digest,
        /// What to do with the record once nothing is owed any more.
        settled: Settled,
    },
    /// What is stored cannot be read, or could not: keep this state, which the other homes hold, in its place. Only this
    /// update is applied to a record that fails its checksum, as if nothing were stored.
    Salvage {
        /// That state. No versions: nothing is kept.
        siblings: Siblings,
        /// The bucket's policy.
        policy: Policy,
    },
}

/// What becomes of a record when its last hint was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settled {
    /// This node is a home of the key.
    KeepRecord,
    /// This node only stood in for others.
    DropRecord,
}

/// What an update did.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The state afterwards.
    pub siblings: Siblings,
    /// The dot issued (or found, for a repeated request) by `Coordinate`.
    pub dot: Option<Dot>,
    /// The home nodes that hints were added for: not those whose hint was there already. More than one after a redirection
    /// only.
    pub newly_owed: Vec<NodeId>,
}

/// Why an update was not applied.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// Nothing is stored under the key, so there is nothing to owe; or not the hint that was to be settled or redirected, so
    /// that it is counted once.
    NotFound,
    /// The record is not what it was: it is not dropped.
    MovedOn,
    /// The data type does not take the operation.
    Mutation(Refusal),
    /// The coordinator has no actor to count under: somebody claims to have seen the last dot of the one that it has minted
    /// for this write. No honest client does.
    Spent,
}

impl Update {
    /// The pure heart of the store: what is stored and an update give what to store (`None`: delete the record)
    /// and what to tell the core. Refused updates leave the record as it was.
    pub fn apply(&self, stored: Option<&Record>) -> Result<(Option<Record>, Change), Refused> {
        match self {
            Self::Coordinate {
                write,
                made,
                mint,
                continuous_since,
                past_entries_max,
                owed,
                policy,
                flaw,
            } => {
                let mut record = stored.cloned().unwrap_or_default();
                let write = &*record.flawed(write, *mint, *flaw);
                let dot = match record.dot_of(write.request, *made) {
                    Some(known) => known,
                    None => {
                        let actors = (*mint, *continuous_since);
                        record.make(write, actors, *past_entries_max as usize, *policy)?
                    }
                };
                let newly_owed = record.owe(*owed);
                Ok(record.changed(Some(dot), newly_owed))
            }
            Self::Merge { siblings, owed, policy } => {
                let mut record = stored.cloned().unwrap_or_default();
                record.siblings = record.siblings.merge(siblings, *policy);
                let newly_owed = record.owe(*owed);
                Ok(record.changed(None, newly_owed))
            }
            Self::Owe { home } => {
                let mut record = stored.cloned().ok_or(Refused::NotFound)?;
                let newly_owed = record.owe(Some(*home));
                Ok(record.changed(None, newly_owed))
            }
            Self::Redirect { home, to } => {
                let mut record =
                    stored.filter(|stored| stored.owes(*home)).cloned().ok_or(Refused::NotFound)?;
                record.owed.retain(|owed| owed != home);
                let newly_owed = to.iter().filter_map(|home| record.owe(Some(*home))).collect();
                Ok(record.changed_owing(None, newly_owed))
            }
            Self::Confirm => {
                let record = stored.cloned();
                let change = record.clone().unwrap_or_default().changed(None, None).1;
                Ok((record, change))
            }
            Self::Drop { held } => {
                let record = stored.cloned().ok_or(Refused::NotFound)?;
                if record.owed.is_empty() && record.siblings.digest() == *held {
                    return Ok((None, record.changed(None, None).1));
                }
                Err(Refused::MovedOn)
            }
            Self::Settle { home, delivered, settled } => {
                let mut record =
                    stored.filter(|stored| stored.owes(*home)).cloned().ok_or(Refused::NotFound)?;
                record.settle(*home, *delivered);
                if record.owed.is_empty() && *settled == Settled::DropRecord {
                    return Ok((None, record.changed(None, None).1));
                }
                Ok(record.changed(None, None))
            }
            Self::Salvage { siblings, policy } => Ok(salvaged(stored, siblings, *policy)),
        }
    }
}

/// What other homes hold, merged with what is left here. Nothing is kept of nothing.
fn salvaged(stored: Option<&Record>, siblings: &Siblings, policy: Policy) -> (Option<Record>, Change) {
    let mut record = stored.cloned().unwrap_or_default();
    record.siblings = record.siblings.merge(siblings, policy);
    let (record, change) = record.changed(None, None);
    (record.filter(|record| *record != Record::default()), change)
}

impl Record {
    fn changed(self, dot: Option<Dot>, newly_owed: Option<NodeId>) -> (Option<Self>, Change) {
        self.changed_owing(dot, newly_owed.into_iter().collect())
    }

    fn changed_owing(self, dot: Option<Dot>, newly_owed: Vec<NodeId>) -> (Option<Self>, Change) {
        let change = Change { siblings: self.siblings.clone(), dot, newly_owed };
        (Some(self), change)
    }

    /// The dot of a request that was done already: its version is here, or something that has seen the one `made`.
    fn dot_of(&self, request: RequestId, made: Option<Dot>) -> Option<Dot> {
        let is_seen = |made: &Dot| self.siblings.counter(made.actor) >= made.counter;
        self.siblings.by_request(request).map(|version| version.dot).or(made.filter(is_seen))
    }

    /// Issues a dot for `write`, and adds it. The first of the actors counts where the kept one may not go on: if it is of
    /// a boot before the one beside.
    fn make(
        &mut self,
        write: &Write,
        (mint, continuous_since): (Actor, u64),
        past_entries_max: usize,
        policy: Policy,
    ) -> Result<Dot, Refused> {
        match &write.value {
            Written::Value(value) => {
                let dot = self.next_dot(&write.context.0, mint, continuous_since)?;
                Ok(self.coordinate(write, value, dot, past_entries_max, policy))
            }
            Written::Changed(mutation) => {
                let held = Held::of(&self.siblings, mutation.op.kind());
                let dot = self.next_dot_beside(&held, mutation, mint, continuous_since)?;
                self.change(write, mutation, &held, dot, past_entries_max, policy)
            }
        }
    }

    /// Adds the write under `dot`. The dot.
    fn coordinate(
        &mut self,
        write: &Write,
        value: &Value,
        dot: Dot,
        past_entries_max: usize,
        policy: Policy,
    ) -> Dot {
        self.kept = Some(dot);
        let version = Version {
            dot,
            past: self.past_of(write, past_entries_max, policy),
            request: write.request,
            written_at: write.written_at,
            value: value.clone(),
        };
        self.siblings = self.siblings.with(version, policy);
        dot
    }

    /// Puts what `mutation` makes of what is `held` in its place, under `dot`. The dot. It has seen exactly what it was
    /// made of: what the client claims to have been shown may not have arrived here yet.
    fn change(
        &mut self,
        write: &Write,
        mutation: &Mutation,
        held: &Held,
        dot: Dot,
        past_entries_max: usize,
        policy: Policy,
    ) -> Result<Dot, Refused> {
        let value = held.updated(mutation, dot, write.request).map_err(Refused::Mutation)?;
        self.kept = Some(dot);
        let version = Version {
            dot,
            past: pruned(&held.past(), &held.parents(), past_entries_max),
            request: write.request,
            written_at: write.written_at,
            value: Value::DataType(Arc::new(value)),
        };
        self.siblings = self.siblings.with(version, policy);
        Ok(dot)
    }

    /// What the client had seen; where it is shown one value only, all that is here: it cannot reconcile what it does
    /// not see, and versions that nobody is shown would pile up. Cut down, but in place of a data type: an old copy by
    /// an actor that it had forgotten would be no false sibling that merges to nothing new, but bring back what was deleted;
    /// and removes would wait for what does not come any more.
    fn past_of(&self, write: &Write, entries_max: usize, policy: Policy) -> VersionVector {
        let mut seen = write.context.0.clone();
        if policy == Policy::OneValue {
            seen.join(&self.siblings.context().0);
        }
        let is_data_type = |version: &Version| matches!(version.value, Value::DataType(_));
        if self.siblings.versions().iter().any(is_data_type) {
            return seen;
        }
        let parents: Vec<Actor> = self.siblings.versions().iter().map(|version| version.dot.actor).collect();
        pruned(&seen, &parents, entries_max)
    }

    /// The kept actor goes on counting only if this store has been continuous since it was minted and nobody, not
    /// even the client, knows more of it than we do; otherwise the fresh one starts.
    fn next_dot(&self, shown: &VersionVector, mint: Actor, continuous_since: u64) -> Result<Dot, Refused> {
        let seen = |actor| self.siblings.counter(actor).max(shown.counter(actor));
        let goes_on = |last: &Dot| {
            last.actor.store == mint.store
                && last.actor.boot >= continuous_since
                && seen(last.actor) <= last.counter
        };
        let kept = self.kept.filter(goes_on).and_then(Dot::next);
        kept.or_else(|| Dot { actor: mint, counter: seen(mint) }.next()).ok_or(Refused::Spent)
    }

    /// The same for a change of what is `held`. Beside a version that it does not replace another actor counts: a past
    /// cannot contain a later dot of an actor and leave out an earlier one.
    fn next_dot_beside(
        &self,
        held: &Held,
        mutation: &Mutation,
        mint: Actor,
        continuous_since: u64,
    ) -> Result<Dot, Refused> {
        let none = VersionVector::EMPTY;
        let shown = mutation.context.as_ref().map_or(&none, |context| &context.0);
        let is_foreign = self.kept.is_some_and(|last| held.has_foreign(last.actor));
        self.next_dot(shown, mint, if is_foreign { u64::MAX } else { continuous_since })
    }

    /// Museum pieces: what some make of a write, and of the record, before it is coordinated.
    fn flawed<'a>(&mut self, write: &'a Write, mint: Actor, flaw: Option<Flaw>) -> Cow<'a, Write> {
        if flaw == Some(Flaw::ReceiveKeepsIncarnation) {
            self.kept = self.kept.or_else(|| self.received_count(mint));
        }
        if flaw == Some(Flaw::VectorsWithoutDots) {
            return Cow::Owned(self.undotted(write));
        }
        Cow::Borrowed(write)
    }

    /// A museum piece: the last dot of the store of `mint` in what is here, for a count to go on from.
    fn received_count(&self, mint: Actor) -> Option<Dot> {
        let seen = self.siblings.context().0;
        let is_own = |dot: &Dot| dot.actor.node == mint.node && dot.actor.store == mint.store;
        seen.entries().iter().copied().filter(is_own).max()
    }

    /// A museum piece: `write` as its coordinator sees it where siblings have one vector together. Unless its client had
    /// seen all that is here it is beside all that is here.
    fn undotted(&self, write: &Write) -> Write {
        let mut write = write.clone();
        if !write.context.0.covers(&self.siblings.context().0) {
            let first_here = |actor| {
                let here = self.siblings.versions().iter().filter(|version| version.dot.actor == actor);
                here.map(|version| version.dot.counter).min().unwrap_or(u64::MAX)
            };
            let seen = write.context.0.entries().iter();
            let before = seen.map(|dot| Dot { counter: dot.counter.min(first_here(dot.actor) - 1), ..*dot });
            write.context = Context(before.filter(|dot| dot.counter > 0).collect());
        }
        write
    }

    /// Adds a hint. For whom, unless it was there already.
    fn owe(&mut self, home: Option<NodeId>) -> Option<NodeId> {
        let home = home?;
        let at = self.owed.binary_search(&home).err()?;
        self.owed.insert(at, home);
        Some(home)
    }

    fn owes(&self, home: NodeId) -> bool {
        self.owed.binary_search(&home).is_ok()
    }

    /// The only line that deletes a hint: `home` holds durably exactly what is here.
    fn settle(&mut self, home: NodeId, delivered: Digest) {
        if self.siblings.digest() == delivered {
            self.owed.retain(|&owed| owed != home);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datatype::{Kind, Op, SetOp, State};
    use crate::id::StoreId;
    use alloc::vec;
    use bytes::Bytes;

    const HOME: NodeId = NodeId(7);

    fn actor(mint: u64) -> Actor {
        Actor { node: NodeId(1), store: StoreId(1), boot: 4, mint }
    }

    #[test]
    fn a_record_is_salvaged_as_if_nothing_had_been_stored() {
        let elsewhere = put(1, Context::default(), 1).apply(None).unwrap().0.unwrap().siblings;
        let salvage = |siblings: &Siblings| Update::Salvage {
            siblings: siblings.clone(),
            policy: Policy::KeepSiblings,
        };
        let mended = salvage(&elsewhere).apply(None).unwrap().0.unwrap();
        assert_eq!((&mended.siblings, mended.kept, mended.owed.len()), (&elsewhere, None, 0));
        assert_eq!(salvage(&Siblings::default()).apply(None).unwrap().0, None, "nobody holds anything");
        // It had been mended already, and written since: nothing of that is lost.
        let written = put(2, Context::default(), 2).apply(Some(&mended)).unwrap().0.unwrap();
        assert_eq!(salvage(&elsewhere).apply(Some(&written)).unwrap().0, Some(written));
    }

    fn put(request: u128, context: Context, mint: u64) -> Update {
        repeated(request, context, mint, None)
    }

    fn repeated(request: u128, context: Context, mint: u64, made: Option<Dot>) -> Update {
        let write = Write {
            request: RequestId(request),
            context,
            value: Value::Tombstone.into(),
            written_at: WallTime(0),
        };
        let policy = Policy::KeepSiblings;
        let mint = actor(mint);
        Update::Coordinate {
            write: Arc::new(write),
            made,
            mint,
            continuous_since: 3,
            past_entries_max: 10,
            owed: None,
            policy,
            flaw: None,
        }
    }

    fn applied(update: &Update, stored: Option<&Record>) -> (Record, Change) {
        let (record, change) = update.apply(stored).unwrap();
        (record.unwrap(), change)
    }

    #[test]
    fn a_record_goes_on_counting_under_its_actor() {
        let (first, _) = applied(&put(1, Context::EMPTY, 1), None);
        let (_, change) = applied(&put(2, first.siblings.context(), 2), Some(&first));
        assert_eq!(change.dot, Some(Dot { actor: actor(1), counter: 2 }));
        assert_eq!(change.siblings.versions().len(), 1);
    }

    #[test]
    fn a_record_that_arrived_by_merge_mints_an_actor() {
        let (first, _) = applied(&put(1, Context::EMPTY, 1), None);
        let merge = Update::Merge { siblings: first.siblings, owed: None, policy: Policy::KeepSiblings };
        let (copy, _) = applied(&merge, None);
        assert_eq!(copy.kept, None);
        let (_, change) = applied(&put(2, Context::EMPTY, 2), Some(&copy));
        assert_eq!(change.dot, Some(Dot { actor: actor(2), counter: 1 }));
    }

    #[test]
    fn an_actor_older_than_the_last_unclean_stop_is_void() {
        let (mut record, _) = applied(&put(1, Context::EMPTY, 1), None);
        let mut last = record.kept.unwrap();
        last.actor.boot = 2;
        record.kept = Some(last);
        let (_, change) = applied(&put(2, Context::EMPTY, 2), Some(&record));
        assert_eq!(change.dot.unwrap().actor, actor(2));
    }

    #[test]
    fn a_client_that_has_seen_more_of_our_actor_than_we_issued_proves_amnesia() {
        let (record, _) = applied(&put(1, Context::EMPTY, 1), None);
        let ahead = Context([Dot { actor: actor(1), counter: 5 }].into_iter().collect());
        let (_, change) = applied(&put(2, ahead, 2), Some(&record));
        assert_eq!(change.dot.unwrap().actor, actor(2));
    }

    /// Whatever a context says of the actor that counts next, every dot is one that can be read again, and the key can be
    /// written again.
    #[test]
    fn a_forged_context_makes_no_actor_count_over() {
        let claim = |mint, counter| Context([Dot { actor: actor(mint), counter }].into_iter().collect());
        for ahead in [u64::MAX, u64::MAX - 1, Dot::COUNTER_MAX + 1, Dot::COUNTER_MAX] {
            assert_eq!(put(1, claim(1, ahead), 1).apply(None), Err(Refused::Spent), "{ahead}");
        }
        let (last, change) = applied(&put(1, claim(1, Dot::COUNTER_MAX - 1), 1), None);
        assert_eq!(change.dot, Some(Dot { actor: actor(1), counter: Dot::COUNTER_MAX }));
        let (_, change) = applied(&put(2, last.siblings.context(), 2), Some(&last));
        assert_eq!(
            change.dot,
            Some(Dot { actor: actor(2), counter: 1 }),
            "the kept actor has counted all it can"
        );
    }

    #[test]
    fn a_repeated_request_makes_no_second_dot() {
        let (record, first) = applied(&put(1, Context::EMPTY, 1), None);
        let (again, second) = applied(&put(1, Context::EMPTY, 2), Some(&record));
        assert_eq!(again, record);
        assert_eq!(second.dot, first.dot);
    }

    #[test]
    fn a_repeated_request_that_was_superseded_makes_no_second_dot_unless_the_record_forgot_it() {
        let (first, change) = applied(&put(1, Context::EMPTY, 1), None);
        let made = change.dot;
        let (second, _) = applied(&put(2, first.siblings.context(), 2), Some(&first));
        let (again, change) = applied(&repeated(1, Context::EMPTY, 3, made), Some(&second));
        assert_eq!((again, change.dot), (second, made));
        let (_, change) = applied(&repeated(1, Context::EMPTY, 3, made), None);
        assert_eq!(change.dot.unwrap().actor, actor(3), "it must be written, or it would be lost");
    }

    #[test]
    fn a_hint_is_deleted_only_for_the_state_that_was_delivered() {
        let owe = |record: &Record| applied(&Update::Owe { home: HOME }, Some(record)).0;
        let settle = |delivered, settled| Update::Settle { home: HOME, delivered, settled };
        let (record, _) = applied(&put(1, Context::EMPTY, 1), None);
        let record = owe(&record);
        assert_eq!(record.owed, vec![HOME]);
        let delivered = record.siblings.digest();

        let (moved_on, _) = applied(&put(2, Context::EMPTY, 2), Some(&record));
        let (kept, _) = applied(&settle(delivered, Settled::DropRecord), Some(&moved_on));
        assert_eq!(kept.owed, vec![HOME], "the home lacks the second write");

        let (settled, _) = applied(&settle(delivered, Settled::KeepRecord), Some(&record));
        assert_eq!(settled.owed, vec![]);
        assert_eq!(settle(delivered, Settled::DropRecord).apply(Some(&record)).unwrap().0, None);
    }

    #[test]
    fn a_record_is_dropped_only_as_the_homes_hold_it_and_when_nobody_is_owed_it() {
        let (record, _) = applied(&put(1, Context::EMPTY, 1), None);
        let held = record.siblings.digest();
        let (owing, _) = applied(&Update::Owe { home: HOME }, Some(&record));
        assert_eq!(Update::Drop { held }.apply(Some(&owing)), Err(Refused::MovedOn));
        let (moved_on, _) = applied(&put(2, Context::EMPTY, 2), Some(&record));
        assert_eq!(Update::Drop { held }.apply(Some(&moved_on)), Err(Refused::MovedOn));
        assert_eq!(Update::Drop { held }.apply(Some(&record)).unwrap().0, None);
    }

    #[test]
    fn a_hint_follows_the_key_to_its_new_homes() {
        let (record, _) = applied(&put(1, Context::EMPTY, 1), None);
        let (owing, _) = applied(&Update::Owe { home: HOME }, Some(&record));
        let redirect =
            |to: &[u64]| Update::Redirect { home: HOME, to: to.iter().copied().map(NodeId).collect() };
        let (redirected, _) = applied(&redirect(&[9, 8]), Some(&owing));
        assert_eq!(redirected.owed, vec![NodeId(8), NodeId(9)]);
        assert_eq!(applied(&redirect(&[]), Some(&owing)).0.owed, vec![]);

        // Each hint is counted once: whoever was owed it already is not owed it anew, and what is gone does not go again.
        let (both, _) = applied(&Update::Owe { home: NodeId(8) }, Some(&owing));
        let (redirected, change) = applied(&redirect(&[9, 8]), Some(&both));
        assert_eq!(redirected.owed, vec![NodeId(8), NodeId(9)]);
        assert_eq!(change.newly_owed, [NodeId(9)]);
        assert_eq!(redirect(&[9]).apply(Some(&redirected)), Err(Refused::NotFound));
        let delivered = redirected.siblings.digest();
        let settle = Update::Settle { home: HOME, delivered, settled: Settled::KeepRecord };
        assert_eq!(settle.apply(Some(&redirected)), Err(Refused::NotFound));
    }

    #[test]
    fn nothing_is_owed_or_settled_where_nothing_is_stored() {
        assert_eq!(Update::Owe { home: HOME }.apply(None), Err(Refused::NotFound));
    }

    /// The paper's truncation: eleven coordinators write one key in turn; a replica that still holds the first one's
    /// version makes exactly one false sibling.
    #[test]
    fn the_eleventh_coordinator_cuts_the_past_and_a_forgotten_replica_makes_one_false_sibling() {
        let mut siblings = Siblings::default();
        let mut first = Siblings::default();
        for node in 1..=12 {
            let merge =
                Update::Merge { siblings: siblings.clone(), owed: None, policy: Policy::KeepSiblings };
            let (copy, _) = applied(&merge, None);
            let write = Write {
                request: RequestId(node),
                context: siblings.context(),
                value: Value::Tombstone.into(),
                written_at: WallTime(0),
            };
            let mint = Actor { node: NodeId(node as u64), ..actor(1) };
            let (policy, owed) = (Policy::KeepSiblings, None);
            let put = Update::Coordinate {
                write: Arc::new(write),
                made: None,
                mint,
                continuous_since: 3,
                past_entries_max: 10,
                owed,
                policy,
                flaw: None,
            };
            siblings = applied(&put, Some(&copy)).1.siblings;
            assert_eq!(siblings.versions().len(), 1);
            assert_eq!(siblings.versions()[0].past.entries().len() as u128, (node - 1).min(10));
            if node == 1 {
                first = siblings.clone();
            }
        }
        assert_eq!(siblings.merge(&first, Policy::KeepSiblings).versions().len(), 2);
    }

    /// However many coordinators have changed it, and whether it was deleted or replaced.
    #[test]
    fn what_was_deleted_of_a_data_type_does_not_come_back_with_a_copy_that_the_delete_missed() {
        does_not_come_back_after(Value::Tombstone);
        does_not_come_back_after(Value::Data(Bytes::from_static(b"plain")));
    }

    fn does_not_come_back_after(last: Value) {
        let mut record = Record::default();
        let mut first = Siblings::default();
        let mut next = 0;
        let mut coordinate = |record: &Record, value: Written, context: Context| {
            next += 1;
            let copy = Record { kept: None, ..record.clone() };
            let write = Write { request: RequestId(next), context, value, written_at: WallTime(0) };
            let put = Update::Coordinate {
                write: Arc::new(write),
                made: None,
                mint: Actor { node: NodeId(next as u64), ..actor(1) },
                continuous_since: 3,
                past_entries_max: 10,
                owed: None,
                policy: Policy::KeepSiblings,
                flaw: None,
            };
            applied(&put, Some(&copy)).0
        };
        for n in 1..=12u8 {
            let op = Op::Set(SetOp { adds: vec![Bytes::copy_from_slice(&[n])], removes: vec![] });
            let change = Written::Changed(Arc::new(Mutation { op, context: None }));
            record = coordinate(&record, change, Context::EMPTY);
            if n == 1 {
                first = record.siblings.clone();
            }
        }
        record = coordinate(&record, last.into(), record.siblings.context());
        assert_eq!(record.siblings.merge(&first, Policy::KeepSiblings), record.siblings);
        // What has begun anew does not take it back, either.
        let op = Op::Set(SetOp { adds: vec![Bytes::from_static(b"new")], removes: vec![] });
        let change = Written::Changed(Arc::new(Mutation { op, context: None }));
        record = coordinate(&record, change, Context::EMPTY);
        let merged = record.siblings.merge(&first, Policy::KeepSiblings);
        let Some(State::Set(set)) = Held::of(&merged, Kind::Set).value.map(|value| value.state().clone())
        else {
            panic!("a set")
        };
        assert_eq!(set.elements().collect::<Vec<_>>(), ["new"]);
    }
}
