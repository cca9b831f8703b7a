//! What a frame asks for.

use bytes::Bytes;
use prost::Message;

use super::code;
use super::frame::Frame;
use super::message::{
    DtFetchReq, DtUpdateReq, RpbAuthReq, RpbCounterGetReq, RpbCounterUpdateReq, RpbCoverageReq, RpbDelReq,
    RpbGetBucketKeyPreflistReq, RpbGetBucketReq, RpbGetBucketTypeReq, RpbGetReq, RpbIndexReq,
    RpbListBucketsReq, RpbListKeysReq, RpbMapRedReq, RpbPutReq, RpbResetBucketReq, RpbSetBucketReq,
    RpbSetBucketTypeReq, RpbSetClientIdReq,
};
use super::refusal::Refusal;

/// One request, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Are you there?
    Ping,
    /// Which id have I?
    GetClientId,
    /// My id is this.
    SetClientId(RpbSetClientIdReq),
    /// Who are you?
    GetServerInfo,
    /// Read a key.
    Get(RpbGetReq),
    /// Write a key.
    Put(Box<RpbPutReq>),
    /// Delete a key.
    Del(RpbDelReq),
    /// Which buckets are there?
    ListBuckets(RpbListBucketsReq),
    /// Which keys are in a bucket?
    ListKeys(RpbListKeysReq),
    /// Which properties has a bucket?
    GetBucket(RpbGetBucketReq),
    /// Set properties of a bucket.
    SetBucket(Box<RpbSetBucketReq>),
    /// Give a bucket the defaults again.
    ResetBucket(RpbResetBucketReq),
    /// Which properties has a bucket type?
    GetBucketType(RpbGetBucketTypeReq),
    /// Set properties of a bucket type.
    SetBucketType(Box<RpbSetBucketTypeReq>),
    /// Run map and reduce phases.
    MapRed(RpbMapRedReq),
    /// Which keys have an index entry?
    Index(Box<RpbIndexReq>),
    /// Which nodes keep a key?
    Preflist(RpbGetBucketKeyPreflistReq),
    /// Change a counter of the old kind.
    CounterUpdate(RpbCounterUpdateReq),
    /// Read a counter of the old kind.
    CounterGet(RpbCounterGetReq),
    /// How can a query over everything be split?
    Coverage(RpbCoverageReq),
    /// Read a data type.
    DtFetch(DtFetchReq),
    /// Change a data type.
    DtUpdate(Box<DtUpdateReq>),
    /// This is who I am.
    Auth(RpbAuthReq),
    /// Let us go on with TLS.
    StartTls,
}

impl Request {
    /// Reads a frame.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownCode`]; [`Refusal::Undecodable`], after which Riak hangs up.
    pub fn read(Frame { code, body }: Frame) -> Result<Self, Refusal> {
        Ok(match code {
            code::PING_REQ => Self::Ping,
            code::GET_CLIENT_ID_REQ => Self::GetClientId,
            code::SET_CLIENT_ID_REQ => Self::SetClientId(message(code, body)?),
            code::GET_SERVER_INFO_REQ => Self::GetServerInfo,
            code::GET_REQ => Self::Get(message(code, body)?),
            code::PUT_REQ => Self::Put(message(code, body)?),
            code::DEL_REQ => Self::Del(message(code, body)?),
            code::LIST_BUCKETS_REQ => Self::ListBuckets(message(code, body)?),
            code::LIST_KEYS_REQ => Self::ListKeys(message(code, body)?),
            code::GET_BUCKET_REQ => Self::GetBucket(message(code, body)?),
            code::SET_BUCKET_REQ => Self::SetBucket(message(code, body)?),
            code::RESET_BUCKET_REQ => Self::ResetBucket(message(code, body)?),
            code::GET_BUCKET_TYPE_REQ => Self::GetBucketType(message(code, body)?),
            code::SET_BUCKET_TYPE_REQ => Self::SetBucketType(message(code, body)?),
            code::MAP_RED_REQ => Self::MapRed(message(code, body)?),
            code::INDEX_REQ => Self::Index(message(code, body)?),
            code::GET_BUCKET_KEY_PREFLIST_REQ => Self::Preflist(message(code, body)?),
            code::COUNTER_UPDATE_REQ => Self::CounterUpdate(message(code, body)?),
            code::COUNTER_GET_REQ => Self::CounterGet(message(code, body)?),
            code::COVERAGE_REQ => Self::Coverage(message(code, body)?),
            code::DT_FETCH_REQ => Self::DtFetch(message(code, body)?),
            code::DT_UPDATE_REQ => Self::DtUpdate(message(code, body)?),
            code::AUTH_REQ => Self::Auth(message(code, body)?),
            code::START_TLS => Self::StartTls,
            unknown => return Err(Refusal::UnknownCode(unknown)),
        })
    }
}

fn message<M: Message + Default>(code: u8, body: Bytes) -> Result<M, Refusal> {
    M::decode(body).map_err(|error| Refusal::Undecodable { code, why: error.to_string() })
}
