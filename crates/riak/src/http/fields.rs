//! The headers that a write carries: what will be stored beside its value, and what the client had seen.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use cartwheel_core::version::Context;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LINK};

use super::link;
use super::refusal::Refusal;
use crate::content::{Content, Pair};
use crate::index_entry::{self, NoIndexEntry};

pub(super) const VCLOCK: &str = "x-riak-vclock";
pub(super) const META_PREFIX: &str = "x-riak-meta-";
pub(super) const INDEX_PREFIX: &str = "x-riak-index-";

/// Everything about a value but its bytes.
pub(super) fn content(headers: &HeaderMap) -> Result<Content, Refusal> {
    let (content_type, charset) = content_type(headers)?;
    Ok(Content {
        value: Bytes::new(),
        content_type: Some(content_type),
        charset,
        content_encoding: headers.get(CONTENT_ENCODING).map(|value| Bytes::copy_from_slice(value.as_bytes())),
        links: links(headers)?,
        user_meta: user_meta(headers),
        indexes: indexes(headers)?,
    })
}

/// The context that the client hands back; `None` if it has read nothing.
pub(super) fn context(headers: &HeaderMap) -> Result<Option<Context>, Refusal> {
    context_of(headers, VCLOCK)
}

/// The context in the header `name`.
pub(super) fn context_of(headers: &HeaderMap, name: &str) -> Result<Option<Context>, Refusal> {
    let Some(header) = headers.get(name) else { return Ok(None) };
    let bytes =
        BASE64_STANDARD.decode(header.as_bytes()).map_err(|error| Refusal::Context(error.to_string()))?;
    cartwheel_wire::decode_context(&bytes).map(Some).map_err(|error| Refusal::Context(error.to_string()))
}

/// A context as a client carries it.
pub(super) fn vclock(context: &Context) -> String {
    BASE64_STANDARD.encode(cartwheel_wire::encode_context(context))
}

/// The media type as the client gave it, for the answer to its write.
pub(super) fn raw_content_type(headers: &HeaderMap) -> Bytes {
    headers.get(CONTENT_TYPE).map(|value| Bytes::copy_from_slice(value.as_bytes())).unwrap_or_default()
}

/// The media type and its charset. Other parameters (a multipart boundary) stay with the type.
fn content_type(headers: &HeaderMap) -> Result<(Bytes, Option<Bytes>), Refusal> {
    let header = headers.get(CONTENT_TYPE).ok_or(Refusal::NoContentType)?;
    let text = String::from_utf8_lossy(header.as_bytes()).into_owned();
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    if !media_type.contains('/') {
        return Err(Refusal::MediaType(text));
    }
    let mut kept = media_type.to_owned();
    let mut charset = None;
    for part in parts.filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                charset = Some(value.to_owned().into());
            }
            _ => kept.push_str(&format!("; {part}")),
        }
    }
    Ok((kept.into(), charset))
}

fn links(headers: &HeaderMap) -> Result<Vec<crate::content::Link>, Refusal> {
    let mut links = Vec::new();
    for header in headers.get_all(LINK) {
        links.extend(link::parse(header.to_str().map_err(|_| Refusal::Link)?)?);
    }
    Ok(links)
}

fn user_meta(headers: &HeaderMap) -> Vec<Pair> {
    let named = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().strip_prefix(META_PREFIX).map(|key| Pair::new(key.as_bytes(), value.as_bytes()))
    };
    headers.iter().filter_map(named).collect()
}

fn indexes(headers: &HeaderMap) -> Result<Vec<Pair>, Refusal> {
    let mut entries = Vec::new();
    for (name, values) in headers {
        let Some(field) = name.as_str().strip_prefix(INDEX_PREFIX) else { continue };
        entries.extend(several(values.as_bytes()).into_iter().map(|value| (field.as_bytes(), value)));
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    index_entry::kept(entries).map_err(|bad| match bad {
        NoIndexEntry::Field(field) => Refusal::IndexField(text(field)),
        NoIndexEntry::Value { field, value } => {
            Refusal::IndexValue { field: text(field), value: text(value) }
        }
    })
}

/// Values of one header, which Riak splits at a comma with a space behind it only: `50.1,14.4` is one value.
fn several(mut values: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some(at) = values.windows(2).position(|pair| pair[0] == b',' && pair[1].is_ascii_whitespace()) {
        parts.push(&values[..at]);
        values = &values[at + 2..];
    }
    parts.push(values);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(media_type: &'static str) -> Result<(Bytes, Option<Bytes>), Refusal> {
        content_type(&HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static(media_type))]))
    }

    #[test]
    fn a_media_type_keeps_all_its_parameters() {
        assert_eq!(parsed("text/plain; charset=utf-8"), Ok(("text/plain".into(), Some("utf-8".into()))));
        let form = parsed("multipart/form-data; boundary=x");
        assert_eq!(form, Ok(("multipart/form-data; boundary=x".into(), None)));
        assert_eq!(parsed("bogus"), Err(Refusal::MediaType("bogus".to_owned())));
    }

    #[test]
    fn values_of_an_index_are_apart_where_a_space_follows_the_comma() {
        let headers = [("x-riak-index-loc_bin", "50.1,14.4, 48.2,16.4"), ("x-riak-index-n_int", "10, 9, 9")];
        let headers = headers.map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        let kept = indexes(&HeaderMap::from_iter(headers)).expect("entries");
        let pair = |field: &str, value: &str| Pair::new(field.as_bytes(), value.as_bytes());
        let expected = [
            pair("loc_bin", "48.2,16.4"),
            pair("loc_bin", "50.1,14.4"),
            pair("n_int", "9"),
            pair("n_int", "10"),
        ];
        assert_eq!(kept, expected);
    }
}
