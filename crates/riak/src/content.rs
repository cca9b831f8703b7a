//! What [`Value::Data`] carries: a client's bytes and what it said about them.
//!
//! A protobuf with the field numbers of Riak's `RpbContent`, so that the HTTP and the protocol-buffers API share one
//! stored form. The fields that `RpbContent` has and this has not (vtag, last_mod, deleted) are properties of the
//! version, not of what was written: they are derived when a version is shown, and never stored.

use bytes::Bytes;
use cartwheel_core::version::Value;
use prost::Message;

/// A value as its writer gave it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Content {
    /// The bytes.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub value: Bytes,
    /// Their media type, without its charset.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub content_type: Option<Bytes>,
    /// The media type's charset.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub charset: Option<Bytes>,
    /// `gzip` and the like.
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub content_encoding: Option<Bytes>,
    /// Pointers to other keys, in the writer's order.
    #[prost(message, repeated, tag = "6")]
    pub links: Vec<Link>,
    /// The writer's own fields.
    #[prost(message, repeated, tag = "9")]
    pub user_meta: Vec<Pair>,
    /// Secondary index entries: a name ending in `_bin` or `_int`, and one value each.
    #[prost(message, repeated, tag = "10")]
    pub indexes: Vec<Pair>,
}

/// A named value.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Pair {
    /// The name.
    #[prost(bytes = "bytes", required, tag = "1")]
    pub key: Bytes,
    /// The value.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub value: Option<Bytes>,
}

/// A pointer to another key.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Link {
    /// The bucket pointed to.
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub bucket: Option<Bytes>,
    /// The key pointed to.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub key: Option<Bytes>,
    /// What the link means to the writer.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub tag: Option<Bytes>,
}

/// Stored bytes that are no [`Content`]: another version of the software, or a bug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored content of {size} bytes cannot be decoded: {source}")]
pub struct Undecodable {
    /// How many bytes.
    pub size: usize,
    /// Why not.
    pub source: prost::DecodeError,
}

impl Content {
    /// The form in which it is written.
    pub fn to_value(&self) -> Value {
        Value::Data(self.encode_to_vec().into())
    }

    /// Reads what [`to_value`](Self::to_value) wrote; shares its bytes.
    pub fn from_data(data: &Bytes) -> Result<Self, Undecodable> {
        Self::decode(data.clone()).map_err(|source| Undecodable { size: data.len(), source })
    }
}

impl Pair {
    /// A pair of copies.
    pub fn new(key: &[u8], value: &[u8]) -> Self {
        Self { key: Bytes::copy_from_slice(key), value: Some(Bytes::copy_from_slice(value)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_value_comes_back_as_it_was_written() {
        let content = Content {
            value: Bytes::from_static(b"milk"),
            content_type: Some(Bytes::from_static(b"text/plain")),
            user_meta: vec![Pair::new(b"color", b"red")],
            indexes: vec![Pair::new(b"n_int", b"5")],
            ..Content::default()
        };
        let Value::Data(data) = content.to_value() else { panic!("content is data") };
        assert_eq!(Content::from_data(&data), Ok(content));
    }

    #[test]
    fn an_empty_value_is_not_an_empty_record() {
        let Value::Data(data) = Content::default().to_value() else { panic!("content is data") };
        assert_eq!(data, Bytes::from_static(&[0x0a, 0x00]), "field 1 is required, so it is always there");
    }

    #[test]
    fn foreign_bytes_are_refused() {
        assert_eq!(Content::from_data(&Bytes::from_static(b"\xff\xff")).unwrap_err().size, 2);
    }
}
