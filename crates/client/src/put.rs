//! Writing a key.

use std::time::Duration;

use bytes::Bytes;
use cartwheel_riak::pb::message::{RpbPutReq, RpbPutResp};

use crate::bucket::Bucket;
use crate::call::{Call, Repeat};
use crate::content::Content;
use crate::error::Error;
use crate::object::{Context, Object};
use crate::options::{awaited, setters};
use crate::request_id::RequestId;

/// A write; `await` it. What it does not say is as the bucket has it.
#[derive(Clone, Debug)]
#[must_use = "nothing is written before it is awaited"]
pub struct Put {
    bucket: Bucket,
    message: RpbPutReq,
    timeout: Option<Duration>,
    id: Option<RequestId>,
}

/// A write that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The key: the one that was given, or the one that the node made.
    pub key: Bytes,
    /// What is there now, if [`return_body`](Put::return_body) or [`return_head`](Put::return_head) asked for it. Other
    /// siblings than the one that was written are there if the context had not shown them.
    pub object: Option<Object>,
}

impl Put {
    pub(crate) fn new(bucket: Bucket, key: Option<Bytes>, content: &Content) -> Self {
        let message = RpbPutReq {
            bucket: bucket.name.clone(),
            bucket_type: bucket.bucket_type.clone(),
            key,
            content: content.to_sent(),
            ..RpbPutReq::default()
        };
        Self { bucket, message, timeout: None, id: None }
    }

    setters! {
        /// How many replicas must hold it.
        w: quorum,
        /// How many must hold it durably. With Cartwheel, which answers when it is durable, the same as `w`.
        dw: quorum,
        /// How many of the key's homes must be among them.
        pw: quorum,
        /// Whether to show what is there then.
        return_body: switch,
        /// Whether to show what is there then, without the values.
        return_head: switch,
        /// Whether other nodes may stand in for homes that are down.
        sloppy_quorum: switch,
        /// N, if it is not the bucket's.
        n_val: count,
        /// How many distinct nodes must hold it.
        node_confirms: count,
        /// How long it may take, with all attempts.
        timeout: timeout,
    }

    /// What the writer was shown: it is replaced, and nothing else. Without a context the write is one more sibling beside
    /// whatever is there.
    pub fn context(mut self, context: impl Into<Option<Context>>) -> Self {
        self.message.vclock = context.into().map(|context| context.0);
        self
    }

    /// Only where nothing is. Not atomic: two that write at the same time may both succeed, and be siblings.
    pub fn if_none_match(mut self) -> Self {
        self.message.if_none_match = Some(true);
        self
    }

    /// Only if what is there is exactly what the [`context`](Self::context) shows. Not atomic, as
    /// [`if_none_match`](Self::if_none_match).
    pub fn if_not_modified(mut self) -> Self {
        self.message.if_not_modified = Some(true);
        self
    }

    /// The name of this write, where the program goes on trying after the client has given up.
    pub fn request_id(mut self, id: RequestId) -> Self {
        self.id = Some(id);
        self
    }

    /// What awaiting it does.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::fate`] says whether it may have been written.
    pub async fn send(self) -> Result<Written, Error> {
        let Self { bucket, mut message, timeout, id } = self;
        // Where names are not remembered, each attempt would make a key of its own.
        let repeat = match message.key {
            None if !bucket.client.inner.named_writes => Repeat::SameNode,
            _ => Repeat::Anywhere,
        };
        let (name, repeat) = bucket.client.name(id, repeat);
        message.request_id = name;
        let answer: RpbPutResp = bucket.client.ask(&Call::new(&message, repeat, timeout)).await?;
        let shown = [message.return_body, message.return_head].contains(&Some(true));
        Ok(Written {
            key: answer.key.or(message.key).unwrap_or_default(),
            object: shown.then(|| Object::new(answer.content, answer.vclock)),
        })
    }
}

awaited!(Put => Written);
