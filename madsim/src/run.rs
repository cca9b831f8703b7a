//! One seed: a world of its own, in a thread of its own.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cartwheel_check::Verdict;
use cartwheel_node::Sabotage;
use madsim::net::NetSim;
use madsim::rand::Rng;
use madsim::runtime::{Handle, Runtime};
use serde::{Deserialize, Serialize};

use crate::cluster::{Cluster, data};
use crate::finale::{Inspector, be_healthy, judge_disks};
use crate::plan::{Kind, Plan};
use crate::shop::{Shop, Shopper};
use crate::trace::{Told, Trace};

/// No run takes as long, in simulated time.
const LIMIT: Duration = Duration::from_secs(600);

/// What became of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// The name of the run: the same for the same seed and the same code.
    pub digest: u64,
    /// Writes that were acknowledged.
    pub acked: u64,
    /// Packets that were sent.
    pub packets: u64,
    /// What happened, and what is wrong.
    pub told: Told,
}

impl Outcome {
    /// Whether nothing is wrong.
    pub fn is_green(&self) -> bool {
        self.told.problems.is_empty()
    }
}

/// Runs `seed`, with a planted bug if one is named. Once in a process: see [`apart`](crate::apart).
pub fn run(seed: u64, sabotage: Option<Sabotage>) -> Outcome {
    let data = data();
    let directory = data.path().to_owned();
    let world = std::thread::spawn(move || {
        let mut config = madsim::Config::default();
        config.net.send_latency = Plan::of(seed).latency;
        let mut runtime = Runtime::with_seed_and_config(seed, config);
        // The engine's own, which flush and compact. What they do is not seen from outside, and nobody waits for them.
        runtime.set_allow_system_thread(true);
        runtime.set_time_limit(LIMIT);
        runtime.block_on(be(Plan::of(seed), sabotage, &directory))
    });
    world.join().unwrap_or_else(|panic| {
        let problems = vec![format!("a panic: {}", message(&*panic))];
        Outcome { told: Told { problems, lines: Vec::new() }, ..Outcome::default() }
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "of no words".to_owned())
}

async fn be(plan: Plan, sabotage: Option<Sabotage>, data: &Path) -> Outcome {
    let trace = Trace::new();
    let mut cluster = Cluster::new(&plan, sabotage, trace.clone(), data);
    (0..plan.nodes).for_each(|node| cluster.start(node));
    let shop =
        Arc::new(Shop::new(cluster.hosts.iter().map(|host| host.http).collect(), plan.carts, trace.clone()));
    let street = Handle::current().create_node().name("clients").ip([10, 0, 1, 1].into()).build();
    let visits: Vec<_> = (0..plan.clients as u32)
        .map(|number| {
            let (shop, shopper) = (Arc::clone(&shop), Shopper::new(&shop, plan.seed, number));
            street.spawn(async move { shop.visit(shopper).await })
        })
        .collect();
    be_struck(&mut cluster, &plan).await;
    shop.close();
    for visit in visits {
        visit.await.expect("nobody stops the clients");
    }
    trace.tell("the faults are over");
    let shopper = Shopper::new(&shop, plan.seed, plan.clients as u32);
    match street.spawn(end(cluster, Arc::clone(&shop), shopper, trace.clone())).await {
        Ok(Ok(verdict)) => accuse(&trace, &verdict),
        Ok(Err(problem)) => trace.accuse(problem),
        Err(error) => trace.accuse(error),
    }
    let packets = NetSim::current().stat().msg_count;
    // One draw more or less anywhere, for a packet or a task's turn, and this one is another.
    let luck: u64 = madsim::rand::thread_rng().gen_range(0..=u64::MAX);
    trace.tell(format_args!("{packets} packets; luck {luck:016x}"));
    let (told, acked) = (trace.told().clone(), shop.history().acked().count() as u64);
    Outcome { digest: told.digest(), acked, packets, told }
}

/// The faults of the plan, until the load is over and all is mended.
async fn be_struck(cluster: &mut Cluster, plan: &Plan) {
    let mut agenda: Vec<(Duration, bool, Kind)> = Vec::new();
    for fault in &plan.faults {
        agenda.push((fault.at, true, fault.kind.clone()));
        agenda.push((fault.at + fault.lasts, false, fault.kind.clone()));
    }
    agenda.sort_by_key(|(at, ..)| *at);
    let mut now = Duration::ZERO;
    for (at, strikes, kind) in agenda {
        tokio::time::sleep(at - now).await;
        now = at;
        if strikes { cluster.strike(&kind) } else { cluster.mend(&kind) }
    }
    tokio::time::sleep(plan.load.saturating_sub(now)).await;
}

/// What comes after the faults. Asked from the clients' machine: the simulation's own has no address.
async fn end(
    mut cluster: Cluster,
    shop: Arc<Shop>,
    mut shopper: Shopper,
    trace: Trace,
) -> Result<Verdict, String> {
    // One fault may have ended the other's.
    (0..cluster.hosts.len()).for_each(|node| cluster.start(node));
    let mut inspector = Inspector::new(&cluster);
    inspector.wait_until_settled().await?;
    trace.tell("settled");
    be_healthy(&mut inspector, &shop, &mut shopper, cluster.hosts.len()).await?;
    judge_disks(&mut cluster, &shop, &trace).await
}

/// Says what the verdict finds wrong: of a green one, nothing.
fn accuse(trace: &Trace, verdict: &Verdict) {
    let Verdict { lost, diverged, resurrected, false_siblings, refused_but_done, .. } = verdict;
    lost.iter().for_each(|lost| trace.accuse(&lost.why));
    diverged
        .iter()
        .for_each(|it| trace.accuse(format_args!("the replicas of {} differ: {:?}", it.key, it.copies)));
    [resurrected, false_siblings, refused_but_done].into_iter().flatten().for_each(|why| trace.accuse(why));
}
