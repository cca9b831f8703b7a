//! Listings: each goes from the core to whoever takes it, part by part.

use cartwheel_core::Input;
use cartwheel_core::coverage::{CoverageError, CoverageOp, CoverageReply, CoverageRequest, Listing, Part};
use cartwheel_core::id::CallId;
use tokio::sync::{mpsc, oneshot};

use super::Server;

/// What is asked of a listing, and where its parts go.
#[derive(Debug)]
pub(crate) enum ListingAsk {
    /// Begin it; what it is called is told first.
    Begin(Box<Listing>, oneshot::Sender<CallId>, ListingSteps),
    /// The last part was taken.
    Next(CallId),
    /// Nobody takes it any further.
    Cancel(CallId),
}

/// Takes parts, and what ends them. There is room for one: the next is asked for when the last has been taken.
pub(crate) type ListingSteps = mpsc::Sender<Result<Part, CoverageError>>;

impl Server {
    pub(super) fn list(&mut self, ask: ListingAsk) {
        let (call, op) = match ask {
            // Whoever asked has gone already.
            ListingAsk::Begin(_, named, _) if named.is_closed() => return,
            ListingAsk::Begin(listing, named, steps) => {
                let call = self.next_call();
                self.listings.insert(call, steps);
                _ = named.send(call);
                (call, CoverageOp::Begin(listing))
            }
            ListingAsk::Next(call) => (call, CoverageOp::Next),
            ListingAsk::Cancel(call) => {
                self.listings.remove(&call);
                (call, CoverageOp::Cancel)
            }
        };
        self.input(Input::Coverage(CoverageRequest { call, op }));
    }

    pub(super) fn listed(&mut self, CoverageReply { call, result }: CoverageReply) {
        let ends = result.as_ref().map_or(true, |part| part.is_last);
        let Some(steps) = self.listings.get(&call) else { return };
        // One that has gone says so itself; if it cannot, the core gives the listing up when its time is up.
        let is_taken = steps.try_send(result).is_ok();
        if ends || !is_taken {
            self.listings.remove(&call);
        }
    }
}
