//! A value and what its writer said about it.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use cartwheel_riak::pb::message::{RpbContent, RpbLink, RpbPair};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// A value with its media type, metadata, links and index entries. What of it was read goes back as it was when it is written
/// again.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Content(pub(crate) RpbContent);

/// A pointer to another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its bucket.
    pub bucket: Bytes,
    /// The key.
    pub key: Bytes,
    /// What the link means.
    pub tag: Bytes,
}

impl Content {
    /// Bytes of the media type `content_type`.
    pub fn new(value: impl Into<Bytes>, content_type: &str) -> Self {
        let content_type = Some(Bytes::copy_from_slice(content_type.as_bytes()));
        Self(RpbContent { value: value.into(), content_type, ..RpbContent::default() })
    }

    /// Text (`text/plain`, UTF-8).
    pub fn text(value: impl Into<String>) -> Self {
        let content = Self::new(value.into(), "text/plain");
        Self(RpbContent { charset: Some(Bytes::from_static(b"utf-8")), ..content.0 })
    }

    /// `value` as JSON (`application/json`).
    ///
    /// # Errors
    ///
    /// [`Error::Value`]: it cannot be JSON.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        Ok(Self::new(serde_json::to_vec(value)?, "application/json"))
    }

    /// The bytes.
    pub fn value(&self) -> &Bytes {
        &self.0.value
    }

    /// The bytes as text; what is no UTF-8 is replaced.
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0.value)
    }

    /// The value that is written there in JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Value`]: it is not.
    pub fn parse_json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(serde_json::from_slice(&self.0.value)?)
    }

    /// The media type.
    pub fn content_type(&self) -> Option<Cow<'_, str>> {
        self.0.content_type.as_deref().map(String::from_utf8_lossy)
    }

    /// Its charset.
    pub fn charset(&self) -> Option<Cow<'_, str>> {
        self.0.charset.as_deref().map(String::from_utf8_lossy)
    }

    /// How it is encoded: `gzip` and the like.
    pub fn content_encoding(&self) -> Option<Cow<'_, str>> {
        self.0.content_encoding.as_deref().map(String::from_utf8_lossy)
    }

    /// With that encoding.
    #[must_use]
    pub fn with_content_encoding(mut self, encoding: &str) -> Self {
        self.0.content_encoding = Some(Bytes::copy_from_slice(encoding.as_bytes()));
        self
    }

    /// The version's short name, made by the server. `None` in what was not read from one.
    pub fn vtag(&self) -> Option<Cow<'_, str>> {
        self.0.vtag.as_deref().map(String::from_utf8_lossy)
    }

    /// When the version was written, by its coordinator's clock.
    pub fn modified(&self) -> Option<SystemTime> {
        let seconds = Duration::from_secs(self.0.last_mod?.into());
        let micros = Duration::from_micros(self.0.last_mod_usecs.unwrap_or_default().into());
        Some(SystemTime::UNIX_EPOCH + seconds + micros)
    }

    /// Whether this version is a delete. It has no value.
    pub fn is_deleted(&self) -> bool {
        self.0.deleted == Some(true)
    }

    /// The writer's own field `name`. Names are kept as they are, and HTTP clients see them as `X-Riak-Meta-NAME`.
    pub fn meta(&self, name: impl AsRef<[u8]>) -> Option<&Bytes> {
        let found = self.0.usermeta.iter().find(|pair| pair.key == name.as_ref());
        found.and_then(|pair| pair.value.as_ref())
    }

    /// All fields of the writer's own.
    pub fn metas(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        pairs(&self.0.usermeta)
    }

    /// With the field `name`, in place of one that has that name.
    #[must_use]
    pub fn with_meta(mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        let key = name.into();
        self.0.usermeta.retain(|pair| pair.key != key);
        self.0.usermeta.push(RpbPair { key, value: Some(value.into()) });
        self
    }

    /// The index entries: names ending in `_int` or `_bin`, and values.
    pub fn indexes(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        pairs(&self.0.indexes)
    }

    /// With an entry in the index of numbers `name`, without its ending `_int`. A key may have several.
    #[must_use]
    pub fn with_index_int(self, name: &str, value: i64) -> Self {
        self.with_index(format!("{name}_int"), value.to_string())
    }

    /// With an entry in the index of bytes `name`, without its ending `_bin`. A key may have several.
    #[must_use]
    pub fn with_index_bin(self, name: &str, value: impl Into<Bytes>) -> Self {
        self.with_index(format!("{name}_bin"), value)
    }

    fn with_index(mut self, name: String, value: impl Into<Bytes>) -> Self {
        self.0.indexes.push(RpbPair { key: name.into(), value: Some(value.into()) });
        self
    }

    /// Without any index entry.
    #[must_use]
    pub fn without_indexes(mut self) -> Self {
        self.0.indexes.clear();
        self
    }

    /// The links.
    pub fn links(&self) -> impl Iterator<Item = Link> {
        self.0.links.iter().map(|link| Link {
            bucket: link.bucket.clone().unwrap_or_default(),
            key: link.key.clone().unwrap_or_default(),
            tag: link.tag.clone().unwrap_or_default(),
        })
    }

    /// With one link more.
    #[must_use]
    pub fn with_link(mut self, Link { bucket, key, tag }: Link) -> Self {
        self.0.links.push(RpbLink { bucket: Some(bucket), key: Some(key), tag: Some(tag) });
        self
    }

    /// What is sent: what the server says about versions is left out.
    pub(crate) fn to_sent(&self) -> RpbContent {
        RpbContent { vtag: None, last_mod: None, last_mod_usecs: None, deleted: None, ..self.0.clone() }
    }
}

fn pairs(pairs: &[RpbPair]) -> impl Iterator<Item = (&Bytes, &Bytes)> {
    static EMPTY: Bytes = Bytes::new();
    pairs.iter().map(|pair| (&pair.key, pair.value.as_ref().unwrap_or(&EMPTY)))
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes, "application/octet-stream")
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::new(bytes, "application/octet-stream")
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Content");
        shown.field("value", self.value()).field("content_type", &self.content_type());
        shown.field("vtag", &self.vtag()).field("deleted", &self.is_deleted());
        shown.field("metas", &self.metas().collect::<Vec<_>>());
        shown.field("indexes", &self.indexes().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_goes_back_without_what_the_server_said() {
        let read = RpbContent {
            value: Bytes::from_static(b"milk"),
            vtag: Some(Bytes::from_static(b"v")),
            last_mod: Some(1_700_000_000),
            last_mod_usecs: Some(5),
            charset: Some(Bytes::from_static(b"latin-1")),
            ..RpbContent::default()
        };
        let content = Content(read).with_meta("color", "red").with_meta("color", "blue");
        let sent = content.to_sent();
        assert_eq!((sent.vtag, sent.last_mod), (None, None));
        assert_eq!(sent.charset.as_deref(), Some(&b"latin-1"[..]));
        assert_eq!(sent.usermeta, [RpbPair::new(b"color", b"blue")]);
    }

    #[test]
    fn json_says_its_type() {
        let content = Content::json(&["milk"]).expect("JSON");
        assert_eq!(content.content_type().as_deref(), Some("application/json"));
        assert_eq!(content.parse_json::<Vec<String>>().expect("JSON"), ["milk"]);
        assert!(matches!(content.parse_json::<u8>(), Err(Error::Value(_))));
    }
}
