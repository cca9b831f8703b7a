//! The one data type that siblings of it come to.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{DataType, Kind, Mutation, Refusal};
use crate::id::RequestId;
use crate::version::{Actor, Dot, Siblings, Value, VersionVector};

/// What a state holds of one kind of data type. Every version of the kind is merged into it, and every tombstone: a
/// delete removes what its client had been shown, and a concurrent change survives it. What is plain or of another kind
/// stays beside it, as Riak has it; something plain has taken the place of what its writer had been shown, as a tombstone
/// has, so that of this nothing is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The merged value; `None`: there is none of the kind, or it was deleted.
    pub value: Option<Arc<DataType>>,
    /// The versions merged, tombstones among them.
    merged: Vec<Dot>,
    /// What the tombstones had seen, and what plain versions were put in place of.
    deleted: VersionVector,
    /// The tombstones' own dots. Apart, because a vector that has one has the earlier ones of its actor: changes by the
    /// same coordinator that the tombstone's writer had not seen.
    tombstones: Vec<Dot>,
    /// What the writers of the merged versions had seen, and those versions.
    past: VersionVector,
    /// The other versions.
    foreign: Vec<Dot>,
}

impl Held {
    /// What `siblings` hold of `kind`.
    pub fn of(siblings: &Siblings, kind: Kind) -> Self {
        let mut held = Self::default();
        for version in siblings.versions() {
            match &version.value {
                Value::DataType(value) if value.kind() == kind => held.merge(value),
                Value::Tombstone => {
                    held.deleted.join(&version.past);
                    held.tombstones.push(version.dot);
                }
                Value::Data(_) => {
                    held.deleted.join(&version.past);
                    held.foreign.push(version.dot);
                    continue;
                }
                Value::DataType(_) => {
                    held.foreign.push(version.dot);
                    continue;
                }
            }
            held.merged.push(version.dot);
            held.past.join(&version.past);
            held.past.insert(version.dot);
        }
        if let Some(value) = &mut held.value
            && !(held.deleted.is_empty() && held.tombstones.is_empty())
        {
            Arc::make_mut(value).delete(&held.deleted, &held.tombstones);
        }
        held
    }

    /// Of whatever kind the first data type among `siblings` is, for one who does not know.
    pub fn of_any(siblings: &Siblings) -> Option<Arc<DataType>> {
        let mut values = siblings.versions().iter().filter_map(|version| match &version.value {
            Value::DataType(value) => Some(value.kind()),
            Value::Data(_) | Value::Tombstone => None,
        });
        Self::of(siblings, values.next()?).value
    }

    fn merge(&mut self, other: &Arc<DataType>) {
        self.value = Some(match &self.value {
            None => Arc::clone(other),
            Some(value) => Arc::new(value.merge(other)),
        });
    }

    /// The value as `mutation` leaves it under `dot`.
    pub(crate) fn updated(
        &self,
        mutation: &Mutation,
        dot: Dot,
        request: RequestId,
    ) -> Result<DataType, Refusal> {
        let mut value = self.value.as_deref().cloned().unwrap_or_else(|| {
            let mut value = DataType::new(mutation.op.kind());
            value.delete(&self.deleted, &self.tombstones);
            value
        });
        value.apply_beside(&self.foreign, mutation, dot, request)?;
        Ok(value)
    }

    /// Whether a version that is not merged was counted by `actor`: a next one of the same actor that has been merged
    /// could not be told from it by a version vector.
    pub(crate) fn has_foreign(&self, actor: Actor) -> bool {
        self.foreign.iter().any(|dot| dot.actor == actor)
    }

    /// The past of a version that takes the place of what is merged: that, and nothing that stays beside it.
    pub(crate) fn past(&self) -> VersionVector {
        let before_foreign = |dot: &Dot| {
            let foreign = self.foreign.iter().filter(|foreign| foreign.actor == dot.actor);
            let first = foreign.map(|foreign| foreign.counter).min().unwrap_or(u64::MAX);
            Dot { counter: dot.counter.min(first - 1), ..*dot }
        };
        self.past.entries().iter().map(before_foreign).filter(|dot| dot.counter > 0).collect()
    }

    /// The actors of what is merged.
    pub(crate) fn parents(&self) -> Vec<Actor> {
        self.merged.iter().map(|dot| dot.actor).collect()
    }
}
