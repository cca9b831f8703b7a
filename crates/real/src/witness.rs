//! What the nodes have counted, over all their lives: asked for now and then, because a node that is killed tells no more.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cartwheel_node::Report as Status;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::http;

/// How often each node is asked.
const ASK_EVERY: Duration = Duration::from_millis(300);
/// A node that takes longer is asked the next time.
const ANSWER_MAX: Duration = Duration::from_millis(500);

/// One life of one node: its store, and the boot of that.
type Life = (String, String, u64);

/// Counts, by life and name. What happened after a node was asked last and before it was killed is missing: counts are low.
#[derive(Clone, Debug, Default)]
pub struct Witness(Arc<Mutex<BTreeMap<Life, BTreeMap<String, u64>>>>);

impl Witness {
    /// Asks all `nodes` from now on, until the handles are told to stop.
    pub fn watch(&self, nodes: impl Iterator<Item = SocketAddr>) -> Vec<AbortHandle> {
        let watch = |node| {
            let witness = self.clone();
            let watching = async move {
                loop {
                    witness.ask(node).await;
                    sleep(ASK_EVERY).await;
                }
            };
            tokio::spawn(watching).abort_handle()
        };
        nodes.map(watch).collect()
    }

    /// Asks one node once.
    pub async fn ask(&self, node: SocketAddr) {
        let asked = timeout(ANSWER_MAX, http::page::<Status>(node, "/cartwheel/status")).await;
        let Ok(Ok(status)) = asked else { return };
        let Ok(serde_json::Value::Object(counters)) = serde_json::to_value(status.counters) else { return };
        let counts = counters.into_iter().map(|(name, count)| (name, count.as_u64().unwrap_or(0))).collect();
        let life = (status.about.node, status.about.store, status.about.boot);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(life, counts);
    }

    /// The sum over all lives.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let mut sum: BTreeMap<String, u64> = BTreeMap::new();
        let lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, count) in lives.values().flatten() {
            *sum.entry(name.clone()).or_default() += count;
        }
        sum
    }
}
