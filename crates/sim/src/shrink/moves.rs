//! What is tried, in which order.

use cartwheel_core::Quorum;

use super::Search;
use super::ddmin::remove_parts;
use crate::latency::Latency;
use crate::scenario::{
    ClockSpec, ClusterSpec, Deed, DiskSpec, Fault, KindSpec, NetworkSpec, Probability, Scenario, Span,
    VisitSpec,
};

/// How many seeds are tried where a change sends chance other ways.
const LUCK: u64 = 6;

/// Tries everything once; whether anything gave.
pub fn round(search: &mut Search<'_>) -> bool {
    // What makes every later run cheaper comes first.
    let steps: [fn(&mut Search<'_>) -> bool; 14] = [
        its_key_alone,
        until_it_shows,
        fewer_faults,
        few_nodes,
        fewer_visits,
        calmer_world,
        fewer_homes,
        fewer_nodes,
        sooner,
        compact,
        simpler_cluster,
        simpler_visits,
        simpler_faults,
        shorter,
    ];
    let mut gave = false;
    for step in steps {
        gave |= step(search);
    }
    gave
}

/// Nobody visits any key but one that the report names.
fn its_key_alone(search: &mut Search<'_>) -> bool {
    let said = search.report.explanations();
    let mut named: Vec<u32> = said.iter().flat_map(|said| keys_in(said)).collect();
    named.dedup();
    named.truncate(4);
    named.into_iter().any(|key| {
        let mut candidate = search.best.clone();
        candidate.visit.retain(|visit| (visit.cart..visit.cart + visit.reads).contains(&key));
        let is_less = candidate.visit.len() < search.best.visit.len();
        is_less && !candidate.visit.is_empty() && search.try_with_luck(&candidate, 2)
    })
}

/// The numbers of the keys that a sentence names, such as 7 in `carts/cart-7`.
fn keys_in(said: &str) -> impl Iterator<Item = u32> {
    said.split(|at: char| !(at.is_alphanumeric() || "/-_".contains(at)))
        .filter_map(|word| word.split_once('/')?.1.rsplit_once('-')?.1.parse().ok())
}

/// Nothing happens any more once it has gone wrong: halves the time for as long as that gives something.
fn until_it_shows(search: &mut Search<'_>) -> bool {
    let (mut too_early, mut late_enough) = (0, search.best.duration.ns());
    let mut gave = false;
    while late_enough - too_early > (late_enough / 16).max(50_000_000) {
        let end = Span::from_ns(too_early.midpoint(late_enough));
        let mut candidate = search.best.clone();
        candidate.visit.retain(|visit| visit.at < end);
        candidate.fault.retain(|fault| fault.at() < end);
        candidate.duration = end;
        if !candidate.visit.is_empty() && search.try_with_luck(&candidate, 2) {
            late_enough = end.ns();
            gave = true;
        } else {
            too_early = end.ns();
        }
    }
    gave
}

fn fewer_visits(search: &mut Search<'_>) -> bool {
    remove_parts(search.best.visit.len(), |part| {
        let mut candidate = search.best.clone();
        candidate.visit.drain(part);
        // Without any visit the clients would draw some.
        !candidate.visit.is_empty() && search.try_with_luck(&candidate, 2)
    })
}

fn fewer_faults(search: &mut Search<'_>) -> bool {
    remove_parts(search.best.fault.len(), |part| {
        let mut candidate = search.best.clone();
        candidate.fault.drain(part);
        search.try_with_luck(&candidate, 2)
    })
}

/// A network, disks and clocks that do what is expected of them.
fn calmer_world(search: &mut Search<'_>) -> bool {
    let fixed = |ms| Latency::Fixed { value: Span::from_ms(ms) };
    let quiet: [&dyn Fn(&mut Scenario); 7] = [
        &|scenario| {
            scenario.network = NetworkSpec { latency: fixed(1), ..NetworkSpec::default() };
            scenario.disk = DiskSpec::default();
            scenario.clock = ClockSpec::default();
        },
        &|scenario| scenario.network.loss = Probability::default(),
        &|scenario| scenario.network.duplication = Probability::default(),
        &|scenario| {
            let NetworkSpec { reordering, reordering_delay, .. } = NetworkSpec::default();
            (scenario.network.reordering, scenario.network.reordering_delay) = (reordering, reordering_delay);
        },
        &|scenario| scenario.network.latency = fixed(1),
        &|scenario| scenario.disk = DiskSpec::default(),
        &|scenario| scenario.clock = ClockSpec::default(),
    ];
    try_each(search, &quiet, LUCK)
}

fn try_each(search: &mut Search<'_>, changes: &[&dyn Fn(&mut Scenario)], luck: u64) -> bool {
    let mut gave = false;
    for change in changes {
        let mut candidate = search.best.clone();
        change(&mut candidate);
        gave |= candidate != search.best && search.try_with_luck(&candidate, luck);
    }
    gave
}

/// A smaller N, with quorums that fit it.
fn fewer_homes(search: &mut Search<'_>) -> bool {
    let mut gave = false;
    for n in 1..search.best.cluster.n {
        let mut candidate = search.best.clone();
        let cluster = &mut candidate.cluster;
        cluster.n = n;
        for quorum in [&mut cluster.r, &mut cluster.w] {
            if let Quorum::Count(count) = &mut quorum.0 {
                *count = (*count).min(n);
            }
        }
        if search.try_with_luck(&candidate, LUCK) {
            gave = true;
            break;
        }
    }
    gave
}

/// As few nodes as there may be: what rests on their number may fail with four and with eight, and not with six.
fn few_nodes(search: &mut Search<'_>) -> bool {
    let ClusterSpec { nodes, n, .. } = search.best.cluster;
    (u32::from(n)..nodes).any(|left| search.try_out(with_nodes(&search.best, left)))
}

/// The first ones; what befell the others befalls these. Spares are named after them.
fn with_nodes(scenario: &Scenario, left: u32) -> Scenario {
    let mut candidate = scenario.clone();
    let before = std::mem::replace(&mut candidate.cluster.nodes, left);
    let rename = |node: u32| if node > before { node - before + left } else { 1 + (node - 1) % left };
    candidate.fault.retain_mut(|fault| fault.retain_nodes(|node| Some(rename(node))));
    for request in candidate.visit.iter_mut().flat_map(VisitSpec::requests_mut) {
        request.node = rename(request.node);
    }
    candidate
}

/// Takes one node away after the other, spares among them.
fn fewer_nodes(search: &mut Search<'_>) -> bool {
    let mut gave = false;
    let mut node = search.best.cluster.nodes + search.best.cluster.spares;
    while node > 0 {
        if let Some(candidate) = without_node(&search.best, node) {
            gave |= search.try_with_luck(&candidate, LUCK);
        }
        node -= 1;
    }
    gave
}

/// Later nodes move up. Whoever asked it first asks another one.
fn without_node(scenario: &Scenario, gone: u32) -> Option<Scenario> {
    let mut candidate = scenario.clone();
    let cluster = &mut candidate.cluster;
    if gone > cluster.nodes {
        cluster.spares = cluster.spares.checked_sub(1)?;
    } else {
        cluster.nodes -= 1;
    }
    let (nodes, n) = (cluster.nodes, u32::from(cluster.n));
    if nodes < n {
        return None;
    }
    let rename = |node: u32| match node.cmp(&gone) {
        std::cmp::Ordering::Less => Some(node),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(node - 1),
    };
    candidate.fault.retain_mut(|fault| fault.retain_nodes(rename));
    for request in candidate.visit.iter_mut().flat_map(VisitSpec::requests_mut) {
        for node in request.nodes_mut() {
            *node = rename(*node).unwrap_or(1 + gone % nodes).min(nodes);
        }
    }
    Some(candidate)
}

/// Everything in a fraction of the time, and then the time after the last of it.
fn sooner(search: &mut Search<'_>) -> bool {
    let mut gave = false;
    for (part, of) in [(1, 4), (1, 2), (3, 4)] {
        let scale = |span: Span| Span::from_ns(span.ns() / of * part);
        let mut candidate = search.best.clone();
        candidate.duration = scale(candidate.duration);
        candidate.visit.iter_mut().for_each(|visit| visit.at = scale(visit.at));
        candidate.fault = candidate
            .fault
            .into_iter()
            .map(|fault| {
                let at = scale(fault.at());
                fault.struck_at(at)
            })
            .collect();
        gave |= search.try_with_luck(&candidate, 2);
    }
    gave
}

/// Clients and keys that nobody names go; so do partitions.
fn compact(search: &mut Search<'_>) -> bool {
    let mut candidate = search.best.clone();
    let mut named: Vec<u32> = candidate.visit.iter().map(|visit| visit.client).collect();
    named.sort_unstable();
    named.dedup();
    candidate.workload.clients = named.len().max(1) as u32;
    let place = |client: u32| named.partition_point(|other| *other < client) as u32 + 1;
    candidate.visit.iter_mut().for_each(|visit| visit.client = place(visit.client));
    let wiped = candidate.fault.iter().flat_map(|fault| match fault {
        Fault::WipeKey { carts, .. } | Fault::CorruptRecord { carts, .. } => carts.clone(),
        _ => Vec::new(),
    });
    let last =
        candidate.visit.iter().map(|visit| visit.cart + visit.reads - 1).chain(wiped).max().unwrap_or(0);
    candidate.workload.keys = (last + 1).clamp(candidate.workload.buckets, candidate.workload.keys);
    let mut gave = search.try_with_luck(&candidate, LUCK);
    let mut candidate = search.best.clone();
    candidate.cluster.partitions = 8;
    gave |= search.try_with_luck(&candidate, LUCK);
    gave
}

/// Settings as they are by default.
fn simpler_cluster(search: &mut Search<'_>) -> bool {
    let usual = ClusterSpec::of(search.best.cluster.nodes);
    let settings: [&dyn Fn(&mut Scenario); 12] = [
        &|scenario| {
            let ClusterSpec { nodes, partitions, n, r, w, last_write_wins, spares, .. } = scenario.cluster;
            scenario.cluster =
                ClusterSpec { nodes, partitions, n, r, w, last_write_wins, spares, ..ClusterSpec::of(nodes) };
        },
        &|scenario| scenario.cluster.replica_timeout = usual.replica_timeout,
        &|scenario| scenario.cluster.suspect_after = usual.suspect_after,
        &|scenario| scenario.cluster.hint_interval = usual.hint_interval,
        &|scenario| scenario.cluster.past_entries_max = usual.past_entries_max,
        &|scenario| scenario.cluster.hint_bytes_max = usual.hint_bytes_max,
        &|scenario| scenario.cluster.swim_interval = usual.swim_interval,
        &|scenario| scenario.cluster.gossip_interval = usual.gossip_interval,
        &|scenario| scenario.cluster.reap_after = usual.reap_after,
        &|scenario| scenario.cluster.anti_entropy_interval = usual.anti_entropy_interval,
        &|scenario| {
            scenario.cluster.background_latency_target = usual.background_latency_target;
            scenario.cluster.background_window = usual.background_window;
            scenario.cluster.background_rate_min = usual.background_rate_min;
        },
        &|scenario| {
            let workload = &mut scenario.workload;
            for chance in
                [&mut workload.delete, &mut workload.strict, &mut workload.primary, &mut workload.crash]
            {
                *chance = Probability::default();
            }
            if let KindSpec::Cart { remove, blind } = &mut workload.kind {
                (*remove, *blind) = (Probability::default(), Probability::default());
            }
            workload.popularity = None;
            workload.retries = 0;
        },
    ];
    try_each(search, &settings, 2)
}

/// Visits that ask for less, and writes without a read.
fn simpler_visits(search: &mut Search<'_>) -> bool {
    let mut gave = false;
    for index in 0..search.best.visit.len() {
        let plain: [&dyn Fn(&mut VisitSpec); 7] = [
            &|visit| {
                visit.write = visit.write.or(visit.read);
                (visit.does, visit.item, visit.read) = (Deed::AddBlindly, 0, None);
            },
            &|visit| {
                for request in visit.requests_mut() {
                    (request.strict, request.primary) = (false, false);
                }
            },
            &|visit| visit.item = 0,
            &|visit| visit.reads = 1,
            &|visit| visit.requests_mut().for_each(|request| request.crash = None),
            &|visit| {
                if visit.does == Deed::Remove {
                    visit.does = Deed::Add;
                }
            },
            &|visit| {
                if visit.read.is_some() {
                    visit.write = None;
                }
            },
        ];
        for change in plain {
            let mut candidate = search.best.clone();
            change(&mut candidate.visit[index]);
            gave |= search.try_out(candidate);
        }
    }
    gave
}

/// Faults that are over sooner, and name fewer nodes.
fn simpler_faults(search: &mut Search<'_>) -> bool {
    let mut gave = false;
    for index in 0..search.best.fault.len() {
        let mut candidate = search.best.clone();
        if let Some(lasts) = candidate.fault[index].lasts_mut() {
            *lasts = Span::from_ns(lasts.ns() / 2);
            gave |= lasts.ns() > 1_000_000 && search.try_out(candidate);
        }
        for node in search.best.fault[index].nodes() {
            let mut candidate = search.best.clone();
            let is_left = candidate.fault[index].retain_nodes(|other| (other != node).then_some(other));
            gave |= is_left && search.try_out(candidate);
        }
    }
    gave
}

/// No more time than it takes, in round numbers.
fn shorter(search: &mut Search<'_>) -> bool {
    let scenario = &search.best;
    let ends = scenario.fault.iter().map(Fault::at).chain(scenario.visit.iter().map(|visit| visit.at));
    let last = ends.max().unwrap_or_default().ns();
    let mut gave = false;
    for more_ms in [100, 1_000, 5_000] {
        let mut candidate = search.best.clone();
        candidate.duration = Span::from_ms(last.div_ceil(1_000_000) + more_ms);
        gave |= candidate.duration < search.best.duration && search.try_out(candidate);
    }
    for unit in [100_000_000, 10_000_000, 1_000_000] {
        let rounded = |span: Span| Span::from_ns(span.ns().div_ceil(unit) * unit);
        let mut candidate = search.best.clone();
        candidate.visit.iter_mut().for_each(|visit| visit.at = rounded(visit.at));
        candidate.fault.iter_mut().for_each(|fault| {
            *fault = fault.clone().struck_at(rounded(fault.at()));
            if let Some(lasts) = fault.lasts_mut() {
                *lasts = rounded(*lasts);
            }
        });
        candidate.duration = rounded(candidate.duration);
        if search.try_out(candidate) {
            // Rounding is no reason for another round.
            break;
        }
    }
    gave
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_what_is_said_of_them() {
        let said =
            "n3 holds w43 (n2.1.19:15) of carts/cart-17 beside w45, and records-2/record-4, not n/a or 3-4";
        assert_eq!(keys_in(said).collect::<Vec<_>>(), [17, 4]);
    }
}
