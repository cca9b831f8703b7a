//! The name of a value, and its place on the ring.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use crate::ring::Token;

/// Bucket type, bucket and key, with the [`Token`] they hash to. Cheap to clone. Ordered by token first, so that a
/// partition is one range of an ordered store.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Beside the rest and not in it: most comparisons end here.
    token: Token,
    parts: Arc<Parts>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Parts {
    bucket_type: Box<[u8]>,
    bucket: Box<[u8]>,
    key: Box<[u8]>,
}

impl Key {
    /// The bucket type of buckets that name none.
    pub const DEFAULT_TYPE: &'static [u8] = b"default";

    /// A key of the default bucket type.
    pub fn new(bucket: &[u8], key: &[u8]) -> Self {
        Self::typed(Self::DEFAULT_TYPE, bucket, key)
    }

    /// A key of a bucket of type `bucket_type`.
    pub fn typed(bucket_type: &[u8], bucket: &[u8], key: &[u8]) -> Self {
        Self {
            token: Token::of(bucket_type, bucket, key),
            parts: Arc::new(Parts {
                bucket_type: bucket_type.into(),
                bucket: bucket.into(),
                key: key.into(),
            }),
        }
    }

    /// Sorts before every key of `token`: the lower bound of a range of keys. No client's key.
    pub fn before(token: Token) -> Self {
        Self { token, parts: Arc::new(Parts { bucket_type: [].into(), bucket: [].into(), key: [].into() }) }
    }

    /// Where on the ring the key lives.
    pub fn token(&self) -> Token {
        self.token
    }

    /// The type of the bucket, `default` where none was named.
    pub fn bucket_type(&self) -> &[u8] {
        &self.parts.bucket_type
    }

    /// The bucket's name within its type.
    pub fn bucket(&self) -> &[u8] {
        &self.parts.bucket
    }

    /// The key's name within its bucket.
    pub fn key(&self) -> &[u8] {
        &self.parts.key
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bucket_type() != Self::DEFAULT_TYPE {
            write!(f, "{}/", self.bucket_type().escape_ascii())?;
        }
        write!(f, "{}/{}", self.bucket().escape_ascii(), self.key().escape_ascii())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
