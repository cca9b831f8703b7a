//! Changes of data types, and why they are refused.

use cartwheel_core::datatype::{DEPTH_MAX, FieldOp, FlagOp, MapOp, Mutation, Op, Refusal, SetOp};

use super::super::{chosen, out_of_range, small};
use crate::error::DecodeError;
use crate::schema::datatype::{self as schema, RefusalKind};

impl From<&Mutation> for schema::Mutation {
    fn from(Mutation { op, context }: &Mutation) -> Self {
        let op = match op {
            Op::Counter(amount) => schema::Op::Counter(*amount),
            Op::Set(op) => schema::Op::Set(op.into()),
            Op::Map(op) => schema::Op::Map(op.into()),
            Op::Hll { precision, adds } => {
                schema::Op::Hll(schema::HllOp { adds: adds.clone(), precision: (*precision).into() })
            }
            Op::GSet(adds) => schema::Op::GSet(schema::SetOp { adds: adds.clone(), removes: Vec::new() }),
        };
        Self { context: context.as_ref().map(|context| (&context.0).into()), op: Some(op) }
    }
}

impl TryFrom<schema::Mutation> for Mutation {
    type Error = DecodeError;
    fn try_from(mutation: schema::Mutation) -> Result<Self, DecodeError> {
        let op = match chosen("mutation.op", mutation.op)? {
            schema::Op::Counter(amount) => Op::Counter(amount),
            schema::Op::Set(op) => Op::Set(op.into()),
            schema::Op::Map(op) => Op::Map(map_op(op, 1)?),
            schema::Op::Hll(schema::HllOp { adds, precision }) => {
                Op::Hll { precision: small("hll.precision", precision)?, adds }
            }
            schema::Op::GSet(op) => Op::GSet(op.adds),
        };
        Ok(Self { op, context: mutation.context.map(TryInto::try_into).transpose()? })
    }
}

impl From<&SetOp> for schema::SetOp {
    fn from(SetOp { adds, removes }: &SetOp) -> Self {
        Self { adds: adds.clone(), removes: removes.clone() }
    }
}

impl From<schema::SetOp> for SetOp {
    fn from(schema::SetOp { adds, removes }: schema::SetOp) -> Self {
        Self { adds, removes }
    }
}

impl From<&MapOp> for schema::MapOp {
    fn from(MapOp { removes, updates }: &MapOp) -> Self {
        let update = |(name, op): &(bytes::Bytes, FieldOp)| schema::FieldUpdate {
            name: name.clone(),
            op: Some(match op {
                FieldOp::Counter(amount) => schema::FieldOp::Counter(*amount),
                FieldOp::Register(value) => schema::FieldOp::Register(value.clone()),
                FieldOp::Map(op) => schema::FieldOp::Map(op.into()),
                FieldOp::Flag(op) => schema::FieldOp::Flag(*op == FlagOp::Enable),
                FieldOp::Set(op) => schema::FieldOp::Set(op.into()),
            }),
        };
        Self {
            removes: removes.iter().map(Into::into).collect(),
            updates: updates.iter().map(update).collect(),
        }
    }
}

/// One level more than is done, so that what is too deep is refused by whoever does it, and not as unreadable.
const OP_DEPTH_MAX: usize = DEPTH_MAX + 1;

fn map_op(op: schema::MapOp, depth: usize) -> Result<MapOp, DecodeError> {
    if depth > OP_DEPTH_MAX {
        return Err(DecodeError::TooMany { what: "maps within maps", max: DEPTH_MAX });
    }
    let update = |update: schema::FieldUpdate| {
        let op = match chosen("field_update.op", update.op)? {
            schema::FieldOp::Counter(amount) => FieldOp::Counter(amount),
            schema::FieldOp::Register(value) => FieldOp::Register(value),
            schema::FieldOp::Map(op) => FieldOp::Map(map_op(op, depth + 1)?),
            schema::FieldOp::Flag(true) => FieldOp::Flag(FlagOp::Enable),
            schema::FieldOp::Flag(false) => FieldOp::Flag(FlagOp::Disable),
            schema::FieldOp::Set(op) => FieldOp::Set(op.into()),
        };
        Ok((update.name, op))
    };
    Ok(MapOp {
        removes: op.removes.into_iter().map(TryInto::try_into).collect::<Result<_, DecodeError>>()?,
        updates: op.updates.into_iter().map(update).collect::<Result<_, DecodeError>>()?,
    })
}

impl From<&Refusal> for schema::Refusal {
    fn from(refusal: &Refusal) -> Self {
        let kind = match refusal {
            Refusal::NoElement(element) => RefusalKind::NoElement(element.clone()),
            Refusal::NoField(field) => RefusalKind::NoField(field.into()),
            Refusal::TooDeep { max } => RefusalKind::TooDeep(*max as u64),
            Refusal::TooManyDeferred { max } => RefusalKind::TooManyDeferred(*max as u64),
        };
        Self { kind: Some(kind) }
    }
}

impl TryFrom<schema::Refusal> for Refusal {
    type Error = DecodeError;
    fn try_from(refusal: schema::Refusal) -> Result<Self, DecodeError> {
        let bound = |max: u64| usize::try_from(max).map_err(|_| out_of_range("refusal.max", u32::MAX));
        Ok(match chosen("refusal.kind", refusal.kind)? {
            RefusalKind::NoElement(element) => Self::NoElement(element),
            RefusalKind::NoField(field) => Self::NoField(field.try_into()?),
            RefusalKind::TooDeep(max) => Self::TooDeep { max: bound(max)? },
            RefusalKind::TooManyDeferred(max) => Self::TooManyDeferred { max: bound(max)? },
        })
    }
}
