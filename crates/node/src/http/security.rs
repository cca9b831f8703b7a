//! Users and grants of the cluster, for operators.

use serde_json::json;

use super::admin::json;
use super::{Api, Response};
use crate::cluster::Refused;
use crate::security::{SecurityReport, SecurityRequest};
use crate::server::{AskedOp, Question};

impl Api {
    pub(super) async fn security(&self) -> Result<Response, Refused> {
        let metadata = self.ask_question(Question::Metadata).await?;
        json(&SecurityReport::of(&metadata, &self.gate.policy(), self.gate.watched().is_some()))
    }

    /// Answered once it is on this node's disk.
    pub(super) async fn change_security(
        &self,
        asked: Result<SecurityRequest, Refused>,
    ) -> Result<Response, Refused> {
        self.change(AskedOp::Security(asked?)).await?;
        json(&json!({}))
    }
}
