//! Operators who set properties of buckets and have bucket types, each at the node of its choice, so that two may do so at
//! once.

use cartwheel_core::id::CallId;
use cartwheel_core::membership::{Bucket, PlanError, Props, TypeError};
use cartwheel_core::{AdminOp, AdminReply, AdminRequest, Input, Key};

use super::operator::PATIENCE_NS;
use super::{Event, Simulator};
use crate::report::Counter;
use crate::scenario::{Fault, TypeStep};

/// What one operator wants set.
#[derive(Debug)]
pub(super) struct Setting {
    node: u32,
    op: AdminOp,
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Wanted,
    Asked(CallId),
    Done,
}

impl Simulator<'_> {
    pub(super) fn have_set(&mut self, fault: &Fault) {
        let (node, op) = match fault {
            Fault::SetProps { node, .. } => (node, self.props_op(fault)),
            Fault::SetType { node, name, step, node_confirms, .. } => {
                (node, Some(type_op(name, *step, *node_confirms)))
            }
            _ => return,
        };
        let Some(op) = op else { return };
        let setting = self.operator.settings.len();
        self.operator.settings.push(Setting { node: node - 1, op, state: State::Wanted });
        self.set_props(setting);
    }

    fn props_op(&self, fault: &Fault) -> Option<AdminOp> {
        let Fault::SetProps { bucket, node_confirms, allow_mult, last_write_wins, .. } = fault else {
            return None;
        };
        let bucket_type = Key::DEFAULT_TYPE.to_vec();
        let name = self.scenario.workload.kind.bucket(*bucket).into_bytes();
        let bucket = Bucket { bucket_type, name };
        let props = Props {
            node_confirms: *node_confirms,
            allow_mult: *allow_mult,
            last_write_wins: *last_write_wins,
            ..Props::default()
        };
        Some(AdminOp::SetProps { bucket, props })
    }

    /// Asks, and asks again if there is no answer. Of one that has left nothing is wanted any more.
    pub(super) fn set_props(&mut self, setting: usize) {
        let wanted = &mut self.operator.settings[setting];
        let process = &self.processes[wanted.node as usize];
        if process.is_gone() {
            wanted.state = State::Done;
        }
        if wanted.state == State::Done {
            return;
        }
        self.queue.push(self.now + PATIENCE_NS, Event::SetProps { setting });
        if process.up_since(self.now).is_none() {
            return;
        }
        self.next_call += 1;
        let call = CallId(self.next_call);
        wanted.state = State::Asked(call);
        let (node, op) = (wanted.node, wanted.op.clone());
        self.handle(node, Input::Admin(AdminRequest { call, op }));
    }

    pub(super) fn on_props_set(&mut self, reply: &AdminReply) {
        let asked = State::Asked(reply.call);
        let setting = self.operator.settings.iter_mut().find(|setting| setting.state == asked);
        let Some(setting) = setting else { return };
        let counter = match setting.op {
            AdminOp::SetProps { .. } => Counter::PropsSet,
            _ => Counter::TypesSet,
        };
        match &reply.result {
            Ok(_) => {
                setting.state = State::Done;
                self.count(counter);
            }
            // Somebody else has created it, and activated it.
            Err(PlanError::Type(TypeError::AlreadyActive)) => setting.state = State::Done,
            // What goes wrong is tried again later.
            Err(_) => {}
        }
    }
}

fn type_op(name: &str, step: TypeStep, node_confirms: Option<u8>) -> AdminOp {
    let (name, props) = (name.as_bytes().to_vec(), Props { node_confirms, ..Props::default() });
    match step {
        TypeStep::Create => AdminOp::CreateType { name, props },
        TypeStep::Activate => AdminOp::ActivateType { name },
        TypeStep::Update => AdminOp::SetTypeProps { name, props },
    }
}
