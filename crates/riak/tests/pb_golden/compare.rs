//! Comparing our answers with recorded ones, without what differs by nature: contexts, tags, dates, made keys, names of nodes,
//! numbers of partitions, and the order of what is listed.

use std::collections::HashMap;
use std::fmt::Debug;

use bytes::Bytes;
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::frame::Frame;
use cartwheel_riak::pb::message::{
    DtFetchResp, DtUpdateReq, DtUpdateResp, RpbContent, RpbErrorResp, RpbGetBucketKeyPreflistResp,
    RpbGetBucketResp, RpbGetReq, RpbGetResp, RpbGetServerInfoResp, RpbIndexResp, RpbListBucketsResp,
    RpbListKeysResp, RpbPutReq, RpbPutResp,
};
use prost::Message;

/// Vclocks and keys as Riak made them, and ours for the same things.
#[derive(Default)]
pub struct Names(HashMap<Bytes, Bytes>);

impl Names {
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

    fn replace(&self, name: &mut Option<Bytes>) {
        if let Some(name) = name {
            *name = self.ours(name);
        }
    }

    fn ours(&self, theirs: &Bytes) -> Bytes {
        self.0.get(theirs).unwrap_or(theirs).clone()
    }

    fn learn(&mut self, theirs: &mut Option<Bytes>, ours: &mut Option<Bytes>) {
        if let (Some(theirs), Some(ours)) = (theirs, ours) {
            self.0.insert(std::mem::take(theirs), std::mem::take(ours));
        }
    }

    /// Their answer and ours, comparable.
    pub fn comparable(&mut self, code: u8, theirs: &Bytes, ours: &Bytes) -> (String, String) {
        match code {
            code::ERROR_RESP => {
                each(theirs, ours, |it: &mut RpbErrorResp| it.errmsg = in_one_line(&it.errmsg))
            }
            code::GET_SERVER_INFO_RESP => {
                each(theirs, ours, |it: &mut RpbGetServerInfoResp| forget(&mut it.node))
            }
            code::GET_RESP => both(theirs, ours, |theirs: &mut RpbGetResp, ours| {
                self.learn(&mut theirs.vclock, &mut ours.vclock);
                anonymous(&mut theirs.content);
                anonymous(&mut ours.content);
            }),
            code::PUT_RESP => both(theirs, ours, |theirs: &mut RpbPutResp, ours| {
                self.learn(&mut theirs.vclock, &mut ours.vclock);
                self.learn(&mut theirs.key, &mut ours.key);
                anonymous(&mut theirs.content);
                anonymous(&mut ours.content);
            }),
            code::LIST_BUCKETS_RESP => both(theirs, ours, |theirs: &mut RpbListBucketsResp, ours| {
                self.as_sets(&mut theirs.buckets, &mut ours.buckets);
            }),
            code::LIST_KEYS_RESP => both(theirs, ours, |theirs: &mut RpbListKeysResp, ours| {
                self.as_sets(&mut theirs.keys, &mut ours.keys);
            }),
            code::INDEX_RESP => both(theirs, ours, |theirs: &mut RpbIndexResp, ours| {
                self.as_sets(&mut theirs.keys, &mut ours.keys);
            }),
            code::GET_BUCKET_RESP => each(theirs, ours, |_: &mut RpbGetBucketResp| ()),
            code::GET_BUCKET_KEY_PREFLIST_RESP => {
                each(theirs, ours, |it: &mut RpbGetBucketKeyPreflistResp| {
                    it.preflist.iter_mut().for_each(|keeper| keeper.partition = 0);
                })
            }
            code::DT_FETCH_RESP => both(theirs, ours, |theirs: &mut DtFetchResp, ours| {
                self.learn(&mut theirs.context, &mut ours.context);
            }),
            code::DT_UPDATE_RESP => both(theirs, ours, |theirs: &mut DtUpdateResp, ours| {
                self.learn(&mut theirs.context, &mut ours.context);
                self.learn(&mut theirs.key, &mut ours.key);
            }),
            _ => (format!("{theirs:?}"), format!("{ours:?}")),
        }
    }

    fn as_sets(&self, theirs: &mut [Bytes], ours: &mut [Bytes]) {
        theirs.iter_mut().for_each(|name| *name = self.ours(name));
        theirs.sort();
        ours.sort();
    }
}

fn both<M: Message + Default + Debug>(
    theirs: &Bytes,
    ours: &Bytes,
    change: impl FnOnce(&mut M, &mut M),
) -> (String, String) {
    let [mut theirs, mut ours] = [theirs, ours].map(|body| M::decode(body.clone()).expect("a message"));
    change(&mut theirs, &mut ours);
    (format!("{theirs:?}"), format!("{ours:?}"))
}

fn each<M: Message + Default + Debug>(
    theirs: &Bytes,
    ours: &Bytes,
    change: impl Fn(&mut M),
) -> (String, String) {
    both(theirs, ours, |theirs, ours| [theirs, ours].into_iter().for_each(&change))
}

/// A name that is there, whatever it is.
fn forget(name: &mut Option<Bytes>) {
    *name = name.take().map(|_| Bytes::new());
}

/// Without the line ends and blanks by which Erlang fits long terms to a terminal.
fn in_one_line(text: &Bytes) -> Bytes {
    String::from_utf8_lossy(text).lines().map(str::trim_start).collect::<String>().into()
}

fn anonymous(contents: &mut [RpbContent]) {
    for content in contents {
        forget(&mut content.vtag);
        content.last_mod = content.last_mod.map(|_| 0);
        content.last_mod_usecs = content.last_mod_usecs.map(|_| 0);
    }
}
