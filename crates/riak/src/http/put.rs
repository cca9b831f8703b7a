//! PUT and POST of a key, and POST to a bucket, where the server makes the key.

use std::time::Duration;

use bytes::Bytes;
use cartwheel_core::id::RequestId;
use cartwheel_core::version::Context;
use cartwheel_core::{Answer, ClientError, ClientOp, Key, WriteOptions};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::request::Parts;

use super::accept::Accept;
use super::call::Defaults;
use super::condition::{self, Demands};
use super::fields;
use super::object::{self, Shown};
use super::query::Query;
use super::refusal::Refusal;
use super::response::{self, Response, set};
use super::route::{Bucket, quote};
use super::siblings;
use crate::content::{Content, Undecodable};
use crate::{index, vtag};

/// A write.
#[derive(Clone, Debug)]
pub struct Put {
    bucket: Bucket,
    /// `None`: the server makes it.
    key: Option<Key>,
    context: Context,
    content: Content,
    options: WriteOptions,
    timeout: Option<Duration>,
    returned: Returned,
    accept: Accept,
    raw_content_type: Bytes,
    demands: Demands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Returned {
    Nothing,
    Object,
}

impl Put {
    pub(super) fn parse(
        bucket: Bucket,
        key: Option<Vec<u8>>,
        head: &Parts,
        defaults: &Defaults,
    ) -> Result<Self, Refusal> {
        let query = Query::parse(head.uri.query(), defaults);
        let options = WriteOptions { condition: condition::of_put(&head.headers)?, ..query.write_options()? };
        let key = key.map(|key| bucket.key(&key)).transpose()?;
        let put = Self {
            bucket,
            key,
            context: fields::context(&head.headers)?.unwrap_or_default(),
            content: fields::content(&head.headers)?,
            options,
            timeout: query.timeout()?,
            returned: if query.is_true("returnbody") { Returned::Object } else { Returned::Nothing },
            accept: Accept::media_types(&head.headers),
            raw_content_type: fields::raw_content_type(&head.headers),
            demands: Demands::of_write(&head.headers),
        };
        put.check_accept()?;
        put.check_indexes().map(|()| put)
    }

    /// A client that wants the object back must take it in the form in which it sends it: found out before the write.
    fn check_accept(&self) -> Result<(), Refusal> {
        let acceptable = self.accept.admits(&String::from_utf8_lossy(&self.raw_content_type));
        match self.returned {
            Returned::Object if !acceptable => Err(Refusal::NotAcceptable),
            _ => Ok(()),
        }
    }

    /// Entries that could not be kept are refused before they are written.
    fn check_indexes(&self) -> Result<(), Refusal> {
        let key = self.key(RequestId(0))?;
        match index::too_long(&self.content, &key) {
            Some(entry) => Err(Refusal::IndexTooLong(String::from_utf8_lossy(&entry.key).into_owned())),
            None => Ok(()),
        }
    }

    /// The key; one that the server makes is the same for each retry of `request`.
    ///
    /// # Errors
    ///
    /// [`Refusal::KeyTooLong`], if the bucket's name leaves no room for a key.
    pub fn key(&self, request: RequestId) -> Result<Key, Refusal> {
        match &self.key {
            Some(key) => Ok(key.clone()),
            None => self.bucket.key(vtag::key_for(request).as_bytes()),
        }
    }

    /// What to read first, if the client demands something of what is there; [`unmet`](Self::unmet) checks what it finds.
    pub fn read_op(&self) -> Option<ClientOp> {
        (!self.demands.is_empty()).then(|| ClientOp::Get(cartwheel_core::ReadOptions::default()))
    }

    /// The response that ends the matter, if what the client demands is not so, or could not be read.
    pub fn unmet(&self, found: &Result<Answer, ClientError>) -> Option<Response> {
        let mut response = match found {
            Ok(found) => self.demands.refusal(found)?,
            // The write is answered as the read would be.
            Err(ClientError::NoType) => return None,
            Err(error) => response::failed(error),
        };
        response::vary_encoding(&mut response);
        Some(response)
    }

    /// What to ask the core, given the request's body.
    pub fn op(&self, body: Bytes) -> ClientOp {
        let value = Content { value: body, ..self.content.clone() }.to_value();
        ClientOp::Put { context: self.context.clone(), value, options: self.options.clone() }
    }

    /// How long to try, where the client says so.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The core's answer, for the client.
    pub fn render(&self, key: &Key, result: &Result<Answer, ClientError>) -> Response {
        match result {
            Ok(answer) => self.written(key, answer).unwrap_or_else(|error| object::undecodable(&error)),
            Err(ClientError::NoType) => response::no_type(key),
            Err(error) => {
                let mut response = response::failed(error);
                response::vary_encoding(&mut response);
                response
            }
        }
    }

    fn written(&self, key: &Key, answer: &Answer) -> Result<Response, Undecodable> {
        let mut response = match (self.returned, answer.siblings.versions()) {
            (Returned::Nothing, _) => self.silent(),
            (Returned::Object, [version]) => Shown::new(version)?.render(
                StatusCode::OK,
                (key.bucket(), self.bucket.form),
                &answer.context(),
            ),
            (Returned::Object, versions) => {
                let shown = versions.iter().map(Shown::new).collect::<Result<Vec<_>, _>>()?;
                let (form, place) =
                    (siblings::form_of_written(&self.accept), (key.bucket(), self.bucket.form));
                siblings::render(form, answer, &shown, place, "Accept-Encoding")
            }
        };
        if self.key.is_none() {
            *response.status_mut() = StatusCode::CREATED;
            set(&mut response, LOCATION, self.location(key).as_bytes());
        }
        Ok(response)
    }

    fn silent(&self) -> Response {
        let mut response = response::empty(StatusCode::NO_CONTENT);
        response::vary_encoding(&mut response);
        set(&mut response, CONTENT_TYPE, &self.raw_content_type);
        if self.key.is_none() {
            set(&mut response, CONTENT_LENGTH, b"0");
        }
        response
    }

    /// Spelled as the client spelled the bucket.
    fn location(&self, key: &Key) -> String {
        let bucket = self.bucket.form.key(&quote(key.bucket()), &quote(key.key()));
        match &self.bucket.bucket_type {
            Some(bucket_type) => format!("/types/{}{bucket}", quote(bucket_type)),
            None => bucket,
        }
    }
}
