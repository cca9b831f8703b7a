//! Data types: what their buckets hold, reading them and changing them.
//!
//! The kind of a value is its bucket type's; only in buckets of the default type it is a counter, of the old kind.

mod op;
mod shown;

use std::time::Duration;

use bytes::Bytes;
use cartwheel_core::datatype::{Held, Kind, Op};
use cartwheel_core::id::RequestId;
use cartwheel_core::membership::{Bucket, Rules};
use cartwheel_core::version::{Context, Policy};
use cartwheel_core::{Answer, ClientError, ClientOp, Key, ReadOptions, WriteOptions};

use super::get::timeout;
use super::message::{
    DtFetchReq, DtFetchResp, DtUpdateReq, DtUpdateResp, RpbCounterGetReq, RpbCounterGetResp,
    RpbCounterUpdateReq, RpbCounterUpdateResp,
};
use super::names::{bucket_of, key_made, key_of};
use super::refusal::Refusal;
use super::shown::{context_of, vclock_of};
use super::{code, quorum};
use crate::datatype::{self, kind_name};
use crate::http::Defaults;

/// What kind of value the keys of `bucket` have, where `rules` hold; `None`: there is no such bucket type.
///
/// # Errors
///
/// It has no data type, or there is no such bucket type.
pub fn kind_of(bucket: &Bucket, rules: Option<&Rules>) -> Result<Kind, Refusal> {
    let Some(rules) = rules else { return Err(Refusal::NoDataTypeOf(bucket.bucket_type.clone())) };
    match rules.datatype {
        _ if bucket.bucket_type == Key::DEFAULT_TYPE => Ok(Kind::Counter),
        Some(datatype) => Ok(datatype::kind_of(datatype)),
        None => Err(Refusal::NoDataType),
    }
}

/// Whether values of a kind are changed with a context of what the client was shown.
fn has_context(kind: Kind) -> bool {
    matches!(kind, Kind::Set | Kind::Map)
}

/// What a request says of its quorums and its time. Zero is nothing said: `basho/riak-go-client` sends it in each change of a
/// counter for all that it was not told, and Riak then asks at least one home and takes its own time.
fn said(asked: Option<u32>) -> Option<u32> {
    asked.filter(|asked| *asked > 0)
}

/// Reading a data type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DtFetch {
    bucket: Bucket,
    key: Key,
    options: ReadOptions,
    timeout: Option<Duration>,
    wants_context: bool,
}

impl DtFetch {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// It makes no sense; nothing was done.
    pub fn new(request: &DtFetchReq, defaults: &Defaults) -> Result<Self, Refusal> {
        let n = defaults.n;
        Ok(Self {
            bucket: bucket_of(Some(&request.bucket_type), &request.bucket),
            key: key_of(Some(&request.bucket_type), &request.bucket, &request.key)?,
            options: ReadOptions {
                r: quorum::required(request.r, n)?,
                pr: quorum::optional(request.pr, n)?,
                node_confirms: quorum::confirms(request.node_confirms, n)?,
                notfound_ok: request.notfound_ok,
                basic_quorum: request.basic_quorum,
                sloppy: request.sloppy_quorum.unwrap_or(true),
                n: quorum::homes(request.n_val, n)?,
            },
            timeout: timeout(said(request.timeout))?,
            wants_context: request.include_context != Some(false),
        })
    }

    /// The bucket.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What to ask the core.
    pub fn op(&self) -> ClientOp {
        ClientOp::Get(self.options)
    }

    /// How long to try, where the client says so.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The core's answer, for the client.
    ///
    /// # Errors
    ///
    /// The read failed.
    pub fn answer(&self, kind: Kind, result: Result<Answer, ClientError>) -> Result<DtFetchResp, Refusal> {
        let answer = result?;
        let held = Held::of(&answer.siblings, kind).value;
        let with_context = held.is_some() && has_context(kind) && self.wants_context;
        Ok(DtFetchResp {
            context: with_context.then(|| vclock_of(&answer.context())),
            data_type: shown::type_of(kind).into(),
            value: held.map(|value| shown::value(value.state())),
        })
    }
}

/// Changing a data type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DtUpdate {
    bucket: Bucket,
    /// `None`: the server makes it.
    key: Option<Key>,
    op: Op,
    context: Option<Context>,
    options: WriteOptions,
    timeout: Option<Duration>,
    is_shown: bool,
    wants_context: bool,
}

impl DtUpdate {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// It makes no sense; nothing was done.
    pub fn new(request: DtUpdateReq, defaults: &Defaults) -> Result<Self, Refusal> {
        let n = defaults.n;
        let bucket_type = Some(request.bucket_type.as_ref());
        let named = key_of(bucket_type, &request.bucket, request.key.as_deref().unwrap_or(b"-"))?;
        Ok(Self {
            bucket: bucket_of(bucket_type, &request.bucket),
            key: request.key.is_some().then_some(named),
            context: request.context.as_deref().map(context_of).transpose()?,
            options: WriteOptions {
                w: quorum::required(said(request.w), n)?,
                pw: quorum::optional(said(request.pw), n)?,
                dw: quorum::optional(said(request.dw), n)?,
                node_confirms: quorum::confirms(request.node_confirms, n)?,
                sloppy: request.sloppy_quorum.unwrap_or(true),
                n: quorum::homes(request.n_val, n)?,
                condition: None,
            },
            timeout: timeout(said(request.timeout))?,
            is_shown: request.return_body == Some(true),
            wants_context: request.include_context != Some(false),
            op: op::of(request.op)?,
        })
    }

    /// The bucket.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// How much the client's operation carries, in bytes.
    pub fn value_bytes(&self) -> u64 {
        self.op.value_bytes()
    }

    /// The key; one that the server makes is the same for each retry of `request`.
    ///
    /// # Errors
    ///
    /// [`Refusal::KeyTooLong`], if the bucket's name leaves no room for a key.
    pub fn key(&self, request: RequestId) -> Result<Key, Refusal> {
        match &self.key {
            Some(key) => Ok(key.clone()),
            None => key_made(&self.bucket, request),
        }
    }

    /// What to ask the core, in a bucket with values of `kind` where `rules` hold.
    ///
    /// # Errors
    ///
    /// The operation is one of another kind.
    pub fn op(&self, kind: Kind, rules: &Rules) -> Result<ClientOp, Refusal> {
        let asked = self.op.kind();
        if asked != kind {
            return Err(Refusal::OtherDataType { asked: kind_name(asked), kind: kind_name(kind) });
        }
        let op = match &self.op {
            Op::Hll { adds, .. } => Op::Hll { precision: rules.hll_precision, adds: adds.clone() },
            op => op.clone(),
        };
        Ok(ClientOp::Update { op, context: self.context.clone(), options: self.options.clone() })
    }

    /// How long to try, where the client says so.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The core's answer about `key`, for the client.
    ///
    /// # Errors
    ///
    /// The change failed.
    pub fn answer(&self, key: &Key, result: Result<Answer, ClientError>) -> Result<DtUpdateResp, Refusal> {
        let answer = result?;
        let kind = self.op.kind();
        let made = self.key.is_none().then(|| Bytes::copy_from_slice(key.key()));
        let mut response = DtUpdateResp { key: made, ..DtUpdateResp::default() };
        if self.is_shown {
            if has_context(kind) && self.wants_context {
                response.context = Some(vclock_of(&answer.context()));
            }
            if let Some(value) = Held::of(&answer.siblings, kind).value {
                shown::into_update(value.state(), &mut response);
            }
        }
        Ok(response)
    }
}

/// Reading or changing a counter of the old kind: in a bucket of the default type, that keeps siblings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldCounter {
    bucket: Bucket,
    key: Key,
    op: ClientOp,
    is_shown: bool,
}

impl OldCounter {
    /// Reads a request to read.
    ///
    /// # Errors
    ///
    /// It makes no sense; nothing was done.
    pub fn get(request: &RpbCounterGetReq, defaults: &Defaults) -> Result<Self, Refusal> {
        let n = defaults.n;
        let options = ReadOptions {
            r: quorum::required(request.r, n)?,
            pr: quorum::optional(request.pr, n)?,
            node_confirms: quorum::confirms(request.node_confirms, n)?,
            notfound_ok: request.notfound_ok,
            basic_quorum: request.basic_quorum,
            ..ReadOptions::default()
        };
        Self::new(&request.bucket, &request.key, ClientOp::Get(options), true)
    }

    /// Reads a request to change.
    ///
    /// # Errors
    ///
    /// It makes no sense; nothing was done.
    pub fn update(request: &RpbCounterUpdateReq, defaults: &Defaults) -> Result<Self, Refusal> {
        let n = defaults.n;
        let options = WriteOptions {
            w: quorum::required(said(request.w), n)?,
            pw: quorum::optional(said(request.pw), n)?,
            dw: quorum::optional(said(request.dw), n)?,
            node_confirms: quorum::confirms(request.node_confirms, n)?,
            ..WriteOptions::default()
        };
        let op = ClientOp::Update { op: Op::Counter(request.amount), context: None, options };
        Self::new(&request.bucket, &request.key, op, request.returnvalue == Some(true))
    }

    fn new(bucket: &[u8], key: &[u8], op: ClientOp, is_shown: bool) -> Result<Self, Refusal> {
        Ok(Self { bucket: bucket_of(None, bucket), key: key_of(None, bucket, key)?, op, is_shown })
    }

    /// The bucket.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What to ask the core, in a bucket where `rules` hold.
    ///
    /// # Errors
    ///
    /// It would change a counter in a bucket that does not keep siblings.
    pub fn op(&self, rules: &Rules) -> Result<ClientOp, Refusal> {
        match &self.op {
            ClientOp::Update { .. } if rules.policy != Policy::KeepSiblings => {
                Err(Refusal::CountersNeedSiblings)
            }
            op => Ok(op.clone()),
        }
    }

    /// The core's answer to a read, for the client.
    ///
    /// # Errors
    ///
    /// The read failed.
    pub fn got(&self, result: Result<Answer, ClientError>) -> Result<RpbCounterGetResp, Refusal> {
        Ok(RpbCounterGetResp { value: self.value(&result?) })
    }

    /// The core's answer to a change, for the client.
    ///
    /// # Errors
    ///
    /// The change failed.
    pub fn updated(&self, result: Result<Answer, ClientError>) -> Result<RpbCounterUpdateResp, Refusal> {
        Ok(RpbCounterUpdateResp { value: self.value(&result?) })
    }

    fn value(&self, answer: &Answer) -> Option<i64> {
        let value = Held::of(&answer.siblings, Kind::Counter).value.filter(|_| self.is_shown)?;
        shown::value(value.state()).counter_value
    }
}

/// A message whose parts do not fit each other, after which Riak hangs up.
fn senseless(why: &str) -> Refusal {
    Refusal::Undecodable { code: code::DT_UPDATE_REQ, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use cartwheel_core::Quorum;

    use super::*;
    use crate::pb::message::{CounterOp, DtOp};

    /// As `basho/riak-go-client` asks for a counter to go up, told nothing else.
    #[test]
    fn zeros_say_nothing_of_a_change() {
        let defaults = Defaults { n: 3 };
        let zero = Some(0);
        let request = DtUpdateReq {
            bucket: Bytes::from_static(b"b"),
            bucket_type: Bytes::from_static(b"counters"),
            op: DtOp { counter_op: Some(CounterOp { increment: Some(10) }), ..DtOp::default() },
            w: zero,
            dw: zero,
            pw: zero,
            timeout: zero,
            ..DtUpdateReq::default()
        };
        let update = DtUpdate::new(request, &defaults).expect("an update");
        assert_eq!(update.timeout(), None);
        assert_eq!(update.options, WriteOptions { sloppy: true, ..WriteOptions::default() });

        let request = RpbCounterUpdateReq {
            bucket: Bytes::from_static(b"b"),
            key: Bytes::from_static(b"k"),
            w: zero,
            dw: zero,
            pw: Some(1),
            ..RpbCounterUpdateReq::default()
        };
        let old = OldCounter::update(&request, &defaults).map(|old| old.op);
        let expected = WriteOptions { pw: Some(Quorum::Count(1)), ..WriteOptions::default() };
        let op = Op::Counter(0);
        assert_eq!(old, Ok(ClientOp::Update { op, context: None, options: expected }));
    }
}
