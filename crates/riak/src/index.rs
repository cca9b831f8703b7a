//! Secondary indexes: what a stored value's entries are, what a client asks for, and how a page of an answer is
//! continued. Both APIs share it.
//!
//! The core and the store know terms as bytes that sort. A `_bin` term is what the client wrote. A `_int` term is an integer
//! of any length, and is kept so that its bytes sort as the numbers do:
//!
//! | number | bytes |
//! |---|---|
//! | above 0 | 2, how many digits in 4 big-endian bytes, the digits |
//! | 0 | 1 |
//! | below 0 | 0, how many digits, the digits; all but the first byte inverted |

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::coverage::{CoverageError, Entry, Query, Span};
use cartwheel_core::membership::Bucket;
use cartwheel_wire::index_key_fits;
use cartwheel_wire::limits::{KEY_BYTES_MAX, TERM_BYTES_MAX};

use crate::content::{Content, Pair};

/// Of what [`entries`] says of a value. Raise it when that changes: stores index anew then.
pub const INDEXER_VERSION: u32 = 1;

/// The index that names keys themselves.
pub const KEY_FIELD: &str = "$key";
/// The index that has all keys of a bucket.
pub const BUCKET_FIELD: &str = "$bucket";

/// What a term of an index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes.
    Bin,
    /// An integer.
    Int,
}

impl Kind {
    /// By the name of the index.
    pub fn of(field: &[u8]) -> Option<Self> {
        if field.ends_with(b"_bin") {
            Some(Self::Bin)
        } else if field.ends_with(b"_int") {
            Some(Self::Int)
        } else {
            None
        }
    }

    /// A term as it is kept and sorted; `None`: it is no integer.
    pub fn encode(self, term: &[u8]) -> Option<Bytes> {
        match self {
            Self::Bin => Some(Bytes::copy_from_slice(term)),
            Self::Int => encode_integer(term),
        }
    }

    /// The term as clients know it.
    pub fn decode(self, kept: &Bytes) -> Bytes {
        match self {
            Self::Bin => kept.clone(),
            Self::Int => decode_integer(kept),
        }
    }
}

const NEGATIVE: u8 = 0;
const ZERO: u8 = 1;
const POSITIVE: u8 = 2;
const LENGTH_BYTES: usize = 4;

fn encode_integer(text: &[u8]) -> Option<Bytes> {
    let text = text.trim_ascii();
    let (is_negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix(b"+").unwrap_or(text)),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let digits = &digits[zeros..];
    if digits.is_empty() {
        return Some(Bytes::from_static(&[ZERO]));
    }
    let mut kept = vec![POSITIVE];
    kept.extend(u32::try_from(digits.len()).ok()?.to_be_bytes());
    kept.extend(digits);
    if is_negative {
        kept[0] = NEGATIVE;
        kept[1..].iter_mut().for_each(|byte| *byte = !*byte);
    }
    Some(kept.into())
}

fn decode_integer(kept: &[u8]) -> Bytes {
    match kept.split_first() {
        Some((&POSITIVE, rest)) => Bytes::copy_from_slice(rest.get(LENGTH_BYTES..).unwrap_or_default()),
        Some((&NEGATIVE, rest)) => {
            let digits = rest.get(LENGTH_BYTES..).unwrap_or_default().iter().map(|byte| !byte);
            std::iter::once(b'-').chain(digits).collect()
        }
        _ => Bytes::from_static(b"0"),
    }
}

/// The entries of a stored value: the index, and the term as it is kept. A value that is no [`Content`] has none.
pub fn entries(data: &Bytes) -> Vec<(Bytes, Bytes)> {
    let Ok(content) = Content::from_data(data) else { return Vec::new() };
    let entry = |pair: &Pair| {
        let field = name(&pair.key);
        let term = Kind::of(&field)?.encode(pair.value.as_deref().unwrap_or_default())?;
        Some((field, term))
    };
    content.indexes.iter().filter_map(entry).collect()
}

/// Names of indexes do not differ by case.
fn name(field: &[u8]) -> Bytes {
    field.to_ascii_lowercase().into()
}

/// The first of a content's indexes whose entry is too long to be kept for `key`.
pub fn too_long<'a>(content: &'a Content, key: &Key) -> Option<&'a Pair> {
    let fits = |pair: &&Pair| {
        let field = name(&pair.key);
        let term = Kind::of(&field).and_then(|kind| kind.encode(pair.value.as_deref().unwrap_or_default()));
        term.is_none_or(|term| index_key_fits(key, &field, &term))
    };
    content.indexes.iter().find(|pair| !fits(pair))
}

/// What of an index a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One term.
    Eq(Bytes),
    /// From the first one to the second, both included.
    Range(Bytes, Bytes),
}

/// What a client asks of an index, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// For the core.
    pub query: Query,
    /// Of the terms; `None` for keys.
    pub kind: Option<Kind>,
    /// Whether terms may be given beside keys: Riak does so for ranges of terms only.
    pub has_terms: bool,
}

/// Why it makes no sense; in Riak's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// An index of no known type.
    #[error("{{unknown_field_type,<<\"{0}\">>}}")]
    Field(String),
    /// A term that is no integer.
    #[error("{{field_parsing_failed,{{<<\"{field}\">>,<<\"{term}\">>}}}}")]
    Term {
        /// The index.
        field: String,
        /// The term.
        term: String,
    },
    /// Names beyond what is kept.
    #[error("{{too_long,<<\"{0}\">>}}")]
    TooLong(String),
    /// A continuation that this server did not make.
    #[error("{{invalid_continuation,<<\"{0}\">>}}")]
    Continuation(String),
}

impl Asked {
    /// Understands a question about the index `field` of `bucket`.
    ///
    /// # Errors
    ///
    /// [`BadQuery`].
    pub fn new(bucket: Bucket, field: &[u8], wanted: &Wanted) -> Result<Self, BadQuery> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let field = name(field);
        if field.len() > TERM_BYTES_MAX {
            return Err(BadQuery::TooLong(text(&field[..64])));
        }
        if field == BUCKET_FIELD {
            return Ok(Self {
                query: Query::Keys { bucket, span: Span::default() },
                kind: None,
                has_terms: false,
            });
        }
        if field == KEY_FIELD {
            let span = span(&field, wanted, |term| Ok(Bytes::copy_from_slice(term)))?;
            return Ok(Self { query: Query::Keys { bucket, span }, kind: None, has_terms: false });
        }
        let kind = Kind::of(&field).ok_or_else(|| BadQuery::Field(text(&field)))?;
        let encode = |term: &[u8]| {
            kind.encode(term).ok_or_else(|| BadQuery::Term { field: text(&field), term: text(term) })
        };
        let span = span(&field, wanted, encode)?;
        let has_terms = matches!(wanted, Wanted::Range(..));
        Ok(Self { query: Query::Index { bucket, field, span }, kind: Some(kind), has_terms })
    }

    /// The term of an entry, as clients know it.
    pub fn term(&self, entry: &Entry) -> Bytes {
        self.kind.map_or_else(|| entry.key.clone(), |kind| kind.decode(&entry.term))
    }
}

fn span(
    field: &[u8],
    wanted: &Wanted,
    encode: impl Fn(&[u8]) -> Result<Bytes, BadQuery>,
) -> Result<Span, BadQuery> {
    let fits = |term: Bytes| match term.len() {
        ..=TERM_BYTES_MAX => Ok(term),
        _ => Err(BadQuery::TooLong(String::from_utf8_lossy(field).into_owned())),
    };
    let encode = |term: &Bytes| encode(term).and_then(fits);
    Ok(match wanted {
        Wanted::Eq(term) => {
            let term = encode(term)?;
            Span { from: term.clone(), to: Some(term) }
        }
        Wanted::Range(from, to) => Span { from: encode(from)?, to: Some(encode(to)?) },
    })
}

/// Why there is no list, or no more of it, in Riak's words.
pub fn reason(error: &CoverageError) -> &'static str {
    match error {
        CoverageError::Uncovered { .. } => "insufficient_vnodes_available",
        CoverageError::Timeout => "timeout",
        CoverageError::Overloaded { .. } => "overload",
        CoverageError::NotAMember => "not_a_member",
        CoverageError::NoType => "no_type",
    }
}

/// How a page is continued: after its last entry. Opaque to clients.
pub fn continuation(last: &Entry) -> String {
    let length = u32::try_from(last.term.len()).unwrap_or(u32::MAX);
    BASE64_STANDARD
        .encode([&[CONTINUATION_FORMAT][..], &length.to_be_bytes(), &last.term, &last.key].concat())
}

const CONTINUATION_FORMAT: u8 = 1;

/// The entry that [`continuation`] made `text` of.
///
/// # Errors
///
/// [`BadQuery::Continuation`].
pub fn continued(text: &[u8]) -> Result<Entry, BadQuery> {
    let bad = || BadQuery::Continuation(String::from_utf8_lossy(text).into_owned());
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| bad())?;
    let (&[CONTINUATION_FORMAT, ref length @ ..], rest) =
        bytes.split_first_chunk::<{ 1 + LENGTH_BYTES }>().ok_or_else(bad)?
    else {
        return Err(bad());
    };
    let length = u32::from_be_bytes(*length) as usize;
    let (term, key) = rest.split_at_checked(length).ok_or_else(bad)?;
    if term.len() > TERM_BYTES_MAX || key.len() > KEY_BYTES_MAX {
        return Err(bad());
    }
    Ok(Entry { term: Bytes::copy_from_slice(term), key: Bytes::copy_from_slice(key) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> Bucket {
        Bucket { bucket_type: Key::DEFAULT_TYPE.to_vec(), name: b"b".to_vec() }
    }

    fn int(number: &str) -> Bytes {
        Kind::Int.encode(number.as_bytes()).expect("an integer")
    }

    #[test]
    fn integers_sort_as_numbers_and_come_back() {
        let numbers: Vec<i128> =
            vec![i128::MIN + 1, -1_000, -999, -10, -9, -1, 0, 1, 9, 10, 99, 100, i128::MAX];
        let kept: Vec<Bytes> = numbers.iter().map(|number| int(&number.to_string())).collect();
        assert!(kept.is_sorted());
        let back: Vec<Bytes> = kept.iter().map(|kept| Kind::Int.decode(kept)).collect();
        let texts: Vec<Bytes> = numbers.iter().map(|number| number.to_string().into()).collect();
        assert_eq!(back, texts);
        for (spelled, same) in [("007", "7"), ("-0", "0"), ("+5", "5"), (" 12 ", "12"), ("-010", "-10")] {
            assert_eq!(int(spelled), int(same), "{spelled}");
        }
        for bad in ["", "-", "+", "1.5", "abc", "1-"] {
            assert_eq!(Kind::Int.encode(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_value_has_the_entries_that_its_writer_gave_it() {
        let content = Content {
            indexes: vec![Pair::new(b"N_int", b"7"), Pair::new(b"f_bin", b"x"), Pair::new(b"other", b"y")],
            ..Content::default()
        };
        let cartwheel_core::version::Value::Data(data) = content.to_value() else { panic!("data") };
        assert_eq!(entries(&data), [("n_int".into(), int("7")), ("f_bin".into(), "x".into())]);
        assert_eq!(entries(&Bytes::from_static(b"\xff\xff")), []);
    }

    #[test]
    fn questions_are_understood_or_refused_in_riaks_words() {
        let asked = |field: &str, wanted| Asked::new(bucket(), field.as_bytes(), &wanted);
        let range = |from: &'static str, to: &'static str| Wanted::Range(from.into(), to.into());
        let of_terms = asked("n_int", range("1", "9")).expect("understood");
        assert!(of_terms.has_terms);
        let span = Span { from: int("1"), to: Some(int("9")) };
        assert_eq!(of_terms.query, Query::Index { bucket: bucket(), field: "n_int".into(), span });
        assert!(!asked("n_int", Wanted::Eq("1".into())).expect("understood").has_terms);
        let keys = asked("$key", range("a", "c")).expect("understood");
        let span = Span { from: "a".into(), to: Some("c".into()) };
        assert_eq!(keys.query, Query::Keys { bucket: bucket(), span });
        let all = asked("$bucket", Wanted::Eq("b".into())).expect("understood");
        assert_eq!(all.query, Query::Keys { bucket: bucket(), span: Span::default() });
        let error = |field, wanted| asked(field, wanted).expect_err("makes no sense").to_string();
        assert_eq!(error("f_bad", Wanted::Eq("1".into())), "{unknown_field_type,<<\"f_bad\">>}");
        let parsing = error("n_int", Wanted::Eq("abc".into()));
        assert_eq!(parsing, "{field_parsing_failed,{<<\"n_int\">>,<<\"abc\">>}}");
    }

    #[test]
    fn a_page_is_continued_where_it_ended_and_strangers_bytes_are_refused() {
        let last = Entry { term: int("-5"), key: "k\0".into() };
        assert_eq!(continued(continuation(&last).as_bytes()), Ok(last));
        for bad in ["", "!", "AQ==", "g2gCbQAAAAJhYW0AAAACaTI=", "Af////8="] {
            assert!(continued(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn entries_that_cannot_be_kept_are_found_before_they_are_written() {
        let content = |bytes: usize| Content {
            indexes: vec![Pair::new(b"f_bin", b"x"), Pair::new(b"g_bin", &vec![b'x'; bytes])],
            ..Content::default()
        };
        let key = Key::new(b"b", b"k");
        assert_eq!(too_long(&content(10_000), &key), None);
        let long = content(TERM_BYTES_MAX + 1);
        assert_eq!(too_long(&long, &key), Some(&long.indexes[1]));
    }
}
