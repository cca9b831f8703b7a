//! What workloads write: the id of the write, then a set of numbers, such as the items of a cart.

use std::collections::BTreeSet;

use bytes::{BufMut, Bytes, BytesMut};
use cartwheel_check::WriteId;
use cartwheel_core::version::{Siblings, Value};

/// Every value that a workload writes begins with the id of its write.
pub fn write_id(value: &Bytes) -> Option<WriteId> {
    let bytes = value.first_chunk::<8>()?;
    Some(WriteId(u64::from_le_bytes(*bytes)))
}

/// The value of write `id`.
pub(super) fn value(id: WriteId, items: &BTreeSet<u64>) -> Value {
    let mut value = BytesMut::with_capacity(8 * (1 + items.len()));
    value.put_u64_le(id.0);
    items.iter().for_each(|item| value.put_u64_le(*item));
    Value::Data(value.freeze())
}

/// The union of what the versions of a key hold.
pub(super) fn items_of(read: &Siblings) -> BTreeSet<u64> {
    let values = read.versions().iter().filter_map(|version| match &version.value {
        Value::Data(bytes) => Some(bytes),
        Value::Tombstone => None,
    });
    let words = values.flat_map(|bytes| bytes.chunks_exact(8).skip(1));
    words.map(|word| u64::from_le_bytes(word.try_into().expect("chunks of eight bytes"))).collect()
}
