//! Deleting a key: a write like any other, of a tombstone.

use std::time::Duration;

use cartwheel_core::version::{Context, Value};
use cartwheel_core::{Answer, ClientError, ClientOp, Key, ReadOptions, WriteOptions};

use super::get::timeout;
use super::message::RpbDelReq;
use super::names::key_of;
use super::quorum;
use super::refusal::Refusal;
use super::shown;
use crate::http::Defaults;

/// A delete. Without a context from the client it needs a read first, as over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    key: Key,
    context: Option<Context>,
    read: ReadOptions,
    write: WriteOptions,
    timeout: Option<Duration>,
}

impl Delete {
    /// Reads a request. `None`: no key can have such a name, so there is nothing to delete.
    ///
    /// # Errors
    ///
    /// It makes no sense; nothing was done.
    pub fn new(request: &RpbDelReq, defaults: &Defaults) -> Result<Option<Self>, Refusal> {
        let n = defaults.n;
        let key = match key_of(request.bucket_type.as_deref(), &request.bucket, &request.key) {
            Ok(key) => key,
            Err(Refusal::EmptyBucket | Refusal::EmptyKey) => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        let homes = quorum::homes(request.n_val, n)?;
        let sloppy = request.sloppy_quorum.unwrap_or(true);
        let read = ReadOptions {
            r: quorum::required(request.r.or(request.rw), n)?,
            pr: quorum::optional(request.pr, n)?,
            sloppy,
            n: homes,
            ..ReadOptions::default()
        };
        let write = WriteOptions {
            w: quorum::required(request.w.or(request.rw), n)?,
            pw: quorum::optional(request.pw, n)?,
            dw: quorum::optional(request.dw, n)?,
            sloppy,
            n: homes,
            ..WriteOptions::default()
        };
        Ok(Some(Self {
            key,
            context: request.vclock.as_deref().map(shown::context_of).transpose()?,
            read,
            write,
            timeout: timeout(request.timeout)?,
        }))
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What the client has seen, if it says so. Then no read is needed.
    pub fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    /// The read that shows what there is to delete.
    pub fn read_op(&self) -> ClientOp {
        ClientOp::Get(self.read)
    }

    /// The context to delete with; `None`: nothing is there, which is as good as deleted.
    ///
    /// # Errors
    ///
    /// The read failed.
    pub fn seen(&self, result: Result<Answer, ClientError>) -> Result<Option<Context>, Refusal> {
        let answer = result?;
        Ok(answer.siblings.is_found().then(|| answer.context()))
    }

    /// The tombstone.
    pub fn write_op(&self, context: Context) -> ClientOp {
        ClientOp::Put { context, value: Value::Tombstone, options: self.write.clone() }
    }

    /// How long to try, where the client says so.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}
