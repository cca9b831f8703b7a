//! Reading a key.

use std::time::Duration;

use bytes::Bytes;
use cartwheel_riak::pb::message::{RpbGetReq, RpbGetResp};

use crate::bucket::Bucket;
use crate::call::{Call, Repeat};
use crate::error::Error;
use crate::object::{Context, Object};
use crate::options::{awaited, setters};

/// A read; `await` it. What it does not say is as the bucket has it.
#[derive(Clone, Debug)]
#[must_use = "nothing is read before it is awaited"]
pub struct Get {
    bucket: Bucket,
    message: RpbGetReq,
    timeout: Option<Duration>,
}

impl Get {
    pub(crate) fn new(bucket: Bucket, key: Bytes) -> Self {
        let message = RpbGetReq {
            bucket: bucket.name.clone(),
            bucket_type: bucket.bucket_type.clone(),
            key,
            // A write over a delete replaces it.
            deletedvclock: Some(true),
            ..RpbGetReq::default()
        };
        Self { bucket, message, timeout: None }
    }

    setters! {
        /// How many replicas must answer.
        r: quorum,
        /// How many of the key's homes must be among them.
        pr: quorum,
        /// Whether a majority that has nothing is enough to say that there is nothing.
        basic_quorum: switch,
        /// Whether a replica that has nothing has answered.
        notfound_ok: switch,
        /// Whether other nodes may stand in for homes that are down.
        sloppy_quorum: switch,
        /// N, if it is not the bucket's.
        n_val: count,
        /// How many distinct nodes must answer.
        node_confirms: count,
        /// How long it may take, with all attempts.
        timeout: timeout,
    }

    /// Without the values: what the writers said about them, and the context.
    pub fn head(mut self) -> Self {
        self.message.head = Some(true);
        self
    }

    /// Nothing but [`Object::is_unchanged`], if `context` shows all that is there.
    pub fn if_modified(mut self, context: Context) -> Self {
        self.message.if_modified = Some(context.0);
        self
    }

    /// What awaiting it does.
    ///
    /// # Errors
    ///
    /// See [`Error`]. Nothing being there is none.
    pub async fn send(self) -> Result<Object, Error> {
        let Self { bucket, message, timeout } = self;
        let asked = message.if_modified.clone();
        let answer: RpbGetResp = bucket.client.ask(&Call::new(&message, Repeat::Read, timeout)).await?;
        let mut object = Object::new(answer.content, answer.vclock);
        if answer.unchanged == Some(true) {
            object.is_unchanged = true;
            object.context = object.context.or(asked.map(Context));
        }
        Ok(object)
    }
}

awaited!(Get => Object);
