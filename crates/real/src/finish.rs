//! The end of a run: the cluster comes to rest, and is judged.

use std::collections::BTreeMap;
use std::time::Duration;

use cartwheel_check::{Copies, Copy, Insight, judge};
use cartwheel_node::{ClusterReport, PartitionReport, Report as Status};
use cartwheel_sim::Scenario;
use tokio::time::{Instant, sleep};

use crate::clients::Crowd;
use crate::operator::Operator;
use crate::report::{Happened, Report};
use crate::witness::Witness;
use crate::world::World;
use crate::{PlayError, http};

/// A cluster that has not come to rest by then, on a machine that is busy, never will.
const REST_MIN: Duration = Duration::from_secs(120);
/// How often one looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Nothing may have changed in so many looks, one after the other.
const STEADY_LOOKS: u32 = 4;

/// What is known before the end.
pub struct Told<'a> {
    pub scenario: &'a Scenario,
    pub seed: u64,
    pub happened: Happened,
    pub witness: Witness,
}

/// Waits until nothing is under way, reads what is there, and judges.
pub async fn finish(
    told: Told<'_>,
    mut world: World,
    crowd: &Crowd,
    mut operator: Operator,
    tell: &dyn Fn(&str),
) -> Result<Report, PlayError> {
    let lasted = crowd.elapsed();
    let began = Instant::now();
    let patience = told.scenario.settle.duration().max(REST_MIN);
    let (mut looks, mut before) = (0, Repairs::new());
    let unsettled = loop {
        operator.work(&world).await;
        let why = match rest(&world, &operator).await {
            Ok(repairs) if repairs == before => {
                looks += 1;
                format!("nothing has changed in {looks} looks")
            }
            Ok(repairs) => {
                (looks, before) = (0, repairs);
                "nodes still find keys that differ".to_owned()
            }
            Err(why) => {
                looks = 0;
                why
            }
        };
        if looks >= STEADY_LOOKS {
            break None;
        }
        if began.elapsed() > patience {
            break Some(why);
        }
        for node in &mut world.nodes {
            if let Some(ended) = node.has_ended() {
                return Err(node.failure(format!("ended with {ended} after all faults had ceased")));
            }
        }
        sleep(LOOK_EVERY).await;
    };
    tell(&format!("came to rest in {:.1} s", began.elapsed().as_secs_f64()));
    let keys = crowd.state().clients.keys().to_vec();
    let copies = match &unsettled {
        None => read(&world, &keys, crowd).await?,
        Some(_) => Copies::new(),
    };
    for node in world.nodes.iter().filter(|node| node.is_running()) {
        told.witness.ask(node.http).await;
    }
    let state = crowd.state();
    let may_return = |write| state.was_done_twice(write);
    let insight = Insight { cause: &|_| None, may_return: &may_return };
    let verdict = judge(state.clients.history(), &copies, &insight);
    Ok(Report::new(told, [lasted, began.elapsed()], &state, unsettled, verdict))
}

/// What each node has repaired so far.
type Repairs = BTreeMap<String, u64>;

/// What the nodes have repaired, if nothing is known to be under way, and all homes hold the same.
async fn rest(world: &World, operator: &Operator) -> Result<Repairs, String> {
    if let Some(change) = operator.open().first() {
        return Err(format!("{change:?} is still to be done: {}", operator.refused));
    }
    let Some((_, cluster)) = world.cluster().await else { return Err("nobody takes requests".to_owned()) };
    let mut repairs = Repairs::new();
    let mut held: BTreeMap<u32, BTreeMap<String, Option<String>>> = BTreeMap::new();
    let is_member = |name: &String| {
        let member = cluster.members.iter().find(|member| member.name == *name);
        member.is_some_and(|member| member.status == "member")
    };
    for node in world.nodes.iter().filter(|node| node.is_running()) {
        let asked = |error: std::io::Error| format!("{}: {error}", node.name);
        let status: Status = http::page(node.http, "/cartwheel/status").await.map_err(asked)?;
        is_idle(&status, is_member(&node.name)).map_err(|what| format!("{}: {what}", node.name))?;
        repairs.insert(node.name.clone(), status.keys_repaired);
        let partitions: Vec<PartitionReport> =
            http::page(node.http, "/cartwheel/partitions").await.map_err(asked)?;
        for partition in partitions {
            held.entry(partition.partition).or_default().insert(node.name.clone(), partition.root);
        }
    }
    are_equal(&cluster, &held)?;
    Ok(repairs)
}

fn is_idle(status: &Status, is_member: bool) -> Result<(), String> {
    let keys: u64 = status.hints.iter().map(|hint| hint.keys).sum();
    for (what, holds) in [
        ("does not take requests", status.serves || !is_member),
        ("members or ring still change", status.membership_idle),
        ("has hints to deliver", status.hints_idle && keys == 0),
        ("compares what it holds", status.anti_entropy_idle),
        ("has to fetch", status.fetches == 0 && status.recovering == 0),
        ("hands records over", status.handoff_open == 0),
        ("suspects others", status.suspected.is_empty()),
        ("holds others to be down", status.down.is_empty()),
    ] {
        if !holds {
            return Err(what.to_owned());
        }
    }
    Ok(())
}

/// All homes of each partition hold the same, and nobody else holds anything.
fn are_equal(
    cluster: &ClusterReport,
    held: &BTreeMap<u32, BTreeMap<String, Option<String>>>,
) -> Result<(), String> {
    let owners = &cluster.ring.owners;
    for (partition, held) in held {
        let from = *partition as usize;
        let mut homes: Vec<&String> = Vec::new();
        for owner in owners[from..].iter().chain(&owners[..from]) {
            if homes.len() < usize::from(cluster.ring.n) && !homes.contains(&owner) {
                homes.push(owner);
            }
        }
        if let Some((node, _)) = held.iter().find(|(node, _)| !homes.contains(node)) {
            return Err(format!(
                "{node} holds something of partition {partition}, whose homes are {homes:?}"
            ));
        }
        let roots: Vec<_> = homes.iter().map(|home| held.get(*home)).collect();
        if roots.iter().any(|root| *root != roots[0]) {
            return Err(format!("partition {partition} differs between its homes {homes:?}"));
        }
    }
    Ok(())
}

/// What is there. All homes hold the same, so that one account does for all.
async fn read(world: &World, keys: &[cartwheel_core::Key], crowd: &Crowd) -> Result<Copies, PlayError> {
    let Some((number, _)) = world.cluster().await else { return Ok(Copies::new()) };
    let node = &world.nodes[number];
    let mut copies = Copies::new();
    for key in keys {
        let shown =
            http::read_all(node.http, key).await.map_err(PlayError::machine("reading what is there"))?;
        let versions = shown.iter().map(|(write, _)| *write).collect();
        crowd.state().shown(shown);
        copies.insert(key.to_string(), vec![Copy { node: node.name.clone(), versions }]);
    }
    Ok(copies)
}
