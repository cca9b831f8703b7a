//! The simulator's clients, each a task, against real nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cartwheel_check::WriteId;
use cartwheel_sim::scenario::Span;
use cartwheel_sim::workload::{Ask, Clients, Next};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::http;

/// All clients of a run.
#[derive(Clone)]
pub struct Crowd {
    state: Arc<Mutex<State>>,
    nodes: Arc<[SocketAddr]>,
    began: Instant,
    closed: watch::Receiver<bool>,
}

/// What clients share.
#[derive(Debug)]
pub struct State {
    /// The clients, and what they know.
    pub clients: Clients,
    /// The tags under which each write was shown. More than one: it was done more than once.
    pub tags: BTreeMap<WriteId, BTreeSet<String>>,
    /// Answers that no node should give, the first few.
    pub odd: Vec<String>,
}

impl State {
    /// Some versions were shown.
    pub fn shown(&mut self, versions: Vec<(WriteId, String)>) {
        for (write, tag) in versions {
            self.tags.entry(write).or_default().insert(tag);
        }
    }

    /// Whether a write is known to have been done more than once, under different dots: as is possible when an answer is late. An
    /// old version of it may be shown again then, and nothing is lost by that.
    pub fn was_done_twice(&self, write: WriteId) -> bool {
        self.tags.get(&write).is_some_and(|tags| tags.len() > 1)
    }
}

/// Odd answers that are kept.
const ODD_MAX: usize = 20;

impl Crowd {
    /// These, against `nodes`; they begin nothing new once `closed` says so.
    pub fn new(clients: Clients, nodes: Vec<SocketAddr>, closed: watch::Receiver<bool>) -> Self {
        let state = Arc::new(Mutex::new(State { clients, tags: BTreeMap::new(), odd: Vec::new() }));
        Self { state, nodes: nodes.into(), began: Instant::now(), closed }
    }

    /// What they know.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long it has been since they began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Lets them begin.
    pub fn let_in(&self) -> JoinSet<()> {
        let count = self.state().clients.clients();
        let mut tasks = JoinSet::new();
        for client in 0..count {
            let crowd = self.clone();
            tasks.spawn(async move { crowd.visit(client).await });
        }
        tasks
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    async fn visit(mut self, client: usize) {
        let now_ns = self.now_ns();
        let mut next = self.state().clients.think(client, now_ns);
        loop {
            next = match next {
                Next::Rest => return,
                Next::Ask(ask) => self.ask(client, ask).await,
                Next::Think(ns) => {
                    // A sender that is gone has closed, too.
                    tokio::select! {
                        () = sleep(Duration::from_nanos(ns)) => {}
                        _ = self.closed.wait_for(|closed| *closed) => return,
                    }
                    let now_ns = self.now_ns();
                    Next::Ask(self.state().clients.begin(client, now_ns))
                }
            };
        }
    }

    async fn ask(&self, client: usize, ask: Ask) -> Next {
        let crash = async {
            match ask.crash_after.map(Span::duration) {
                Some(after) => sleep(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            outcome = http::ask(self.nodes[ask.node], &ask) => {
                let now_ns = self.now_ns();
                let mut state = self.state();
                if let Some(odd) = outcome.odd && state.odd.len() < ODD_MAX {
                    state.odd.push(format!("{}: {odd}", ask.key));
                }
                state.shown(outcome.shown);
                state.clients.answered(client, now_ns, outcome.result, outcome.reached)
            }
            () = crash => {
                let away = self.state().clients.crashed(client);
                sleep(Duration::from_nanos(away)).await;
                Next::Ask(self.state().clients.ask(client))
            }
        }
    }
}
