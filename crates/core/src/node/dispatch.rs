//! Which machine an input concerns.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::Machines;
use crate::anti_entropy::Answers;
use crate::boundary::{
    AdminOp, AdminRequest, ClientError, ClientOp, ClientRequest, Condition, Invalid, ReadOptions,
};
use crate::coordinator::quorum::{Needs, Reading};
use crate::coordinator::{self, Asker, Caller, Checked, ConditionalPut, PutRequest};
use crate::cx::Cx;
use crate::datatype::Mutation;
use crate::deadlines::Timer;
use crate::id::{CallId, NodeId, OpId, RequestId};
use crate::key::Key;
use crate::membership::{self, Cluster, MemberStatus, Plan, PlanError, Standing, Underway};
use crate::message::{
    AntiEntropyMessage, ForwardMessage, LivenessMessage, Message, ReapMessage, ReplicaError, ReplicaMessage,
};
use crate::replica::{Reaper, Serve, Write, Written};
use crate::time::Instant;
use crate::version::{Context, Policy};

impl Machines {
    /// What a node does when it has started.
    pub(super) fn start(&mut self, cx: &mut Cx) {
        self.gossip.start(cx);
        self.hints.start(cx);
        self.exchanges.on_ring_changed(cx);
        self.handoff.look_everywhere(cx);
        self.reaper.start(cx);
        self.follow_up(cx);
        self.ring = cx.env.cluster.ring.version();
    }

    /// What one machine has brought about that concerns others.
    pub(super) fn follow_up(&mut self, cx: &mut Cx) {
        if core::mem::take(&mut cx.env.recover_wanted) {
            self.exchanges.recover(cx);
        }
        if core::mem::take(&mut cx.env.members_changed) {
            self.watch.on_members_changed(cx);
            self.exchanges.on_members_changed(cx);
        }
        if self.ring != cx.env.cluster.ring.version() {
            self.ring = cx.env.cluster.ring.version();
            self.exchanges.on_ring_changed(cx);
            self.hints.look_through(cx);
            self.handoff.look_everywhere(cx);
        }
        for partition in self.exchanges.take_received() {
            let version = self.ring;
            self.gossip.received(cx, partition, version);
        }
    }

    pub(super) fn requests_running(&self) -> usize {
        self.gets.running() + self.puts.running() + self.forwards.running() + self.doorstep.len()
    }

    pub(super) fn on_client(&mut self, cx: &mut Cx, request: ClientRequest) {
        let give_up = cx.time() + request.timeout.unwrap_or(cx.env.config.request_timeout);
        let call = request.call;
        let admitted = self.admit(cx);
        if let Err(error) = admitted {
            return cx.reply(call, Err(error));
        }
        if self.gossip.serves(cx) {
            return self.serve(cx, request, give_up);
        }
        let may_serve_soon = cx.env.cluster.status(cx.me()).is_some_and(MemberStatus::is_active);
        if self.gossip.standing() == Standing::Waiting && may_serve_soon {
            self.doorstep.wait(request, give_up);
        } else {
            cx.reply(call, Err(ClientError::NotAMember));
        }
    }

    fn serve(&mut self, cx: &mut Cx, request: ClientRequest, give_up: Instant) {
        let ClientRequest { call, request, key, op, .. } = request;
        let started = self.begin(cx, call, request, key, op, give_up);
        if let Err(error) = started {
            cx.reply(call, Err(error));
        }
    }

    fn admit(&self, cx: &Cx) -> Result<(), ClientError> {
        let config = &cx.env.config;
        if self.requests_running() >= config.requests_max as usize {
            Err(ClientError::Overloaded { limit: config.requests_max })
        } else if !cx.storage_has_room() {
            Err(ClientError::Overloaded { limit: config.storage_inflight_max })
        } else {
            Ok(())
        }
    }

    fn begin(
        &mut self,
        cx: &mut Cx,
        call: CallId,
        request: RequestId,
        key: Key,
        op: ClientOp,
        give_up: Instant,
    ) -> Result<(), ClientError> {
        if !cx.env.cluster.has_type(key.bucket_type()) {
            return Err(ClientError::NoType);
        }
        match op {
            ClientOp::Get(options) => {
                let reading = Reading::of(&options, &cx.rules(&key)).map_err(ClientError::Invalid)?;
                self.gets.start(cx, Asker::Client(call), key, reading, give_up);
            }
            ClientOp::Put { context, value, options } => {
                let needs = Needs::of_write(&options, &cx.rules(&key)).map_err(ClientError::Invalid)?;
                let write = Write { request, context, value: value.into(), written_at: cx.now.wall };
                let put = PutRequest { key, write, needs, give_up, may_be_done: false };
                self.put_if(cx, Caller::Client(call), options.condition, put)?;
            }
            ClientOp::Update { op, context, options } => {
                let needs = Needs::of_write(&options, &cx.rules(&key)).map_err(ClientError::Invalid)?;
                let value = Written::Changed(Arc::new(Mutation { op, context }));
                let write = Write { request, context: Context::EMPTY, value, written_at: cx.now.wall };
                let put = PutRequest { key, write, needs, give_up, may_be_done: false };
                Self::may_change(cx, &put).map_err(ClientError::Invalid)?;
                self.put_if(cx, Caller::Client(call), options.condition, put)?;
            }
        }
        Ok(())
    }

    /// Data types merge all siblings: where not all are kept they would lose changes.
    fn may_change(cx: &Cx, put: &PutRequest) -> Result<(), Invalid> {
        match put.write.value {
            Written::Changed(_) if cx.policy(&put.key) != Policy::KeepSiblings => Err(Invalid::OneValue),
            _ => Ok(()),
        }
    }

    fn put_if(
        &mut self,
        cx: &mut Cx,
        caller: Caller,
        condition: Option<Condition>,
        put: PutRequest,
    ) -> Result<(), ClientError> {
        match condition {
            Some(condition) if !self.puts.knows(&put) => {
                self.check(cx, ConditionalPut { caller, condition, put, is_done: false })?;
            }
            _ => self.put(cx, caller, put),
        }
        Ok(())
    }

    fn put(&mut self, cx: &mut Cx, caller: Caller, put: PutRequest) {
        if cx.preference_list(&put.key, put.needs.n).homes().contains(&cx.me()) {
            self.puts.start(cx, caller, put);
        } else {
            let returned = self.forwards.start(cx, caller, put);
            self.coordinate_returned(cx, returned);
        }
    }

    /// Reads before a conditional put, with the default R.
    fn check(&mut self, cx: &mut Cx, put: ConditionalPut) -> Result<(), ClientError> {
        let options = ReadOptions { n: Some(put.put.needs.n), ..ReadOptions::default() };
        let rules = cx.rules(&put.put.key);
        let reading = Reading::of(&options, &rules).map_err(ClientError::Invalid)?;
        let (key, give_up) = (put.put.key.clone(), put.put.give_up);
        self.gets.start(cx, Asker::Condition(Box::new(put)), key, reading, give_up);
        Ok(())
    }

    /// The get before a conditional put is done.
    pub(super) fn on_checked(&mut self, cx: &mut Cx, checked: Checked) {
        let Some((conditional, result)) = checked else { return };
        let ConditionalPut { caller, condition, put, is_done } = *conditional;
        let error = match result {
            Ok(_) if is_done => None,
            Ok(answer) => condition.unfit(&answer).map(ClientError::Unfit),
            Err(error) => Some(error),
        };
        match error {
            None => self.put(cx, caller, put),
            Some(error) => coordinator::answer_caller(cx, caller, Err(error)),
        }
    }

    fn coordinate_returned(&mut self, cx: &mut Cx, returned: Option<(Caller, PutRequest)>) {
        if let Some((caller, put)) = returned {
            self.puts.start(cx, caller, put);
        }
    }

    /// The driver let clients in by what was `known`. If that says something else now, it might not let them in again:
    /// a node on a new disk knows of no users.
    fn turn_away(&mut self, cx: &mut Cx, known: &Cluster) {
        if self.doorstep.len() > 0 && cx.env.cluster.metadata != known.metadata {
            for (request, _) in self.doorstep.leave() {
                cx.reply(request.call, Err(ClientError::NotAMember));
            }
        }
    }

    /// The clients that came before this node knew where it stands.
    fn open_the_door(&mut self, cx: &mut Cx) {
        for request in self.doorstep.expired(cx.time()) {
            cx.reply(request.call, Err(ClientError::Timeout { needed: 1, got: 0 }));
        }
        if self.gossip.serves(cx) {
            for (request, give_up) in self.doorstep.leave() {
                self.serve(cx, request, give_up);
            }
        }
    }

    pub(super) fn on_admin(&mut self, cx: &mut Cx, AdminRequest { call, op }: AdminRequest) {
        if !self.gossip.serves(cx) {
            return membership::admin_reply(cx, call, Err(PlanError::NotAMember));
        }
        let is_kept = !matches!(op, AdminOp::Stage { .. } | AdminOp::Clear | AdminOp::Plan);
        match self.administer(cx, op) {
            Ok(plan) if is_kept => self.gossip.promise(cx, call, plan),
            result => membership::admin_reply(cx, call, result),
        }
    }

    fn administer(&mut self, cx: &mut Cx, op: AdminOp) -> Result<Option<Plan>, PlanError> {
        let (me, flaw) = (cx.me(), cx.env.config.flaw);
        let mut result = Ok(None);
        self.gossip.change(cx, |cluster| {
            result = match op {
                AdminOp::Stage { node, change } => {
                    cluster.stage(me, node, change).map(|()| cluster.plan().ok())
                }
                AdminOp::Clear => {
                    cluster.clear(me);
                    Ok(None)
                }
                AdminOp::Plan => cluster.plan().map(Some),
                AdminOp::Commit { shown } => cluster.commit(me, shown.as_ref(), flaw).map(Some),
                AdminOp::SetProps { bucket, props } => {
                    cluster.set_props(me, bucket, props).map(|()| None).map_err(PlanError::Props)
                }
                AdminOp::ResetProps { bucket } => {
                    cluster.reset_props(me, &bucket);
                    Ok(None)
                }
                AdminOp::CreateType { name, props } => {
                    cluster.create_type(me, name, props).map(|()| None).map_err(PlanError::Type)
                }
                AdminOp::ActivateType { name } => {
                    cluster.activate_type(&name).map(|()| None).map_err(PlanError::Type)
                }
                AdminOp::SetTypeProps { name, props } => {
                    cluster.set_type_props(me, &name, props).map(|()| None).map_err(PlanError::Type)
                }
                AdminOp::SetMetadata { changes } => {
                    cluster.set_metadata(me, changes).map(|()| None).map_err(PlanError::Metadata)
                }
            };
        });
        result
    }

    pub(super) fn on_peer(&mut self, cx: &mut Cx, from: NodeId, message: Message) {
        // One that has gone never returns: what it holds may be older than what has been reaped since.
        // And one that has left keeps nothing more: what it took it could not give away.
        let is_gone = |node| cx.env.cluster.status(node).is_some_and(MemberStatus::is_gone);
        if (is_gone(from) || is_gone(cx.me())) && !matches!(message, Message::Membership(_)) {
            return;
        }
        cx.is_alive(from);
        match message {
            Message::Swim(payload) => self.watch.on_message(cx, from, &payload),
            Message::Replica(message) => self.on_replica(cx, from, message),
            Message::Forward(message) => self.on_forward(cx, from, message),
            Message::AntiEntropy(message) => self.on_anti_entropy(cx, from, message),
            Message::Membership(message) => {
                let known = Arc::clone(&cx.env.cluster);
                self.gossip.on_message(cx, from, message);
                self.turn_away(cx, &known);
                self.open_the_door(cx);
            }
            Message::Liveness(LivenessMessage::Ping) => {
                cx.send(from, Message::Liveness(LivenessMessage::Pong));
            }
            Message::Reap(message) => self.on_reap(cx, from, message),
            Message::Liveness(LivenessMessage::Pong) => {}
            Message::Coverage(message) => self.on_coverage_message(cx, from, message),
        }
    }

    fn on_replica(&mut self, cx: &mut Cx, from: NodeId, message: ReplicaMessage) {
        match message {
            ReplicaMessage::Read { op, key } => Serve::on_read(cx, from, op, key),
            ReplicaMessage::ReadReply { op, result } => {
                if !self.exchanges.on_read_reply(cx, op, &result)
                    && !self.mender.on_read_reply(cx, from, op, &result)
                {
                    let checked = self.gets.on_read_reply(cx, from, op, result);
                    self.on_checked(cx, checked);
                }
            }
            ReplicaMessage::Write { op, .. } if self.gossip.knows_nothing(cx) => {
                Serve::on_too_early(cx, from, op);
            }
            ReplicaMessage::Write { op, fence, .. } if Serve::is_fenced(cx, from, op, fence) => {}
            ReplicaMessage::Write { op, key, siblings, owed, fence } => {
                if fence != Serve::UNFENCED {
                    self.gossip.raise_fence(cx, fence);
                }
                if owed.is_none() && !cx.is_home(&key) {
                    let partition = cx.env.cluster.ring.partition(key.token());
                    self.handoff.mark_dirty(cx, partition);
                }
                Serve::on_write(cx, from, op, key, siblings, owed);
            }
            ReplicaMessage::Confirm { op, key, digest } => Serve::on_confirm(cx, from, op, key, digest),
            ReplicaMessage::WriteReply { op, result } => self.on_write_reply(cx, from, op, result),
        }
    }

    fn on_write_reply(&mut self, cx: &mut Cx, from: NodeId, op: OpId, result: Result<(), ReplicaError>) {
        if let Err(ReplicaError::Fenced(fence)) = result {
            self.gossip.raise_fence(cx, fence);
        }
        // Anything else is an answer to a put that has ended, or to a read repair.
        let _known = self.puts.on_write_reply(cx, from, op, result)
            || self.hints.on_write_reply(cx, from, op, result)
            || self.exchanges.on_write_reply(cx, op)
            || self.handoff.on_write_reply(cx, from, op, result);
    }

    fn on_anti_entropy(&mut self, cx: &mut Cx, from: NodeId, message: AntiEntropyMessage) {
        match message {
            AntiEntropyMessage::Compare { op, partition, nodes } => {
                Answers::on_compare(cx, from, op, partition, nodes);
            }
            AntiEntropyMessage::Differ { op, nodes } => self.exchanges.on_differ(cx, from, op, &nodes),
            AntiEntropyMessage::Keys { op, partition, leaves, keys } => {
                Answers::on_keys(cx, from, op, partition, leaves, keys);
            }
            AntiEntropyMessage::KeysDiffer { op, keys } => self.exchanges.on_keys_differ(cx, from, op, keys),
        }
    }

    fn on_reap(&mut self, cx: &mut Cx, from: NodeId, message: ReapMessage) {
        match message {
            ReapMessage::Ask { op, keys, fence } => {
                self.gossip.raise_fence(cx, fence);
                // Behind a fence that a crash would forget, nothing is agreed.
                if self.gossip.kept_fence() >= fence {
                    Reaper::on_ask(cx, from, op, keys);
                }
            }
            ReapMessage::Agree { op, keys, fence } => {
                let highest = self.reaper.on_agree(cx, from, op, &keys, fence);
                self.raise_for_reaping(cx, highest);
            }
            ReapMessage::Drop { mut keys } => {
                keys.retain(|(key, _)| cx.is_home(key));
                Reaper::drop_tombstones(cx, keys);
            }
        }
    }

    /// All have agreed once on some tombstones: before they are asked again, everybody goes behind a fence that
    /// nothing which was under way then was sent behind.
    pub(super) fn raise_for_reaping(&mut self, cx: &mut Cx, highest: Option<u64>) {
        if let Some(fence) = highest {
            self.gossip.raise_fence(cx, fence + 1);
        }
    }

    /// Whether anything older than what is stored of `key` may still come from something that this node has under way.
    pub(super) fn is_busy(&self, cx: &Cx, key: &Key) -> bool {
        self.gets.is_running(key)
            || self.puts.is_running(key)
            || self.exchanges.is_running(key)
            || self.handoff.is_running(key)
            || self.mender.is_running(key)
            || cx.env.desk.is_updating(key)
    }

    fn on_forward(&mut self, cx: &mut Cx, from: NodeId, message: ForwardMessage) {
        match message {
            ForwardMessage::Request { op, request, key, context, value, needs, time_left } => {
                let write = Write { request, context, value, written_at: cx.now.wall };
                let give_up = cx.time() + time_left;
                let put = PutRequest { key, write, needs, give_up, may_be_done: false };
                self.on_forwarded(cx, Caller::Peer { node: from, op }, put);
            }
            ForwardMessage::Accepted { op } => self.forwards.on_accepted(cx, from, op),
            ForwardMessage::Reply { op, result } => {
                let returned = self.forwards.on_reply(cx, from, op, result);
                self.coordinate_returned(cx, returned);
            }
        }
    }

    fn on_forwarded(&mut self, cx: &mut Cx, caller: Caller, put: PutRequest) {
        let Caller::Peer { node, op } = caller else { return };
        let serves = if self.gossip.serves(cx) { Ok(()) } else { Err(ClientError::NotAMember) };
        let admitted = serves
            .and_then(|()| self.admit(cx))
            .and_then(|()| put.needs.validate(&cx.env.config).map_err(ClientError::Invalid))
            .and_then(|_| Self::may_change(cx, &put).map_err(ClientError::Invalid));
        match admitted {
            Ok(_) => {
                cx.send(node, Message::Forward(ForwardMessage::Accepted { op }));
                self.puts.start(cx, caller, put);
            }
            Err(error) => {
                cx.send(node, Message::Forward(ForwardMessage::Reply { op, result: Err(error) }));
            }
        }
    }

    fn underway(&self, cx: &Cx) -> Underway {
        let oldest = [self.gets.oldest_ring(), self.puts.oldest_ring()];
        Underway {
            oldest_ring: oldest.into_iter().flatten().min(),
            nothing_to_give: self.handoff.is_idle()
                && cx.env.owed.totals().is_empty()
                && cx.env.desk.in_flight() == 0,
        }
    }

    pub(super) fn on_timeout(&mut self, cx: &mut Cx) {
        while let Some(timer) = cx.env.deadlines.pop_due(cx.now.monotonic) {
            match timer {
                Timer::Get(op) => {
                    let checked = self.gets.on_timer(cx, op);
                    self.on_checked(cx, checked);
                }
                Timer::Put(op) => self.puts.on_timer(cx, op),
                Timer::Forward(op) => {
                    let returned = self.forwards.on_timer(cx, op);
                    self.coordinate_returned(cx, returned);
                }
                Timer::Hints(home) => self.hints.on_timer(cx, home),
                Timer::AntiEntropy => self.exchanges.on_timer(cx),
                Timer::Swim(timer) => self.watch.on_timer(cx, timer),
                Timer::Handoff => self.handoff.on_timer(cx),
                Timer::Reap => self.reaper.on_timer(cx),
                Timer::Mend => self.mender.on_timer(cx),
                Timer::Gossip => {
                    let underway = self.underway(cx);
                    self.gossip.on_timer(cx, underway);
                    self.open_the_door(cx);
                }
                Timer::Probe => membership::on_probe_timer(cx),
                Timer::Coverage(call) => self.coverage.on_timer(cx, call),
                Timer::CoverageAsk(op) => self.coverage.on_silence(cx, op),
            }
        }
    }
}
