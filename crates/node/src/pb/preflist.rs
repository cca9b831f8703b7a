//! Which nodes keep a key.

use bytes::Bytes;
use cartwheel_riak::pb::message::{
    RpbBucketKeyPreflistItem, RpbGetBucketKeyPreflistReq, RpbGetBucketKeyPreflistResp,
};
use cartwheel_riak::pb::{Refusal, key_of};

use super::Trouble;
use super::outgoing::Outgoing;
use crate::http::Api;
use crate::report::Keeper;
use crate::server::Question;

/// The homes of a key, and for those that are suspected who stands in.
pub(super) async fn show(
    api: &Api,
    request: &RpbGetBucketKeyPreflistReq,
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    let key = key_of(request.bucket_type.as_deref(), &request.bucket, &request.key)?;
    let keepers = api.ask_question(|answer| Question::Keepers(key, answer)).await;
    let keepers = keepers.map_err(|refused| Refusal::Other(refused.message))?;
    let item = |Keeper { partition, node, is_home }| RpbBucketKeyPreflistItem {
        partition: i64::from(partition),
        node: Bytes::from(node),
        primary: is_home,
    };
    Ok(out.send(&RpbGetBucketKeyPreflistResp { preflist: keepers.into_iter().map(item).collect() }).await?)
}
