//! What workloads write: the id of the write, then a set of numbers, such as the items of a cart.

use bytes::{BufMut, Bytes, BytesMut};
use cartwheel_check::WriteId;
use cartwheel_core::version::{Siblings, Value};

/// Every value that a workload writes begins with the id of its write.
pub fn write_id(value: &Bytes) -> Option<WriteId> {
    let bytes = value.first_chunk::<8>()?;
    Some(WriteId(u64::from_le_bytes(*bytes)))
}

/// What a value holds beside the id of its write, such as the items of a cart: numbers in their order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items(Vec<u64>);

impl Items {
    /// These.
    pub fn new(mut numbers: Vec<u64>) -> Self {
        numbers.sort_unstable();
        numbers.dedup();
        Self(numbers)
    }

    /// The union of what the versions of a key hold.
    pub fn of(read: &Siblings) -> Self {
        let values = read.versions().iter().filter_map(|version| match &version.value {
            Value::Data(bytes) => Some(bytes),
            Value::Tombstone | Value::DataType(_) => None,
        });
        let words = values.flat_map(|bytes| bytes.chunks_exact(8).skip(1));
        let number = |word: &[u8]| u64::from_le_bytes(word.try_into().expect("chunks of eight bytes"));
        Self::new(words.map(number).collect())
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The one at this place in their order.
    pub fn nth(&self, place: usize) -> Option<u64> {
        self.0.get(place).copied()
    }

    /// Adds one.
    pub fn insert(&mut self, number: u64) {
        if let Err(place) = self.0.binary_search(&number) {
            self.0.insert(place, number);
        }
    }

    /// Takes one out.
    pub fn remove(&mut self, number: u64) {
        self.0.retain(|kept| *kept != number);
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// The value of write `id`.
pub(super) fn value(id: WriteId, items: &Items) -> Value {
    let mut value = BytesMut::with_capacity(8 * (1 + items.len()));
    value.put_u64_le(id.0);
    items.0.iter().for_each(|item| value.put_u64_le(*item));
    Value::Data(value.freeze())
}
