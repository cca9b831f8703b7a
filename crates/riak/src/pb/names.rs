//! Types, buckets and keys of requests.

use cartwheel_core::Key;
use cartwheel_core::id::RequestId;
use cartwheel_core::membership::Bucket;

use super::refusal::Refusal;
use crate::vtag;

/// The key that a request names.
///
/// # Errors
///
/// A part of it is empty, or it is longer than peers and disks take.
pub fn key_of(bucket_type: Option<&[u8]>, bucket: &[u8], key: &[u8]) -> Result<Key, Refusal> {
    if bucket.is_empty() {
        return Err(Refusal::EmptyBucket);
    }
    if key.is_empty() {
        return Err(Refusal::EmptyKey);
    }
    if bucket_type.is_some_and(<[u8]>::is_empty) {
        return Err(Refusal::EmptyType);
    }
    let key = Key::typed(bucket_type.unwrap_or(Key::DEFAULT_TYPE), bucket, key);
    if cartwheel_wire::key_fits(&key) { Ok(key) } else { Err(Refusal::KeyTooLong) }
}

/// A key that the server makes: the same for each retry of `request`.
///
/// # Errors
///
/// [`Refusal::KeyTooLong`], if the bucket's name leaves no room for a key.
pub(super) fn key_made(bucket: &Bucket, request: RequestId) -> Result<Key, Refusal> {
    key_of(Some(&bucket.bucket_type), &bucket.name, vtag::key_for(request).as_bytes())
}

/// The bucket that a request names, whatever it is called.
pub fn bucket_of(bucket_type: Option<&[u8]>, bucket: &[u8]) -> Bucket {
    Bucket { bucket_type: bucket_type.unwrap_or(Key::DEFAULT_TYPE).to_vec(), name: bucket.to_vec() }
}
