//! Operators: they start nodes and change the cluster's membership, and try again until it is done.

use cartwheel_core::id::{CallId, NodeId};
use cartwheel_core::membership::{Change, Departure, PlanError, Share};
use cartwheel_core::{AdminOp, AdminReply, AdminRequest, Input};

use super::{Event, Simulator};

/// How long an operator waits before trying again, in nanoseconds.
const PATIENCE_NS: u64 = 200_000_000;

/// What operators have been asked to do.
#[derive(Debug, Default)]
pub(crate) struct Operator {
    tasks: Vec<Task>,
}

#[derive(Debug)]
struct Task {
    node: u32,
    change: Change,
    doing: Doing,
    call: Option<CallId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Staging,
    Committing,
    /// It is committed, or makes no sense any more.
    Done,
}

impl Operator {
    /// Whether nothing is left to do.
    pub fn is_idle(&self) -> bool {
        self.tasks.iter().all(|task| task.doing == Doing::Done)
    }
}

impl Simulator<'_> {
    pub(super) fn have_joined(&mut self, node: u32) {
        self.bring_up(node);
        self.have(node, Change::Join(Share::default()));
    }

    pub(super) fn have_left(&mut self, node: u32) {
        self.have(node, Change::Leave);
    }

    pub(super) fn have_removed(&mut self, node: u32) {
        self.have(node, Change::Remove);
    }

    /// A node that is down by now does not come back.
    pub(super) fn have_replaced(&mut self, node: u32, with: u32) {
        self.bring_up(with);
        let is_down = self.processes[node as usize].node.is_none();
        if is_down {
            self.destroy(node);
        }
        let departure = if is_down { Departure::Dead } else { Departure::Alive };
        self.have(node, Change::Replace { with: NodeId(u64::from(with) + 1), departure });
    }

    fn bring_up(&mut self, node: u32) {
        let process = &mut self.processes[node as usize];
        if !process.exists && process.life == 0 {
            process.exists = true;
            self.start(node);
        }
    }

    fn have(&mut self, node: u32, change: Change) {
        let task = self.operator.tasks.len();
        self.operator.tasks.push(Task { node, change, doing: Doing::Staging, call: None });
        self.queue.push(self.now, Event::Operate { task });
    }

    /// Asks the first node that takes part.
    pub(super) fn operate(&mut self, task: usize) {
        let doing = self.operator.tasks[task].doing;
        if doing == Doing::Done {
            return;
        }
        let serves = |at: &usize| {
            self.processes[*at].node.as_ref().is_some_and(|node| node.status().serves())
                && *at != self.operator.tasks[task].node as usize
        };
        self.queue.push(self.now + PATIENCE_NS, Event::Operate { task });
        let Some(at) = (0..self.processes.len()).find(serves) else { return };
        self.next_call += 1;
        let call = CallId(self.next_call);
        let entry = &mut self.operator.tasks[task];
        entry.call = Some(call);
        let op = match doing {
            Doing::Staging => {
                AdminOp::Stage { node: NodeId(u64::from(entry.node) + 1), change: entry.change.clone() }
            }
            Doing::Committing | Doing::Done => AdminOp::Commit { shown: None },
        };
        self.handle(at as u32, Input::Admin(AdminRequest { call, op }));
    }

    pub(super) fn on_admin_reply(&mut self, reply: AdminReply) {
        let Some(index) = self.operator.tasks.iter().position(|task| task.call == Some(reply.call)) else {
            return;
        };
        let task = &mut self.operator.tasks[index];
        task.doing = match (task.doing, reply.result) {
            (Doing::Staging, Ok(_)) => {
                self.queue.push(self.now, Event::Operate { task: index });
                Doing::Committing
            }
            (_, Ok(_)) => Doing::Done,
            // It is so already, or never can be.
            (_, Err(PlanError::Status { .. } | PlanError::Weight | PlanError::TooFewMembers { .. })) => {
                self.queue.push(self.now, Event::Operate { task: index });
                Doing::Done
            }
            // Somebody else has committed or cleared what was staged here; or it may be staged, and not committed yet.
            (Doing::Committing, Err(PlanError::NothingToDo | PlanError::Changed)) => Doing::Staging,
            (doing, Err(_)) => doing,
        };
    }
}
