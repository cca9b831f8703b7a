//! Several versions at once: 300, as a list of tags or as one body with a part for each.

use bytes::Bytes;
use cartwheel_core::Answer;
use cartwheel_core::version::Siblings;
use http::StatusCode;
use http::header::{ETAG, HeaderName, LAST_MODIFIED, VARY};

use super::accept::Accept;
use super::fields::{self, META_PREFIX};
use super::link::{self, Form};
use super::object::{Shown, spelled, title_case};
use super::response::{self, Response, set};
use crate::vtag;

const LISTED: &str = "text/plain";
const WHOLE: &str = "multipart/mixed";

/// The form that a client wants which reads; `None`: it takes neither.
pub(super) fn form_to_read(accept: &Accept) -> Option<&'static str> {
    accept.choose(&[LISTED, WHOLE])
}

/// The form for a client that has written: it must not be told that it cannot be answered, or it writes again.
pub(super) fn form_of_written(accept: &Accept) -> &'static str {
    accept.choose(&[WHOLE, LISTED]).unwrap_or(LISTED)
}

pub(super) fn render(
    form: &str,
    answer: &Answer,
    shown: &[Shown],
    place: (&[u8], Form),
    vary: &str,
) -> Response {
    let siblings = &answer.siblings;
    let mut response = if form == LISTED { list(shown) } else { parts(siblings, shown, place) };
    let vclock = fields::vclock(&answer.context());
    set(&mut response, HeaderName::from_static(fields::VCLOCK), vclock.as_bytes());
    set(&mut response, VARY, vary.as_bytes());
    if let Some(latest) = shown.iter().map(|sibling| sibling.modified).max() {
        set(&mut response, LAST_MODIFIED, httpdate::fmt_http_date(latest).as_bytes());
    }
    set(&mut response, ETAG, format!("\"{}\"", vtag::of_siblings(siblings)).as_bytes());
    response
}

fn list(shown: &[Shown]) -> Response {
    let tags: String = shown.iter().map(|sibling| format!("{}\n", sibling.vtag)).collect();
    response::text(StatusCode::MULTIPLE_CHOICES, format!("Siblings:\n{tags}"))
}

/// The CRLF before the first boundary and the one after the last matter to Riak's Python client.
fn parts(siblings: &Siblings, shown: &[Shown], place: (&[u8], Form)) -> Response {
    let boundary = boundary(siblings, shown);
    let mut body = Vec::new();
    for sibling in shown {
        body.extend(format!("\r\n--{boundary}\r\n").bytes());
        body.extend(part_headers(sibling, place));
        body.extend(b"\r\n");
        body.extend(&sibling.content.value);
    }
    body.extend(format!("\r\n--{boundary}--\r\n").bytes());
    let content_type = format!("{WHOLE}; boundary={boundary}");
    response::with_body(StatusCode::MULTIPLE_CHOICES, content_type.as_bytes(), Bytes::from(body))
}

fn part_headers(sibling: &Shown, (bucket, form): (&[u8], Form)) -> Vec<u8> {
    let mut headers = vec![("Content-Type".to_owned(), sibling.content_type().into_bytes())];
    if let Some(encoding) = sibling.encoding() {
        headers.push(("Content-Encoding".to_owned(), encoding.into_bytes()));
    }
    headers.push(("Link".to_owned(), link::render(&sibling.content.links, bucket, form).into_bytes()));
    headers.push(("Etag".to_owned(), sibling.vtag.clone().into_bytes()));
    headers.push(("Last-Modified".to_owned(), httpdate::fmt_http_date(sibling.modified).into_bytes()));
    if sibling.deleted {
        headers.push(("X-Riak-Deleted".to_owned(), b"true".to_vec()));
    }
    let casing = |name: &str| if name.starts_with(META_PREFIX) { title_case(name) } else { name.to_owned() };
    headers.extend(sibling.custom().into_iter().map(|(name, value)| (casing(&name), value)));
    let mut block = Vec::new();
    for (name, value) in headers {
        if let Some((_, spelled)) = spelled(&name, &value) {
            block.extend([name.as_bytes(), b": ", spelled.as_bytes(), b"\r\n"].concat());
        }
    }
    block
}

/// A boundary that is in none of the values.
fn boundary(siblings: &Siblings, shown: &[Shown]) -> String {
    let mut number = siblings.digest().0;
    loop {
        let boundary = vtag::base62(number);
        let occurs =
            |value: &Bytes| value.windows(boundary.len()).any(|window| window == boundary.as_bytes());
        if !shown.iter().any(|sibling| occurs(&sibling.content.value)) {
            return boundary;
        }
        number = number.wrapping_add(1);
    }
}
