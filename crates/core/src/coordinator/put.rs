//! Coordinating a put (the paper's sections 4.5 and 4.6).
//!
//! The coordinator applies the write to its own copy, which issues the dot, and sends the *resulting state* to the
//! other homes. Each home is one obligation, a [`Slot`]: the home holds the state itself, or somebody durably owes
//! it. A home that is suspected, refuses, or stays silent is stood in for by the next node of the preference list,
//! and when that list is exhausted by the coordinator itself: so a put goes on after W was met, until every slot is
//! settled.

mod slots;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use self::slots::Slots;
use super::Caller;
use super::admission::{Admission, Known};
use super::quorum::{Needs, Role, Tally};
use crate::boundary::{Answer, ClientError, Event, QuorumKind};
use crate::cx::Cx;
use crate::datatype::Refusal;
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::flaw::Flaw;
use crate::id::{NodeId, OpId, RequestId};
use crate::key::Key;
use crate::message::{ForwardMessage, Message, ReplicaError};
use crate::replica::{Change, Update, Write, Written};
use crate::ring::RingVersion;
use crate::time::Instant;
use crate::version::{Context, Dot, Policy, Siblings};

/// Callers that wait for one put: a client's own, and its repetitions through other nodes.
const CALLERS_MAX: usize = 64;

/// A put, validated.
#[derive(Clone, Debug)]
pub(crate) struct PutRequest {
    pub key: Key,
    pub write: Write,
    pub needs: Needs,
    pub give_up: Instant,
    /// Another node was asked to coordinate it, and has not said that it did nothing.
    pub may_be_done: bool,
}

impl PutRequest {
    /// Nobody knows what became of it.
    pub fn timeout(&self) -> ClientError {
        ClientError::Timeout { needed: self.needs.total, got: 0 }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Puts {
    running: BTreeMap<OpId, Put>,
    admission: Admission,
}

#[derive(Debug)]
struct Put {
    key: Key,
    request: RequestId,
    /// What another node is asked to coordinate, should this one's disk fail.
    write: Arc<Write>,
    needs: Needs,
    /// The bucket's, when it began.
    policy: Policy,
    /// The state of the ring that its homes are of.
    ring: RingVersion,
    /// Whom to answer; empty once answered.
    callers: Vec<Caller>,
    tally: Tally,
    slots: Slots,
    /// The dot of an earlier attempt at the same request.
    made: Option<Dot>,
    /// Another node may coordinate it, too.
    may_be_done: bool,
    /// The state to spread, once the local copy has it.
    spread: Option<(Siblings, Option<Dot>)>,
    started_at: Instant,
    give_up: Instant,
    deadline: Instant,
}

impl Puts {
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// The oldest state of the ring that an unanswered put goes by.
    pub fn oldest_ring(&self) -> Option<RingVersion> {
        let unanswered = self.running.values().filter(|put| !put.callers.is_empty());
        unanswered.map(|put| put.ring).min()
    }

    /// Whether some put of `key` is under way: it may still send its state to somebody.
    pub fn is_running(&self, key: &Key) -> bool {
        self.running.values().any(|put| put.key == *key)
    }

    /// Whether this node is coordinating `put`, or has done so and remembers it.
    pub fn knows(&self, put: &PutRequest) -> bool {
        self.admission.known(put.write.request, &put.key).is_some()
    }

    /// Starts coordinating, joins the running put of the same request, or repeats its answer.
    pub fn start(&mut self, cx: &mut Cx, caller: Caller, put: PutRequest) {
        match self.admission.known(put.write.request, &put.key) {
            Some(Known::Running(op)) => {
                let op = *op;
                cx.event(Event::RequestRepeated { request: put.write.request });
                if let Some(running) = self.running.get_mut(&op) {
                    running.join(cx, caller);
                }
            }
            Some(Known::Done { dot, answer }) => {
                let (dot, answer) = (*dot, answer.clone());
                cx.event(Event::RequestRepeated { request: put.write.request });
                match answer {
                    Some(answer) => answer_caller(cx, caller, Ok(answer)),
                    None => self.coordinate(cx, caller, put, Some(dot)),
                }
            }
            Some(Known::Tried(dot)) => {
                let dot = *dot;
                self.coordinate(cx, caller, put, Some(dot));
            }
            None => self.coordinate(cx, caller, put, None),
        }
    }

    /// `made` is the dot of an earlier attempt at the same request.
    fn coordinate(&mut self, cx: &mut Cx, caller: Caller, put: PutRequest, made: Option<Dot>) {
        let op = cx.next_op();
        let request = put.write.request;
        let placement = cx.placement(&put.key, put.needs.n);
        let (slots, owed) = Slots::choose(cx.me(), &placement, put.needs.sloppy, |node| cx.env.is_away(node));
        let tally = if placement.joint.is_some() { Tally::joint(put.needs) } else { Tally::new(put.needs) };
        let policy = cx.policy(&put.key);
        let write = Arc::new(put.write);
        let update = Update::Coordinate {
            write: Arc::clone(&write),
            made,
            mint: cx.mint_actor(),
            continuous_since: cx.env.continuous_since(),
            past_entries_max: past_entries_max(cx, &put.key, &write.value),
            owed,
            policy,
            flaw: cx.env.config.flaw,
        };
        cx.apply(put.key.clone(), update, Waiter::Put(op));
        cx.arm(put.give_up, Timer::Put(op));
        self.admission.started(request, &put.key, op);
        self.running.insert(
            op,
            Put {
                key: put.key,
                request,
                write,
                needs: put.needs,
                policy,
                callers: alloc::vec![caller],
                ring: cx.env.cluster.ring.version(),
                tally,
                slots,
                made,
                may_be_done: put.may_be_done,
                spread: None,
                started_at: cx.time(),
                give_up: put.give_up,
                deadline: put.give_up,
            },
        );
    }

    /// The local copy has the write (not yet durably): spread the resulting state.
    pub fn on_applied(&mut self, cx: &mut Cx, op: OpId, change: &Change) {
        let Some(put) = self.running.get_mut(&op) else { return };
        put.spread = Some((change.siblings.clone(), change.dot));
        put.slots.sent(cx.time());
        for (node, owed) in put.slots.to_send(cx.me()) {
            if cx.has(Flaw::ForwardRawPut) && put.slots.is_gaining(node) {
                put.send_on(cx, op, node);
            }
            put.send(cx, op, node, owed);
        }
        let at = cx.time() + cx.env.config.replica_timeout;
        put.rearm(cx, op, at);
    }

    /// The local copy is durable.
    pub fn on_durable(&mut self, cx: &mut Cx, op: OpId) {
        let me = cx.me();
        let Some(put) = self.running.get_mut(&op) else { return };
        cx.foreground_access(put.started_at);
        if put.slots.is_asked(me) {
            put.vote(me);
        }
        put.slots.held_by(me);
        self.advance(cx, op);
    }

    /// The local copy could not be written: nothing was sent, nothing is kept, unless by an earlier attempt or by another
    /// coordinator. Or it was written, spread, and could not be synced: then peers alone may meet W, and somebody stands
    /// in for this node. Clients whose put another node can coordinate instead are handed back.
    pub fn on_local_failure(&mut self, cx: &mut Cx, op: OpId) -> Vec<(Caller, PutRequest)> {
        let me = cx.me();
        let Some(put) = self.running.get_mut(&op) else { return Vec::new() };
        if put.spread.is_some() {
            put.slots.refused_by(me);
            put.stand_in(cx, op, me);
            self.advance(cx, op);
            return Vec::new();
        }
        let mut left = Vec::new();
        let error = if put.is_in_doubt() {
            put.timeout()
        } else {
            // A peer that asked this node asks the next one by itself.
            let clients = put.callers.extract_if(.., |caller| matches!(caller, Caller::Client(_)));
            left.extend(clients);
            ClientError::StorageFailed
        };
        put.answer(cx, &Err(error));
        let request = put.request_anew();
        self.finish(cx, op);
        left.into_iter().map(|caller| (caller, request.clone())).collect()
    }

    /// The data type here does not take the operation: nothing was changed, and nothing is sent to anybody. That may be
    /// because it was done already, by an earlier attempt or by another coordinator: what they removed is not there.
    pub fn on_refused(&mut self, cx: &mut Cx, op: OpId, refusal: Refusal) {
        if let Some(put) = self.running.get_mut(&op) {
            let error = if put.is_in_doubt() { put.timeout() } else { ClientError::Refused(refusal) };
            put.answer(cx, &Err(error));
            self.finish(cx, op);
        }
    }

    /// Whether `op` was a put.
    pub fn on_write_reply(
        &mut self,
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        result: Result<(), ReplicaError>,
    ) -> bool {
        let Some(put) = self.running.get_mut(&op) else { return false };
        if !put.slots.is_asked(from) {
            return true;
        }
        match result {
            Err(ReplicaError::Overloaded) => cx.foreground_failure(put.slots.asked_at()),
            _ => cx.foreground_access(put.slots.asked_at()),
        }
        match result {
            Ok(()) => {
                put.vote(from);
                put.slots.held_by(from);
            }
            // It did not look at it: the same again, behind the fence.
            Err(ReplicaError::Fenced(_)) => {
                if let Some(owed) = put.slots.is_asked_to_owe(from) {
                    put.send(cx, op, from, owed);
                }
            }
            Err(_) => {
                put.slots.refused_by(from);
                put.stand_in(cx, op, from);
            }
        }
        self.advance(cx, op);
        true
    }

    /// The hint that the coordinator keeps for `home` is durable; or it could not be kept, and read repair and
    /// anti-entropy remain.
    pub fn on_owed(&mut self, cx: &mut Cx, op: OpId, home: NodeId) {
        if let Some(put) = self.running.get_mut(&op) {
            put.slots.owed_here(home);
            // Settled, but no vote: this node has one already.
            if cx.has(Flaw::WCountsPartitions) {
                put.tally.vote_twice(cx.me());
            }
        }
        self.advance(cx, op);
    }

    pub fn on_timer(&mut self, cx: &mut Cx, op: OpId) {
        let Some(put) = self.running.get_mut(&op) else { return };
        if cx.time() >= put.give_up {
            let timeout = put.timeout();
            put.answer(cx, &Err(timeout));
        }
        if put.spread.is_none() {
            // The local store is silent: it answers later, or never. The client knows; the rest waits for it.
            return;
        }
        let asked_at = put.slots.asked_at();
        for node in put.slots.silent(cx.me()) {
            cx.foreground_silence(node, asked_at);
            cx.missed(node, asked_at);
            put.stand_in(cx, op, node);
        }
        put.slots.sent(cx.time());
        let at = cx.time() + cx.env.config.replica_timeout;
        put.rearm(cx, op, at);
        self.advance(cx, op);
    }

    /// Answers once W is met; ends once every home holds the write or is owed it.
    fn advance(&mut self, cx: &mut Cx, op: OpId) {
        let Some(put) = self.running.get_mut(&op) else { return };
        if put.tally.is_met() && !put.callers.is_empty() {
            let (siblings, dot) = put.spread.clone().unwrap_or_default();
            let answer = Answer::new(&siblings, put.policy, dot, put.tally.by().to_vec());
            if answer.by.iter().any(|&node| !put.slots.is_home(node)) {
                cx.event(Event::SloppyWrite { key: put.key.clone() });
            }
            let result = Ok(answer);
            put.answer(cx, &result);
            if let (Ok(answer), Some(dot)) = (result, dot) {
                let memory_max = cx.env.config.request_memory_max;
                self.admission.succeeded(put.request, &put.key, dot, answer, memory_max);
            }
        }
        if put.spread.is_none() || !put.slots.are_settled() {
            return;
        }
        if put.slots.all_answered() {
            let (quorum, needed, got) = put.tally.missed(QuorumKind::W, QuorumKind::Pw);
            put.answer(cx, &Err(ClientError::QuorumUnmet { quorum, needed, got }));
        }
        if put.callers.is_empty() {
            self.finish(cx, op);
        }
    }

    fn finish(&mut self, cx: &mut Cx, op: OpId) {
        let Some(put) = self.running.remove(&op) else { return };
        cx.disarm(put.deadline, Timer::Put(op));
        // An attempt that made nothing, because the disk failed, is no reason to forget what an earlier one made.
        let dot = put.spread.and_then(|(_, dot)| dot).or(put.made);
        self.admission.ended(put.request, &put.key, op, dot, cx.env.config.request_memory_max);
    }
}

impl Put {
    /// Even if it was not done here it may have been: by an earlier attempt or by another coordinator.
    fn is_in_doubt(&self) -> bool {
        self.made.is_some() || self.may_be_done
    }

    fn timeout(&self) -> ClientError {
        let (_, needed, got) = self.tally.missed(QuorumKind::W, QuorumKind::Pw);
        ClientError::Timeout { needed, got }
    }

    /// One more wants to know; a client that repeats itself without end does not fill the memory.
    fn join(&mut self, cx: &mut Cx, caller: Caller) {
        if self.callers.len() < CALLERS_MAX {
            self.callers.push(caller);
        } else {
            answer_caller(cx, caller, Err(ClientError::Overloaded { limit: CALLERS_MAX as u32 }));
        }
    }

    fn vote(&mut self, node: NodeId) {
        let role = if self.slots.is_home(node) { Role::Home } else { Role::StandIn };
        if let Some((instead_of, sets)) = self.slots.vote(node) {
            if let Some(stand_in) = instead_of {
                self.tally.withdraw(stand_in);
            }
            self.tally.vote_in(node, role, sets);
        }
    }

    fn send(&self, cx: &mut Cx, op: OpId, to: NodeId, owed: Option<NodeId>) {
        let Some((siblings, _)) = &self.spread else { return };
        cx.send_write(to, op, self.key.clone(), siblings.clone(), owed);
    }

    /// A museum piece: `node` is to do again what was done here.
    fn send_on(&self, cx: &mut Cx, op: OpId, node: NodeId) {
        let Some((siblings, _)) = &self.spread else { return };
        let Some(version) = siblings.by_request(self.request) else { return };
        let request = ForwardMessage::Request {
            op,
            request: self.request,
            key: self.key.clone(),
            context: Context(version.past.clone()),
            value: version.value.clone().into(),
            needs: self.tally.needs(),
            time_left: self.give_up.since(cx.time()),
        };
        cx.send(node, Message::Forward(request));
    }

    /// `node` will not do: the next node of the preference list keeps a hint, or else this one does.
    fn stand_in(&mut self, cx: &mut Cx, op: OpId, node: NodeId) {
        for home in self.slots.waiting_for(node) {
            let suspected = |node| cx.env.is_away(node);
            match self.slots.next_fallback(cx.env.config.node, home, suspected) {
                Some(fallback) => self.send(cx, op, fallback, Some(home)),
                None if !cx.may_owe(home, &self.key) => self.slots.owed_here(home),
                None => {
                    let waiter = Waiter::PutOwe { op, home };
                    cx.apply(self.key.clone(), Update::Owe { home }, waiter);
                }
            }
        }
    }

    fn rearm(&mut self, cx: &mut Cx, op: OpId, at: Instant) {
        cx.disarm(self.deadline, Timer::Put(op));
        let unanswered = !self.callers.is_empty();
        self.deadline = if unanswered && self.give_up > cx.time() { at.min(self.give_up) } else { at };
        cx.arm(self.deadline, Timer::Put(op));
    }

    /// It, for somebody else to coordinate.
    fn request_anew(&self) -> PutRequest {
        let (key, write) = (self.key.clone(), Write::clone(&self.write));
        PutRequest { key, write, needs: self.needs, give_up: self.give_up, may_be_done: self.may_be_done }
    }

    fn answer(&mut self, cx: &mut Cx, result: &Result<Answer, ClientError>) {
        for caller in self.callers.drain(..) {
            answer_caller(cx, caller, result.clone());
        }
    }
}

/// A write's past is cut down to so many entries. Where values are of a data type a plain write or a delete keeps its whole
/// past, even where none is left that it takes the place of: a delete of what was deleted already must not forget what
/// an old copy may bring back. A tombstone does not say what it was put in place of; the bucket type does.
fn past_entries_max(cx: &Cx, key: &Key, value: &Written) -> u32 {
    let of_type = cx.env.cluster.props_of_type(key.bucket_type());
    let is_of_data_type = of_type.is_some_and(|props| props.datatype.is_some());
    match value {
        Written::Value(_) if is_of_data_type => u32::MAX,
        // What a change of a data type forgets merges to nothing new: the value's clock forgets nothing.
        Written::Value(_) | Written::Changed(_) => cx.env.config.past_entries_max,
    }
}

pub(crate) fn answer_caller(cx: &mut Cx, caller: Caller, result: Result<Answer, ClientError>) {
    match caller {
        Caller::Client(call) => cx.reply(call, result),
        Caller::Peer { node, op } => {
            cx.send(node, Message::Forward(ForwardMessage::Reply { op, result }));
        }
    }
}
