//! Data types: values that merge by themselves.
//!
//! A handle collects operations; [`store`](DataType::store) sends them as one, and [`fetch`](DataType::fetch) reads the value. What
//! is removed (an element, a field, a flag that is disabled) is what the client has *seen*: the handle keeps the context of what it
//! read, and reads it before it removes anything, if it has none.

mod kind;
mod map;
mod ops;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use cartwheel_riak::pb::message::{DtFetchReq, DtFetchResp, DtUpdateReq, DtUpdateResp, DtValue};

pub use self::kind::{CounterKind, GSetKind, HllKind, Kind, MapKind, SetKind};
pub use self::map::{FieldType, MapOps, MapValue};
pub use self::ops::{CounterOps, ElementOps, FlagOps, RegisterOps, SetOps};

use crate::bucket::Bucket;
use crate::call::{Call, Repeat};
use crate::error::{Error, Fate};
use crate::options::milliseconds;
use crate::quorum::Quorum;

/// A number that is added to. Updates add up, however they cross.
pub type Counter = DataType<CounterKind>;
/// A set. Of an element that is added and removed at the same time the addition wins.
pub type Set = DataType<SetKind>;
/// A map of counters, sets, registers, flags and maps.
pub type Map = DataType<MapKind>;
/// A set that only grows.
pub type GSet = DataType<GSetKind>;
/// An estimate of how many different things were added.
pub type Hll = DataType<HllKind>;

/// A value of a data type: what was last seen of it, and what is to be done with it.
#[derive(Clone)]
pub struct DataType<K: Kind> {
    bucket: Bucket,
    key: Option<Bytes>,
    seen: Option<K::Value>,
    context: Option<Bytes>,
    pending: K::Ops,
    /// Sent, and not known to have been done: sent again, under its own name, before anything else is.
    unsure: Option<(DtUpdateReq, Repeat)>,
    options: Options,
}

#[derive(Clone, Copy, Default)]
struct Options {
    r: Option<Quorum>,
    pr: Option<Quorum>,
    w: Option<Quorum>,
    dw: Option<Quorum>,
    pw: Option<Quorum>,
    timeout: Option<Duration>,
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident, $fresh:ident: $handle:ty;)+) => {
        impl Bucket {
            $($(#[$doc])*
            pub fn $name(&self, key: impl Into<Bytes>) -> $handle {
                DataType::new(self.clone(), Some(key.into()))
            }

            /// One whose key the node makes when it is stored: [`DataType::key`].
            pub fn $fresh(&self) -> $handle {
                DataType::new(self.clone(), None)
            }
            )+
        }
    };
}

handles! {
    /// A counter. In buckets of the type `default` it is one of the old kind (`allow_mult` must be on).
    counter, new_counter: Counter;
    /// A set.
    set, new_set: Set;
    /// A map.
    map, new_map: Map;
    /// A set that only grows.
    gset, new_gset: GSet;
    /// A HyperLogLog.
    hll, new_hll: Hll;
}

impl<K: Kind> DataType<K> {
    fn new(bucket: Bucket, key: Option<Bytes>) -> Self {
        let options = Options::default();
        Self { bucket, key, seen: None, context: None, pending: K::Ops::default(), unsure: None, options }
    }

    /// The key; `None` until the node has made it.
    pub fn key(&self) -> Option<&Bytes> {
        self.key.as_ref()
    }

    /// What was last seen: by [`fetch`](Self::fetch), or after [`store`](Self::store). `None`: nothing was, or nothing is there.
    pub fn value(&self) -> Option<&K::Value> {
        self.seen.as_ref()
    }

    /// What is to be done with it. It is done by [`store`](Self::store).
    pub fn edit(&mut self) -> &mut K::Ops {
        &mut self.pending
    }

    /// Forgets what was to be done, and what was sent and is not known to have been done.
    pub fn discard(&mut self) {
        (self.pending, self.unsure) = (K::Ops::default(), None);
    }

    /// How many replicas must answer a read.
    #[must_use]
    pub fn r(mut self, r: impl Into<Quorum>) -> Self {
        self.options.r = Some(r.into());
        self
    }

    /// How many of the key's homes must be among them.
    #[must_use]
    pub fn pr(mut self, pr: impl Into<Quorum>) -> Self {
        self.options.pr = Some(pr.into());
        self
    }

    /// How many replicas must hold an update.
    #[must_use]
    pub fn w(mut self, w: impl Into<Quorum>) -> Self {
        self.options.w = Some(w.into());
        self
    }

    /// How many must hold it durably.
    #[must_use]
    pub fn dw(mut self, dw: impl Into<Quorum>) -> Self {
        self.options.dw = Some(dw.into());
        self
    }

    /// How many of the key's homes must be among them.
    #[must_use]
    pub fn pw(mut self, pw: impl Into<Quorum>) -> Self {
        self.options.pw = Some(pw.into());
        self
    }

    /// How long a request may take, with all attempts.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Reads the value. `None`: nothing is there.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::WrongType`] if the bucket's data type is another one.
    pub async fn fetch(&mut self) -> Result<Option<&K::Value>, Error> {
        let Some(key) = self.key.clone() else { return Ok(None) };
        let quorum = |quorum: Option<Quorum>| quorum.map(Quorum::code);
        let message = DtFetchReq {
            bucket: self.bucket.name.clone(),
            bucket_type: Bytes::copy_from_slice(self.bucket.bucket_type()),
            key,
            r: quorum(self.options.r),
            pr: quorum(self.options.pr),
            timeout: self.options.timeout.map(milliseconds),
            ..DtFetchReq::default()
        };
        let call = Call::new(&message, Repeat::Read, self.options.timeout);
        let answer: DtFetchResp = self.bucket.client.ask(&call).await?;
        let kind = answer.data_type;
        if kind != K::TYPE as i32 {
            let wanted = K::TYPE;
            return Err(Error::WrongType(format!("the bucket's is number {kind}, not {wanted:?}")));
        }
        self.context = answer.context;
        self.seen = answer.value.map(K::value);
        Ok(self.seen.as_ref())
    }

    /// Does what is to be done, all of it or nothing, and shows the value that results. Without anything to do, it reads.
    ///
    /// # Errors
    ///
    /// See [`Error`]. What was to be done is kept, and `store` may be called again: what may have been done already goes under
    /// its old name then, so that nodes that remember do not do it twice, and until they have answered that it is done every error
    /// is in doubt. [`discard`](Self::discard) forgets it. Where names mean nothing
    /// ([`named_writes`](crate::Builder::named_writes)) what adds up and may have been done is not kept: it is for the program to
    /// find out.
    pub async fn store(&mut self) -> Result<Option<&K::Value>, Error> {
        if let Some((message, repeat)) = self.unsure.clone() {
            // That this attempt did nothing says nothing about the one before.
            self.send(&message, repeat).await.map_err(Error::in_doubt)?;
        }
        if let Some(op) = K::op(&self.pending) {
            if K::removes(&self.pending) && self.context.is_none() {
                self.fetch().await?;
            }
            let repeat = if K::adds_up(&self.pending) { Repeat::SameNode } else { Repeat::Anywhere };
            // Where names are not remembered, each attempt would make a key of its own.
            let is_named = self.bucket.client.inner.named_writes;
            let repeat = if self.key.is_none() && !is_named { Repeat::SameNode } else { repeat };
            let (request_id, repeat) = self.bucket.client.name(None, repeat);
            let quorum = |quorum: Option<Quorum>| quorum.map(Quorum::code);
            let message = DtUpdateReq {
                bucket: self.bucket.name.clone(),
                bucket_type: Bytes::copy_from_slice(self.bucket.bucket_type()),
                key: self.key.clone(),
                context: self.context.clone(),
                op,
                w: quorum(self.options.w),
                dw: quorum(self.options.dw),
                pw: quorum(self.options.pw),
                // Riak KV 3.2.3 falls over sets that only grow when it is to show them.
                return_body: Some(K::SHOWN_BY_RIAK || is_named),
                timeout: self.options.timeout.map(milliseconds),
                request_id,
                ..DtUpdateReq::default()
            };
            let pending = std::mem::take(&mut self.pending);
            // Before it is sent: nobody may wait for the answer.
            self.unsure = (repeat != Repeat::Nowhere).then(|| (message.clone(), repeat));
            if let Err(error) = self.send(&message, repeat).await {
                if error.fate() == Fate::NotDone {
                    (self.pending, self.unsure) = (pending, None);
                }
                return Err(error);
            }
        } else if self.seen.is_none() {
            self.fetch().await?;
        }
        Ok(self.seen.as_ref())
    }

    /// Sends an update. It is unsure no more when the answer says that it was done.
    async fn send(&mut self, message: &DtUpdateReq, repeat: Repeat) -> Result<(), Error> {
        let call = Call::new(message, repeat, self.options.timeout);
        let answer: DtUpdateResp = self.bucket.client.ask(&call).await?;
        self.unsure = None;
        self.key = self.key.take().or(answer.key);
        if message.return_body == Some(true) {
            self.context = answer.context;
            self.seen = Some(K::value(DtValue {
                counter_value: answer.counter_value,
                set_value: answer.set_value,
                map_value: answer.map_value,
                hll_value: answer.hll_value,
                gset_value: answer.gset_value,
            }));
        } else {
            // What fails now is reading; the update is done.
            self.fetch().await.map_err(Error::in_doubt)?;
        }
        Ok(())
    }
}

impl<K: Kind> fmt::Debug for DataType<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("DataType");
        shown.field("bucket", &self.bucket.name).field("key", &self.key);
        shown.field("value", &self.seen).field("pending", &self.pending).finish_non_exhaustive()
    }
}

impl Counter {
    /// Adds `by`, which may be negative.
    pub fn increment(&mut self, by: i64) -> &mut Self {
        self.pending.increment(by);
        self
    }
}

impl Set {
    /// Puts an element in.
    pub fn add(&mut self, element: impl Into<Bytes>) -> &mut Self {
        self.pending.add(element);
        self
    }

    /// Takes an element out.
    pub fn remove(&mut self, element: impl Into<Bytes>) -> &mut Self {
        self.pending.remove(element);
        self
    }
}

impl GSet {
    /// Puts an element in.
    pub fn add(&mut self, element: impl Into<Bytes>) -> &mut Self {
        self.pending.add(element);
        self
    }
}

impl Hll {
    /// Counts an element.
    pub fn add(&mut self, element: impl Into<Bytes>) -> &mut Self {
        self.pending.add(element);
        self
    }
}
