//! Properties of buckets: Riak's API on top of the gossiped state.

use cartwheel_riak::http::{BucketProps, Call, PropsVerb, Response};
use hyper::body::Incoming;

use super::Api;
use super::admin::status_of;
use crate::cluster::{AdminAnswer, Refused};
use crate::server::{AdminAsk, AskedOp, Question};

impl Api {
    pub(super) async fn props(&self, call: &BucketProps, body: Incoming) -> Response {
        let op = match call.verb() {
            PropsVerb::Show => return self.show_props(call).await,
            PropsVerb::Reset => AskedOp::ResetProps(call.bucket().clone()),
            PropsVerb::Set => match self.bodies.read(body).await.and_then(|body| call.props(&body.bytes)) {
                Ok(props) => AskedOp::SetProps(call.bucket().clone(), props),
                Err(refusal) => return Call::refuse(&refusal),
            },
        };
        match self.change(op).await {
            Ok(_) => call.done(),
            Err(refused) => call.failed(status_of(&refused), &refused.message),
        }
    }

    async fn show_props(&self, call: &BucketProps) -> Response {
        match self.ask_question(|answer| Question::Props(call.bucket().clone(), answer)).await {
            Ok((props, rules)) => call.shown(&props, &rules),
            Err(refused) => call.failed(status_of(&refused), &refused.message),
        }
    }

    /// Answered once it is on this node's disk.
    async fn change(&self, op: AskedOp) -> Result<AdminAnswer, Refused> {
        self.ask_question(|answer| Question::Admin(AdminAsk { op, answer })).await?
    }
}
