use bytes::Bytes;
use cartwheel_core::datatype::{DataType, FieldValue, Map, State};
use cartwheel_core::replica::Record;
use cartwheel_core::version::Value;
use prost::Message as _;

use crate::error::{DecodeError, EncodeError};
use crate::limits::{
    DEFERRED_CONTEXTS_MAX, DEFERRED_REMOVALS_MAX, ELEMENTS_MAX, NODES_MAX, RECORD_BYTES_MAX, SIBLINGS_MAX,
    VECTOR_ENTRIES_MAX,
};
use crate::schema::version as schema;

/// A disk record as bytes. Version and checksum are the store's.
///
/// # Errors
///
/// A record past one of the [`limits`](crate::limits): it could not be read back, nor sent.
pub fn encode_record(record: &Record) -> Result<Vec<u8>, EncodeError> {
    let versions = record.siblings.versions();
    within("siblings", versions.len(), SIBLINGS_MAX)?;
    for version in versions {
        within("entries of a past", version.past.entries().len(), VECTOR_ENTRIES_MAX)?;
        if let Value::DataType(value) = &version.value {
            data_type_within(value)?;
        }
    }
    within("nodes", record.owed.len(), NODES_MAX)?;
    let record = schema::Record::from(record);
    within("bytes of a record", record.encoded_len(), RECORD_BYTES_MAX)?;
    Ok(record.encode_to_vec())
}

fn data_type_within(value: &DataType) -> Result<(), EncodeError> {
    within("entries of a clock", value.clock().entries().len(), VECTOR_ENTRIES_MAX)?;
    let deferred = &value.deferred().0;
    within("contexts of deferred removes", deferred.len(), DEFERRED_CONTEXTS_MAX)?;
    for removals in deferred.values() {
        within("deferred removes", removals.len(), DEFERRED_REMOVALS_MAX)?;
    }
    match value.state() {
        State::Set(set) => within("elements", set.0.len(), ELEMENTS_MAX),
        State::GSet(set) => within("elements", set.len(), ELEMENTS_MAX),
        State::Map(map) => map_within(map),
        State::Counter(_) | State::Hll(_) => Ok(()),
    }
}

fn map_within(Map(fields): &Map) -> Result<(), EncodeError> {
    within("fields", fields.len(), ELEMENTS_MAX)?;
    fields.values().try_for_each(|entry| match &entry.value {
        FieldValue::Map(map) => map_within(map),
        FieldValue::Set(set) => within("elements", set.0.len(), ELEMENTS_MAX),
        FieldValue::Counter(_) | FieldValue::Register(_) | FieldValue::Flag(_) => Ok(()),
    })
}

fn within(what: &'static str, got: usize, max: usize) -> Result<(), EncodeError> {
    if got <= max { Ok(()) } else { Err(EncodeError { what, got, max }) }
}

/// The disk record in `bytes`. Its values are slices of `bytes`.
///
/// # Errors
///
/// Whatever is wrong with it, as [`DecodeError`] says.
pub fn decode_record(bytes: Bytes) -> Result<Record, DecodeError> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(DecodeError::TooMany { what: "bytes of a record", max: RECORD_BYTES_MAX });
    }
    schema::Record::decode(bytes)?.try_into()
}
