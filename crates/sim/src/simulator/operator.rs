//! Operators: they start nodes and change the cluster's membership, and try again until it is done.

use cartwheel_core::id::{CallId, NodeId};
use cartwheel_core::membership::{Change, Cluster, Departure, MemberStatus, Plan, PlanError, Share};
use cartwheel_core::{AdminOp, AdminReply, AdminRequest, Input};

use super::settings::{Setting, State};
use super::{Event, Simulator};

/// How long an operator waits before trying again, in nanoseconds.
pub(super) const PATIENCE_NS: u64 = 200_000_000;

/// What operators have been asked to do.
#[derive(Debug, Default)]
pub(crate) struct Operator {
    tasks: Vec<Task>,
    pub settings: Vec<Setting>,
}

#[derive(Debug)]
struct Task {
    node: u32,
    change: Change,
    doing: Doing,
    call: Option<CallId>,
    /// Names the next attempt: an earlier one that was put off is not made.
    attempt: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Staging,
    Committing,
    /// It is committed. A node that heard of it alone may yet lose its disk.
    Watching,
    /// It does not fit how the node stands: it is so already, or makes no sense any more.
    Doubting,
    /// What is staged does not fit together: it is cleared, and staged anew.
    Clearing,
    /// It cannot be: what is staged is cleared.
    GivingUp,
    Done,
}

impl Operator {
    /// Whether nothing is left to do.
    pub fn is_idle(&self) -> bool {
        self.tasks.iter().all(|task| task.doing == Doing::Done)
            && self.settings.iter().all(|setting| setting.state == State::Done)
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
        self.operator.tasks.push(Task { node, change, doing: Doing::Staging, call: None, attempt: 0 });
        self.attempt(task, 0);
    }

    fn attempt(&mut self, task: usize, after_ns: u64) {
        let attempt = &mut self.operator.tasks[task].attempt;
        *attempt += 1;
        self.queue.push(self.now + after_ns, Event::Operate { task, attempt: *attempt });
    }

    /// Asks the first node that takes part.
    pub(super) fn operate(&mut self, task: usize, attempt: u32) {
        if attempt != self.operator.tasks[task].attempt {
            return;
        }
        if matches!(self.operator.tasks[task].doing, Doing::Watching | Doing::Doubting) {
            self.check_up(task);
        }
        let doing = self.operator.tasks[task].doing;
        if doing == Doing::Done {
            return;
        }
        self.attempt(task, PATIENCE_NS);
        let subject = self.operator.tasks[task].node as usize;
        let serves = |at: &usize| {
            *at != subject && self.processes[*at].node.as_ref().is_some_and(|node| node.status().serves())
        };
        let at = (0..self.processes.len()).find(serves);
        let (Some(at), Some(op)) = (at, self.operator.tasks[task].op()) else { return };
        self.next_call += 1;
        let call = CallId(self.next_call);
        self.operator.tasks[task].call = Some(call);
        self.handle(at as u32, Input::Admin(AdminRequest { call, op }));
    }

    /// Done once everybody knows; to be done again if nobody does.
    fn check_up(&mut self, task: usize) {
        let entry = &self.operator.tasks[task];
        let running = self.processes.iter().filter_map(|process| process.node.as_ref());
        let known: Vec<bool> = running
            .map(|node| node.status())
            .filter(|status| status.serves())
            .map(|status| entry.is_reached(status.cluster()))
            .collect();
        let all = known.iter().all(|known| *known);
        let none = !known.iter().any(|known| *known);
        let doing = entry.doing;
        self.operator.tasks[task].doing = match (all, none) {
            _ if known.is_empty() => doing,
            (true, _) => Doing::Done,
            (_, true) if doing == Doing::Doubting => Doing::Done,
            (_, true) => Doing::Staging,
            _ => Doing::Watching,
        };
    }

    pub(super) fn on_admin_reply(&mut self, reply: &AdminReply) {
        let Some(index) = self.operator.tasks.iter().position(|task| task.call == Some(reply.call)) else {
            return self.on_props_set(reply);
        };
        let task = &mut self.operator.tasks[index];
        task.on_reply(&reply.result);
        // What goes wrong is tried again later.
        if reply.result.is_ok() {
            self.attempt(index, 0);
        }
    }
}

impl Task {
    fn op(&self) -> Option<AdminOp> {
        match self.doing {
            Doing::Staging => {
                Some(AdminOp::Stage { node: NodeId(u64::from(self.node) + 1), change: self.change.clone() })
            }
            Doing::Committing => Some(AdminOp::Commit { shown: None }),
            Doing::Clearing | Doing::GivingUp => Some(AdminOp::Clear),
            Doing::Watching | Doing::Doubting | Doing::Done => None,
        }
    }

    fn on_reply(&mut self, result: &Result<Option<Plan>, PlanError>) {
        self.call = None;
        self.doing = match (self.doing, result) {
            (Doing::Staging, Ok(_)) => Doing::Committing,
            (Doing::Committing, Ok(_)) => Doing::Watching,
            (Doing::Clearing, Ok(_)) => Doing::Staging,
            (Doing::GivingUp, Ok(_)) => Doing::Done,
            (Doing::Staging, Err(PlanError::Status { .. })) => Doing::Doubting,
            (Doing::Committing, Err(PlanError::TooFewMembers { .. })) if self.change == Change::Leave => {
                Doing::GivingUp
            }
            (Doing::Committing, Err(PlanError::Status { .. } | PlanError::TooFewMembers { .. })) => {
                Doing::Clearing
            }
            // Somebody else has committed what was staged here, or cleared it.
            (Doing::Committing, Err(PlanError::NothingToDo)) => Doing::Staging,
            (doing, Err(_)) => doing,
            (doing, Ok(_)) => doing,
        };
    }

    /// Whether `cluster` is as this task will have it.
    fn is_reached(&self, cluster: &Cluster) -> bool {
        let at_least = |node: NodeId, status: MemberStatus| cluster.status(node) >= Some(status);
        let node = NodeId(u64::from(self.node) + 1);
        match &self.change {
            Change::Join(_) | Change::Reshare(_) => at_least(node, MemberStatus::Member),
            Change::Leave => at_least(node, MemberStatus::Leaving),
            Change::Remove => at_least(node, MemberStatus::Left),
            Change::Replace { with, .. } => {
                at_least(node, MemberStatus::Leaving) && at_least(*with, MemberStatus::Member)
            }
        }
    }
}
