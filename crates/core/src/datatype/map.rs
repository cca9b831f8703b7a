use alloc::collections::BTreeMap;

use bytes::Bytes;

use super::counter::Counter;
use super::deferred::Removed;
use super::dots::{Causal, DotSet};
use super::op::Refusal;
use super::register::{Flag, Register};
use super::set::Set;
use crate::version::{Dot, VersionVector};

/// Fields, each with a value of the kind that is part of its name. Removing a field removes what the remover had seen
/// of its value; a change that the remover had not seen survives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Map(pub BTreeMap<Field, Entry>);

/// The name of a field. `a` of one kind and `a` of another are two fields.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field {
    /// Its name.
    pub name: Bytes,
    /// The kind of its value.
    pub kind: FieldKind,
}

/// Kinds of fields, in the order in which fields of one name are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldKind {
    /// [`Counter`]
    Counter,
    /// [`Register`]
    Register,
    /// [`Map`]
    Map,
    /// [`Flag`]
    Flag,
    /// [`Set`]
    Set,
}

/// A field that is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Who has changed the field last, even if nothing is left of it: a set without elements is there, too.
    pub presence: DotSet,
    /// Its value.
    pub value: FieldValue,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldValue {
    /// A count.
    Counter(Counter),
    /// A value assigned as a whole.
    Register(Register),
    /// Fields.
    Map(Map),
    /// On or off.
    Flag(Flag),
    /// Elements.
    Set(Set),
}

impl FieldKind {
    fn empty(self) -> FieldValue {
        match self {
            Self::Counter => FieldValue::Counter(Counter::default()),
            Self::Register => FieldValue::Register(Register::default()),
            Self::Map => FieldValue::Map(Map::default()),
            Self::Flag => FieldValue::Flag(Flag::default()),
            Self::Set => FieldValue::Set(Set::default()),
        }
    }
}

impl FieldValue {
    /// Its kind.
    pub fn kind(&self) -> FieldKind {
        match self {
            Self::Counter(_) => FieldKind::Counter,
            Self::Register(_) => FieldKind::Register,
            Self::Map(_) => FieldKind::Map,
            Self::Flag(_) => FieldKind::Flag,
            Self::Set(_) => FieldKind::Set,
        }
    }

    fn value_bytes(&self) -> u64 {
        match self {
            Self::Counter(counter) => counter.value_bytes(),
            Self::Register(register) => register.0.values().map(|value| value.len() as u64).sum(),
            Self::Map(map) => map.value_bytes(),
            Self::Flag(_) => 1,
            Self::Set(set) => set.elements().map(|element| element.len() as u64).sum(),
        }
    }

    fn with_values(&self, made: &dyn Fn(&Bytes) -> Bytes) -> Self {
        match self {
            Self::Register(Register(values)) => {
                Self::Register(Register(values.iter().map(|(dot, value)| (*dot, made(value))).collect()))
            }
            Self::Map(map) => Self::Map(map.with_values(made)),
            Self::Set(set) => Self::Set(set.with_values(made)),
            Self::Counter(_) | Self::Flag(_) => self.clone(),
        }
    }
}

impl Map {
    /// The value of `field`, which is there from now on.
    pub(super) fn touch(&mut self, dot: Dot, field: Field) -> &mut FieldValue {
        let kind = field.kind;
        let entry = self.0.entry(field).or_insert_with(|| Entry::empty(kind));
        entry.presence.replace(dot);
        &mut entry.value
    }

    /// Removes `field` as it is here.
    pub(super) fn remove(&mut self, field: &Field) -> Result<(), Refusal> {
        self.0.remove(field).map(|_| ()).ok_or_else(|| Refusal::NoField(field.clone()))
    }

    /// Removes what `path` leads to, as far as it was written by dots in `seen`.
    pub(super) fn remove_seen(&mut self, path: &[Field], removed: &Removed, seen: &VersionVector) {
        let Some((field, rest)) = path.split_first() else { return };
        let Some(entry) = self.0.get_mut(field) else { return };
        match (rest, removed, &mut entry.value) {
            ([], Removed::Field, _) => entry.forget(seen),
            ([], Removed::Element(element), FieldValue::Set(set)) => set.remove_seen(element, seen),
            ([], Removed::Flag, FieldValue::Flag(flag)) => flag.forget(seen),
            (rest, _, FieldValue::Map(map)) => map.remove_seen(rest, removed, seen),
            _ => {}
        }
        if entry.is_empty() {
            self.0.remove(field);
        }
    }

    /// How deep maps are nested in it, itself included.
    pub fn depth(&self) -> usize {
        let nested = |entry: &Entry| if let FieldValue::Map(map) = &entry.value { map.depth() } else { 0 };
        1 + self.0.values().map(nested).max().unwrap_or(0)
    }

    pub(super) fn value_bytes(&self) -> u64 {
        self.0.iter().map(|(field, entry)| field.name.len() as u64 + entry.value.value_bytes()).sum()
    }

    pub(super) fn with_values(&self, made: &dyn Fn(&Bytes) -> Bytes) -> Self {
        let entry =
            |entry: &Entry| Entry { presence: entry.presence.clone(), value: entry.value.with_values(made) };
        Self(self.0.iter().map(|(field, value)| (field.clone(), entry(value))).collect())
    }
}

impl Entry {
    fn empty(kind: FieldKind) -> Self {
        Self { presence: DotSet::default(), value: kind.empty() }
    }
}

impl Causal for Map {
    fn merge(&self, clock: &VersionVector, other: &Self, theirs: &VersionVector) -> Self {
        let mut merged = BTreeMap::new();
        for (field, entry) in &self.0 {
            let none = Entry::empty(field.kind);
            let others = other.0.get(field).unwrap_or(&none);
            merged.insert(field.clone(), entry.merge(clock, others, theirs));
        }
        for (field, entry) in &other.0 {
            if !self.0.contains_key(field) {
                let none = Entry::empty(field.kind);
                merged.insert(field.clone(), none.merge(clock, entry, theirs));
            }
        }
        merged.retain(|_, entry| !entry.is_empty());
        Self(merged)
    }

    fn forget(&mut self, seen: &VersionVector) {
        self.0.retain(|_, entry| {
            entry.forget(seen);
            !entry.is_empty()
        });
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Causal for Entry {
    fn merge(&self, clock: &VersionVector, other: &Self, theirs: &VersionVector) -> Self {
        Self {
            presence: self.presence.merge(clock, &other.presence, theirs),
            value: self.value.merge(clock, &other.value, theirs),
        }
    }

    fn forget(&mut self, seen: &VersionVector) {
        self.presence.forget(seen);
        self.value.forget(seen);
    }

    fn is_empty(&self) -> bool {
        self.presence.is_empty() && self.value.is_empty()
    }
}

impl Causal for FieldValue {
    /// The kind is part of the field's name, so both are of one.
    fn merge(&self, clock: &VersionVector, other: &Self, theirs: &VersionVector) -> Self {
        match (self, other) {
            (Self::Counter(own), Self::Counter(other)) => Self::Counter(own.merge(clock, other, theirs)),
            (Self::Register(own), Self::Register(other)) => Self::Register(own.merge(clock, other, theirs)),
            (Self::Map(own), Self::Map(other)) => Self::Map(own.merge(clock, other, theirs)),
            (Self::Flag(own), Self::Flag(other)) => Self::Flag(own.merge(clock, other, theirs)),
            (Self::Set(own), Self::Set(other)) => Self::Set(own.merge(clock, other, theirs)),
            _ => self.clone(),
        }
    }

    fn forget(&mut self, seen: &VersionVector) {
        match self {
            Self::Counter(value) => value.forget(seen),
            Self::Register(value) => value.forget(seen),
            Self::Map(value) => value.forget(seen),
            Self::Flag(value) => value.forget(seen),
            Self::Set(value) => value.forget(seen),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Counter(value) => value.is_empty(),
            Self::Register(value) => value.is_empty(),
            Self::Map(value) => value.is_empty(),
            Self::Flag(value) => value.is_empty(),
            Self::Set(value) => value.is_empty(),
        }
    }
}
