//! Which permission a request takes.

use cartwheel_core::id::RequestId;
use cartwheel_core::membership::Bucket;
use cartwheel_riak::http::{Call, Listed, PropsVerb};
use cartwheel_riak::props::Owner;

use super::policy::{Permission, Scope};

/// What must have been granted for `call`, and where; nothing, for what every user may do.
pub(crate) fn need(call: &Call) -> Option<(Permission, Scope)> {
    match call {
        Call::Ping | Call::Resources(_) => None,
        Call::Get(get) => Some((Permission::Get, Scope::Bucket(Bucket::of(get.key())))),
        // A put whose key has yet to be made has a bucket; one whose key is too long is refused later.
        Call::Put(put) => {
            let scope = put.key(RequestId(0)).map_or(Scope::Any, |key| Scope::Bucket(Bucket::of(&key)));
            Some((Permission::Put, scope))
        }
        Call::Delete(delete) => Some((Permission::Delete, Scope::Bucket(Bucket::of(delete.key())))),
        Call::List(list) => Some(match list.listed().clone() {
            Listed::Keys(bucket) => (Permission::ListKeys, Scope::Bucket(bucket)),
            Listed::Buckets(bucket_type) => (Permission::ListBuckets, Scope::Type(bucket_type)),
        }),
        Call::Index(index) => Some((Permission::Index, Scope::Bucket(index.bucket().clone()))),
        Call::DataType(call) => {
            let permission = if call.is_change() { Permission::Put } else { Permission::Get };
            Some((permission, Scope::Bucket(call.bucket())))
        }
        Call::Props(props) => {
            let shows = props.verb() == PropsVerb::Show;
            Some(match props.owner().clone() {
                Owner::Bucket(bucket) if shows => (Permission::GetBucket, Scope::Bucket(bucket)),
                Owner::Bucket(bucket) => (Permission::SetBucket, Scope::Bucket(bucket)),
                Owner::Type(name) if shows => (Permission::GetBucketType, Scope::Type(name)),
                Owner::Type(name) => (Permission::SetBucketType, Scope::Type(name)),
            })
        }
    }
}
