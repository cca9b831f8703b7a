use std::sync::Arc;

use cartwheel_core::id::{NodeId, StoreId};
use cartwheel_core::replica::Record;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Context, Dot, Siblings, Value, Version, VersionVector};

use super::{chosen, join, nodes, required, split};
use crate::error::DecodeError;
use crate::limits::{SIBLINGS_MAX, VECTOR_ENTRIES_MAX};
use crate::schema::Nothing;
use crate::schema::version as schema;

impl From<Dot> for schema::Dot {
    fn from(Dot { actor, counter }: Dot) -> Self {
        Self { node: actor.node.0, store: actor.store.0, boot: actor.boot, mint: actor.mint, counter }
    }
}

impl TryFrom<schema::Dot> for Dot {
    type Error = DecodeError;
    fn try_from(dot: schema::Dot) -> Result<Self, DecodeError> {
        if dot.counter == 0 {
            return Err(DecodeError::ZeroCounter);
        }
        if dot.counter > Self::COUNTER_MAX {
            return Err(DecodeError::OutOfRange { field: "counter of a dot", got: dot.counter });
        }
        let actor =
            Actor { node: NodeId(dot.node), store: StoreId(dot.store), boot: dot.boot, mint: dot.mint };
        Ok(Self { actor, counter: dot.counter })
    }
}

impl From<&VersionVector> for schema::Vector {
    fn from(vector: &VersionVector) -> Self {
        vector.entries().iter().map(|&dot| dot.into()).collect()
    }
}

impl TryFrom<schema::Vector> for VersionVector {
    type Error = DecodeError;
    fn try_from(vector: schema::Vector) -> Result<Self, DecodeError> {
        if vector.overflow {
            return Err(DecodeError::TooMany { what: "entries of a past", max: VECTOR_ENTRIES_MAX });
        }
        let mut dots = vector.items.into_iter().map(Dot::try_from).collect::<Result<Vec<_>, _>>()?;
        // Each insertion into a sorted vector is an append, whatever order the sender chose.
        dots.sort_unstable();
        Ok(dots.into_iter().collect())
    }
}

impl TryFrom<schema::Vector> for Context {
    type Error = DecodeError;
    fn try_from(vector: schema::Vector) -> Result<Self, DecodeError> {
        vector.try_into().map(Self)
    }
}

impl From<&Value> for schema::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Data(data) => Self::Data(data.clone()),
            Value::Tombstone => Self::Tombstone(Nothing {}),
            Value::DataType(value) => Self::DataType((&**value).into()),
        }
    }
}

impl TryFrom<schema::Value> for Value {
    type Error = DecodeError;
    fn try_from(value: schema::Value) -> Result<Self, DecodeError> {
        Ok(match value {
            schema::Value::Data(data) => Self::Data(data),
            schema::Value::Tombstone(Nothing {}) => Self::Tombstone,
            schema::Value::DataType(value) => Self::DataType(Arc::new(value.try_into()?)),
        })
    }
}

impl From<&Version> for schema::Version {
    fn from(version: &Version) -> Self {
        let (request_high, request_low) = split(version.request);
        Self {
            dot: Some(version.dot.into()),
            past: Some((&version.past).into()),
            request_high,
            request_low,
            written_at: version.written_at.0,
            value: Some((&version.value).into()),
        }
    }
}

impl TryFrom<schema::Version> for Version {
    type Error = DecodeError;
    fn try_from(version: schema::Version) -> Result<Self, DecodeError> {
        let dot = Dot::try_from(required("version.dot", version.dot)?)?;
        let past = VersionVector::try_from(required("version.past", version.past)?)?;
        if past.contains(dot) {
            return Err(DecodeError::OwnPast(dot));
        }
        Ok(Self {
            dot,
            past,
            request: join(version.request_high, version.request_low),
            written_at: WallTime(version.written_at),
            value: chosen("version.value", version.value)?.try_into()?,
        })
    }
}

impl From<&Siblings> for schema::Siblings {
    fn from(siblings: &Siblings) -> Self {
        siblings.versions().iter().map(Into::into).collect()
    }
}

impl TryFrom<schema::Siblings> for Siblings {
    type Error = DecodeError;
    fn try_from(siblings: schema::Siblings) -> Result<Self, DecodeError> {
        if siblings.overflow {
            return Err(DecodeError::TooMany { what: "siblings", max: SIBLINGS_MAX });
        }
        let versions = siblings.items.into_iter().map(Version::try_from).collect::<Result<_, _>>()?;
        Ok(Self::from_versions(versions))
    }
}

impl From<&Record> for schema::Record {
    fn from(record: &Record) -> Self {
        Self {
            siblings: Some((&record.siblings).into()),
            kept: record.kept.map(Into::into),
            owed: record.owed.iter().map(|home| home.0).collect(),
        }
    }
}

impl TryFrom<schema::Record> for Record {
    type Error = DecodeError;
    fn try_from(record: schema::Record) -> Result<Self, DecodeError> {
        let mut owed = nodes(record.owed)?;
        owed.sort_unstable();
        owed.dedup();
        Ok(Self {
            siblings: required("record.siblings", record.siblings)?.try_into()?,
            kept: record.kept.map(Dot::try_from).transpose()?,
            owed,
        })
    }
}
