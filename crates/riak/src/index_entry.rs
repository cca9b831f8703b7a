//! What may be written into a secondary index.

use bytes::Bytes;

use crate::content::Pair;
use crate::index::Kind;

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

/// A client's entries as they are kept and shown: names in lower case, integers without what does not count, sorted, each
/// once. Clients add to what they have read, again and again: entries that stayed apart would grow without bound.
///
/// The type of an index is in its name: `_bin` takes any bytes, `_int` an integer of any length. The indexes that Riak makes
/// itself, `$key` and `$bucket`, may be named.
///
/// # Errors
///
/// One that is none.
pub fn kept<'a>(entries: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Result<Vec<Pair>, NoIndexEntry> {
    let one = |(field, value): (&[u8], &[u8])| {
        let field = field.to_ascii_lowercase();
        if matches!(&field[..], b"$key" | b"$bucket") {
            let value = Bytes::copy_from_slice(value);
            return Ok((field, value.clone(), value));
        }
        let Some(kind) = Kind::of(&field) else { return Err(NoIndexEntry::Field(field)) };
        // A query may pad a number, as clients do; an entry may not.
        let term = Some(value).filter(|value| kind == Kind::Bin || value.trim_ascii() == *value);
        match term.and_then(|value| kind.encode(value)) {
            Some(term) => Ok((field, term.clone(), kind.decode(&term))),
            None => Err(NoIndexEntry::Value { field, value: value.to_vec() }),
        }
    };
    let mut all = entries.into_iter().map(one).collect::<Result<Vec<_>, _>>()?;
    all.sort();
    all.dedup();
    Ok(all.into_iter().map(|(field, _, shown)| Pair::new(&field, &shown)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_of(entries: &[(&str, &str)]) -> Result<Vec<Pair>, NoIndexEntry> {
        kept(entries.iter().map(|(field, value)| (field.as_bytes(), value.as_bytes())))
    }

    #[test]
    fn integer_indexes_hold_integers() {
        let long = ("n_int", "-12345678901234567890123");
        assert_eq!(kept_of(&[long]), Ok(vec![Pair::new(b"n_int", long.1.as_bytes())]));
        for bad in ["", "-", "abc", "1.5", " 1"] {
            let value = bad.as_bytes().to_vec();
            assert_eq!(
                kept_of(&[("N_int", bad)]),
                Err(NoIndexEntry::Value { field: b"n_int".to_vec(), value })
            );
        }
        assert_eq!(kept_of(&[("n_INTS", "1")]), Err(NoIndexEntry::Field(b"n_ints".to_vec())));
    }

    #[test]
    fn entries_that_are_the_same_are_kept_once_however_they_are_spelled() {
        let entries =
            [("Email_BIN", "b"), ("n_int", "10"), ("n_int", "+9"), ("email_bin", "b"), ("N_int", "09")];
        let expected =
            vec![Pair::new(b"email_bin", b"b"), Pair::new(b"n_int", b"9"), Pair::new(b"n_int", b"10")];
        assert_eq!(kept_of(&entries), Ok(expected));
        assert_eq!(kept_of(&[("$key", "k"), ("$key", "k")]), Ok(vec![Pair::new(b"$key", b"k")]));
    }
}
