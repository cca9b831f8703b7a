//! DELETE of a key: a write like any other, of a tombstone.

use std::time::Duration;

use cartwheel_core::version::{Context, Value};
use cartwheel_core::{Answer, ClientError, ClientOp, Key, ReadOptions, WriteOptions};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;

use super::call::Defaults;
use super::condition::{self, Demands};
use super::fields;
use super::query::Query;
use super::refusal::Refusal;
use super::response::{self, Response, set};
use super::route::Bucket;

/// A delete. Without a context from the client it needs a read first: a delete that had seen nothing would leave
/// everything it was meant to remove standing beside its tombstone.
#[derive(Clone, Debug)]
pub struct Delete {
    key: Key,
    context: Option<Context>,
    read: ReadOptions,
    write: WriteOptions,
    timeout: Option<Duration>,
    demands: Demands,
}

impl Delete {
    pub(super) fn parse(
        bucket: &Bucket,
        key: &[u8],
        head: &Parts,
        defaults: &Defaults,
    ) -> Result<Self, Refusal> {
        let query = Query::parse(head.uri.query(), defaults);
        condition::refuse(&head.headers, condition::OF_DELETES)?;
        Ok(Self {
            key: bucket.key(key)?,
            context: fields::context(&head.headers)?,
            read: query.delete_read_options()?,
            write: query.delete_write_options()?,
            timeout: query.timeout()?,
            demands: Demands::of_delete(&head.headers),
        })
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What the client has seen, if it says so and demands nothing of what is there. Then no read is needed.
    pub fn context(&self) -> Option<&Context> {
        self.context.as_ref().filter(|_| self.demands.is_empty())
    }

    /// The read that shows what there is to delete.
    pub fn read_op(&self) -> ClientOp {
        ClientOp::Get(self.read)
    }

    /// What the read found: the context to delete with, or the response that ends the matter.
    ///
    /// # Errors
    ///
    /// The response, if there is nothing to delete, the read failed, or what the client demands is not so.
    pub fn seen(&self, result: &Result<Answer, ClientError>) -> Result<Context, Box<Response>> {
        let unmet = result.as_ref().ok().and_then(|answer| self.demands.refusal(answer));
        let mut response = match (result, unmet) {
            (Ok(_), Some(unmet)) => unmet,
            (Ok(answer), None) if answer.siblings.is_found() => {
                return Ok(self.context.clone().unwrap_or_else(|| answer.context()));
            }
            (Ok(answer), None) => {
                response::not_found((!answer.siblings.is_empty()).then(|| answer.context()).as_ref())
            }
            (Err(ClientError::NoType), _) => response::no_type(&self.key),
            (Err(error), _) => response::failed(error),
        };
        response::vary_encoding(&mut response);
        Err(Box::new(response))
    }

    /// The tombstone.
    pub fn write_op(&self, context: Context) -> ClientOp {
        ClientOp::Put { context, value: Value::Tombstone, options: self.write.clone() }
    }

    /// How long to try, where the client says so.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The answer to the tombstone's write, for the client.
    pub fn render(&self, result: &Result<Answer, ClientError>) -> Response {
        let mut response = match result {
            Ok(_) => response::empty(StatusCode::NO_CONTENT),
            Err(ClientError::NoType) => response::no_type(&self.key),
            Err(error) => response::failed(error),
        };
        if result.is_ok() {
            set(&mut response, CONTENT_TYPE, b"text/html");
        }
        response::vary_encoding(&mut response);
        response
    }
}
