//! Listing keys and buckets.

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::coverage::{CoverageError, Listing, Query, Span};

use super::get::timeout;
use super::message::{RpbListBucketsReq, RpbListKeysReq};
use super::names::bucket_of;
use super::refusal::Refusal;
use crate::index;

/// The keys of a bucket.
///
/// # Errors
///
/// It makes no sense; nothing was done.
pub fn list_keys(request: &RpbListKeysReq) -> Result<Listing, Refusal> {
    let bucket = bucket_of(request.bucket_type.as_deref(), &request.bucket);
    if bucket.name.is_empty() {
        return Err(Refusal::EmptyBucket);
    }
    let query = Query::Keys { bucket, span: Span::default() };
    Ok(Listing { query, after: None, limit: None, timeout: timeout(request.timeout)? })
}

/// The buckets of a type.
///
/// # Errors
///
/// It makes no sense; nothing was done.
pub fn list_buckets(request: &RpbListBucketsReq) -> Result<Listing, Refusal> {
    let bucket_type = request.bucket_type.clone().unwrap_or(Bytes::from_static(Key::DEFAULT_TYPE));
    let query = Query::Buckets { bucket_type };
    Ok(Listing { query, after: None, limit: None, timeout: timeout(request.timeout)? })
}

/// Why there is no list, or no more of it.
pub fn uncovered(query: &Query, error: &CoverageError) -> Refusal {
    Refusal::Other(match error {
        CoverageError::NoType => {
            format!("No bucket-type named '{}'", String::from_utf8_lossy(query.bucket_type()))
        }
        error => index::reason(error).to_owned(),
    })
}
