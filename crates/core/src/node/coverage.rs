//! Listings: which part of them an input concerns.

use super::Machines;
use super::storage::unexpected;
use crate::boundary::Output;
use crate::coordinator::{CoverageServe, Looking};
use crate::coverage::{
    CoverageError, CoverageMessage, CoverageOp, CoverageReply, CoverageRequest, Found, Query,
};
use crate::cx::Cx;
use crate::desk::Waiter;
use crate::id::NodeId;
use crate::membership::Standing;
use crate::storage::{StorageError, Ticket};

impl Machines {
    pub(super) fn on_coverage(&mut self, cx: &mut Cx, CoverageRequest { call, op }: CoverageRequest) {
        match op {
            CoverageOp::Begin(listing) => match self.may_list(cx, &listing.query) {
                Ok(()) => self.coverage.begin(cx, call, *listing),
                Err(error) => cx.out.push(Output::Coverage(CoverageReply { call, result: Err(error) })),
            },
            CoverageOp::Next => self.coverage.next(cx, call),
            CoverageOp::Cancel => self.coverage.cancel(cx, call),
        }
    }

    fn may_list(&self, cx: &Cx, query: &Query) -> Result<(), CoverageError> {
        if !self.gossip.serves(cx) {
            Err(CoverageError::NotAMember)
        } else if !cx.env.cluster.has_type(query.bucket_type()) {
            Err(CoverageError::NoType)
        } else if cx.storage_has_room() {
            Ok(())
        } else {
            Err(CoverageError::Overloaded { limit: cx.env.config.storage_inflight_max })
        }
    }

    pub(super) fn on_coverage_message(&mut self, cx: &mut Cx, from: NodeId, message: CoverageMessage) {
        match message {
            CoverageMessage::Ask { op, n, scan } => {
                let takes_part = self.gossip.standing() == Standing::Ready;
                CoverageServe::on_ask(cx, from, op, n, scan, takes_part);
            }
            CoverageMessage::Answer { op, result } => self.coverage.on_answer(cx, from, op, result),
        }
    }

    pub(super) fn on_found(&mut self, cx: &mut Cx, ticket: Ticket, found: Result<Found, StorageError>) {
        let looking = match cx.env.desk.complete(ticket) {
            Some(Waiter::Coverage(looking)) => looking,
            other => return unexpected("listing", other.as_ref()),
        };
        let Looking { from, op, .. } = looking;
        let result = CoverageServe::judge(cx, &looking, found);
        if from == cx.me() {
            self.coverage.on_answer(cx, from, op, result);
        } else {
            CoverageServe::answer(cx, from, op, result);
        }
    }
}
