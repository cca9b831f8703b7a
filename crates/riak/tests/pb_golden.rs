//! Recorded frames of Riak, replayed against the protocol-buffers mapping and a node that is nothing but a map.
//!
//! Names that differ by nature (contexts, tags, dates, made keys) are compared by position, as in `http_golden`.

#[path = "pb_golden/compare.rs"]
mod compare;
#[path = "pb_golden/exchange.rs"]
mod exchange;
#[path = "pb_golden/props.rs"]
mod props;
#[allow(dead_code, reason = "its HTTP side is for http_golden")]
#[path = "http_golden/toy.rs"]
mod toy;

use bytes::{Bytes, BytesMut};
use cartwheel_core::id::RequestId;
use cartwheel_core::{Answer, ClientError, ClientOp, Invalid, Key, Quorum};
use cartwheel_riak::http::Defaults;
use cartwheel_riak::pb::frame::{self, Frame};
use cartwheel_riak::pb::message::{
    Coded, DtFetchReq, DtFetchResp, DtUpdateReq, DtUpdateResp, RpbCounterGetReq, RpbCounterGetResp,
    RpbCounterUpdateReq, RpbCounterUpdateResp, RpbErrorResp, RpbGetBucketKeyPreflistResp, RpbGetBucketReq,
    RpbGetBucketResp, RpbGetClientIdResp, RpbGetResp, RpbGetServerInfoResp, RpbIndexReq, RpbIndexResp,
    RpbListBucketsResp, RpbListKeysReq, RpbListKeysResp, RpbPutResp, RpbSetBucketReq,
};
use cartwheel_riak::pb::{Delete, Get, Put, Refusal, Request, code};
use compare::Names;
use exchange::{Exchange, Recorded};
use prost::Message;
use quickcheck::quickcheck;
use toy::Toy;

const DEFAULTS: Defaults = Defaults { n: 3 };

fn recording() -> Vec<Exchange> {
    exchange::parse_all(include_str!("golden/pb.txt"))
}

/// Every message that Riak sent, and every one that it was sent, is made of the same bytes after it was read.
#[test]
fn recorded_messages_survive_our_structs_to_the_byte() {
    let mut read = 0;
    for Exchange { name, request, answers } in recording() {
        let answers = answers.into_iter().filter_map(|answer| match answer {
            Recorded::Frame(frame) => Some(frame),
            _ => None,
        });
        for Frame { code, body } in answers.chain([request]) {
            if let Some(again) = again(code, &body) {
                assert_eq!(again, body, "{name}: code {code}");
                read += 1;
            }
        }
    }
    assert!(read > 140, "{read} messages");
}

/// A message read and written; nothing for what has no body or is none.
fn again(code: u8, body: &Bytes) -> Option<Bytes> {
    fn through<M: Message + Default>(body: &Bytes) -> Option<Bytes> {
        Some(M::decode(body.clone()).ok()?.encode_to_vec().into())
    }
    match code {
        code::ERROR_RESP => through::<RpbErrorResp>(body),
        code::GET_CLIENT_ID_RESP => through::<RpbGetClientIdResp>(body),
        code::GET_SERVER_INFO_RESP => through::<RpbGetServerInfoResp>(body),
        code::GET_RESP => through::<RpbGetResp>(body),
        code::PUT_RESP => through::<RpbPutResp>(body),
        code::LIST_BUCKETS_RESP => through::<RpbListBucketsResp>(body),
        code::LIST_KEYS_REQ => through::<RpbListKeysReq>(body),
        code::LIST_KEYS_RESP => through::<RpbListKeysResp>(body),
        code::GET_BUCKET_REQ => through::<RpbGetBucketReq>(body),
        code::GET_BUCKET_RESP => through::<RpbGetBucketResp>(body),
        code::SET_BUCKET_REQ => through::<RpbSetBucketReq>(body),
        code::INDEX_REQ => through::<RpbIndexReq>(body),
        code::INDEX_RESP => through::<RpbIndexResp>(body),
        code::GET_BUCKET_KEY_PREFLIST_RESP => through::<RpbGetBucketKeyPreflistResp>(body),
        code::COUNTER_UPDATE_REQ => through::<RpbCounterUpdateReq>(body),
        code::COUNTER_UPDATE_RESP => through::<RpbCounterUpdateResp>(body),
        code::COUNTER_GET_REQ => through::<RpbCounterGetReq>(body),
        code::COUNTER_GET_RESP => through::<RpbCounterGetResp>(body),
        code::DT_FETCH_REQ => through::<DtFetchReq>(body),
        code::DT_FETCH_RESP => through::<DtFetchResp>(body),
        code::DT_UPDATE_RESP => through::<DtUpdateResp>(body),
        // The probe does not write its fields in the order of their numbers here.
        code::DT_UPDATE_REQ => DtUpdateReq::decode(body.clone()).map(|_| body.clone()).ok(),
        _ => None,
    }
}

#[derive(Default)]
struct Replay {
    toy: Toy,
    requests: u128,
}

impl Replay {
    fn answer(&mut self, request: Request) -> Result<Frame, Refusal> {
        self.requests += 1;
        match request {
            Request::Get(request) => {
                let get = Get::new(&request, &DEFAULTS)?;
                Ok(framed(&get.answer(self.run(get.key(), get.op()))?))
            }
            Request::Put(request) => {
                let put = Put::new(*request, &DEFAULTS)?;
                let key = put.key(RequestId(self.requests))?;
                Ok(framed(&put.answer(&key, self.run(&key, put.op()))?))
            }
            Request::Del(request) => {
                if let Some(delete) = Delete::new(&request, &DEFAULTS)?
                    && let Some(context) = delete.seen(self.run(delete.key(), delete.read_op()))?
                {
                    self.run(delete.key(), delete.write_op(context))?;
                }
                Ok(Frame { code: code::DEL_RESP, body: Bytes::new() })
            }
            other => panic!("{other:?} is about no key"),
        }
    }

    /// The core refuses quorums that cannot be met; the map has none.
    fn run(&mut self, key: &Key, op: ClientOp) -> Result<Answer, ClientError> {
        let quorum = match &op {
            ClientOp::Get(options) => options.r,
            ClientOp::Put { options, .. } | ClientOp::Update { options, .. } => options.w,
        };
        match quorum {
            Quorum::Count(asked) if asked > DEFAULTS.n => {
                Err(ClientError::Invalid(Invalid::Quorum { asked, n: DEFAULTS.n }))
            }
            _ => self.toy.run(key, op),
        }
    }
}

fn framed<M: Coded>(message: &M) -> Frame {
    Frame { code: M::CODE, body: message.encode_to_vec().into() }
}

/// A get without its key, which has none here rather than an undefined one; and what the node's data types are about.
const ELSEWHERE: [&str; 4] =
    ["get missing required key", "get on crdt key via kv", "kv put in crdt bucket", "write_once rb"];

#[test]
fn keys_are_read_written_and_deleted_as_with_riak() {
    let (mut replay, mut names) = (Replay::default(), Names::default());
    let mut compared = 0;
    for Exchange { name, request, answers } in recording() {
        let about_keys = [code::GET_REQ, code::PUT_REQ, code::DEL_REQ].contains(&request.code);
        if !about_keys || ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        let [answer] = answers.as_slice() else { panic!("{name}: {} answers", answers.len()) };
        let mut result =
            || Request::read(names.translate(&request)).and_then(|request| replay.answer(request));
        match answer {
            // The request before had made Riak hang up, and this one was never read.
            Recorded::Closed => continue,
            Recorded::Cut(_) => panic!("{name} is cut"),
            Recorded::Crash if name == "garbage get body" => {
                assert!(Request::read(request).expect_err("no message").closes(), "{name}");
            }
            Recorded::Crash => {
                let refusal = result().expect_err("Riak crashed");
                assert!(refusal.to_string().starts_with("Error processing incoming message:"), "{name}");
                assert!(refusal.closes(), "{name}");
            }
            Recorded::Frame(theirs) => {
                let ours = result().unwrap_or_else(|refusal| {
                    assert!(!refusal.closes(), "{name}");
                    framed(&refusal.message())
                });
                assert_eq!(ours.code, theirs.code, "{name}: {ours:?}");
                let (theirs, ours) = names.comparable(ours.code, &theirs.body, &ours.body);
                assert_eq!(theirs, ours, "{name}");
            }
        }
        compared += 1;
    }
    assert!(compared > 30, "{compared} exchanges");
}

quickcheck! {
    fn whatever_is_read_is_framed_and_read_again(code: u8, body: Vec<u8>) -> bool {
        let Ok(request) = Request::read(Frame { code, body: body.into() }) else { return true };
        let mut bytes = BytesMut::new();
        match &request {
            Request::Get(message) => frame::put(&mut bytes, message),
            Request::Put(message) => frame::put(&mut bytes, message.as_ref()),
            Request::Del(message) => frame::put(&mut bytes, message),
            Request::DtUpdate(message) => frame::put(&mut bytes, message.as_ref()),
            Request::SetBucket(message) => frame::put(&mut bytes, message.as_ref()),
            Request::Index(message) => frame::put(&mut bytes, message.as_ref()),
            _ => return true,
        }
        let frame = frame::take(&mut bytes, 1 << 20).expect("a frame").expect("a whole one");
        bytes.is_empty() && Request::read(frame) == Ok(request)
    }
}
