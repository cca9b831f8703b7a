//! Which permissions a message takes.

use cartwheel_riak::pb::{Request, bucket_of};

use crate::security::{Permission, Scope};

/// What must have been granted for `request`, all of it, and where; nothing, for what every user may do.
pub(crate) fn needs(request: &Request) -> Vec<(Permission, Scope)> {
    let mut needs = Vec::from_iter(need(request));
    // Who may find keys may not therefore read what they hold.
    if let Request::Index(it) = request
        && it.return_body == Some(true)
        && let Some((_, scope)) = needs.first()
    {
        needs.push((Permission::Get, scope.clone()));
    }
    needs
}

fn need(request: &Request) -> Option<(Permission, Scope)> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use cartwheel_riak::pb::message::RpbIndexReq;

    #[test]
    fn an_index_query_that_returns_objects_takes_what_reading_them_takes() {
        let bucket = Scope::Bucket(bucket_of(None, b"carts"));
        let query = |return_body| {
            Request::Index(Box::new(RpbIndexReq {
                bucket: "carts".into(),
                return_body,
                ..RpbIndexReq::default()
            }))
        };
        let index = (Permission::Index, bucket.clone());
        for without in [None, Some(false)] {
            assert_eq!(needs(&query(without)), std::slice::from_ref(&index));
        }
        assert_eq!(needs(&query(Some(true))), [index, (Permission::Get, bucket)]);
        assert_eq!(needs(&Request::Ping), []);
    }
}
