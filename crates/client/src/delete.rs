//! Deleting a key.

use std::time::Duration;

use bytes::Bytes;
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::message::RpbDelReq;

use crate::bucket::Bucket;
use crate::call::{Call, Repeat};
use crate::error::Error;
use crate::object::Context;
use crate::options::{awaited, setters};
use crate::request_id::RequestId;

/// A delete; `await` it. What it does not say is as the bucket has it.
#[derive(Clone, Debug)]
#[must_use = "nothing is deleted before it is awaited"]
pub struct Delete {
    bucket: Bucket,
    message: RpbDelReq,
    timeout: Option<Duration>,
    id: Option<RequestId>,
}

impl Delete {
    pub(crate) fn new(bucket: Bucket, key: Bytes) -> Self {
        let message = RpbDelReq {
            bucket: bucket.name.clone(),
            bucket_type: bucket.bucket_type.clone(),
            key,
            ..RpbDelReq::default()
        };
        Self { bucket, message, timeout: None, id: None }
    }

    setters! {
        /// R and W, where they are not given.
        rw: quorum,
        /// How many replicas must answer the read that a delete without a context begins with.
        r: quorum,
        /// How many of the key's homes must be among them.
        pr: quorum,
        /// How many replicas must hold the tombstone.
        w: quorum,
        /// How many of the key's homes must be among them.
        pw: quorum,
        /// How many must hold it durably.
        dw: quorum,
        /// Whether other nodes may stand in for homes that are down.
        sloppy_quorum: switch,
        /// N, if it is not the bucket's.
        n_val: count,
        /// How long it may take, with all attempts.
        timeout: timeout,
    }

    /// What the caller was shown: it is deleted, and nothing else. What others have written since stays. Without a context
    /// whatever the node finds is deleted.
    pub fn context(mut self, context: impl Into<Option<Context>>) -> Self {
        self.message.vclock = context.into().map(|context| context.0);
        self
    }

    /// The name of this delete, where the program goes on trying after the client has given up.
    pub fn request_id(mut self, id: RequestId) -> Self {
        self.id = Some(id);
        self
    }

    /// What awaiting it does.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::fate`] says whether it may have been deleted. Nothing being there is no error.
    pub async fn send(self) -> Result<(), Error> {
        let Self { bucket, mut message, timeout, id } = self;
        let (name, repeat) = bucket.client.name(id, Repeat::Anywhere);
        message.request_id = name;
        bucket.client.tell(&Call::new(&message, repeat, timeout), code::DEL_RESP).await
    }
}

awaited!(Delete => ());
