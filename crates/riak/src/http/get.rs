//! GET and HEAD of a key.

use std::time::{Duration, SystemTime};

use cartwheel_core::version::Version;
use cartwheel_core::{Answer, ClientError, ClientOp, Key};
use http::StatusCode;
use http::request::Parts;

use super::accept::Accept;
use super::call::Defaults;
use super::condition::{Demands, Fresh, Unmet};
use super::link::Form;
use super::object::{self, Shown};
use super::query::Query;
use super::refusal::Refusal;
use super::response::{self, Response};
use super::route::Bucket;
use super::siblings;
use crate::content::Undecodable;
use crate::vtag;

/// A read.
#[derive(Clone, Debug)]
pub struct Get {
    key: Key,
    op: ClientOp,
    timeout: Option<Duration>,
    vtag: Option<String>,
    accept: Accept,
    encodings: Accept,
    fresh: Fresh,
    demands: Demands,
    form: Form,
}

impl Get {
    pub(super) fn parse(
        bucket: &Bucket,
        key: &[u8],
        head: &Parts,
        defaults: &Defaults,
    ) -> Result<Self, Refusal> {
        let query = Query::parse(head.uri.query(), defaults);
        Ok(Self {
            key: bucket.key(key)?,
            op: ClientOp::Get(query.read_options()?),
            timeout: query.timeout()?,
            vtag: query.text("vtag").map(str::to_owned),
            accept: Accept::media_types(&head.headers),
            encodings: Accept::encodings(&head.headers),
            fresh: Fresh::parse(&head.headers),
            demands: Demands::of_read(&head.headers),
            form: bucket.form,
        })
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What to ask the core.
    pub fn op(&self) -> ClientOp {
        self.op.clone()
    }

    /// How long to try, where the client says so.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The core's answer, for the client.
    pub fn render(&self, result: &Result<Answer, ClientError>) -> Response {
        match result {
            Ok(answer) => self.found(answer).unwrap_or_else(|error| object::undecodable(&error)),
            Err(ClientError::NoType) => response::no_type(&self.key),
            Err(error) => response::failed(error),
        }
    }

    fn found(&self, answer: &Answer) -> Result<Response, Undecodable> {
        let siblings = &answer.siblings;
        if !siblings.is_found() {
            if self.demands.unmet(None).is_some() {
                return Ok(response::precondition_failed());
            }
            return Ok(response::not_found((!siblings.is_empty()).then(|| answer.context()).as_ref()));
        }
        match (&self.vtag, siblings.versions()) {
            (None, [version]) => self.one(answer, version),
            (None, versions) => self.several(answer, versions),
            (Some(wanted), versions) => {
                match versions.iter().find(|version| vtag::of_version(version.dot) == *wanted) {
                    Some(version) => self.one(answer, version),
                    None => Ok(response::no_such_page()),
                }
            }
        }
    }

    fn one(&self, answer: &Answer, version: &Version) -> Result<Response, Undecodable> {
        let shown = Shown::new(version)?;
        let undoable = shown.encoding().is_none_or(|encoding| self.encodings.admits(&encoding));
        if !undoable || !self.accept.admits(&shown.content_type()) {
            return Ok(response::refused(&Refusal::NotAcceptable));
        }
        if let Some(spared) = self.spared(&shown.vtag, shown.modified) {
            return Ok(spared);
        }
        Ok(shown.render(StatusCode::OK, (self.key.bucket(), self.form), &answer.context()))
    }

    fn several(&self, answer: &Answer, versions: &[Version]) -> Result<Response, Undecodable> {
        let shown = versions.iter().map(Shown::new).collect::<Result<Vec<_>, _>>()?;
        let etag = vtag::of_siblings(&answer.siblings);
        let latest = shown.iter().map(|sibling| sibling.modified).max();
        if let Some(spared) = latest.and_then(|latest| self.spared(&etag, latest)) {
            return Ok(spared);
        }
        let Some(form) = siblings::form_to_read(&self.accept) else {
            return Ok(response::refused(&Refusal::NotAcceptable));
        };
        let place = (self.key.bucket(), self.form);
        Ok(siblings::render(form, answer, &shown, place, "Accept, Accept-Encoding"))
    }

    /// The response without what is there: the reader does not want it then, or has it.
    fn spared(&self, etag: &str, modified: SystemTime) -> Option<Response> {
        if self.demands.unmet(Some((etag, modified))) == Some(Unmet::Failed) {
            return Some(response::precondition_failed());
        }
        self.fresh.holds(etag, modified).then(|| object::not_modified(etag))
    }
}
