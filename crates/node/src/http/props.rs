//! Properties of buckets and bucket types: Riak's API on top of the gossiped state.

use cartwheel_core::membership::PlanError;
use cartwheel_riak::http::{BucketProps, Call, PropsVerb, Response};
use cartwheel_riak::props::Owner;
use hyper::body::Incoming;

use super::Api;
use super::admin::status_of;
use crate::cluster::{AdminAnswer, Refused};
use crate::server::{AdminAsk, AskedOp, Question};

impl Api {
    pub(super) async fn props(&self, call: &BucketProps, body: Incoming) -> Response {
        let op = match (call.verb(), call.owner()) {
            (PropsVerb::Show, _) => return self.show_props(call).await,
            // Only buckets are reset.
            (PropsVerb::Reset, Owner::Type(_)) => return call.shown(None),
            (PropsVerb::Reset, Owner::Bucket(bucket)) => AskedOp::ResetProps(bucket.clone()),
            (PropsVerb::Set, owner) => {
                match self.bodies.read_json(body).await.and_then(|body| call.props(&body.bytes)) {
                    Ok(props) => match owner.clone() {
                        Owner::Bucket(bucket) => AskedOp::SetProps(bucket, props),
                        Owner::Type(name) => AskedOp::SetTypeProps(name, props),
                    },
                    Err(refusal) => return Call::refuse(&refusal),
                }
            }
        };
        match self.change(op).await {
            Ok(_) => call.done(),
            Err(refused) => match refused.why.as_deref() {
                Some(PlanError::Props(error)) => call.refused(error),
                Some(PlanError::Type(error)) => call.type_refused(error),
                _ => call.failed(status_of(&refused), &refused.message),
            },
        }
    }

    async fn show_props(&self, call: &BucketProps) -> Response {
        match self.ask_question(|answer| Question::Props(call.owner().clone(), answer)).await {
            Ok(held) => call.shown(held.as_ref()),
            Err(refused) => call.failed(status_of(&refused), &refused.message),
        }
    }

    /// Answered once it is on this node's disk.
    pub(crate) async fn change(&self, op: AskedOp) -> Result<AdminAnswer, Refused> {
        self.ask_question(|answer| Question::Admin(AdminAsk { op, answer })).await?
    }
}
