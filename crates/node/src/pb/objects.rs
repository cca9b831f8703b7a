//! Reading, writing and deleting keys.

use bytes::Bytes;
use cartwheel_core::id::RequestId;
use cartwheel_riak::pb::message::{RpbDelReq, RpbGetReq, RpbPutReq};
use cartwheel_riak::pb::{Delete, Get, Put, Refusal, code, request_id};

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
    let id = named(request.request_id.as_ref())?;
    let put = Put::new(request, &api.defaults)?;
    let limit = api.bodies.each_max;
    if put.value_bytes() > limit {
        return Err(Refusal::ValueTooLarge { limit }.into());
    }
    let key = put.key(id)?;
    let result = api.ask(id, &key, put.op(), put.timeout()).await;
    Ok(out.send(&put.answer(&key, result)?).await?)
}

/// Deletes a key, if it is there.
pub(super) async fn delete(api: &Api, request: &RpbDelReq, out: &mut Outgoing<'_>) -> Result<(), Trouble> {
    if let Some(delete) = Delete::new(request, &api.defaults)? {
        let id = named(request.request_id.as_ref())?;
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

/// The client's own name for its request: the same when it is sent again.
pub(super) fn named(field: Option<&Bytes>) -> Result<RequestId, Refusal> {
    Ok(request_id(field)?.unwrap_or_else(fresh_id))
}

/// A request without a name, as all of Riak's clients send them, is a new one.
pub(super) fn fresh_id() -> RequestId {
    RequestId(u128::from_le_bytes(runtime::random()))
}
