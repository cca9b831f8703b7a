//! Responses that carry no object.

use bytes::Bytes;
use cartwheel_core::version::Context;
use cartwheel_core::{ClientError, Invalid, Key, QuorumKind, Unfit};
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, VARY, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use super::fields;
use super::refusal::Refusal;

/// A whole response. The driver drops the body of an answer to HEAD; its length is in the headers.
pub type Response = http::Response<Bytes>;

/// What a failed request's numbers are told in, beside Riak's text.
pub(super) const ERROR: HeaderName = HeaderName::from_static("x-cartwheel-error");
pub(super) const DELETED: HeaderName = HeaderName::from_static("x-riak-deleted");

/// The answer to a ping.
pub fn pong() -> Response {
    html(StatusCode::OK, "OK".to_owned())
}

pub(super) fn with_body(status: StatusCode, content_type: &[u8], body: Bytes) -> Response {
    let length = body.len();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, content_type);
    set(&mut response, CONTENT_LENGTH, length.to_string().as_bytes());
    response
}

/// No body, hence no length.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Response {
    with_body(status, b"text/plain", text.into().into())
}

pub(super) fn html(status: StatusCode, body: String) -> Response {
    with_body(status, b"text/html", body.into())
}

pub(super) fn set(response: &mut Response, name: HeaderName, value: &[u8]) {
    response.headers_mut().insert(name, header_value(value));
}

/// Stored bytes as a header. Other APIs may have stored what a header cannot hold: that is escaped, so that no stored
/// value can forge a header.
pub(super) fn header_value(value: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(value)
        .or_else(|_| HeaderValue::from_str(&value.escape_ascii().to_string()))
        .unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Nothing to show; the context of what was deleted, if anything was.
pub(super) fn not_found(deleted: Option<&Context>) -> Response {
    let mut response = text(StatusCode::NOT_FOUND, "not found\n");
    if let Some(context) = deleted {
        set(&mut response, HeaderName::from_static(fields::VCLOCK), fields::vclock(context).as_bytes());
        set(&mut response, DELETED, b"true");
    }
    response
}

pub(super) fn refused(refusal: &Refusal) -> Response {
    let status = refusal.status();
    match refusal {
        Refusal::NoSuchPage => no_such_page(),
        Refusal::UnknownMethod(_) => html(
            status,
            format!(
                "<html><head><title>501 Not Implemented</title></head><body><h1>Not Implemented</h1>{refusal}<br>\
                 <P><HR><ADDRESS>mochiweb+webmachine web server</ADDRESS></body></html>"
            ),
        ),
        Refusal::MethodNotAllowed { allow } => {
            let mut response = html(status, plain_page(status));
            set(&mut response, ALLOW, allow.as_bytes());
            response
        }
        Refusal::Unauthenticated => {
            let mut response = html(status, plain_page(status));
            set(&mut response, WWW_AUTHENTICATE, b"Basic realm=\"Riak\"");
            response
        }
        Refusal::NotAcceptable | Refusal::NotJson => html(status, plain_page(status)),
        Refusal::Property(_) => with_body(status, b"application/json", refusal.to_string().into()),
        _ => text(status, refusal.to_string()),
    }
}

/// Riak's page for what does not exist.
pub(super) fn no_such_page() -> Response {
    html(
        StatusCode::NOT_FOUND,
        "<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD><BODY><H1>Not Found</H1>The requested document was not \
         found on this server.<P><HR><ADDRESS>mochiweb+webmachine web server</ADDRESS></BODY></HTML>"
            .to_owned(),
    )
}

fn plain_page(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    format!(
        "<html><head><title>{} {reason}</title></head><body><h1>{reason}</h1><p><hr><address>mochiweb+webmachine web \
         server</address></body></html>",
        status.as_u16()
    )
}

/// There is no active bucket type of the name that `key` has.
pub(super) fn no_type(key: &Key) -> Response {
    refused(&Refusal::UnknownType(String::from_utf8_lossy(key.bucket_type()).into_owned()))
}

/// What is there is not as the client demands.
pub(super) fn precondition_failed() -> Response {
    html(StatusCode::PRECONDITION_FAILED, plain_page(StatusCode::PRECONDITION_FAILED))
}

/// Riak's page for what it cannot make sense of.
pub(super) fn bad_request() -> Response {
    html(StatusCode::BAD_REQUEST, plain_page(StatusCode::BAD_REQUEST))
}

pub(super) fn failed(error: &ClientError) -> Response {
    let mut response = match error {
        ClientError::Invalid(Invalid::Quorum { asked, n }) if asked > n => {
            text(StatusCode::BAD_REQUEST, Refusal::QuorumBeyondN { n: *n }.to_string())
        }
        ClientError::Invalid(_) => text(StatusCode::BAD_REQUEST, format!("{error}\n")),
        ClientError::Timeout { .. } => text(StatusCode::SERVICE_UNAVAILABLE, "request timed out\n"),
        ClientError::QuorumUnmet { quorum, needed, got } => {
            text(StatusCode::SERVICE_UNAVAILABLE, unmet(*quorum, *needed, *got))
        }
        ClientError::Unfit(Unfit::Found) => precondition_failed(),
        ClientError::Unfit(_) => html(StatusCode::CONFLICT, plain_page(StatusCode::CONFLICT)),
        ClientError::Overloaded { .. } | ClientError::NotAMember => {
            text(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"))
        }
        // Where it is said with the name, by `no_type`, this is not come to.
        ClientError::NoType => text(StatusCode::NOT_FOUND, format!("{error}\n")),
        // As Riak says it, crash and all.
        ClientError::Refused(refusal) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("Error:\n{}\n", crate::datatype::refused(refusal)),
        ),
        ClientError::StorageFailed => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    };
    // A condition that does not hold, and a removal of nothing, are answers, and Riak's to the byte.
    if !matches!(error, ClientError::Unfit(_) | ClientError::Refused(_)) {
        set(&mut response, ERROR, error.to_string().as_bytes());
    }
    response
}

fn unmet(quorum: QuorumKind, needed: u8, got: u8) -> String {
    match quorum {
        QuorumKind::R => format!("R-value unsatisfied: {got}/{needed}\n"),
        QuorumKind::Pr => format!("PR-value unsatisfied: {got}/{needed}\n"),
        QuorumKind::W => "Too Many write failures to satisfy W/DW\n".to_owned(),
        QuorumKind::Pw => format!("PW-value unsatisfied: {got}/{needed}\n"),
    }
}

pub(super) fn vary_encoding(response: &mut Response) {
    set(response, VARY, b"Accept-Encoding");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_its_numbers() {
        let error = |quorum| ClientError::QuorumUnmet { quorum, needed: 2, got: 1 };
        let body = |quorum| failed(&error(quorum)).body().clone();
        assert_eq!(body(QuorumKind::R), "R-value unsatisfied: 1/2\n");
        assert_eq!(body(QuorumKind::Pr), "PR-value unsatisfied: 1/2\n");
        assert_eq!(body(QuorumKind::W), "Too Many write failures to satisfy W/DW\n");
        let error = error(QuorumKind::Pw);
        assert_eq!(failed(&error).headers()["x-cartwheel-error"], error.to_string().as_str());
    }

    #[test]
    fn who_has_not_proven_its_name_is_asked_to() {
        let response = refused(&Refusal::Unauthenticated);
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()["www-authenticate"], "Basic realm=\"Riak\"");
        assert_eq!(refused(&Refusal::Insecure).status().as_u16(), 426);
        assert_eq!(refused(&Refusal::Forbidden("no".to_owned())).body(), "no");
    }

    #[test]
    fn no_stored_value_can_forge_a_header() {
        assert_eq!(header_value(b"a\r\nX-Evil: 1"), "a\\r\\nX-Evil: 1");
        assert_eq!(header_value("žluť".as_bytes()).as_bytes(), "žluť".as_bytes());
    }
}
