//! One version, shown.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Context, Value, Version};
use http::header::{CONTENT_ENCODING, ETAG, HeaderName, LAST_MODIFIED, LINK};
use http::{HeaderValue, StatusCode};

use super::fields::{self, INDEX_PREFIX, META_PREFIX};
use super::link::{self, Form};
use super::response::{self, Response, set};
use crate::content::{Content, Undecodable};
use crate::{datatype, vtag};

/// A version with what it carries.
pub(super) struct Shown {
    pub vtag: String,
    pub modified: SystemTime,
    pub deleted: bool,
    pub content: Content,
}

impl Shown {
    pub fn new(version: &Version) -> Result<Self, Undecodable> {
        let content = match &version.value {
            Value::Data(data) => Content::from_data(data)?,
            Value::DataType(value) => datatype::as_content(value),
            Value::Tombstone => Content {
                content_type: Some(Bytes::from_static(b"application/octet-stream")),
                ..Content::default()
            },
        };
        Ok(Self {
            vtag: vtag::of_version(version.dot),
            modified: modified(version.written_at),
            deleted: version.value == Value::Tombstone,
            content,
        })
    }

    /// The media type with its charset.
    pub fn content_type(&self) -> String {
        let lossy = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let media_type = self.content.content_type.as_ref().map(lossy);
        let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
        match &self.content.charset {
            Some(charset) => format!("{media_type}; charset={}", lossy(charset)),
            None => media_type,
        }
    }

    /// The stored encoding, where it is one that a client must be able to undo.
    pub fn encoding(&self) -> Option<String> {
        let encoding = self.content.content_encoding.as_ref()?;
        Some(String::from_utf8_lossy(encoding).into_owned()).filter(|encoding| encoding != "identity")
    }

    /// The headers of the writer's own making: name and value.
    pub fn custom(&self) -> Vec<(String, Vec<u8>)> {
        let named = |prefix: &str, key: &[u8]| format!("{prefix}{}", String::from_utf8_lossy(key));
        let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
        for pair in &self.content.user_meta {
            headers.push((named(META_PREFIX, &pair.key), pair.value.clone().unwrap_or_default().to_vec()));
        }
        let metas = headers.len();
        for pair in &self.content.indexes {
            let (name, value) = (named(INDEX_PREFIX, &pair.key), pair.value.clone().unwrap_or_default());
            match headers[metas..].iter_mut().find(|(have, _)| *have == name) {
                Some((_, values)) => values.extend([b", ".as_slice(), &value].concat()),
                None => headers.push((name, value.to_vec())),
            }
        }
        headers
    }

    /// A response of its own.
    pub fn render(&self, status: StatusCode, (bucket, form): (&[u8], Form), context: &Context) -> Response {
        let mut response =
            response::with_body(status, self.content_type().as_bytes(), self.content.value.clone());
        set(&mut response, HeaderName::from_static(fields::VCLOCK), fields::vclock(context).as_bytes());
        for (name, value) in self.custom() {
            // A name that HTTP cannot spell was stored by another API; it is shown there.
            if let Ok(name) = HeaderName::try_from(name) {
                response.headers_mut().append(name, response::header_value(&value));
            }
        }
        response::vary_encoding(&mut response);
        set(&mut response, LINK, link::render(&self.content.links, bucket, form).as_bytes());
        set(&mut response, LAST_MODIFIED, httpdate::fmt_http_date(self.modified).as_bytes());
        set(&mut response, ETAG, format!("\"{}\"", self.vtag).as_bytes());
        if let Some(encoding) = &self.content.content_encoding {
            set(&mut response, CONTENT_ENCODING, encoding);
        }
        if self.deleted {
            set(&mut response, response::DELETED, b"true");
        }
        response
    }
}

/// The client has it already.
pub(super) fn not_modified(etag: &str) -> Response {
    let mut response = response::empty(StatusCode::NOT_MODIFIED);
    response::vary_encoding(&mut response);
    set(&mut response, ETAG, format!("\"{etag}\"").as_bytes());
    response
}

/// Something is stored that this software cannot read.
pub(super) fn undecodable(error: &Undecodable) -> Response {
    response::text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"))
}

/// HTTP dates have whole seconds, and end with the year 9999; a broken clock does not.
pub(super) fn modified(written_at: WallTime) -> SystemTime {
    const YEAR_10000: u64 = 253_402_300_800;
    SystemTime::UNIX_EPOCH + Duration::from_secs((written_at.0 / 1_000_000).min(YEAR_10000 - 1))
}

/// `x-riak-meta-foo-bar` as people write it. Used inside bodies, where the HTTP library does not name the headers.
pub(super) fn title_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// Whether a header of a body part can be written down as it is.
pub(super) fn spelled(name: &str, value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::try_from(name).ok()?, response::header_value(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_beyond_the_year_9999_breaks_nothing() {
        assert_eq!(httpdate::fmt_http_date(modified(WallTime(u64::MAX))), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn header_names_inside_bodies_look_like_riaks() {
        assert_eq!(title_case("x-riak-meta-foo-bar"), "X-Riak-Meta-Foo-Bar");
    }
}
