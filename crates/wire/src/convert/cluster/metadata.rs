use bytes::Bytes;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::{METADATA_NAME_BYTES_MAX, Metadata, Opaque, Register};

use crate::convert::all;
use crate::error::DecodeError;
use crate::limits::METADATA_MAX;
use crate::schema::Repeated;
use crate::schema::cluster::Entry;

pub(in crate::convert) fn written((name, entry): (&Vec<u8>, &Register<Option<Opaque>>)) -> Entry {
    Entry {
        name: Bytes::copy_from_slice(name),
        count: entry.count,
        by: entry.by.0,
        value: entry.value.as_ref().map(|value| Bytes::copy_from_slice(&value.0)),
    }
}

pub(super) fn all_read(written: Option<Repeated<Entry, METADATA_MAX>>) -> Result<Metadata, DecodeError> {
    let Some(written) = written else { return Ok(Metadata::new()) };
    all("entries kept for drivers", written)?.into_iter().map(read).collect()
}

pub(in crate::convert) fn read(entry: Entry) -> Result<(Vec<u8>, Register<Option<Opaque>>), DecodeError> {
    if entry.name.len() > METADATA_NAME_BYTES_MAX {
        return Err(DecodeError::TooMany { what: "bytes of an entry's name", max: METADATA_NAME_BYTES_MAX });
    }
    let value = entry.value.map(|value| Opaque(value.into()));
    Ok((entry.name.into(), Register { count: entry.count, by: NodeId(entry.by), value }))
}
