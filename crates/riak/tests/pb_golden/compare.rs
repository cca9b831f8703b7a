//! Comparing our answers with recorded ones, without the names that differ by nature: contexts, tags, dates, made keys.

use std::collections::HashMap;

use bytes::Bytes;
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::frame::Frame;
use cartwheel_riak::pb::message::{
    DtFetchResp, DtUpdateReq, DtUpdateResp, RpbContent, RpbGetReq, RpbGetResp, RpbPutReq, RpbPutResp,
};
use prost::Message;

/// Vclocks as Riak made them, and ours for the same things.
#[derive(Default)]
pub struct Vclocks(HashMap<Bytes, Bytes>);

impl Vclocks {
    /// A recorded request, with our vclocks.
    pub fn translate(&self, Frame { code, body }: &Frame) -> Frame {
        let body = match *code {
            code::GET_REQ => RpbGetReq::decode(body.clone()).map(|mut request| {
                self.replace(&mut request.if_modified);
                request.encode_to_vec()
            }),
            code::PUT_REQ => RpbPutReq::decode(body.clone()).map(|mut request| {
                self.replace(&mut request.vclock);
                request.encode_to_vec()
            }),
            code::DT_UPDATE_REQ => DtUpdateReq::decode(body.clone()).map(|mut request| {
                self.replace(&mut request.context);
                request.encode_to_vec()
            }),
            _ => Ok(body.to_vec()),
        };
        // What is no message is sent as it was.
        Frame { code: *code, body: body.map_or_else(|_| Bytes::new(), Bytes::from) }
    }

    fn replace(&self, vclock: &mut Option<Bytes>) {
        if let Some(ours) = vclock.as_ref().and_then(|theirs| self.0.get(theirs)) {
            *vclock = Some(ours.clone());
        }
    }

    fn learn(&mut self, theirs: &mut Option<Bytes>, ours: &mut Option<Bytes>) {
        if let (Some(theirs), Some(ours)) = (theirs, ours) {
            self.0.insert(std::mem::take(theirs), std::mem::take(ours));
        }
    }

    /// Their answer and ours, comparable.
    pub fn comparable(&mut self, code: u8, theirs: &Bytes, ours: &Bytes) -> (Bytes, Bytes) {
        match code {
            code::GET_RESP => {
                let [mut theirs, mut ours] =
                    [theirs, ours].map(|body| RpbGetResp::decode(body.clone()).expect("a message"));
                self.learn(&mut theirs.vclock, &mut ours.vclock);
                for answer in [&mut theirs, &mut ours] {
                    anonymous(&mut answer.content);
                }
                (theirs.encode_to_vec().into(), ours.encode_to_vec().into())
            }
            code::PUT_RESP => {
                let [mut theirs, mut ours] =
                    [theirs, ours].map(|body| RpbPutResp::decode(body.clone()).expect("a message"));
                self.learn(&mut theirs.vclock, &mut ours.vclock);
                for answer in [&mut theirs, &mut ours] {
                    anonymous(&mut answer.content);
                    answer.key = answer.key.take().map(|_| Bytes::new());
                }
                (theirs.encode_to_vec().into(), ours.encode_to_vec().into())
            }
            code::DT_FETCH_RESP => {
                let [mut theirs, mut ours] =
                    [theirs, ours].map(|body| DtFetchResp::decode(body.clone()).expect("a message"));
                self.learn(&mut theirs.context, &mut ours.context);
                (theirs.encode_to_vec().into(), ours.encode_to_vec().into())
            }
            code::DT_UPDATE_RESP => {
                let [mut theirs, mut ours] =
                    [theirs, ours].map(|body| DtUpdateResp::decode(body.clone()).expect("a message"));
                self.learn(&mut theirs.context, &mut ours.context);
                for answer in [&mut theirs, &mut ours] {
                    answer.key = answer.key.take().map(|_| Bytes::new());
                }
                (theirs.encode_to_vec().into(), ours.encode_to_vec().into())
            }
            _ => (theirs.clone(), ours.clone()),
        }
    }
}

fn anonymous(contents: &mut [RpbContent]) {
    for content in contents {
        content.vtag = content.vtag.take().map(|_| Bytes::new());
        content.last_mod = content.last_mod.map(|_| 0);
        content.last_mod_usecs = content.last_mod_usecs.map(|_| 0);
    }
}
