use bytes::Bytes;
use cartwheel_core::datatype::DataType;
use prost::Message as _;

use crate::error::DecodeError;
use crate::limits::RECORD_BYTES_MAX;
use crate::schema::datatype as schema;

/// A data type alone, as it is part of records and messages.
pub fn encode_data_type(value: &DataType) -> Bytes {
    schema::DataType::from(value).encode_to_vec().into()
}

/// The data type in `bytes`. Its elements are slices of `bytes`.
///
/// # Errors
///
/// Whatever is wrong with it, as [`DecodeError`] says.
pub fn decode_data_type(bytes: Bytes) -> Result<DataType, DecodeError> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(DecodeError::TooMany { what: "bytes of a record", max: RECORD_BYTES_MAX });
    }
    schema::DataType::decode(bytes)?.try_into()
}
