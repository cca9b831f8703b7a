//! Data types: values that merge by themselves, so that nobody ever has to reconcile siblings of them.
//!
//! A [`DataType`] is a state-based CRDT in the manner of Almeida, Shoker and Baquero ("Delta state replicated data
//! types", 2018, section 7) and of Riak's `riak_dt`: whatever was written carries the [`Dot`] it was written under, and
//! the value has one [`clock`](DataType::clock) of all dots it has seen. A dot that is in the clock and not in the value
//! was removed: so two copies tell an element that one has *not yet* from one that it has *no more*. Nothing here looks
//! at the time.
//!
//! The dots are those of the versions. A change is coordinated like any write (see [`Record`](crate::replica::Record)):
//! the store that coordinates it merges the data types that it holds into one, changes that under the new version's
//! dot, and puts it in their place; the resulting state spreads, is handed off, repaired and compared like every other.
//! Changes made at two places are siblings until somebody reads or changes the key: [`Held`] merges them.
//!
//! The clock is never cut down, unlike a version's past: a clock that has forgotten a dot would take what was removed
//! for something new.

mod counter;
mod deferred;
mod dots;
mod held;
mod hll;
#[cfg(test)]
mod laws;
mod map;
mod op;
mod register;
mod set;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use bytes::Bytes;

use self::dots::Causal;
use crate::id::RequestId;
use crate::version::{Dot, VersionVector};

pub use counter::{Count, Counter, REQUESTS_MAX, Recent};
pub use deferred::{Deferred, Removal, Removed};
pub use dots::DotSet;
pub use held::Held;
pub use hll::{Hll, PRECISION_DEFAULT, PRECISION_MAX, PRECISION_MIN};
pub use map::{Entry, Field, FieldKind, FieldValue, Map};
pub use op::{FieldOp, FlagOp, Kind, MapOp, Mutation, Op, Refusal, SetOp};
pub use register::{Flag, Register};
pub use set::Set;

/// How deep maps may be nested, the outermost included.
pub const DEPTH_MAX: usize = 16;

/// How many removes of one value may wait for what their clients had been shown.
pub const DEFERRED_MAX: usize = 1_024;

/// A value that merges by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DataType {
    clock: VersionVector,
    state: State,
    deferred: Deferred,
}

/// What a data type says, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// A count.
    Counter(Counter),
    /// Elements.
    Set(Set),
    /// Fields.
    Map(Map),
    /// About how many elements.
    Hll(Hll),
    /// Elements that stay.
    GSet(BTreeSet<Bytes>),
}

/// Where in a value an operation is at work.
struct At<'a> {
    /// The dot that it happens under.
    dot: Dot,
    request: RequestId,
    /// What the client had been shown.
    seen: Option<&'a VersionVector>,
    /// The fields that lead there.
    path: Vec<Field>,
    /// Removes of what has not arrived yet.
    deferred: Vec<Removal>,
}

impl DataType {
    /// One that nothing was ever done to.
    pub fn new(kind: Kind) -> Self {
        let state = match kind {
            Kind::Counter => State::Counter(Counter::default()),
            Kind::Set => State::Set(Set::default()),
            Kind::Map => State::Map(Map::default()),
            Kind::Hll => State::Hll(Hll::new(PRECISION_MAX)),
            Kind::GSet => State::GSet(BTreeSet::new()),
        };
        Self { clock: VersionVector::EMPTY, state, deferred: Deferred::default() }
    }

    /// One that came from elsewhere (a peer, a disk).
    pub fn from_parts(clock: VersionVector, state: State, deferred: Deferred) -> Self {
        Self { clock, state, deferred }
    }

    /// Every dot that it has seen, whatever became of it.
    pub fn clock(&self) -> &VersionVector {
        &self.clock
    }

    /// What it says.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Removes that wait.
    pub fn deferred(&self) -> &Deferred {
        &self.deferred
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match &self.state {
            State::Counter(_) => Kind::Counter,
            State::Set(_) => Kind::Set,
            State::Map(_) => Kind::Map,
            State::Hll(_) => Kind::Hll,
            State::GSet(_) => Kind::GSet,
        }
    }

    /// Joins two values of one kind: commutative, associative, idempotent. Of another kind nothing is taken over.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let (own, theirs) = (&self.clock, &other.clock);
        let state = match (&self.state, &other.state) {
            (State::Counter(a), State::Counter(b)) => State::Counter(a.merge(own, b, theirs)),
            (State::Set(a), State::Set(b)) => State::Set(a.merge(own, b, theirs)),
            (State::Map(a), State::Map(b)) => State::Map(a.merge(own, b, theirs)),
            (State::Hll(a), State::Hll(b)) => State::Hll(a.merge(b)),
            (State::GSet(a), State::GSet(b)) => State::GSet(a.union(b).cloned().collect()),
            _ => return self.clone(),
        };
        let mut clock = own.clone();
        clock.join(theirs);
        let mut merged = Self { clock, state, deferred: self.deferred.clone() };
        merged.deferred.join(&other.deferred);
        merged.catch_up();
        merged
    }

    /// All that was written by dots in `seen` is removed, as by a delete of whoever had seen just that. What only grows
    /// keeps what it has. The deletes' own dots are seen, and remove nothing by themselves.
    pub(crate) fn delete(&mut self, seen: &VersionVector, tombstones: &[Dot]) {
        match &mut self.state {
            State::Counter(counter) => counter.forget(seen),
            State::Set(set) => set.forget(seen),
            State::Map(map) => map.forget(seen),
            State::Hll(_) | State::GSet(_) => {}
        }
        self.clock.join(seen);
        tombstones.iter().for_each(|&dot| self.clock.insert(dot));
        self.catch_up();
    }

    /// Does what a client wants under `dot`, which is new.
    pub fn apply(&mut self, mutation: &Mutation, dot: Dot, request: RequestId) -> Result<(), Refusal> {
        self.apply_beside(&[], mutation, dot, request)
    }

    /// The same where versions that are never merged stay beside this value. Their dots were shown to clients as its own
    /// were, and no remove waits for them: what was written under them is no part of this value.
    pub(crate) fn apply_beside(
        &mut self,
        foreign: &[Dot],
        mutation: &Mutation,
        dot: Dot,
        request: RequestId,
    ) -> Result<(), Refusal> {
        if mutation.op.depth() > DEPTH_MAX {
            return Err(Refusal::TooDeep { max: DEPTH_MAX });
        }
        let seen = mutation.context.as_ref().map(|context| &context.0);
        let mut at = At { dot, request, seen, path: Vec::new(), deferred: Vec::new() };
        match (&mut self.state, &mutation.op) {
            (State::Counter(counter), Op::Counter(amount)) => counter.increment(dot, request, *amount),
            (State::Set(set), Op::Set(op)) => at.change_set(set, op)?,
            (State::Map(map), Op::Map(op)) => at.change_map(map, op)?,
            (State::Hll(hll), Op::Hll { precision, adds }) => {
                *hll = hll.reduced(*precision);
                adds.iter().for_each(|element| hll.add(element));
            }
            (State::GSet(set), Op::GSet(adds)) => set.extend(adds.iter().cloned()),
            _ => {}
        }
        self.deferred.settle(&self.clock, foreign);
        let missing = deferred::missing(seen.map_or(&[], VersionVector::entries), &self.clock, foreign);
        if !missing.is_empty() && !at.deferred.is_empty() {
            let before = self.deferred.len();
            at.deferred.into_iter().for_each(|removal| self.deferred.add(&missing, removal));
            // Merging may have brought together more than the bound: that is nothing to refuse others for.
            let after = self.deferred.len();
            if after > before && after > DEFERRED_MAX {
                return Err(Refusal::TooManyDeferred { max: DEFERRED_MAX });
            }
        }
        self.clock.insert(dot);
        Ok(())
    }

    /// The removes that wait take what has arrived; those that nothing more can arrive for are done.
    fn catch_up(&mut self) {
        for (seen, Removal { path, removed }) in self.deferred.waiting() {
            match (&mut self.state, removed) {
                (State::Set(set), Removed::Element(element)) => set.remove_seen(element, &seen),
                (State::Map(map), removed) => map.remove_seen(path, removed, &seen),
                _ => {}
            }
        }
        self.deferred.done(&self.clock);
    }

    /// How much it carries, in bytes: elements, names, assigned values, and what counters count.
    pub fn value_bytes(&self) -> u64 {
        match &self.state {
            State::Counter(counter) => counter.value_bytes(),
            State::Set(set) => set.elements().map(|element| element.len() as u64).sum(),
            State::Map(map) => map.value_bytes(),
            State::Hll(hll) => hll.registers().len() as u64,
            State::GSet(set) => set.iter().map(|element| element.len() as u64).sum(),
        }
    }

    /// The same, each element and each assigned value as `made` of what it was. The names of fields stay.
    #[must_use]
    pub fn with_values(&self, made: &dyn Fn(&Bytes) -> Bytes) -> Self {
        let state = match &self.state {
            State::Set(set) => State::Set(set.with_values(made)),
            State::Map(map) => State::Map(map.with_values(made)),
            State::GSet(set) => State::GSet(set.iter().map(made).collect()),
            State::Counter(_) | State::Hll(_) => self.state.clone(),
        };
        Self { clock: self.clock.clone(), state, deferred: self.deferred.with_values(made) }
    }
}

impl At<'_> {
    fn change_set(&mut self, set: &mut Set, op: &SetOp) -> Result<(), Refusal> {
        op.adds.iter().for_each(|element| set.add(self.dot, element.clone()));
        for element in &op.removes {
            match self.seen {
                None => set.remove(element)?,
                Some(seen) => {
                    set.remove_seen(element, seen);
                    self.defer(Removed::Element(element.clone()));
                }
            }
        }
        Ok(())
    }

    fn change_map(&mut self, map: &mut Map, op: &MapOp) -> Result<(), Refusal> {
        for field in &op.removes {
            match self.seen {
                None => map.remove(field)?,
                Some(seen) => {
                    map.remove_seen(core::slice::from_ref(field), &Removed::Field, seen);
                    self.path.push(field.clone());
                    self.defer(Removed::Field);
                    self.path.pop();
                }
            }
        }
        for (name, op) in &op.updates {
            let field = Field { name: name.clone(), kind: op.kind() };
            let value = map.touch(self.dot, field.clone());
            self.path.push(field);
            self.change_field(value, op)?;
            self.path.pop();
        }
        Ok(())
    }

    fn change_field(&mut self, value: &mut FieldValue, op: &FieldOp) -> Result<(), Refusal> {
        match (value, op) {
            (FieldValue::Counter(counter), FieldOp::Counter(amount)) => {
                counter.increment(self.dot, self.request, *amount);
            }
            (FieldValue::Register(register), FieldOp::Register(value)) => {
                register.assign(self.dot, value.clone());
            }
            (FieldValue::Map(map), FieldOp::Map(op)) => self.change_map(map, op)?,
            (FieldValue::Set(set), FieldOp::Set(op)) => self.change_set(set, op)?,
            (FieldValue::Flag(flag), FieldOp::Flag(op)) => self.change_flag(flag, *op),
            _ => {}
        }
        Ok(())
    }

    fn change_flag(&mut self, flag: &mut Flag, op: FlagOp) {
        match (op, self.seen) {
            (FlagOp::Enable, _) => flag.0.replace(self.dot),
            (FlagOp::Disable, None) => flag.0.clear(),
            (FlagOp::Disable, Some(seen)) => {
                flag.forget(seen);
                self.defer(Removed::Flag);
            }
        }
    }

    fn defer(&mut self, removed: Removed) {
        self.deferred.push(Removal { path: self.path.clone(), removed });
    }
}
