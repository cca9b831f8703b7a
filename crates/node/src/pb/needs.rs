//! Which permission a message takes.

use cartwheel_riak::pb::{Request, bucket_of};

use crate::security::{Permission, Scope};

/// What must have been granted for `request`, and where; nothing, for what every user may do.
pub(crate) fn need(request: &Request) -> Option<(Permission, Scope)> {
    let bucket = |bucket_type: Option<&[u8]>, bucket: &[u8]| Scope::Bucket(bucket_of(bucket_type, bucket));
    Some(match request {
        Request::Ping
        | Request::GetClientId
        | Request::SetClientId(_)
        | Request::GetServerInfo
        | Request::Auth(_)
        | Request::StartTls => return None,
        Request::Get(it) => (Permission::Get, bucket(it.bucket_type.as_deref(), &it.bucket)),
        Request::Put(it) => (Permission::Put, bucket(it.bucket_type.as_deref(), &it.bucket)),
        Request::Del(it) => (Permission::Delete, bucket(it.bucket_type.as_deref(), &it.bucket)),
        Request::ListBuckets(it) => {
            let default = cartwheel_core::Key::DEFAULT_TYPE;
            (Permission::ListBuckets, Scope::Type(it.bucket_type.as_deref().unwrap_or(default).to_vec()))
        }
        Request::ListKeys(it) => (Permission::ListKeys, bucket(it.bucket_type.as_deref(), &it.bucket)),
        Request::GetBucket(it) => (Permission::GetBucket, bucket(it.bucket_type.as_deref(), &it.bucket)),
        Request::SetBucket(it) => (Permission::SetBucket, bucket(it.bucket_type.as_deref(), &it.bucket)),
        Request::ResetBucket(it) => (Permission::SetBucket, bucket(it.bucket_type.as_deref(), &it.bucket)),
        Request::GetBucketType(it) => (Permission::GetBucketType, Scope::Type(it.bucket_type.to_vec())),
        Request::SetBucketType(it) => (Permission::SetBucketType, Scope::Type(it.bucket_type.to_vec())),
        Request::MapRed(_) => (Permission::MapReduce, Scope::Any),
        Request::Index(it) => (Permission::Index, bucket(it.bucket_type.as_deref(), &it.bucket)),
        Request::Coverage(it) => (Permission::Index, bucket(it.bucket_type.as_deref(), &it.bucket)),
        Request::Preflist(it) => (Permission::GetPreflist, bucket(it.bucket_type.as_deref(), &it.bucket)),
        Request::CounterGet(it) => (Permission::Get, bucket(None, &it.bucket)),
        Request::CounterUpdate(it) => (Permission::Put, bucket(None, &it.bucket)),
        Request::DtFetch(it) => (Permission::Get, bucket(Some(&it.bucket_type), &it.bucket)),
        Request::DtUpdate(it) => (Permission::Put, bucket(Some(&it.bucket_type), &it.bucket)),
    })
}
