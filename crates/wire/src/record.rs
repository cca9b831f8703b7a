use bytes::Bytes;
use cartwheel_core::replica::Record;
use prost::Message as _;

use crate::error::{DecodeError, EncodeError};
use crate::limits::{NODES_MAX, RECORD_BYTES_MAX, SIBLINGS_MAX, VECTOR_ENTRIES_MAX};
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
    }
    within("nodes", record.owed.len(), NODES_MAX)?;
    let record = schema::Record::from(record);
    within("bytes of a record", record.encoded_len(), RECORD_BYTES_MAX)?;
    Ok(record.encode_to_vec())
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
