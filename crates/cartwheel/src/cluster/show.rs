//! What is shown to people.

use cartwheel_node::{
    AdminAnswer, ChangeKind, ChangeReport, ClusterReport, MemberReport, PlanReport, RingReport,
    TransferReport,
};

use super::{Survey, Surveyed};
use crate::table::Table;

/// Partitions on one line of the ring's table.
const OWNERS_PER_LINE: usize = 8;
/// Moves listed one by one.
const MOVES_MAX: usize = 64;

pub fn status(cluster: &ClusterReport) -> String {
    let mut table = Table::new(["node", "status", "seen", "owns", "weight", "zone", "peer", "http"]);
    for member in &cluster.members {
        let owns = match (member.owns, member.owns_next) {
            (now, next) if now == next => now.to_string(),
            (now, next) => format!("{now} -> {next}"),
        };
        table.row([
            member.name.clone(),
            member.status.clone(),
            member.seen.clone(),
            owns,
            member.weight.to_string(),
            or_dash(&member.zone),
            member.peer.clone().unwrap_or_else(|| "-".into()),
            member.http.clone().unwrap_or_else(|| "-".into()),
        ]);
    }
    let mut lines = vec![headline(cluster), table.to_string()];
    let late: Vec<&str> = late(&cluster.members).map(|member| member.name.as_str()).collect();
    if !late.is_empty() {
        lines.push(format!("not known to have kept this state of the ring yet: {}", late.join(" ")));
    }
    let joining = cluster.members.iter().filter(|member| member.status == "joining");
    let waiting = joining.filter(|member| !is_staged(cluster, &member.name));
    lines.extend(waiting.map(|member| {
        let name = &member.name;
        format!("{name} waits to be let in: cartwheel cluster join {name}, then plan and commit")
    }));
    if !cluster.staged.is_empty() {
        lines.push(staged(&cluster.staged));
        lines.push("see what that moves: cartwheel cluster plan".to_owned());
    }
    lines.join("\n")
}

fn late(members: &[MemberReport]) -> impl Iterator<Item = &MemberReport> {
    members.iter().filter(|it| ["member", "leaving"].contains(&it.status.as_str()) && !it.knows_ring)
}

fn is_staged(cluster: &ClusterReport, name: &str) -> bool {
    cluster.staged.iter().any(|change| change.node == name || change.with.as_deref() == Some(name))
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

/// The cluster and its ring in one line.
pub fn headline(cluster: &ClusterReport) -> String {
    let ClusterReport { cluster: name, node, ring, .. } = cluster;
    let RingReport { epoch, fingerprint, phase, n, owners, .. } = ring;
    let short = fingerprint.get(..8).unwrap_or(fingerprint);
    format!(
        "cluster {name}, as {node} sees it: epoch {epoch} ({short}), {phase}{}; {} partitions, n = {n}",
        progress(cluster.transfers),
        owners.len()
    )
}

fn progress(TransferReport { all, done }: TransferReport) -> String {
    if all == 0 { String::new() } else { format!(" ({done} of {all} transfers done)") }
}

fn staged(changes: &[ChangeReport]) -> String {
    let lines: Vec<String> = changes.iter().map(|change| format!("  {}", one_change(change))).collect();
    format!("prepared:\n{}", lines.join("\n"))
}

fn one_change(change: &ChangeReport) -> String {
    let node = &change.node;
    let zone = change.zone.as_deref().filter(|zone| !zone.is_empty());
    let zone = zone.map(|zone| format!(", zone {zone}")).unwrap_or_default();
    let weight = change.weight.unwrap_or(1);
    let with = change.with.as_deref().unwrap_or("?");
    match change.change {
        ChangeKind::Join => format!("{node} joins, weight {weight}{zone}"),
        ChangeKind::Set => format!("{node} gets weight {weight}{zone}"),
        ChangeKind::Leave => format!("{node} leaves"),
        ChangeKind::Remove => format!("{node}, dead, is removed for ever"),
        ChangeKind::Replace if change.dead => format!("{with} takes the place of {node}, which is dead"),
        ChangeKind::Replace => format!("{with} takes the place of {node}, which leaves"),
    }
}

/// `alive`: who is given up as dead, and is not.
pub fn plan(plan: &PlanReport, alive: &[String]) -> String {
    let mut lines = Vec::new();
    if !plan.changes.is_empty() {
        lines.push(staged(&plan.changes));
    }
    let mut balance = Table::new(["node", "owns", "then", "fetches"]);
    for node in &plan.balance {
        balance.row([
            node.node.clone(),
            node.before.to_string(),
            node.after.to_string(),
            node.fetches.to_string(),
        ]);
    }
    lines.push(balance.to_string());
    lines.push(format!(
        "{} partitions change their owner; {} copies of partitions are fetched by new homes",
        plan.moves.len(),
        plan.copies
    ));
    let moves = plan.moves.iter().take(MOVES_MAX);
    lines.extend(moves.map(|it| format!("  partition {}: {} -> {}", it.partition, it.from, it.to)));
    if plan.moves.len() > MOVES_MAX {
        lines.push(format!("  and {} more (--json lists all)", plan.moves.len() - MOVES_MAX));
    }
    lines.extend(alive.iter().map(|name| {
        format!(
            "warning: {name} is alive, and what only it has would be lost with it: \
             `leave` or `replace` without `dead` gives that away first; clear forgets what is prepared"
        )
    }));
    lines.push(format!("plan {}", plan.plan));
    lines.join("\n")
}

pub fn answer(answer: &AdminAnswer, alive: &[String], next: &str) -> String {
    match (&answer.plan, &answer.problem) {
        (Some(planned), _) => format!("{}\n{next}: cartwheel cluster commit", plan(planned, alive)),
        (None, Some(problem)) => {
            format!("{}\nit cannot be committed like that: {}", staged(&answer.staged), problem.message)
        }
        (None, None) if answer.staged.is_empty() => "nothing is prepared".to_owned(),
        (None, None) => staged(&answer.staged),
    }
}

pub fn ring(cluster: &ClusterReport) -> String {
    let RingReport { owners, next_owners, .. } = &cluster.ring;
    let cell = |partition: usize| match next_owners.as_ref().map(|next| &next[partition]) {
        Some(next) if *next != owners[partition] => format!("{}->{next}", owners[partition]),
        _ => owners[partition].clone(),
    };
    let width = (0..owners.len()).map(|partition| cell(partition).chars().count()).max().unwrap_or(0);
    let mut lines = vec![headline(cluster)];
    for first in (0..owners.len()).step_by(OWNERS_PER_LINE) {
        let line = (first..owners.len().min(first + OWNERS_PER_LINE))
            .map(|partition| format!("{:<width$}", cell(partition)));
        lines.push(format!("{first:>5}  {}", line.collect::<Vec<_>>().join("  ").trim_end()));
    }
    let mut zones = Table::new(["node", "zone", "weight", "owns", "then"]);
    for member in cluster.members.iter().filter(|member| member.owns + member.owns_next > 0) {
        let MemberReport { name, zone, weight, owns, owns_next, .. } = member;
        zones.row([name.clone(), or_dash(zone), weight.to_string(), owns.to_string(), owns_next.to_string()]);
    }
    lines.push(zones.to_string());
    lines.join("\n")
}

pub fn hints(survey: &Survey) -> String {
    let mut table = Table::new(["kept by", "for", "keys", "bytes"]);
    for node in &survey.nodes {
        for hint in node.report.iter().flat_map(|report| &report.hints) {
            table.row([node.name.clone(), hint.home.clone(), hint.keys.to_string(), hint.bytes.to_string()]);
        }
    }
    let found =
        if table.is_empty() { "nobody keeps anything for another".to_owned() } else { table.to_string() };
    with_silent(found, &survey.nodes)
}

pub fn anti_entropy(survey: &Survey) -> String {
    let mut table = Table::new(["node", "comparing", "keys repaired", "to fetch", "recovering"]);
    for node in &survey.nodes {
        let Some(report) = &node.report else { continue };
        let comparing = if report.anti_entropy_idle { "no" } else { "yes" };
        table.row([
            node.name.clone(),
            comparing.to_owned(),
            report.keys_repaired.to_string(),
            report.fetches.to_string(),
            report.recovering.to_string(),
        ]);
    }
    with_silent(table.to_string(), &survey.nodes)
}

/// Says whose account is missing.
pub fn with_silent(mut shown: String, nodes: &[Surveyed]) -> String {
    for node in nodes {
        if let Some(why) = &node.silent {
            shown += &format!("\nwithout {}: {why}", node.name);
        }
    }
    shown
}
