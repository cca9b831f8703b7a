//! Reading, writing and deleting keys.

use cartwheel_core::id::RequestId;
use cartwheel_riak::pb::message::{RpbDelReq, RpbGetReq, RpbPutReq};
use cartwheel_riak::pb::{Delete, Get, Put, Refusal, code};

use super::Trouble;
use super::outgoing::Outgoing;
use crate::http::Api;
use crate::runtime;

/// Reads a key.
pub(super) async fn get(api: &Api, request: &RpbGetReq, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    let get = Get::new(request, &api.defaults)?;
    let result = api.ask(fresh_id(), get.key(), get.op(), get.timeout()).await;
    Ok(out.send(&get.answer(result)?).await?)
}

/// Writes a key.
pub(super) async fn put(api: &Api, request: RpbPutReq, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    let put = Put::new(request, &api.defaults)?;
    let limit = api.bodies.each_max;
    if put.value_bytes() > limit {
        return Err(Refusal::ValueTooLarge { limit }.into());
    }
    let id = fresh_id();
    let key = put.key(id)?;
    let result = api.ask(id, &key, put.op(), put.timeout()).await;
    Ok(out.send(&put.answer(&key, result)?).await?)
}

/// Deletes a key, if it is there.
pub(super) async fn delete(api: &Api, request: &RpbDelReq, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    if let Some(delete) = Delete::new(request, &api.defaults)? {
        let id = fresh_id();
        let context = match delete.context() {
            Some(context) => Some(context.clone()),
            None => delete.seen(api.ask(id, delete.key(), delete.read_op(), delete.timeout()).await)?,
        };
        if let Some(context) = context {
            let written = api.ask(id, delete.key(), delete.write_op(context), delete.timeout()).await;
            written.map_err(Refusal::from)?;
        }
    }
    out.send_bare(code::DEL_RESP);
    Ok(())
}

/// Messages have no ids: each request is a new one.
fn fresh_id() -> RequestId {
    RequestId(u128::from_le_bytes(runtime::random()))
}
