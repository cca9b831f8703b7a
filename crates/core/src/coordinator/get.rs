//! Coordinating a get (the paper's sections 4.5 and 4.8): ask all N homes, answer at R, repair the rest afterwards.
//!
//! Any node coordinates. A suspected home is asked too, for its answer would prove it alive, but a fallback is asked
//! beside it. A fallback votes only with a copy in its hand: "not found" from a node that never was a home means
//! nothing.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::conditional::ConditionalPut;
use super::quorum::{Empty, Reading, Role, Tally};
use crate::boundary::{Answer, ClientError, Event, QuorumKind};
use crate::cx::Cx;
use crate::deadlines::Timer;
use crate::desk::Waiter;
use crate::flaw::Flaw;
use crate::id::{CallId, NodeId, OpId};
use crate::key::Key;
use crate::message::{Message, ReplicaError, ReplicaMessage};
use crate::replica::{Serve, Update};
use crate::ring::RingVersion;
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
    /// The state of the ring that its homes are of.
    ring: RingVersion,
    /// Whom to answer; `None` once answered.
    asker: Option<Asker>,
    tally: Tally,
    empty: Empty,
    /// The bucket's, when it began.
    policy: Policy,
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

/// Who wants to know.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    Client(CallId),
    /// A put that is done only if what is read fits.
    Condition(Box<ConditionalPut>),
}

/// A get was made for a put, and this is its result.
pub(crate) type Checked = Option<(Box<ConditionalPut>, Result<Answer, ClientError>)>;

impl Gets {
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// The oldest state of the ring that an unanswered get goes by.
    pub fn oldest_ring(&self) -> Option<RingVersion> {
        self.running.values().filter(|get| get.asker.is_some()).map(|get| get.ring).min()
    }

    /// What get `op` is of.
    pub fn key_of(&self, op: OpId) -> Option<Key> {
        self.running.get(&op).map(|get| get.key.clone())
    }

    /// Whether some get of `key` is under way: it may still repair somebody.
    pub fn is_running(&self, key: &Key) -> bool {
        self.running.values().any(|get| get.key == *key)
    }

    /// Starts a get of `key`.
    pub fn start(&mut self, cx: &mut Cx, asker: Asker, key: Key, reading: Reading, give_up: Instant) {
        let op = cx.next_op();
        let Reading { needs, empty } = reading;
        let list = cx.preference_list(&key, needs.n);
        let mut get = Get {
            ring: cx.env.cluster.ring.version(),
            asker: Some(asker),
            tally: Tally::new(needs),
            empty,
            policy: cx.policy(&key),
            asked: Vec::with_capacity(usize::from(needs.n)),
            spare: if needs.sloppy { list.fallbacks().to_vec() } else { Vec::new() },
            merged: Siblings::default(),
            key,
            give_up,
            deadline: give_up.min(cx.time() + cx.env.config.replica_timeout),
        };
        for &home in list.homes() {
            get.ask(cx, op, home, Role::Home);
            if home != cx.me() && cx.env.is_away(home) {
                get.ask_fallback(cx, op);
            }
        }
        cx.arm(get.deadline, Timer::Get(op));
        self.running.insert(op, get);
    }

    pub fn on_local_read(
        &mut self,
        cx: &mut Cx,
        op: OpId,
        result: Result<Siblings, StorageError>,
    ) -> Checked {
        let me = cx.me();
        let get = self.running.get(&op)?;
        let result = Serve::unless_recovering(cx, &get.key, result.map_err(ReplicaError::Storage));
        self.on_read_reply(cx, me, op, result)
    }

    pub fn on_read_reply(
        &mut self,
        cx: &mut Cx,
        from: NodeId,
        op: OpId,
        result: Result<Siblings, ReplicaError>,
    ) -> Checked {
        let get = self.running.get_mut(&op)?;
        match (get.awaited(from), &result) {
            (Some(asked_at), Err(ReplicaError::Overloaded)) => cx.foreground_failure(asked_at),
            (Some(asked_at), _) => cx.foreground_access(asked_at),
            (None, _) => {}
        }
        if result.is_err() && cx.has(Flaw::ErrorsAreVotes) {
            get.tally.vote(from, Role::Home);
        }
        get.note(from, result);
        self.advance(cx, op)
    }

    pub fn on_timer(&mut self, cx: &mut Cx, op: OpId) -> Checked {
        let get = self.running.get_mut(&op)?;
        let silent = get.note_silence(cx);
        if get.asker.is_none() {
            self.finish(cx, op);
            return None;
        }
        if cx.time() >= get.give_up {
            let (_, needed, got) = get.tally.missed(QuorumKind::R, QuorumKind::Pr);
            let checked = get.answer(cx, Err(ClientError::Timeout { needed, got }));
            self.finish(cx, op);
            return checked;
        }
        for _ in 0..silent {
            get.ask_fallback(cx, op);
        }
        get.deadline = get.give_up.min(cx.time() + cx.env.config.replica_timeout);
        cx.arm(get.deadline, Timer::Get(op));
        None
    }

    fn advance(&mut self, cx: &mut Cx, op: OpId) -> Checked {
        let get = self.running.get_mut(&op)?;
        let mut checked = None;
        if get.asker.is_some() && (get.tally.is_met() || get.is_surely_not_found()) {
            let count = u32::try_from(get.merged.versions().len()).unwrap_or(u32::MAX);
            if count > 1 {
                cx.event(Event::SiblingsRead { key: get.key.clone(), count });
            }
            checked = get.answer(cx, Ok(get.as_answer()));
        }
        if get.asked.iter().any(|asked| asked.answer.is_none()) {
            return checked;
        }
        if get.asker.is_some() && get.ask_fallback(cx, op) {
            return None;
        }
        let last = get.last_word();
        let late = get.answer(cx, last);
        self.finish(cx, op);
        checked.or(late)
    }

    /// Nothing more is to come: send homes that are behind what they lack.
    fn finish(&mut self, cx: &mut Cx, op: OpId) {
        let Some(get) = self.running.remove(&op) else { return };
        cx.disarm(get.deadline, Timer::Get(op));
        if get.merged.is_empty() || !cx.storage_has_room() {
            return;
        }
        for asked in &get.asked {
            let Some(Ok(held)) = &asked.answer else { continue };
            if asked.role == Role::Home && !held.is_same_set(&get.merged) {
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
        let well = self.spare.iter().position(|&node| !cx.env.is_away(node));
        let fallback = self.spare.remove(well.unwrap_or(0));
        self.ask(cx, op, fallback, Role::StandIn);
        true
    }

    /// When `node` was asked, if it has neither answered nor been counted as silent.
    fn awaited(&self, node: NodeId) -> Option<Instant> {
        let asked = self.asked.iter().find(|asked| asked.node == node)?;
        (asked.answer.is_none() && !asked.missed).then_some(asked.at)
    }

    fn note(&mut self, from: NodeId, result: Result<Siblings, ReplicaError>) {
        let Some(asked) = self.asked.iter_mut().find(|asked| asked.node == from) else { return };
        if asked.answer.is_some() {
            return;
        }
        if let Ok(held) = &result {
            self.merged = self.merged.merge(held, self.policy);
            let counts_empty = asked.role == Role::Home && self.empty.notfound_ok;
            if counts_empty || !held.is_empty() {
                self.tally.vote(from, asked.role);
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
                cx.foreground_silence(asked.node, asked.at);
                cx.missed(asked.node, asked.at);
            }
        }
        silent
    }

    /// Homes that have answered that they hold nothing.
    fn empty_homes(&self) -> usize {
        let is_empty = |asked: &&Asked| {
            asked.role == Role::Home && matches!(&asked.answer, Some(Ok(held)) if held.is_empty())
        };
        self.asked.iter().filter(is_empty).count()
    }

    /// Riak's basic quorum: most homes hold nothing, and nobody holds anything.
    fn is_surely_not_found(&self) -> bool {
        let majority = usize::from(self.tally.needs().n / 2 + 1);
        self.empty.basic_quorum && self.merged.is_empty() && self.empty_homes() >= majority
    }

    /// Everybody who can be asked has answered, and the quorum is not met.
    fn last_word(&self) -> Result<Answer, ClientError> {
        if !self.empty.notfound_ok && self.merged.is_empty() && self.empty_homes() > 0 {
            return Ok(self.as_answer());
        }
        let (quorum, needed, got) = self.tally.missed(QuorumKind::R, QuorumKind::Pr);
        Err(ClientError::QuorumUnmet { quorum, needed, got })
    }

    fn as_answer(&self) -> Answer {
        Answer::new(&self.merged, self.policy, None, self.tally.by().to_vec())
    }

    /// Tells whoever asked, once.
    fn answer(&mut self, cx: &mut Cx, result: Result<Answer, ClientError>) -> Checked {
        match self.asker.take()? {
            Asker::Client(call) => {
                cx.reply(call, result);
                None
            }
            Asker::Condition(mut put) => {
                put.is_done = self.merged.by_request(put.put.write.request).is_some();
                Some((put, result))
            }
        }
    }

    fn repair(&self, cx: &mut Cx, node: NodeId) {
        let (key, siblings) = (self.key.clone(), self.merged.clone());
        cx.event(Event::ReadRepair { key: key.clone(), node });
        if node == cx.me() {
            let siblings = cx.received(siblings);
            let update = Update::Merge { siblings, owed: None, policy: self.policy };
            cx.apply(key, update, Waiter::Nobody);
        } else {
            // Nobody waits for the answer: the next read repairs again.
            let op = cx.next_op();
            cx.send_repair(node, op, key, siblings);
        }
    }
}
