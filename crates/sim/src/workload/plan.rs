//! What a visit does: as the scenario spells it out, or as it is drawn; then it is written down, so that a run can be
//! spelled out.

use super::clients::Clients;
use crate::latency::Latency;
use crate::scenario::{CrashSpec, Deed, RequestSpec, Span, VisitSpec};

/// When a client that crashes does so, after it has asked.
const CRASH_AFTER: Latency = Latency::Exponential { min: Span::from_ns(0), mean: Span::from_ms(2) };

impl Clients {
    /// Where a visit goes, and what it does. What rests on what it reads is drawn when it comes to that.
    pub(super) fn draw_visit(&mut self, client: usize, now_ns: u64) -> VisitSpec {
        let stream = &mut self.clients[client].stream;
        let mut key = self.keyspace.choose(stream);
        let intent = self.kind.intent(self.delete, stream);
        if intent.inserts {
            key = self.keyspace.insert();
        }
        let reads = intent.reads.min((self.keyspace.there() - key) as u32);
        VisitSpec { reads, ..plain_visit(client, now_ns, key as u32, intent.does) }
    }

    /// Fills a key that the workload takes to be there.
    pub(super) fn load(&mut self, client: usize, now_ns: u64) -> Option<VisitSpec> {
        let key = self.clients[client].to_load.pop_front()?;
        Some(plain_visit(client, now_ns, key, Deed::AddBlindly))
    }

    /// What the visit of `client` does: `drawn`, unless the scenario says it.
    pub(super) fn deed(&mut self, client: usize, drawn: Deed) -> Deed {
        let Some(plan) = &mut self.clients[client].plan else { return drawn };
        if !self.scripted && plan.does.reads_first() {
            plan.does = drawn;
        }
        plan.does
    }

    /// Which item the visit of `client` removes: the one `drawn`, unless the scenario says it.
    pub(super) fn item(&mut self, client: usize, drawn: usize) -> usize {
        let Some(plan) = &mut self.clients[client].plan else { return drawn };
        if !self.scripted {
            plan.item = if plan.does == Deed::Remove { drawn as u32 } else { 0 };
            return drawn;
        }
        plan.item as usize
    }

    /// How `client` asks: drawn, unless the scenario says it.
    pub(super) fn request(&mut self, client: usize, is_read: bool) -> RequestSpec {
        let state = &mut self.clients[client];
        let plan = state.plan.as_mut();
        if self.scripted
            && let Some(VisitSpec { read, write, .. }) = plan.as_deref()
            && let Some(said) = if is_read { *read } else { write.or(*read) }
        {
            return said;
        }
        let node = state.stream.index(self.nodes) as u32 + 1;
        let strict = state.stream.happens(self.strict.chance());
        let primary = state.stream.happens(self.primary.chance());
        let crash = state.outages.happens(self.crash.chance()).then(|| CrashSpec {
            after: Span::from_ns(CRASH_AFTER.sample(&mut state.outages)),
            lasts: Span::from_ns(self.restart_after.sample(&mut state.outages)),
            node: state.outages.index(self.nodes) as u32 + 1,
        });
        let drawn = RequestSpec { node, strict, primary, crash };
        if let Some(plan) = plan {
            *(if is_read { &mut plan.read } else { &mut plan.write }) = Some(drawn);
        }
        drawn
    }

    /// The visits that clients made, as a scenario may have them.
    pub fn made(&self) -> Vec<VisitSpec> {
        let under_way = self.clients.iter().filter_map(|client| client.plan.clone());
        let mut made: Vec<VisitSpec> = self.made.iter().cloned().chain(under_way).collect();
        made.sort_by_key(|visit| (visit.at, visit.client));
        made
    }
}

fn plain_visit(client: usize, now_ns: u64, key: u32, does: Deed) -> VisitSpec {
    let (at, client) = (Span::from_ns(now_ns), client as u32 + 1);
    VisitSpec { at, client, cart: key, does, item: 0, reads: 1, read: None, write: None }
}
