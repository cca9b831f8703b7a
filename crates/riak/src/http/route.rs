//! Paths.

use cartwheel_core::Key;
use http::Method;
use percent_encoding::percent_decode;

use super::link::Form;
use super::refusal::Refusal;

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Ping,
    /// What paths there are.
    Root,
    Bucket(Bucket),
    /// A bucket by its older path: its properties, or a key that the server makes.
    OldBucket(Bucket),
    Object(Bucket, Vec<u8>),
    /// A data type; `None`: whose key the server makes.
    DataType(Bucket, Option<Vec<u8>>),
    /// A counter of the older kind.
    Counter(Bucket, Vec<u8>),
    /// The properties of a bucket.
    Props(Bucket),
    /// The properties of a bucket type.
    TypeProps(Vec<u8>),
    /// The buckets of a type.
    Buckets(Option<Vec<u8>>),
    /// A secondary index of a bucket: its name, and one value or two.
    Index(Bucket, Vec<u8>, Vec<Vec<u8>>),
}

/// A bucket, and how the client spelled it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// `None`: the path named no type.
    pub bucket_type: Option<Vec<u8>>,
    pub bucket: Vec<u8>,
    pub form: Form,
}

impl Bucket {
    fn new(bucket_type: Option<Vec<u8>>, bucket: &str) -> Result<Self, Refusal> {
        Ok(Self { bucket_type, bucket: name(bucket)?, form: Form::default() })
    }

    pub fn key(&self, key: &[u8]) -> Result<Key, Refusal> {
        let key = Key::typed(self.bucket_type.as_deref().unwrap_or(Key::DEFAULT_TYPE), &self.bucket, key);
        if cartwheel_wire::key_fits(&key) { Ok(key) } else { Err(Refusal::KeyTooLong) }
    }
}

impl Route {
    pub fn parse(path: &str) -> Result<Self, Refusal> {
        let mut segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        if segments.len() > 1 && segments.last() == Some(&"") {
            segments.pop();
        }
        match segments.as_slice() {
            ["ping"] => Ok(Self::Ping),
            [""] => Ok(Self::Root),
            ["riak", bucket] => {
                Ok(Self::OldBucket(Bucket { form: Form::Riak, ..Bucket::new(None, bucket)? }))
            }
            ["riak", bucket, rest @ ..] => {
                Self::below(Bucket { form: Form::Riak, ..Bucket::new(None, bucket)? }, rest)
            }
            ["buckets"] => Ok(Self::Buckets(None)),
            ["types", bucket_type, "buckets"] => Ok(Self::Buckets(Some(name(bucket_type)?))),
            ["buckets", bucket, "index", field, values @ ..] => {
                Self::index(Bucket::new(None, bucket)?, field, values)
            }
            ["types", bucket_type, "buckets", bucket, "index", field, values @ ..] => {
                Self::index(Bucket::new(Some(name(bucket_type)?), bucket)?, field, values)
            }
            ["buckets", bucket, "props"] => Self::props(None, bucket),
            ["types", bucket_type, "props"] => Ok(Self::TypeProps(name(bucket_type)?)),
            ["types", bucket_type, "buckets", bucket, "props"] => {
                Self::props(Some(name(bucket_type)?), bucket)
            }
            ["buckets", bucket, "keys", rest @ ..] => Self::in_bucket(None, bucket, rest),
            ["types", bucket_type, "buckets", bucket, "keys", rest @ ..] => {
                Self::in_bucket(Some(name(bucket_type)?), bucket, rest)
            }
            ["types", bucket_type, "buckets", bucket, "datatypes"] => {
                Ok(Self::DataType(Bucket::new(Some(name(bucket_type)?), bucket)?, None))
            }
            ["types", bucket_type, "buckets", bucket, "datatypes", key] => {
                Ok(Self::DataType(Bucket::new(Some(name(bucket_type)?), bucket)?, Some(name(key)?)))
            }
            ["buckets", bucket, "counters", key] => Ok(Self::Counter(Bucket::new(None, bucket)?, name(key)?)),
            _ => Err(Refusal::NoSuchPage),
        }
    }

    fn props(bucket_type: Option<Vec<u8>>, bucket: &str) -> Result<Self, Refusal> {
        Ok(Self::Props(Bucket::new(bucket_type, bucket)?))
    }

    fn in_bucket(bucket_type: Option<Vec<u8>>, bucket: &str, rest: &[&str]) -> Result<Self, Refusal> {
        Self::below(Bucket::new(bucket_type, bucket)?, rest)
    }

    fn index(bucket: Bucket, field: &str, values: &[&str]) -> Result<Self, Refusal> {
        if !(1..=2).contains(&values.len()) {
            return Err(Refusal::NoSuchPage);
        }
        let values = values.iter().map(|value| unquote(value.as_bytes())).collect();
        Ok(Self::Index(bucket, name(field)?, values))
    }

    fn below(bucket: Bucket, rest: &[&str]) -> Result<Self, Refusal> {
        match rest {
            [] => Ok(Self::Bucket(bucket)),
            [key] => Ok(Self::Object(bucket, name(key)?)),
            _ => Err(Refusal::LinkWalk),
        }
    }

    /// The methods that make sense here, as Riak lists them.
    pub fn allow(&self) -> &'static str {
        match self {
            Self::Ping | Self::Root => "HEAD, GET",
            Self::OldBucket(_) => "HEAD, GET, POST, PUT",
            Self::Bucket(_) => "HEAD, GET, POST",
            Self::Buckets(_) | Self::Index(..) => "HEAD, GET",
            Self::DataType(..) | Self::Counter(..) => "GET, HEAD, POST",
            Self::Props(_) => "HEAD, GET, PUT, DELETE",
            Self::TypeProps(_) => "HEAD, GET, PUT",
            Self::Object(..) => "HEAD, GET, POST, PUT, DELETE",
        }
    }

    /// Refuses methods that nobody knows, and those that make no sense here.
    pub fn check_method(&self, method: &Method) -> Result<(), Refusal> {
        let allow = self.allow();
        if allow.split(", ").any(|allowed| allowed == method.as_str()) {
            return Ok(());
        }
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "OPTIONS"];
        if known.contains(&method.as_str()) {
            Err(Refusal::MethodNotAllowed { allow })
        } else {
            Err(Refusal::UnknownMethod(method.to_string()))
        }
    }
}

/// One path segment: percent-encoded, `+` is a blank. Empty names name nothing.
fn name(segment: &str) -> Result<Vec<u8>, Refusal> {
    if segment.is_empty() {
        return Err(Refusal::NoSuchPage);
    }
    Ok(unquote(segment.as_bytes()))
}

/// Undoes what Riak's clients do to names: percent-encoding, with `+` for a blank.
pub(super) fn unquote(text: &[u8]) -> Vec<u8> {
    let blanks: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_decode(&blanks).collect()
}

/// A name as part of a path.
pub(super) fn quote(name: &[u8]) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encode(name, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(path: &str) -> Key {
        match Route::parse(path) {
            Ok(Route::Object(bucket, key)) => bucket.key(&key).expect("short"),
            other => panic!("{path} is {other:?}"),
        }
    }

    #[test]
    fn names_are_decoded() {
        assert_eq!(object("/buckets/p%2F1/keys/a%20b%2Fc"), Key::new(b"p/1", b"a b/c"));
        assert_eq!(object("/buckets/b/keys/a+b%2B"), Key::new(b"b", b"a b+"));
        assert_eq!(object("/types/t/buckets/b/keys/%FF"), Key::typed(b"t", b"b", b"\xff"));
    }

    #[test]
    fn the_older_path_names_the_same() {
        assert_eq!(object("/riak/b/a%2Fb"), object("/buckets/b/keys/a%2Fb"));
        assert_eq!(Route::parse("/riak/b/k/_,_,1"), Err(Refusal::LinkWalk));
        assert!(matches!(Route::parse("/riak/b"), Ok(Route::OldBucket(_))));
        assert_eq!(Route::parse("/"), Ok(Route::Root));
    }

    #[test]
    fn the_default_type_may_be_named() {
        assert_eq!(object("/types/default/buckets/b/keys/k"), object("/buckets/b/keys/k"));
    }

    #[test]
    fn a_quoted_name_decodes_to_itself() {
        let name = b"a b/c+%\xff~-_.";
        assert_eq!(unquote(quote(name).as_bytes()), name);
    }

    #[test]
    fn a_name_that_no_disk_would_take_is_refused() {
        let bucket = Bucket { bucket_type: None, bucket: b"b".to_vec(), form: Form::default() };
        assert_eq!(bucket.key(&[0; 40_000]), Err(Refusal::KeyTooLong));
    }

    #[test]
    fn empty_names_name_nothing() {
        for path in ["/buckets//keys/x", "/riak//k", "/types//buckets/b/keys/k", "/buckets/x1", "/nosuch"] {
            assert_eq!(Route::parse(path), Err(Refusal::NoSuchPage), "{path}");
        }
    }
}
