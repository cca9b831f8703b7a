//! Who does what is asked.

use bytes::Bytes;
use cartwheel_riak::pb::message::RpbGetServerInfoResp;
use cartwheel_riak::pb::{Refusal, Request, code};

use super::needs::needs;
use super::outgoing::Outgoing;
use super::{Trouble, datatypes, listings, objects, preflist, props};
use crate::http::Api;
use crate::metrics::RIAK_VERSION;
use crate::security::Visitor;

/// Does what `request` asks, and sends the answer: one message, or many.
pub(super) async fn answer(
    api: &Api,
    visitor: &Visitor,
    request: Request,
    out: &mut Outgoing<'_>,
) -> Result<(), Trouble> {
    for (permission, scope) in needs(&request) {
        visitor.may(permission, &scope)?;
    }
    match request {
        Request::Ping => out.send_bare(code::PING_RESP),
        Request::GetServerInfo => out.send(&server_info(api)).await?,
        Request::Get(request) => objects::get(api, &request, out).await?,
        Request::Put(request) => objects::put(api, *request, out).await?,
        Request::Del(request) => objects::delete(api, &request, out).await?,
        Request::Preflist(request) => preflist::show(api, &request, out).await?,
        Request::ListBuckets(request) => listings::buckets(api, &request, out).await?,
        Request::ListKeys(request) => listings::keys(api, &request, out).await?,
        Request::Index(request) => listings::index(api, &request, out).await?,
        Request::Coverage(_) => return Err(unsupported("a coverage plan")),
        Request::GetBucket(request) => props::of_bucket(api, &request, out).await?,
        Request::SetBucket(request) => props::set(api, &request, out).await?,
        Request::ResetBucket(request) => props::reset(api, &request, out).await?,
        Request::GetBucketType(request) => props::of_type(api, &request, out).await?,
        Request::SetBucketType(request) => props::set_type(api, &request, out).await?,
        Request::DtFetch(request) => datatypes::fetch(api, &request, out).await?,
        Request::DtUpdate(request) => datatypes::update(api, *request, out).await?,
        Request::CounterGet(request) => datatypes::get_counter(api, &request, out).await?,
        Request::CounterUpdate(request) => datatypes::update_counter(api, &request, out).await?,
        Request::MapRed(_) => return Err(unsupported("MapReduce")),
        // The session's: nobody gets here with them.
        Request::GetClientId | Request::SetClientId(_) | Request::Auth(_) | Request::StartTls => {
            return Err(unsupported("this message at this point"));
        }
    }
    Ok(())
}

fn unsupported(what: &'static str) -> Trouble {
    Refusal::Unsupported(what).into()
}

fn server_info(api: &Api) -> RpbGetServerInfoResp {
    RpbGetServerInfoResp {
        node: Some(Bytes::copy_from_slice(api.node.as_bytes())),
        server_version: Some(Bytes::from_static(RIAK_VERSION.as_bytes())),
    }
}
