//! Answers of many parts, as streams.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::frame::Frame;
use cartwheel_riak::pb::message::{
    Coded, RpbListBucketsReq, RpbListBucketsResp, RpbListKeysReq, RpbListKeysResp,
};
use futures_util::stream::{Stream, StreamExt, TryStreamExt, try_unfold};
use tokio::time::timeout;

use crate::bucket::{Bucket, BucketType};
use crate::call::{Call, Repeat};
use crate::client::{Client, read};
use crate::connection::error_text;
use crate::error::{Error, Fate, error_of};
use crate::node::Lease;

/// Items as they come. A [`Stream`]; [`next`](Self::next) and [`all`](Self::all) do without one's helpers. It ends with the first
/// error: what came before is true, and what is missing is not known. One that is dropped early takes its connection with it.
pub struct Listing<T>(Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>);

/// One part of an answer.
pub(crate) struct Part<T> {
    pub items: Vec<T>,
    pub is_last: bool,
}

impl<T: Send + Sync + 'static> Listing<T> {
    pub(crate) fn new(stream: impl Stream<Item = Result<T, Error>> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }

    /// The parts of the answer to `call`, which are messages `A`.
    pub(crate) fn of<A>(
        client: Client,
        call: Call,
        part: impl Fn(A) -> Part<T> + Send + Sync + 'static,
    ) -> Self
    where
        A: Coded + Default + 'static,
    {
        let begin = Running { client, call, part, lease: None, items: VecDeque::new(), is_over: false };
        Self::new(try_unfold(begin, async |mut running| {
            Ok(running.next().await?.map(|item| (item, running)))
        }))
    }

    /// The next item; `None`: that was all.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        self.0.next().await
    }

    /// All items, which had better not be too many.
    ///
    /// # Errors
    ///
    /// Not all can be had.
    pub async fn all(self) -> Result<Vec<T>, Error> {
        self.0.try_collect().await
    }
}

impl<T> Stream for Listing<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

struct Running<T, P> {
    client: Client,
    call: Call,
    part: P,
    lease: Option<Lease>,
    items: VecDeque<T>,
    is_over: bool,
}

impl<T, P> Running<T, P> {
    async fn next<A>(&mut self) -> Result<Option<T>, Error>
    where
        A: Coded + Default,
        P: Fn(A) -> Part<T>,
    {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Ok(Some(item));
            }
            if self.is_over {
                return Ok(None);
            }
            let (frame, lease) = match self.lease.take() {
                None => self.client.inner.call(&self.call).await?,
                Some(lease) => self.more(lease).await?,
            };
            let Part { items, is_last } = (self.part)(read(frame, Fate::NotDone)?);
            self.items = items.into();
            if is_last {
                self.is_over = true;
                lease.give_back();
            } else {
                self.lease = Some(lease);
            }
        }
    }

    /// A part that is not the first. Another node would begin from the start, so nothing is tried again.
    async fn more(&self, mut lease: Lease) -> Result<(Frame, Lease), Error> {
        let fate = Fate::NotDone;
        let patience = self.client.inner.limits.attempt_timeout;
        match timeout(patience, lease.connection.receive()).await {
            Err(_) => Err(Error::TimedOut { after: Some(patience), fate }),
            Ok(Err(source)) => Err(Error::Broken { node: lease.node().to_owned(), source, fate }),
            Ok(Ok(Frame { code: code::ERROR_RESP, body })) => Err(error_of(&error_text(body), fate)),
            Ok(Ok(frame)) => Ok((frame, lease)),
        }
    }
}

impl Bucket {
    /// All keys of the bucket, in no order. Every node has to look through all that it holds: not for every day.
    pub fn keys(&self) -> Listing<Bytes> {
        let message = RpbListKeysReq {
            bucket: self.name.clone(),
            bucket_type: self.bucket_type.clone(),
            ..RpbListKeysReq::default()
        };
        let call = Call::new(&message, Repeat::Read, None);
        Listing::of(self.client.clone(), call, |answer: RpbListKeysResp| Part {
            items: answer.keys,
            is_last: answer.done == Some(true),
        })
    }
}

impl BucketType {
    /// All buckets of this type that have keys, in no order. Every node has to look through all that it holds.
    pub fn buckets(&self) -> Listing<Bytes> {
        let bucket_type = Some(self.name.clone()).filter(|name| name.as_ref() != b"default");
        let message = RpbListBucketsReq { stream: Some(true), bucket_type, ..RpbListBucketsReq::default() };
        let call = Call::new(&message, Repeat::Read, None);
        Listing::of(self.client.clone(), call, |answer: RpbListBucketsResp| Part {
            items: answer.buckets,
            is_last: answer.done == Some(true),
        })
    }
}
