//! Reading and changing data types.

use cartwheel_core::membership::{Bucket, Rules};
use cartwheel_riak::pb::message::{DtFetchReq, DtUpdateReq, RpbCounterGetReq, RpbCounterUpdateReq};
use cartwheel_riak::pb::{DtFetch, DtUpdate, OldCounter, Refusal, kind_of};
use cartwheel_riak::props::Owner;

use super::Trouble;
use super::objects::{fresh_id, named};
use super::outgoing::Outgoing;
use crate::http::Api;
use crate::server::Question;

/// Shows a data type.
pub(super) async fn fetch(api: &Api, request: &DtFetchReq, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    let fetch = DtFetch::new(request, &api.defaults)?;
    let kind = kind_of(fetch.bucket(), rules(api, fetch.bucket()).await?.as_ref())?;
    let result = api.ask(fresh_id(), fetch.key(), fetch.op(), fetch.timeout()).await;
    Ok(out.send(&fetch.answer(kind, result)?).await?)
}

/// Changes a data type.
pub(super) async fn update(api: &Api, request: DtUpdateReq, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    let id = named(request.request_id.as_ref())?;
    let update = DtUpdate::new(request, &api.defaults)?;
    let limit = api.bodies.each_max;
    if update.value_bytes() > limit as u64 {
        return Err(Refusal::ValueTooLarge { limit }.into());
    }
    let rules = rules(api, update.bucket()).await?;
    let kind = kind_of(update.bucket(), rules.as_ref())?;
    let rules = rules.ok_or(Refusal::NoDataType)?;
    let key = update.key(id)?;
    let result = api.ask(id, &key, update.op(kind, &rules)?, update.timeout()).await;
    Ok(out.send(&update.answer(&key, result)?).await?)
}

/// Shows a counter of the old kind.
pub(super) async fn get_counter(
    api: &Api,
    request: &RpbCounterGetReq,
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    let counter = OldCounter::get(request, &api.defaults)?;
    let rules = rules(api, counter.bucket()).await?.ok_or(Refusal::NoDataType)?;
    let result = api.ask(fresh_id(), counter.key(), counter.op(&rules)?, None).await;
    Ok(out.send(&counter.got(result)?).await?)
}

/// Changes a counter of the old kind.
pub(super) async fn update_counter(
    api: &Api,
    request: &RpbCounterUpdateReq,
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    let id = named(request.request_id.as_ref())?;
    let counter = OldCounter::update(request, &api.defaults)?;
    let rules = rules(api, counter.bucket()).await?.ok_or(Refusal::NoDataType)?;
    let result = api.ask(id, counter.key(), counter.op(&rules)?, None).await;
    Ok(out.send(&counter.updated(result)?).await?)
}

/// What holds for a bucket; `None`: there is no such bucket type.
async fn rules(api: &Api, bucket: &Bucket) -> Result<Option<Rules>, Refusal> {
    let owner = Owner::Bucket(bucket.clone());
    let held = api.ask_question(|answer| Question::Props(owner, answer)).await;
    Ok(held.map_err(|refused| Refusal::Other(refused.message))?.map(|held| held.rules))
}
