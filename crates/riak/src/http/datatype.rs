//! Data types: `/types/T/buckets/B/datatypes[/K]`, and counters of the older kind, `/buckets/B/counters/K`.
//!
//! What kind of values a bucket has its type says. The driver looks that up ([`DataType::bucket`]), hands it to
//! [`DataType::admit`], and only then reads the body.

use std::time::Duration;

use bytes::Bytes;
use cartwheel_core::datatype::{self, Kind, Op, State};
use cartwheel_core::id::RequestId;
use cartwheel_core::membership::{Bucket as Owner, Rules};
use cartwheel_core::version::{Context, Policy};
use cartwheel_core::{Answer, ClientError, ClientOp, Key, ReadOptions, WriteOptions};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use super::call::Defaults;
use super::query::Query;
use super::refusal::Refusal;
use super::response::{self, Response, set};
use super::route::{Bucket, quote};
use crate::datatype::{json, kind_of, value_of};
use crate::vtag;

const JSON: &[u8] = b"application/json";

/// A request about a data type.
#[derive(Clone, Debug)]
pub struct DataType {
    bucket: Bucket,
    /// `None`: the server makes it, or there is nothing to be read.
    key: Option<Key>,
    api: Api,
    verb: Verb,
    timeout: Option<Duration>,
}

/// By which path it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    /// With a bucket type, and in JSON.
    Typed,
    /// A counter, and nothing but its number.
    Counter,
}

#[derive(Clone, Debug)]
enum Verb {
    Read { options: ReadOptions, context: Shown },
    Change { options: WriteOptions, value: Shown, context: Shown },
}

/// Whether the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Yes,
    No,
}

/// What a bucket has, as far as a request depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    kind: Kind,
    precision: u8,
}

impl DataType {
    pub(super) fn typed(
        bucket: Bucket,
        key: Option<Vec<u8>>,
        head: &Parts,
        defaults: &Defaults,
    ) -> Result<Self, Refusal> {
        if head.method == Method::POST && !is_json(&head.headers) {
            return Err(Refusal::NotAcceptable);
        }
        let key = key.map(|key| bucket.key(&key)).transpose()?;
        Self::parse(bucket, key, Api::Typed, head, defaults)
    }

    pub(super) fn counter(
        bucket: Bucket,
        key: &[u8],
        head: &Parts,
        defaults: &Defaults,
    ) -> Result<Self, Refusal> {
        let key = bucket.key(key)?;
        Self::parse(bucket, Some(key), Api::Counter, head, defaults)
    }

    fn parse(
        bucket: Bucket,
        key: Option<Key>,
        api: Api,
        head: &Parts,
        defaults: &Defaults,
    ) -> Result<Self, Refusal> {
        let query = Query::parse(head.uri.query(), defaults);
        let shown = |is_shown| if is_shown { Shown::Yes } else { Shown::No };
        let value = match api {
            Api::Typed => query.switch("returnbody")?.unwrap_or(false),
            Api::Counter => query.is_true("returnvalue"),
        };
        let context = shown(query.switch("include_context")?.unwrap_or(true));
        let verb = if head.method == Method::POST {
            Verb::Change { options: query.write_options()?, value: shown(value), context }
        } else {
            Verb::Read { options: query.read_options()?, context }
        };
        Ok(Self { timeout: query.timeout_unless_zero()?, bucket, key, api, verb })
    }

    /// Whose properties say what kind of values there are.
    pub fn bucket(&self) -> Owner {
        let bucket_type = self.bucket.bucket_type.clone().unwrap_or_else(|| Key::DEFAULT_TYPE.to_vec());
        Owner { bucket_type, name: self.bucket.bucket.clone() }
    }

    /// Whether it changes the value: then its body is wanted.
    pub fn is_change(&self) -> bool {
        matches!(self.verb, Verb::Change { .. })
    }

    /// Whether a bucket for which `rules` hold has such values; `None`: there is no such bucket type.
    ///
    /// # Errors
    ///
    /// The response that ends the matter.
    pub fn admit(&self, rules: Option<&Rules>) -> Result<Admitted, Box<Response>> {
        let bucket_type = self.bucket.bucket_type.as_deref().unwrap_or(Key::DEFAULT_TYPE);
        let Some(rules) = rules else {
            let name = String::from_utf8_lossy(bucket_type);
            let text = format!("Unknown bucket type: {name}\n");
            return Err(Box::new(response::text(StatusCode::NOT_FOUND, text)));
        };
        match self.api {
            Api::Counter if self.is_change() && rules.policy != Policy::KeepSiblings => {
                let text = "Counters require bucket property 'allow_mult=true'";
                Err(Box::new(response::text(StatusCode::CONFLICT, text)))
            }
            Api::Counter => Ok(Admitted { kind: Kind::Counter, precision: rules.hll_precision }),
            Api::Typed if bucket_type == Key::DEFAULT_TYPE => Err(Box::new(self.elsewhere())),
            Api::Typed => match rules.datatype {
                Some(datatype) => Ok(Admitted { kind: kind_of(datatype), precision: rules.hll_precision }),
                None => {
                    let text = "Bucket datatype 'undefined' is not a supported type.\n";
                    Err(Box::new(response::text(StatusCode::FORBIDDEN, text)))
                }
            },
        }
    }

    fn elsewhere(&self) -> Response {
        let text = "Counters in the default bucket-type should use the legacy URL\n";
        let mut response = response::text(StatusCode::MOVED_PERMANENTLY, text);
        let key = self.key.as_ref().map(|key| quote(key.key())).unwrap_or_default();
        let location = format!("/buckets/{}/counters/{key}", quote(&self.bucket.bucket));
        set(&mut response, LOCATION, location.as_bytes());
        response
    }

    /// The key; one that the server makes is the same for each retry of `request`. `None`: a read of no key.
    ///
    /// # Errors
    ///
    /// [`Refusal::KeyTooLong`], if the bucket's name leaves no room for a key.
    pub fn key(&self, request: RequestId) -> Result<Option<Key>, Refusal> {
        match (&self.key, &self.verb) {
            (Some(key), _) => Ok(Some(key.clone())),
            (None, Verb::Read { .. }) => Ok(None),
            (None, Verb::Change { .. }) => self.bucket.key(vtag::key_for(request).as_bytes()).map(Some),
        }
    }

    /// What to ask the core, given the request's body where it has one.
    ///
    /// # Errors
    ///
    /// The response that says what is wrong with the body.
    pub fn op(&self, admitted: &Admitted, body: &Bytes) -> Result<ClientOp, Box<Response>> {
        let options = match &self.verb {
            Verb::Read { options, .. } => return Ok(ClientOp::Get(*options)),
            Verb::Change { options, .. } => options.clone(),
        };
        let (op, context) = match self.api {
            Api::Counter => (Op::Counter(amount(body)?), None),
            Api::Typed => {
                json::read(admitted.kind, admitted.precision, body).map_err(|bad| Box::new(refused(&bad)))?
            }
        };
        Ok(ClientOp::Update { op, context, options })
    }

    /// How long to try, where the client says so.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The core's answer, for the client. `key`: that of the value.
    pub fn render(&self, admitted: &Admitted, key: &Key, result: &Result<Answer, ClientError>) -> Response {
        match result {
            Ok(answer) => self.done(admitted, key, answer),
            Err(ClientError::Invalid(cartwheel_core::Invalid::OneValue)) => {
                response::text(StatusCode::FORBIDDEN, "Bucket must be allow_mult=true\n")
            }
            Err(error) => {
                let mut response = response::failed(error);
                if self.api == Api::Typed {
                    response::vary_encoding(&mut response);
                }
                response
            }
        }
    }

    /// The node could not say what kind of values there are.
    pub fn failed(status: StatusCode, why: &str) -> Response {
        response::text(status, format!("{why}\n"))
    }

    /// There is nothing to be read.
    pub fn not_found(&self, admitted: &Admitted) -> Response {
        match self.api {
            Api::Counter => response::text(StatusCode::NOT_FOUND, "not found\n"),
            Api::Typed => self.said(StatusCode::NOT_FOUND, json::not_found(admitted.kind)),
        }
    }

    fn done(&self, admitted: &Admitted, key: &Key, answer: &Answer) -> Response {
        let value = value_of(answer, admitted.kind);
        let context = answer.context();
        let (mut response, is_change) = match (&self.verb, value) {
            (Verb::Change { value: Shown::No, .. }, _) | (Verb::Change { .. }, None) => (self.silent(), true),
            (Verb::Read { .. }, None) => (self.not_found(admitted), false),
            (Verb::Read { context: shown, .. }, Some(value)) => (self.shown(&value, &context, *shown), false),
            (Verb::Change { context: shown, .. }, Some(value)) => {
                (self.shown(&value, &context, *shown), true)
            }
        };
        if is_change && self.key.is_none() {
            *response.status_mut() = StatusCode::CREATED;
            if response.body().is_empty() {
                set(&mut response, CONTENT_LENGTH, b"0");
            }
            let bucket_type = quote(self.bucket.bucket_type.as_deref().unwrap_or(Key::DEFAULT_TYPE));
            let (bucket, key) = (quote(key.bucket()), quote(key.key()));
            let location = format!("/types/{bucket_type}/buckets/{bucket}/keys/{key}");
            set(&mut response, LOCATION, location.as_bytes());
        }
        response
    }

    fn shown(&self, value: &datatype::DataType, context: &Context, shown: Shown) -> Response {
        match (self.api, value.state()) {
            (Api::Counter, State::Counter(counter)) => {
                response::text(StatusCode::OK, counter.value().to_string())
            }
            _ => {
                let context = (shown == Shown::Yes).then_some(context);
                self.said(StatusCode::OK, json::written(value, context))
            }
        }
    }

    fn said(&self, status: StatusCode, json: String) -> Response {
        let mut response = response::with_body(status, JSON, json.into());
        response::vary_encoding(&mut response);
        response
    }

    fn silent(&self) -> Response {
        let mut response = response::empty(StatusCode::NO_CONTENT);
        match self.api {
            Api::Counter => set(&mut response, CONTENT_TYPE, b"text/plain"),
            Api::Typed => {
                response::vary_encoding(&mut response);
                set(&mut response, CONTENT_TYPE, JSON);
            }
        }
        response
    }
}

fn refused(bad: &json::BadOp) -> Response {
    let mut response = response::text(StatusCode::BAD_REQUEST, bad.to_string());
    response::vary_encoding(&mut response);
    response
}

/// The number that the body of a request for a counter of the older kind is.
fn amount(body: &[u8]) -> Result<i64, Box<Response>> {
    let text = std::str::from_utf8(body).ok().map(|text| text.strip_prefix('+').unwrap_or(text));
    text.and_then(|text| text.parse().ok()).ok_or_else(|| Box::new(response::bad_request()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().is_some_and(|media_type| media_type.trim() == "application/json")
}
