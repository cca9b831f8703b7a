//! What operators ask of the node, and what they are told.

use cartwheel_core::membership::{Bucket, Plan, PlanError, Props};
use cartwheel_core::{AdminOp, AdminReply, AdminRequest, Input};
use tokio::sync::oneshot;

use super::Server;
use crate::cluster::{
    AdminAnswer, ChangeReport, ClusterReport, CommitRequest, Refused, Viewpoint, fingerprint, refusal,
};
use crate::security::{self, SecurityRequest};

/// Operators' requests that are not answered yet. A commit waits for the disk; nobody has many under way.
const CALLS_MAX: usize = 256;

/// An operator's request, and where the answer goes.
#[derive(Debug)]
pub(crate) struct AdminAsk {
    pub op: AskedOp,
    pub answer: oneshot::Sender<Result<AdminAnswer, Refused>>,
}

#[derive(Debug)]
pub(crate) enum AskedOp {
    Stage(ChangeReport),
    Clear,
    Plan,
    Commit(CommitRequest),
    SetProps(Bucket, Props),
    ResetProps(Bucket),
    CreateType(Vec<u8>, Props),
    ActivateType(Vec<u8>),
    SetTypeProps(Vec<u8>, Props),
    Security(SecurityRequest),
}

/// A request that the core has been handed.
pub(crate) struct AdminCall {
    answer: oneshot::Sender<Result<AdminAnswer, Refused>>,
    /// What was to be prepared.
    asked: Option<ChangeReport>,
}

impl Server {
    pub(super) fn administer(&mut self, AdminAsk { op, answer }: AdminAsk) {
        let understood = self.understand(op);
        match understood {
            Ok((op, asked)) => {
                let call = self.next_call();
                self.admin_calls.insert(call, AdminCall { answer, asked });
                self.input(Input::Admin(AdminRequest { call, op }));
            }
            // Whoever asked may have gone.
            Err(refused) => drop(answer.send(Err(refused))),
        }
    }

    fn understand(&self, op: AskedOp) -> Result<(AdminOp, Option<ChangeReport>), Refused> {
        if self.admin_calls.len() >= CALLS_MAX {
            let message = format!("{CALLS_MAX} requests of operators are under way; try again later");
            return Err(Refused::new("overloaded", message));
        }
        let status = self.node.status();
        let cluster = status.cluster();
        Ok(match op {
            AskedOp::Stage(report) => {
                let (node, change) = report.understand(cluster)?;
                (AdminOp::Stage { node, change }, Some(report))
            }
            AskedOp::Clear => (AdminOp::Clear, None),
            AskedOp::Plan => (AdminOp::Plan, None),
            AskedOp::SetProps(bucket, props) => (AdminOp::SetProps { bucket, props }, None),
            AskedOp::ResetProps(bucket) => (AdminOp::ResetProps { bucket }, None),
            AskedOp::CreateType(name, props) => (AdminOp::CreateType { name, props }, None),
            AskedOp::ActivateType(name) => (AdminOp::ActivateType { name }, None),
            AskedOp::Security(request) => {
                let changes = security::changes(&cluster.metadata, request);
                let refused = |why: String| Refused::new("invalid", why);
                (AdminOp::SetMetadata { changes: changes.map_err(refused)? }, None)
            }
            AskedOp::SetTypeProps(name, props) => (AdminOp::SetTypeProps { name, props }, None),
            AskedOp::Commit(CommitRequest { plan: None }) => (AdminOp::Commit { shown: None }, None),
            AskedOp::Commit(CommitRequest { plan: Some(shown) }) => {
                let refused = |error: PlanError| refusal(cluster, &error, None);
                let plan: Plan = cluster.plan().map_err(refused)?;
                if fingerprint(&plan) != shown {
                    return Err(refused(PlanError::Changed));
                }
                (AdminOp::Commit { shown: Some(plan) }, None)
            }
        })
    }

    pub(super) fn answer_operator(&mut self, AdminReply { call, result }: AdminReply) {
        let Some(AdminCall { answer, asked }) = self.admin_calls.remove(&call) else { return };
        let status = self.node.status();
        let cluster = status.cluster();
        let told = match result {
            Ok(plan) => {
                let is_possible = plan.is_some() || cluster.staged.value.is_empty();
                let problem = if is_possible { None } else { cluster.plan().err() };
                let problem = problem.map(|error| refusal(cluster, &error, asked.as_ref()));
                Ok(AdminAnswer::of(cluster, plan.as_ref(), problem))
            }
            Err(error) => Err(refusal(cluster, &error, asked.as_ref())),
        };
        // Whoever asked may have gone.
        drop(answer.send(told));
    }

    pub(super) fn cluster_report(&self) -> ClusterReport {
        let status = self.node.status();
        let view = Viewpoint {
            cluster_name: &self.about.cluster,
            me: status.node(),
            serves: status.serves(),
            suspected: &status.suspected(),
            down: &status.down(),
        };
        ClusterReport::of(status.cluster(), &view)
    }
}
