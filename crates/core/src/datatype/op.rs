use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use super::map::{Field, FieldKind};
use crate::version::Context;

/// The kinds of values that a key can have, beside plain ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// [`Counter`](super::Counter)
    Counter,
    /// [`Set`](super::Set)
    Set,
    /// [`Map`](super::Map)
    Map,
    /// [`Hll`](super::Hll)
    Hll,
    /// A set that only grows.
    GSet,
}

/// A change that a client asks for, as it is handed to the store of whoever coordinates it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mutation {
    /// The change.
    pub op: Op,
    /// What the client had been shown: it removes nothing else. `None`: whatever is found is removed.
    pub context: Option<Context>,
}

/// What to change. It decides what kind of value is changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Add so much.
    Counter(i64),
    /// Add and remove elements.
    Set(SetOp),
    /// Change and remove fields.
    Map(MapOp),
    /// Count these elements.
    Hll {
        /// The bucket's: a value that has a greater one is reduced to it.
        precision: u8,
        /// The elements.
        adds: Vec<Bytes>,
    },
    /// Add these elements.
    GSet(Vec<Bytes>),
}

/// First adds, then removes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SetOp {
    /// Elements to add.
    pub adds: Vec<Bytes>,
    /// Elements to remove.
    pub removes: Vec<Bytes>,
}

/// First removes, then updates, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MapOp {
    /// Fields to remove.
    pub removes: Vec<Field>,
    /// Fields to change, by name; the change says of what kind.
    pub updates: Vec<(Bytes, FieldOp)>,
}

/// What to change of a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldOp {
    /// Add so much.
    Counter(i64),
    /// Assign this.
    Register(Bytes),
    /// Change and remove fields.
    Map(MapOp),
    /// Turn it on or off.
    Flag(FlagOp),
    /// Add and remove elements.
    Set(SetOp),
}

/// What to do with a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlagOp {
    /// Turn it on.
    Enable,
    /// Turn it off.
    Disable,
}

/// Why an operation was not done. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// To be removed without a context, and not there.
    NoElement(Bytes),
    /// To be removed without a context, and not there.
    NoField(Field),
    /// Maps in maps, too deep.
    TooDeep {
        /// The bound.
        max: usize,
    },
    /// Too many removes wait for what their clients had been shown.
    TooManyDeferred {
        /// The bound.
        max: usize,
    },
}

impl Op {
    /// What kind of value it changes.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::Set(_) => Kind::Set,
            Self::Map(_) => Kind::Map,
            Self::Hll { .. } => Kind::Hll,
            Self::GSet(_) => Kind::GSet,
        }
    }

    /// How much it carries, in bytes.
    pub fn value_bytes(&self) -> u64 {
        match self {
            Self::Counter(_) => 8,
            Self::Set(op) => op.value_bytes(),
            Self::Map(op) => op.value_bytes(),
            Self::Hll { adds, .. } | Self::GSet(adds) => total(adds),
        }
    }

    /// How deep its maps are nested: 0 where there is none.
    pub fn depth(&self) -> usize {
        if let Self::Map(op) = self { op.depth() } else { 0 }
    }

    /// The same, each element and each assigned value as `made` of what it was.
    #[must_use]
    pub fn with_values(&self, made: &dyn Fn(&Bytes) -> Bytes) -> Self {
        match self {
            Self::Counter(amount) => Self::Counter(*amount),
            Self::Set(op) => Self::Set(op.with_values(made)),
            Self::Map(op) => Self::Map(op.with_values(made)),
            Self::Hll { precision, adds } => {
                Self::Hll { precision: *precision, adds: adds.iter().map(made).collect() }
            }
            Self::GSet(adds) => Self::GSet(adds.iter().map(made).collect()),
        }
    }
}

impl SetOp {
    fn value_bytes(&self) -> u64 {
        total(&self.adds) + total(&self.removes)
    }

    fn with_values(&self, made: &dyn Fn(&Bytes) -> Bytes) -> Self {
        Self { adds: self.adds.iter().map(made).collect(), removes: self.removes.iter().map(made).collect() }
    }
}

impl MapOp {
    fn value_bytes(&self) -> u64 {
        let removes = self.removes.iter().map(|field| field.name.len() as u64);
        let updates = self.updates.iter().map(|(name, op)| name.len() as u64 + op.value_bytes());
        removes.chain(updates).sum()
    }

    fn depth(&self) -> usize {
        let nested = |(_, op): &(Bytes, FieldOp)| if let FieldOp::Map(op) = op { op.depth() } else { 0 };
        1 + self.updates.iter().map(nested).max().unwrap_or(0)
    }

    fn with_values(&self, made: &dyn Fn(&Bytes) -> Bytes) -> Self {
        let updates = self.updates.iter().map(|(name, op)| (name.clone(), op.with_values(made)));
        Self { removes: self.removes.clone(), updates: updates.collect() }
    }
}

impl FieldOp {
    /// What kind of field it changes.
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
            Self::Counter(_) | Self::Flag(_) => 8,
            Self::Register(value) => value.len() as u64,
            Self::Map(op) => op.value_bytes(),
            Self::Set(op) => op.value_bytes(),
        }
    }

    fn with_values(&self, made: &dyn Fn(&Bytes) -> Bytes) -> Self {
        match self {
            Self::Counter(amount) => Self::Counter(*amount),
            Self::Register(value) => Self::Register(made(value)),
            Self::Map(op) => Self::Map(op.with_values(made)),
            Self::Flag(op) => Self::Flag(*op),
            Self::Set(op) => Self::Set(op.with_values(made)),
        }
    }
}

fn total(elements: &[Bytes]) -> u64 {
    elements.iter().map(|element| element.len() as u64).sum()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoElement(element) => write!(f, "the element {element:?} is not there to be removed"),
            Self::NoField(Field { name, kind }) => {
                write!(f, "the {kind:?} {name:?} is not there to be removed")
            }
            Self::TooDeep { max } => write!(f, "maps are nested deeper than {max}"),
            Self::TooManyDeferred { max } => {
                write!(f, "{max} removes already wait for what their clients had been shown")
            }
        }
    }
}
