//! The messages, as they are on the wire: proto2, with the names and numbers of Riak's own definitions, written down from
//! the protocol's facts.
//!
//! Presence matters: what a client leaves out (`None`) means "as the bucket says", which `false` and 0 do not. A `required`
//! field that is missing is read as its empty value, as Riak does it, too.

mod bucket;
mod coverage;
mod datatype;
mod index;
mod object;
mod session;

use prost::Message;

pub use bucket::{
    ReplMode, RpbBucketProps, RpbCommitHook, RpbGetBucketReq, RpbGetBucketResp, RpbGetBucketTypeReq,
    RpbListBucketsReq, RpbListBucketsResp, RpbListKeysReq, RpbListKeysResp, RpbModFun, RpbResetBucketReq,
    RpbSetBucketReq, RpbSetBucketTypeReq,
};
pub use coverage::{
    RpbBucketKeyPreflistItem, RpbCoverageEntry, RpbCoverageReq, RpbCoverageResp, RpbGetBucketKeyPreflistReq,
    RpbGetBucketKeyPreflistResp,
};
pub use datatype::{
    CounterOp, DtFetchReq, DtFetchResp, DtOp, DtType, DtUpdateReq, DtUpdateResp, DtValue, FlagOp, GSetOp,
    HllOp, MapEntry, MapField, MapFieldType, MapOp, MapUpdate, RpbCounterGetReq, RpbCounterGetResp,
    RpbCounterUpdateReq, RpbCounterUpdateResp, SetOp,
};
pub use index::{IndexQueryType, RpbIndexBodyResp, RpbIndexObject, RpbIndexReq, RpbIndexResp};
pub use object::{RpbContent, RpbDelReq, RpbGetReq, RpbGetResp, RpbLink, RpbPair, RpbPutReq, RpbPutResp};
pub use session::{
    RpbAuthReq, RpbErrorResp, RpbGetClientIdResp, RpbGetServerInfoResp, RpbMapRedReq, RpbMapRedResp,
    RpbSetClientIdReq,
};

/// A message that has a code of its own.
pub trait Coded: Message {
    /// The code that goes before it.
    const CODE: u8;
}

macro_rules! coded {
    ($($message:ty = $code:expr),+ $(,)?) => {
        $(impl Coded for $message {
            const CODE: u8 = $code;
        })+
    };
}

use super::code;

coded! {
    RpbErrorResp = code::ERROR_RESP,
    RpbGetClientIdResp = code::GET_CLIENT_ID_RESP,
    RpbSetClientIdReq = code::SET_CLIENT_ID_REQ,
    RpbGetServerInfoResp = code::GET_SERVER_INFO_RESP,
    RpbGetReq = code::GET_REQ,
    RpbGetResp = code::GET_RESP,
    RpbPutReq = code::PUT_REQ,
    RpbPutResp = code::PUT_RESP,
    RpbDelReq = code::DEL_REQ,
    RpbListBucketsReq = code::LIST_BUCKETS_REQ,
    RpbListBucketsResp = code::LIST_BUCKETS_RESP,
    RpbListKeysReq = code::LIST_KEYS_REQ,
    RpbListKeysResp = code::LIST_KEYS_RESP,
    RpbGetBucketReq = code::GET_BUCKET_REQ,
    RpbGetBucketResp = code::GET_BUCKET_RESP,
    RpbSetBucketReq = code::SET_BUCKET_REQ,
    RpbResetBucketReq = code::RESET_BUCKET_REQ,
    RpbGetBucketTypeReq = code::GET_BUCKET_TYPE_REQ,
    RpbSetBucketTypeReq = code::SET_BUCKET_TYPE_REQ,
    RpbMapRedReq = code::MAP_RED_REQ,
    RpbMapRedResp = code::MAP_RED_RESP,
    RpbIndexReq = code::INDEX_REQ,
    RpbIndexResp = code::INDEX_RESP,
    RpbIndexBodyResp = code::INDEX_BODY_RESP,
    RpbGetBucketKeyPreflistReq = code::GET_BUCKET_KEY_PREFLIST_REQ,
    RpbGetBucketKeyPreflistResp = code::GET_BUCKET_KEY_PREFLIST_RESP,
    RpbCounterUpdateReq = code::COUNTER_UPDATE_REQ,
    RpbCounterUpdateResp = code::COUNTER_UPDATE_RESP,
    RpbCounterGetReq = code::COUNTER_GET_REQ,
    RpbCounterGetResp = code::COUNTER_GET_RESP,
    RpbCoverageReq = code::COVERAGE_REQ,
    RpbCoverageResp = code::COVERAGE_RESP,
    DtFetchReq = code::DT_FETCH_REQ,
    DtFetchResp = code::DT_FETCH_RESP,
    DtUpdateReq = code::DT_UPDATE_REQ,
    DtUpdateResp = code::DT_UPDATE_RESP,
    RpbAuthReq = code::AUTH_REQ,
}
