//! After the faults: the cluster must settle by itself, be as good as new, and have lost nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use cartwheel_check::{Insight, Verdict, judge};
use cartwheel_node::{Counters, PartitionReport, Report};

use crate::cluster::{Cluster, N};
use crate::disks;
use crate::http::Client;
use crate::shop::{Shop, Shopper};
use crate::trace::Trace;

/// How long a cluster may take to settle.
const SETTLED_WITHIN: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Rounds of requests.
const HEALTHY_WITHIN_ROUNDS: usize = 4;
/// How long a node may take to stop.
const STOPPED_WITHIN: Duration = Duration::from_secs(15);

/// What operators ask of all nodes.
pub struct Inspector(Vec<Client>);

/// What one node says of itself.
struct Account {
    report: Report,
    partitions: Vec<PartitionReport>,
}

impl Inspector {
    /// Of all nodes of `cluster`.
    pub fn new(cluster: &Cluster) -> Self {
        Self(cluster.hosts.iter().map(|host| Client::new(host.http)).collect())
    }

    async fn accounts(&mut self) -> Result<Vec<Account>, String> {
        let mut accounts = Vec::new();
        for client in &mut self.0 {
            let status = client.send("GET", "/cartwheel/status", &[], String::new()).await?;
            let partitions = client.send("GET", "/cartwheel/partitions", &[], String::new()).await?;
            let not_json = |error: serde_json::Error| error.to_string();
            accounts.push(Account {
                report: serde_json::from_str(status.body()).map_err(not_json)?,
                partitions: serde_json::from_str(partitions.body()).map_err(not_json)?,
            });
        }
        Ok(accounts)
    }

    /// Waits until nothing is under way any more and all replicas hold equally much.
    ///
    /// # Errors
    ///
    /// What is still not as it should be, when time is up.
    pub async fn wait_until_settled(&mut self) -> Result<(), String> {
        let began = madsim::time::Instant::now();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Err(unsettled) = self.accounts().await.and_then(|accounts| settled(&accounts)) else {
                return Ok(());
            };
            if began.elapsed() > SETTLED_WITHIN {
                return Err(format!("not settled after {} s: {unsettled}", SETTLED_WITHIN.as_secs()));
            }
        }
    }

    /// How often the cluster had to make do, since the nodes were started.
    async fn makeshifts(&mut self) -> Result<Vec<Makeshift>, String> {
        Ok(self.accounts().await?.iter().map(|account| Makeshift::of(&account.report.counters)).collect())
    }
}

/// What a healthy cluster has no reason to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Makeshift {
    sloppy_writes: u64,
    hints_stored: u64,
    suspicions: u64,
}

impl Makeshift {
    fn of(counters: &Counters) -> Self {
        let Counters { sloppy_writes, hints_stored, suspicions, .. } = *counters;
        Self { sloppy_writes, hints_stored, suspicions }
    }
}

fn settled(accounts: &[Account]) -> Result<(), String> {
    for Account { report, partitions } in accounts {
        let owed: u64 = partitions.iter().map(|partition| partition.owed).sum();
        let node = &report.about.node;
        let wrong = match () {
            () if !report.serves => "does not serve".to_owned(),
            () if !report.suspected.is_empty() => format!("suspects {}", report.suspected.join("+")),
            () if !report.down.is_empty() => format!("holds {} to be dead", report.down.join("+")),
            () if report.requests_running > 0 => format!("{} requests are running", report.requests_running),
            () if !report.hints.is_empty() => format!("keeps hints: {:?}", report.hints),
            () if !report.hints_idle => "has hints to deliver".to_owned(),
            () if report.handoff_open > 0 => format!("{} partitions to hand over", report.handoff_open),
            () if owed > 0 => format!("{owed} records on its disk are owed to others"),
            () => continue,
        };
        return Err(format!("{node} {wrong}"));
    }
    let mut held: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
    for partition in accounts.iter().flat_map(|account| &account.partitions) {
        held.entry(partition.partition).or_default().push((partition.records, partition.bytes));
    }
    match held.iter().find(|(_, held)| held.len() != N || held.iter().any(|one| *one != held[0])) {
        Some((partition, held)) => {
            Err(format!("partition {partition} is held differently: {held:?} records and bytes"))
        }
        None => Ok(()),
    }
}

/// A healthy cluster answers each request at the first node asked, with nobody standing in for anybody. It has some rounds to
/// become healthy: a connection that stalled in a partition is noticed by what is said over it and not answered.
pub async fn be_healthy(
    inspector: &mut Inspector,
    shop: &Shop,
    shopper: &mut Shopper,
    nodes: usize,
) -> Result<(), String> {
    let mut before = inspector.makeshifts().await?;
    for _ in 0..HEALTHY_WITHIN_ROUNDS {
        for node in 0..nodes {
            for cart in shop.carts() {
                if !shop.add(shopper, node, &cart, 1).await {
                    return Err(format!("a healthy cluster did not serve {cart} at n{}", node + 1));
                }
            }
        }
        inspector.wait_until_settled().await?;
        let after = inspector.makeshifts().await?;
        if before == after {
            return Ok(());
        }
        before = after;
    }
    Err(format!("a healthy cluster had to make do, in each of {HEALTHY_WITHIN_ROUNDS} rounds: {before:?}"))
}

/// Stops all nodes, and judges what is on their disks.
pub async fn judge_disks(cluster: &mut Cluster, shop: &Shop, trace: &Trace) -> Result<Verdict, String> {
    (0..cluster.hosts.len()).for_each(|node| cluster.stop(node));
    tokio::time::sleep(STOPPED_WITHIN).await;
    // What has not stopped by now is not clean, and its disk says so.
    (0..cluster.hosts.len()).for_each(|node| cluster.kill(node));
    tokio::time::sleep(LOOK_EVERY).await;
    let copies = disks::copies(cluster, shop)?;
    for (cart, copies) in &copies {
        trace.tell(format_args!("{cart}: {copies:?}"));
    }
    let may_return = |id| shop.is_repeated(id);
    Ok(judge(&shop.history(), &copies, &Insight { may_return: &may_return, ..Insight::NONE }))
}
