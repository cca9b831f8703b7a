//! Coordinating a get (the paper's sections 4.5 and 4.8): ask all N homes, answer at R, repair the rest afterwards.
//!
//! Any node coordinates. A suspected home is asked too, for its answer would prove it alive, but a fallback is asked
//! beside it. A fallback votes only with a copy in its hand: "not found" from a node that never was a home means
//! nothing.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::quorum::Tally;
use crate::boundary::{Answer, ClientError, Event};
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::id::{CallId, NodeId, OpId};
use crate::key::Key;
use crate::message::{Message, ReplicaError, ReplicaMessage};
use crate::replica::Update;
use crate::storage::{StorageError, StorageOp};
use crate::time::Instant;
use crate::version::{Policy, Siblings};

#[derive(Debug, Default)]
pub(crate) struct Gets {
    running: BTreeMap<OpId, Get>,
}

#[derive(Debug)]
struct Get {
    key: Key,
    /// Whom to answer; `None` once answered.
    call: Option<CallId>,
    tally: Tally,
    asked: Vec<Asked>,
    /// Fallbacks not asked yet, in the order of the preference list.
    spare: Vec<NodeId>,
    merged: Siblings,
    give_up: Instant,
    deadline: Instant,
}

#[derive(Debug)]
struct Asked {
    node: NodeId,
    role: Role,
    at: Instant,
    /// Counted as missing once.
    missed: bool,
    answer: Option<Result<Siblings, ReplicaError>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Home,
    Fallback,
}

impl Gets {
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Starts a get that needs `r` of the `n` homes of `key`.
    pub fn start(&mut self, cx: &mut Cx, call: CallId, key: Key, n: u8, r: u8, give_up: Instant) {
        let op = cx.next_op();
        let list = cx.preference_list(&key, n);
        let mut get = Get {
            key,
            call: Some(call),
            tally: Tally::new(r),
            asked: Vec::with_capacity(usize::from(n)),
            spare: list.fallbacks().to_vec(),
            merged: Siblings::default(),
            give_up,
            deadline: give_up.min(cx.time() + cx.env.config.replica_timeout),
        };
        for &home in list.homes() {
            get.ask(cx, op, home, Role::Home);
            if home != cx.me() && cx.env.liveness.is_suspected(home) {
                get.ask_fallback(cx, op);
            }
        }
        cx.arm(get.deadline, Timer::Get(op));
        self.running.insert(op, get);
    }

    pub fn on_local_read(&mut self, cx: &mut Cx, op: OpId, result: Result<Siblings, StorageError>) {
        let me = cx.me();
        self.on_read_reply(cx, me, op, result.map_err(ReplicaError::Storage));
    }

    pub fn on_read_reply(
        &mut self,
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        result: Result<Siblings, ReplicaError>,
    ) {
        let policy = cx.env.config.policy;
        let Some(get) = self.running.get_mut(&op) else { return };
        get.note(from, result, policy);
        self.advance(cx, op);
    }

    pub fn on_timer(&mut self, cx: &mut Cx, op: OpId) {
        let Some(get) = self.running.get_mut(&op) else { return };
        let silent = get.note_silence(cx);
        if get.call.is_none() {
            return self.finish(cx, op);
        }
        if cx.time() >= get.give_up {
            let timeout = ClientError::Timeout { needed: get.tally.needed(), got: get.tally.got() };
            get.answer(cx, Err(timeout));
            return self.finish(cx, op);
        }
        for _ in 0..silent {
            get.ask_fallback(cx, op);
        }
        get.deadline = get.give_up.min(cx.time() + cx.env.config.replica_timeout);
        cx.arm(get.deadline, Timer::Get(op));
    }

    fn advance(&mut self, cx: &mut Cx, op: OpId) {
        let Some(get) = self.running.get_mut(&op) else { return };
        if get.call.is_some() && get.tally.is_met() {
            let count = u32::try_from(get.merged.versions().len()).unwrap_or(u32::MAX);
            if count > 1 {
                cx.event(Event::SiblingsRead { key: get.key.clone(), count });
            }
            let answer = Answer { siblings: get.merged.clone(), dot: None, by: get.tally.by().to_vec() };
            get.answer(cx, Ok(answer));
        }
        if get.asked.iter().any(|asked| asked.answer.is_none()) {
            return;
        }
        if get.call.is_some() && get.ask_fallback(cx, op) {
            return;
        }
        let unmet = ClientError::QuorumUnmet { needed: get.tally.needed(), got: get.tally.got() };
        get.answer(cx, Err(unmet));
        self.finish(cx, op);
    }

    /// Nothing more is to come: send homes that are behind what they lack.
    fn finish(&mut self, cx: &mut Cx, op: OpId) {
        let Some(get) = self.running.remove(&op) else { return };
        cx.disarm(get.deadline, Timer::Get(op));
        if get.merged.is_empty() || !cx.storage_has_room() {
            return;
        }
        let merged = get.merged.digest();
        for asked in &get.asked {
            let Some(Ok(held)) = &asked.answer else { continue };
            if asked.role == Role::Home && held.digest() != merged {
                get.repair(cx, asked.node);
            }
        }
    }
}

impl Get {
    fn ask(&mut self, cx: &mut Cx, op: OpId, node: NodeId, role: Role) {
        self.asked.push(Asked { node, role, at: cx.time(), missed: false, answer: None });
        let key = self.key.clone();
        if node == cx.me() {
            cx.storage(StorageOp::Read { key }, Waiter::Get(op));
        } else {
            cx.send(node, Message::Replica(ReplicaMessage::Read { op, key }));
        }
    }

    /// Asks the next fallback, one that is not suspected first. Whether there was one.
    fn ask_fallback(&mut self, cx: &mut Cx, op: OpId) -> bool {
        if self.spare.is_empty() {
            return false;
        }
        let well = self.spare.iter().position(|&node| !cx.env.liveness.is_suspected(node));
        let fallback = self.spare.remove(well.unwrap_or(0));
        self.ask(cx, op, fallback, Role::Fallback);
        true
    }

    fn note(&mut self, from: NodeId, result: Result<Siblings, ReplicaError>, policy: Policy) {
        let Some(asked) = self.asked.iter_mut().find(|asked| asked.node == from) else { return };
        if asked.answer.is_some() {
            return;
        }
        if let Ok(held) = &result {
            self.merged = self.merged.merge(held, policy);
            if asked.role == Role::Home || !held.is_empty() {
                self.tally.vote(from);
            }
        }
        asked.answer = Some(result);
    }

    /// Tells liveness of those that have not answered in time, once each. How many those were.
    fn note_silence(&mut self, cx: &mut Cx) -> usize {
        let me = cx.me();
        let overdue = cx.time().0.saturating_sub(cx.env.config.replica_timeout.as_nanos() as u64);
        let mut silent = 0;
        for asked in &mut self.asked {
            if asked.answer.is_none() && !asked.missed && asked.at.0 <= overdue && asked.node != me {
                asked.missed = true;
                silent += 1;
                cx.missed(asked.node, asked.at);
            }
        }
        silent
    }

    fn answer(&mut self, cx: &mut Cx, result: Result<Answer, ClientError>) {
        if let Some(call) = self.call.take() {
            cx.reply(call, result);
        }
    }

    fn repair(&self, cx: &mut Cx, node: NodeId) {
        let (key, siblings) = (self.key.clone(), self.merged.clone());
        cx.event(Event::ReadRepair { key: key.clone(), node });
        if node == cx.me() {
            let update = Update::Merge { siblings, owed: None, policy: cx.env.config.policy };
            cx.apply(key, update, Waiter::Nobody);
        } else {
            // Nobody waits for the answer: the next read repairs again.
            let op = cx.next_op();
            cx.send(node, Message::Replica(ReplicaMessage::Write { op, key, siblings, owed: None }));
        }
    }
}
