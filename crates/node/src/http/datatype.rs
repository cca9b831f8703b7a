//! Data types: what kind of values a bucket has is looked up first.

use bytes::Bytes;
use cartwheel_core::id::RequestId;
use cartwheel_riak::http::{Call, DataType, Response};
use cartwheel_riak::props::Owner;
use hyper::body::Incoming;

use super::Api;
use super::admin::status_of;
use crate::server::Question;

impl Api {
    pub(super) async fn data_type(&self, id: RequestId, call: &DataType, body: Incoming) -> Response {
        let owner = Owner::Bucket(call.bucket());
        let held = match self.ask_question(|answer| Question::Props(owner, answer)).await {
            Ok(held) => held,
            Err(refused) => return DataType::failed(status_of(&refused), &refused.message),
        };
        let admitted = match call.admit(held.as_ref().map(|held| &held.rules)) {
            Ok(admitted) => admitted,
            Err(response) => return *response,
        };
        let key = match call.key(id) {
            Ok(Some(key)) => key,
            Ok(None) => return call.not_found(&admitted),
            Err(refusal) => return Call::refuse(&refusal),
        };
        let body = if call.is_change() { self.bodies.read_json(body).await.map(Some) } else { Ok(None) };
        let op = match &body {
            Ok(body) => call.op(&admitted, &body.as_ref().map_or_else(Bytes::new, |body| body.bytes.clone())),
            Err(refusal) => return Call::refuse(refusal),
        };
        match op {
            Ok(op) => call.render(&admitted, &key, &self.ask(id, &key, op, call.timeout()).await),
            Err(response) => *response,
        }
    }
}
