//! Forwarding a put to a coordinator in the key's preference list (the paper's section 4.5).
//!
//! The request keeps its id on every hop, so that a coordinator that has it already does not do it twice. A
//! coordinator that does not say "accepted" in time is given up for the next one of the list; this node itself is on
//! that list, so a put is never refused for want of a coordinator.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Caller;
use super::put::{PutRequest, answer_caller};
use crate::boundary::{Answer, ClientError, Event};
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::flaw::Flaw;
use crate::id::{NodeId, OpId, RequestId};
use crate::message::{ForwardMessage, Message};
use crate::time::Instant;

#[derive(Debug, Default)]
pub(crate) struct Forwards {
    running: BTreeMap<OpId, Forward>,
}

#[derive(Debug)]
struct Forward {
    caller: Caller,
    put: PutRequest,
    /// Coordinators to try after this one, last first.
    candidates: Vec<NodeId>,
    at: NodeId,
    asked_at: Instant,
    accepted: bool,
    deadline: Instant,
}

/// A put that this node must coordinate itself after all.
pub(crate) type Returned = Option<(Caller, PutRequest)>;

impl Forwards {
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Asks the first coordinator of the preference list that is not suspected, homes first.
    pub fn start(&mut self, cx: &mut Cx, caller: Caller, put: PutRequest) -> Returned {
        let candidates = Self::candidates(cx, &put);
        self.ask_one_of(cx, candidates, caller, put)
    }

    /// The same, where this node's own disk has failed.
    pub fn start_elsewhere(&mut self, cx: &mut Cx, caller: Caller, put: PutRequest) {
        let mut candidates = Self::candidates(cx, &put);
        candidates.retain(|node| *node != cx.me());
        if candidates.is_empty() {
            return answer_caller(cx, caller, Err(ClientError::StorageFailed));
        }
        let _never_returned = self.ask_one_of(cx, candidates, caller, put);
    }

    /// Who may coordinate it, last first.
    fn candidates(cx: &Cx, put: &PutRequest) -> Vec<NodeId> {
        let list = cx.preference_list(&put.key, put.needs.n);
        let (well, suspected): (Vec<NodeId>, Vec<NodeId>) =
            list.nodes().iter().partition(|&&node| node == cx.me() || !cx.env.is_away(node));
        let mut candidates: Vec<NodeId> = suspected.into_iter().rev().collect();
        candidates.extend(well.into_iter().rev());
        candidates
    }

    fn ask_one_of(
        &mut self,
        cx: &mut Cx,
        candidates: Vec<NodeId>,
        caller: Caller,
        put: PutRequest,
    ) -> Returned {
        let op = cx.next_op();
        let deadline = put.give_up;
        let at = cx.me();
        let asked_at = cx.time();
        cx.arm(deadline, Timer::Forward(op));
        self.running.insert(op, Forward { caller, put, candidates, at, asked_at, accepted: false, deadline });
        self.try_next(cx, op)
    }

    pub fn on_accepted(&mut self, cx: &mut Cx, from: NodeId, op: OpId) {
        let Some(forward) = self.running.get_mut(&op) else { return };
        if forward.at == from {
            forward.accepted = true;
            let give_up = forward.put.give_up;
            forward.rearm(cx, op, give_up);
        }
    }

    /// Any coordinator that was asked may answer, also one that was given up. One that did nothing is passed over. One that
    /// refuses did nothing either, and so would the next; but where one was silent before, it may have done the put, and that
    /// may be why: a client that was told "nothing was done" would not look.
    pub fn on_reply(
        &mut self,
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        result: Result<Answer, ClientError>,
    ) -> Returned {
        let forward = self.running.get(&op)?;
        let nothing_done = matches!(
            result,
            Err(ClientError::Overloaded { .. } | ClientError::StorageFailed | ClientError::NotAMember)
        );
        let was_the_last = forward.candidates.is_empty() && !forward.put.may_be_done;
        if nothing_done && !(was_the_last && forward.at == from) {
            return if forward.at == from { self.try_next(cx, op) } else { None };
        }
        let forward = self.end(cx, op)?;
        let result = match result {
            Err(ClientError::Refused(_) | ClientError::Invalid(_)) if forward.put.may_be_done => {
                Err(forward.put.timeout())
            }
            result => result,
        };
        answer_caller(cx, forward.caller, result);
        None
    }

    pub fn on_timer(&mut self, cx: &mut Cx, op: OpId) -> Returned {
        let forward = self.running.get(&op)?;
        let (at, asked_at, accepted) = (forward.at, forward.asked_at, forward.accepted);
        if cx.time() >= forward.put.give_up {
            let forward = self.end(cx, op)?;
            answer_caller(cx, forward.caller, Err(forward.put.timeout()));
            return None;
        }
        if !accepted {
            cx.missed(at, asked_at);
            if cx.has(Flaw::RetryNewCoordinator) {
                let request = RequestId(u128::from(cx.random()) << 64);
                self.running.get_mut(&op)?.put.write.request = request;
            }
        }
        self.running.get_mut(&op)?.put.may_be_done = true;
        self.try_next(cx, op)
    }

    fn try_next(&mut self, cx: &mut Cx, op: OpId) -> Returned {
        let forward = self.running.get_mut(&op)?;
        let Some(next) = forward.candidates.pop() else {
            // All were asked; one of them may still answer.
            let give_up = forward.put.give_up;
            forward.rearm(cx, op, give_up);
            return None;
        };
        if next == cx.me() {
            let forward = self.end(cx, op)?;
            return Some((forward.caller, forward.put));
        }
        forward.ask(cx, op, next);
        None
    }

    fn end(&mut self, cx: &mut Cx, op: OpId) -> Option<Forward> {
        let forward = self.running.remove(&op)?;
        cx.disarm(forward.deadline, Timer::Forward(op));
        Some(forward)
    }
}

impl Forward {
    fn ask(&mut self, cx: &mut Cx, op: OpId, to: NodeId) {
        self.at = to;
        self.asked_at = cx.time();
        self.accepted = false;
        let put = &self.put;
        let request = ForwardMessage::Request {
            op,
            request: put.write.request,
            key: put.key.clone(),
            context: put.write.context.clone(),
            value: put.write.value.clone(),
            needs: put.needs,
            time_left: put.give_up.since(cx.time()),
        };
        cx.event(Event::Forwarded { key: put.key.clone(), to });
        cx.send(to, Message::Forward(request));
        let at = cx.time() + cx.env.config.forward_timeout;
        self.rearm(cx, op, at.min(self.put.give_up));
    }

    fn rearm(&mut self, cx: &mut Cx, op: OpId, at: Instant) {
        cx.disarm(self.deadline, Timer::Forward(op));
        self.deadline = at;
        cx.arm(at, Timer::Forward(op));
    }
}
