//! What may be written into a secondary index.

/// What is no index entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoIndexEntry {
    /// An index of no known type.
    #[error("no type is known of index {}", String::from_utf8_lossy(.0))]
    Field(Vec<u8>),
    /// A value that does not fit the index's type.
    #[error("{} is no value of index {}", String::from_utf8_lossy(value), String::from_utf8_lossy(field))]
    Value {
        /// The index.
        field: Vec<u8>,
        /// The value.
        value: Vec<u8>,
    },
}

/// Whether `value` can be in the index `field`, whose type is in its name: `_bin` takes any bytes, `_int` an integer of any
/// length. The indexes that Riak makes itself, `$key` and `$bucket`, may be named.
///
/// # Errors
///
/// It cannot.
pub fn check(field: &[u8], value: &[u8]) -> Result<(), NoIndexEntry> {
    if field.ends_with(b"_bin") || matches!(field, b"$key" | b"$bucket") {
        return Ok(());
    }
    if !field.ends_with(b"_int") {
        return Err(NoIndexEntry::Field(field.to_vec()));
    }
    // Riak's integers have no bound, so the digits are kept as they are.
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        return Ok(());
    }
    Err(NoIndexEntry::Value { field: field.to_vec(), value: value.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_indexes_hold_integers() {
        assert_eq!(check(b"n_int", b"-12345678901234567890123"), Ok(()));
        for bad in ["", "-", "abc", "1.5"] {
            let value = bad.as_bytes().to_vec();
            assert_eq!(
                check(b"n_int", bad.as_bytes()),
                Err(NoIndexEntry::Value { field: b"n_int".to_vec(), value })
            );
        }
    }
}
