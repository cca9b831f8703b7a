//! Writing a key.

use std::time::Duration;

use bytes::Bytes;
use cartwheel_core::id::RequestId;
use cartwheel_core::version::Context;
use cartwheel_core::{Answer, ClientError, ClientOp, Condition, Key, WriteOptions};

use super::get::timeout;
use super::message::{RpbContent, RpbPutReq, RpbPutResp};
use super::names::{self, key_made, key_of};
use super::quorum;
use super::refusal::Refusal;
use super::shown::{self, Extent};
use crate::content::Content;
use crate::http::Defaults;
use crate::{index, index_entry};

/// A write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    bucket: cartwheel_core::membership::Bucket,
    /// `None`: the server makes it.
    key: Option<Key>,
    context: Context,
    content: Content,
    options: WriteOptions,
    timeout: Option<Duration>,
    /// How much of what is there then is shown; `None`: nothing.
    returned: Option<Extent>,
}

impl Put {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// It makes no sense; nothing was done.
    pub fn new(request: RpbPutReq, defaults: &Defaults) -> Result<Self, Refusal> {
        let n = defaults.n;
        let bucket_type = request.bucket_type.as_deref();
        // A key that the server makes is not known yet; any other shows what is wrong with the rest of the name.
        let named = key_of(bucket_type, &request.bucket, request.key.as_deref().unwrap_or(b"-"))?;
        if request.asis == Some(true) {
            return Err(Refusal::Unsupported("asis"));
        }
        let context = request.vclock.as_deref().map(shown::context_of).transpose()?.unwrap_or_default();
        let options = WriteOptions {
            w: quorum::required(request.w, n)?,
            pw: quorum::optional(request.pw, n)?,
            dw: quorum::optional(request.dw, n)?,
            node_confirms: quorum::confirms(request.node_confirms, n)?,
            sloppy: request.sloppy_quorum.unwrap_or(true),
            n: quorum::homes(request.n_val, n)?,
            condition: condition(&request, &context),
        };
        let put = Self {
            bucket: names::bucket_of(bucket_type, &request.bucket),
            key: request.key.is_some().then_some(named),
            context,
            options,
            timeout: timeout(request.timeout)?,
            returned: match (request.return_head, request.return_body) {
                (Some(true), _) => Some(Extent::Head),
                (_, Some(true)) => Some(Extent::Whole),
                _ => None,
            },
            content: content(request.content)?,
        };
        // Entries that could not be kept are refused before they are written.
        match index::too_long(&put.content, &put.key(RequestId(0))?) {
            Some(entry) => Err(Refusal::IndexTooLong(String::from_utf8_lossy(&entry.key).into_owned())),
            None => Ok(put),
        }
    }

    /// The bucket.
    pub fn bucket(&self) -> &cartwheel_core::membership::Bucket {
        &self.bucket
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

    /// How many bytes the client's value has.
    pub fn value_bytes(&self) -> usize {
        self.content.value.len()
    }

    /// What to ask the core.
    pub fn op(&self) -> ClientOp {
        ClientOp::Put {
            context: self.context.clone(),
            value: self.content.to_value(),
            options: self.options.clone(),
        }
    }

    /// How long to try, where the client says so.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The core's answer about `key`, for the client.
    ///
    /// # Errors
    ///
    /// The write failed, or what is there cannot be read.
    pub fn answer(&self, key: &Key, result: Result<Answer, ClientError>) -> Result<RpbPutResp, Refusal> {
        let answer = result?;
        let made = self.key.is_none().then(|| Bytes::copy_from_slice(key.key()));
        Ok(match self.returned {
            None => RpbPutResp { key: made, ..RpbPutResp::default() },
            Some(extent) => RpbPutResp {
                content: shown::contents(&answer, extent)?,
                vclock: Some(shown::vclock_of(&answer.context())),
                key: made,
            },
        })
    }
}

/// What a client has seen is one thing, what it demands another; that there is nothing is the stronger demand.
fn condition(request: &RpbPutReq, seen: &Context) -> Option<Condition> {
    match (request.if_none_match, request.if_not_modified) {
        (Some(true), _) => Some(Condition::NoneMatch),
        (_, Some(true)) => Some(Condition::NotModified(seen.clone())),
        _ => None,
    }
}

/// What is kept of a client's content: what it says of versions (tags, dates) is the server's to say.
fn content(sent: RpbContent) -> Result<Content, Refusal> {
    let entries = sent.indexes.iter().map(|it| (&it.key[..], it.value.as_deref().unwrap_or_default()));
    let indexes = index_entry::kept(entries)?;
    Ok(Content {
        value: sent.value,
        content_type: sent.content_type,
        charset: sent.charset,
        content_encoding: sent.content_encoding,
        links: sent.links,
        user_meta: sent.usermeta,
        indexes,
    })
}
