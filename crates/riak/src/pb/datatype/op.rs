//! Operations, from their messages.

use cartwheel_core::datatype::{Field, FieldKind, FieldOp, MapOp, Op, PRECISION_DEFAULT, SetOp};

use super::senseless;
use crate::pb::message::{self as pb, CounterOp, DtOp, FlagOp, MapField, MapFieldType, MapUpdate};
use crate::pb::refusal::Refusal;

/// The one that is there.
pub(super) fn of(message: DtOp) -> Result<Op, Refusal> {
    let DtOp { counter_op, set_op, map_op, hll_op, gset_op } = message;
    if let Some(op) = counter_op {
        return Ok(Op::Counter(amount(&op)));
    }
    if let Some(op) = set_op {
        return Ok(Op::Set(set(op)));
    }
    if let Some(op) = map_op {
        return Ok(Op::Map(map(op)?));
    }
    if let Some(op) = hll_op {
        // The bucket's precision is known later.
        return Ok(Op::Hll { precision: PRECISION_DEFAULT, adds: op.adds });
    }
    gset_op.map(|op| Op::GSet(op.adds)).ok_or_else(|| senseless("no operation"))
}

fn amount(op: &CounterOp) -> i64 {
    op.increment.unwrap_or(1)
}

fn set(op: pb::SetOp) -> SetOp {
    SetOp { adds: op.adds, removes: op.removes }
}

fn map(op: pb::MapOp) -> Result<MapOp, Refusal> {
    Ok(MapOp {
        removes: op.removes.into_iter().map(field).collect::<Result<_, _>>()?,
        updates: op
            .updates
            .into_iter()
            .map(|update| Ok((update.field.name.clone(), field_op(update)?)))
            .collect::<Result<_, Refusal>>()?,
    })
}

fn field(field: MapField) -> Result<Field, Refusal> {
    let kind = match kind_of(&field)? {
        MapFieldType::Counter => FieldKind::Counter,
        MapFieldType::Set => FieldKind::Set,
        MapFieldType::Register => FieldKind::Register,
        MapFieldType::Flag => FieldKind::Flag,
        MapFieldType::Map => FieldKind::Map,
    };
    Ok(Field { name: field.name, kind })
}

fn kind_of(field: &MapField) -> Result<MapFieldType, Refusal> {
    MapFieldType::try_from(field.field_type).map_err(|_| senseless("a field of no known type"))
}

fn field_op(update: MapUpdate) -> Result<FieldOp, Refusal> {
    let missing = || senseless("a field with an operation of another type");
    Ok(match kind_of(&update.field)? {
        MapFieldType::Counter => FieldOp::Counter(amount(&update.counter_op.ok_or_else(missing)?)),
        MapFieldType::Set => FieldOp::Set(set(update.set_op.ok_or_else(missing)?)),
        MapFieldType::Register => FieldOp::Register(update.register_op.ok_or_else(missing)?),
        MapFieldType::Map => FieldOp::Map(map(update.map_op.ok_or_else(missing)?)?),
        MapFieldType::Flag => FieldOp::Flag(match update.flag_op.and_then(|op| FlagOp::try_from(op).ok()) {
            Some(FlagOp::Enable) => cartwheel_core::datatype::FlagOp::Enable,
            Some(FlagOp::Disable) => cartwheel_core::datatype::FlagOp::Disable,
            None => return Err(missing()),
        }),
    })
}
