//! Operators who set properties of buckets, each at the node of its choice, so that two may do so at once.

use cartwheel_core::id::CallId;
use cartwheel_core::membership::{Bucket, Props};
use cartwheel_core::{AdminOp, AdminReply, AdminRequest, Input, Key};

use super::operator::PATIENCE_NS;
use super::{Event, Simulator};
use crate::report::Counter;
use crate::scenario::Fault;

/// What one operator wants set.
#[derive(Debug)]
pub(super) struct Setting {
    node: u32,
    bucket: Bucket,
    props: Props,
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Wanted,
    Asked(CallId),
    Done,
}

impl Simulator<'_> {
    pub(super) fn have_props_set(&mut self, fault: &Fault) {
        let Fault::SetProps { node, bucket, node_confirms, allow_mult, last_write_wins, .. } = fault else {
            return;
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
        let setting = self.operator.settings.len();
        self.operator.settings.push(Setting { node: node - 1, bucket, props, state: State::Wanted });
        self.set_props(setting);
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
        let op = AdminOp::SetProps { bucket: wanted.bucket.clone(), props: wanted.props };
        let node = wanted.node;
        self.handle(node, Input::Admin(AdminRequest { call, op }));
    }

    pub(super) fn on_props_set(&mut self, reply: &AdminReply) {
        let asked = State::Asked(reply.call);
        let setting = self.operator.settings.iter_mut().find(|setting| setting.state == asked);
        // What goes wrong is tried again later.
        if let (Some(setting), Ok(_)) = (setting, &reply.result) {
            setting.state = State::Done;
            self.count(Counter::PropsSet);
        }
    }
}
