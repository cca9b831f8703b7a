//! Reading a key.

use std::time::Duration;

use bytes::Bytes;
use cartwheel_core::version::Context;
use cartwheel_core::{Answer, ClientError, ClientOp, Key, ReadOptions};

use super::message::{RpbGetReq, RpbGetResp};
use super::names::key_of;
use super::quorum;
use super::refusal::Refusal;
use super::shown::{self, Extent};
use crate::http::Defaults;

/// A read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Get {
    key: Key,
    options: ReadOptions,
    timeout: Option<Duration>,
    has_already: Option<Context>,
    extent: Extent,
    wants_vclock_of_deleted: bool,
}

impl Get {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// It makes no sense; nothing was done.
    pub fn new(request: &RpbGetReq, defaults: &Defaults) -> Result<Self, Refusal> {
        let n = defaults.n;
        let key = key_of(request.bucket_type.as_deref(), &request.bucket, &request.key)?;
        let options = ReadOptions {
            r: quorum::required(request.r, n)?,
            pr: quorum::optional(request.pr, n)?,
            node_confirms: quorum::confirms(request.node_confirms, n)?,
            notfound_ok: request.notfound_ok,
            basic_quorum: request.basic_quorum,
            sloppy: request.sloppy_quorum.unwrap_or(true),
            n: quorum::homes(request.n_val, n)?,
        };
        Ok(Self {
            key,
            options,
            timeout: timeout(request.timeout)?,
            has_already: request.if_modified.as_deref().map(shown::context_of).transpose()?,
            extent: if request.head == Some(true) { Extent::Head } else { Extent::Whole },
            wants_vclock_of_deleted: request.deletedvclock == Some(true),
        })
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
    /// The read failed, or what is there cannot be read.
    pub fn answer(&self, result: Result<Answer, ClientError>) -> Result<RpbGetResp, Refusal> {
        let answer = result?;
        let context = answer.context();
        let vclock = || Some(shown::vclock_of(&context));
        if !answer.siblings.is_found() {
            let is_deleted = !answer.siblings.is_empty();
            let vclock: Option<Bytes> = vclock().filter(|_| is_deleted && self.wants_vclock_of_deleted);
            return Ok(RpbGetResp { vclock, ..RpbGetResp::default() });
        }
        if self.has_already.as_ref() == Some(&context) {
            return Ok(RpbGetResp { unchanged: Some(true), ..RpbGetResp::default() });
        }
        let content = shown::contents(&answer, self.extent)?;
        Ok(RpbGetResp { content, vclock: vclock(), unchanged: None })
    }
}

/// A time that is up when the request comes is not a long one.
pub(super) fn timeout(asked: Option<u32>) -> Result<Option<Duration>, Refusal> {
    match asked {
        Some(0) => Err(Refusal::TimedOut),
        asked => Ok(asked.map(|millis| Duration::from_millis(millis.into()))),
    }
}
