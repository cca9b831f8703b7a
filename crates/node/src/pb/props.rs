//! Properties of buckets and bucket types.

use cartwheel_riak::pb::message::{
    RpbBucketProps, RpbGetBucketReq, RpbGetBucketTypeReq, RpbResetBucketReq, RpbSetBucketReq,
    RpbSetBucketTypeReq,
};
use cartwheel_riak::pb::props::{asked, not_set, shown};
use cartwheel_riak::pb::{Refusal, bucket_of, code};
use cartwheel_riak::props::Owner;

use super::Trouble;
use super::outgoing::Outgoing;
use crate::cluster::Refused;
use crate::http::Api;
use crate::server::{AskedOp, Question};

pub(super) async fn of_bucket(
    api: &Api,
    request: &RpbGetBucketReq,
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    show(api, Owner::Bucket(bucket_of(request.bucket_type.as_deref(), &request.bucket)), out).await
}

pub(super) async fn of_type(
    api: &Api,
    request: &RpbGetBucketTypeReq,
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    show(api, Owner::Type(request.bucket_type.to_vec()), out).await
}

pub(super) async fn set(api: &Api, request: &RpbSetBucketReq, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    let bucket = bucket_of(request.bucket_type.as_deref(), &request.bucket);
    write(api, Owner::Bucket(bucket), &request.props, out).await
}

pub(super) async fn set_type(
    api: &Api,
    request: &RpbSetBucketTypeReq,
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    write(api, Owner::Type(request.bucket_type.to_vec()), &request.props, out).await
}

/// Riak does not mind if there is no such type.
pub(super) async fn reset(
    api: &Api,
    request: &RpbResetBucketReq,
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    let bucket = bucket_of(request.bucket_type.as_deref(), &request.bucket);
    let owner = Owner::Bucket(bucket.clone());
    api.change(AskedOp::ResetProps(bucket)).await.map_err(|refused| refusal(&owner, refused))?;
    out.send_bare(code::RESET_BUCKET_RESP);
    Ok(())
}

async fn show(api: &Api, owner: Owner, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    let held = api.ask_question(|answer| Question::Props(owner.clone(), answer)).await;
    let held = held.map_err(|refused| refusal(&owner, refused))?;
    Ok(out.send(&shown(&owner, held.as_ref())?).await?)
}

async fn write(
    api: &Api,
    owner: Owner,
    message: &RpbBucketProps,
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    let props = asked(message, api.defaults.n)?;
    let op = match owner.clone() {
        Owner::Bucket(bucket) => AskedOp::SetProps(bucket, props),
        Owner::Type(name) => AskedOp::SetTypeProps(name, props),
    };
    api.change(op).await.map_err(|refused| refusal(&owner, refused))?;
    out.send_bare(code::SET_BUCKET_RESP);
    Ok(())
}

fn refusal(owner: &Owner, refused: Refused) -> Refusal {
    match refused.why {
        Some(error) => not_set(owner, &error),
        None => Refusal::Other(refused.message),
    }
}
