//! What a request asks for.

use cartwheel_core::id::RequestId;
use http::request::Parts;
use http::{HeaderMap, Method};

use super::datatype::DataType;
use super::delete::Delete;
use super::get::Get;
use super::index::Index;
use super::listing::List;
use super::props::BucketProps;
use super::put::Put;
use super::query::Query;
use super::refusal::Refusal;
use super::resources::Resources;
use super::response::{self, Response};
use super::route::Route;

/// What the node is configured with, as far as reading a request depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// N.
    pub n: u8,
}

/// One request, understood.
#[derive(Clone, Debug)]
pub enum Call {
    /// Are you there? Answer with [`pong`](super::pong).
    Ping,
    /// Which paths are there? Answer with [`Resources::render`](super::Resources::render).
    Resources(Resources),
    /// Show a key.
    Get(Get),
    /// Write a key; wants the body.
    Put(Put),
    /// Delete a key.
    Delete(Delete),
    /// Show or change a data type; to change it wants the body.
    DataType(DataType),
    /// Show, set or reset the properties of a bucket or a bucket type; to set them wants the body.
    Props(BucketProps),
    /// List keys or buckets.
    List(List),
    /// Query a secondary index.
    Index(Box<Index>),
}

impl Call {
    /// Reads a request's head. Refuses what makes no sense before the body is read.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], to be rendered with [`Call::refuse`]; nothing was done.
    pub fn parse(head: &Parts, defaults: &Defaults) -> Result<Self, Refusal> {
        let route = Route::parse(head.uri.path())?;
        route.check_method(&head.method)?;
        match (route, &head.method) {
            (Route::Ping, _) => Ok(Self::Ping),
            (Route::Root, _) => Resources::parse(head).map(Self::Resources),
            (Route::OldBucket(bucket), &Method::POST) => {
                Put::parse(bucket, None, head, defaults).map(Self::Put)
            }
            (Route::OldBucket(bucket), _) => {
                Query::parse(head.uri.query(), defaults).refuse_old_listing()?;
                BucketProps::of_bucket(bucket, head, defaults).map(Self::Props)
            }
            (Route::Bucket(bucket), &Method::POST) => Put::parse(bucket, None, head, defaults).map(Self::Put),
            (Route::Bucket(bucket), _) => List::keys(bucket, head, defaults).map(Self::List),
            (Route::Buckets(bucket_type), _) => List::buckets(bucket_type, head, defaults).map(Self::List),
            (Route::Index(bucket, field, values), _) => {
                let index = Index::parse(bucket, &field, values, head, defaults);
                index.map(|index| Self::Index(Box::new(index)))
            }
            (Route::Props(bucket), _) => BucketProps::of_bucket(bucket, head, defaults).map(Self::Props),
            (Route::TypeProps(name), _) => BucketProps::of_type(name, head, defaults).map(Self::Props),
            (Route::DataType(bucket, key), _) => {
                DataType::typed(bucket, key, head, defaults).map(Self::DataType)
            }
            (Route::Counter(bucket, key), _) => {
                DataType::counter(bucket, &key, head, defaults).map(Self::DataType)
            }
            (Route::Object(bucket, key), method) if [Method::PUT, Method::POST].contains(method) => {
                Put::parse(bucket, Some(key), head, defaults).map(Self::Put)
            }
            (Route::Object(bucket, key), &Method::DELETE) => {
                Delete::parse(&bucket, &key, head, defaults).map(Self::Delete)
            }
            (Route::Object(bucket, key), _) => Get::parse(&bucket, &key, head, defaults).map(Self::Get),
        }
    }

    /// Tells a client why its request was not carried out.
    pub fn refuse(refusal: &Refusal) -> Response {
        response::refused(refusal)
    }
}

/// The client's own name for its request, which makes a retry safe: `X-Cartwheel-Request-Id`, 32 hexadecimal digits.
///
/// # Errors
///
/// [`Refusal::RequestId`] if it is anything else.
pub fn request_id(headers: &HeaderMap) -> Result<Option<RequestId>, Refusal> {
    let Some(header) = headers.get("x-cartwheel-request-id") else { return Ok(None) };
    let digits = header.to_str().map_err(|_| Refusal::RequestId)?;
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::RequestId);
    }
    u128::from_str_radix(digits, 16).map(|id| Some(RequestId(id))).map_err(|_| Refusal::RequestId)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(header: &'static str) -> Result<Option<RequestId>, Refusal> {
        let name = http::HeaderName::from_static("x-cartwheel-request-id");
        request_id(&HeaderMap::from_iter([(name, http::HeaderValue::from_static(header))]))
    }

    #[test]
    fn a_request_id_is_32_digits_and_no_sign() {
        assert_eq!(id("000000000000000000000000000000ff"), Ok(Some(RequestId(255))));
        assert_eq!(id("+00000000000000000000000000000ff"), Err(Refusal::RequestId));
        assert_eq!(id("ff"), Err(Refusal::RequestId));
    }
}
