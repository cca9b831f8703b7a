//! What is tried, in which order.

use cartwheel_core::Quorum;
use cartwheel_core::id::NodeId;
use cartwheel_core::ring::Ring;

use super::ddmin::remove_parts;
use super::{Search, Size};
use crate::latency::Latency;
use crate::scenario::{
    ClockSpec, ClusterSpec, Deed, DiskSpec, Fault, KindSpec, NetworkSpec, Probability, Scenario, Span,
    VisitSpec,
};
use crate::streams::Streams;
use crate::workload::Keyspace;

/// Tries everything once.
pub fn round(search: &mut Search<'_>) {
    // What makes every later run cheaper comes first.
    let steps: [fn(&mut Search<'_>); 20] = [
        less_to_settle,
        its_key_alone,
        until_it_shows,
        fewer_keys,
        fewer_faults,
        one_fault_for_two,
        around_it,
        few_nodes,
        homes_that_nobody_names,
        visits_of_a_kind,
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
    for step in steps {
        step(search);
    }
}

/// What the report names, and nothing else: the visits of that key, all or the last ones before the moment, and what struck by then, on
/// few nodes. Little of the luck is left then; but such a world is so cheap that hundreds of seeds can be tried.
fn around_it(search: &mut Search<'_>) {
    let said = search.report.explanations();
    let key = named_keys(search).first().copied();
    let moment = said.first().and_then(|said| moment_in(said)).unwrap_or(search.best.duration.ns());
    let Some(key) = key.filter(|_| search.has_too_many(|size| size.visits)) else { return };
    let most = (Size::SMALL.nodes as u32).max(u32::from(search.best.cluster.n));
    for visits in [usize::MAX, 2 * Size::SMALL.visits, Size::SMALL.visits] {
        let Some(candidate) = just_before(&search.best, key, moment, visits) else { return };
        let on_few = like_on_a_ring(&candidate, most, candidate.cluster.partitions, key, Rest::Goes);
        let on_few = on_few.filter(|_| candidate.cluster.nodes > most);
        if on_few.into_iter().chain([candidate]).any(|candidate| search.try_hardest(&candidate)) {
            return;
        }
    }
}

/// The last visits of `key` by a moment, and what struck meanwhile, without a wait.
fn just_before(scenario: &Scenario, key: u32, moment_ns: u64, visits: usize) -> Option<Scenario> {
    const WAIT_NS: u64 = 300_000_000;
    let mut candidate = scenario.clone();
    candidate
        .visit
        .retain(|visit| visit.at.ns() <= moment_ns && (visit.cart..visit.cart + visit.reads).contains(&key));
    let surplus = candidate.visit.len().saturating_sub(visits);
    candidate.visit.drain(..surplus);
    let first = candidate.visit.first()?.at.ns();
    candidate.fault.retain(|fault| {
        let lasts = fault.clone().lasts_mut().map_or(0, |lasts| lasts.ns());
        let is_over_before = fault.at().ns() + lasts + WAIT_NS < first;
        fault.at().ns() <= moment_ns && !is_over_before
    });
    candidate.duration = candidate.duration.min(Span::from_ns(moment_ns + WAIT_NS));
    let begins = happens_at(&candidate).min()?.ns().saturating_sub(WAIT_NS);
    Some(at_other_times(&candidate, |ns| ns.saturating_sub(begins)))
}

/// The first moment that a sentence names, as in `at 4.005 s`, in nanoseconds.
fn moment_in(said: &str) -> Option<u64> {
    said.split(" at ").skip(1).find_map(|rest| {
        let (seconds, thousandths) = rest.split_once(" s")?.0.split_once('.')?;
        Some((seconds.parse::<u64>().ok()? * 1_000 + thousandths.parse::<u64>().ok()?) * 1_000_000)
    })
}

/// Nobody visits any key but one that the report names.
fn its_key_alone(search: &mut Search<'_>) {
    for key in named_keys(search) {
        let mut candidate = search.best.clone();
        candidate.visit.retain(|visit| (visit.cart..visit.cart + visit.reads).contains(&key));
        let is_less = candidate.visit.len() < search.best.visit.len();
        let too_many = search.has_too_many(|size| size.visits);
        if is_less && !candidate.visit.is_empty() && search.try_hard(&candidate, too_many) {
            return;
        }
    }
}

/// The keys that the report names, the first ones.
fn named_keys(search: &Search<'_>) -> Vec<u32> {
    let said = search.report.explanations();
    let mut named: Vec<u32> = said.iter().flat_map(|said| keys_in(said)).collect();
    named.dedup();
    named.truncate(4);
    named
}

/// The numbers of the keys that a sentence names, such as 7 in `carts/cart-7`.
fn keys_in(said: &str) -> impl Iterator<Item = u32> {
    said.split(|at: char| !(at.is_alphanumeric() || "/-_".contains(at)))
        .filter_map(|word| word.split_once('/')?.1.rsplit_once('-')?.1.parse().ok())
}

/// Nothing happens any more once it has gone wrong: halves the time for as long as that gives something.
fn until_it_shows(search: &mut Search<'_>) {
    let (mut too_early, mut late_enough) = (0, search.best.duration.ns());
    while late_enough - too_early > (late_enough / 16).max(50_000_000) {
        let end = Span::from_ns(too_early.midpoint(late_enough));
        let mut candidate = search.best.clone();
        candidate.visit.retain(|visit| visit.at < end);
        candidate.fault.retain(|fault| fault.at() < end);
        candidate.duration = end;
        if !candidate.visit.is_empty() && search.try_again(&candidate) {
            late_enough = end.ns();
        } else {
            too_early = end.ns();
        }
    }
}

/// What does not converge is given up sooner.
fn less_to_settle(search: &mut Search<'_>) {
    for part in [16, 4, 2] {
        let mut candidate = search.best.clone();
        candidate.settle = rounded(Span::from_ns(candidate.settle.ns() / part), 1_000_000_000);
        if search.try_out(&candidate) {
            return;
        }
    }
}

/// All visits of one client go, all that only read, every other one.
fn visits_of_a_kind(search: &mut Search<'_>) {
    let keep = |search: &mut Search<'_>, keep: &dyn Fn(usize, &VisitSpec) -> bool| {
        let mut candidate = search.best.clone();
        let mut number = 0;
        candidate.visit.retain(|visit| {
            number += 1;
            keep(number, visit)
        });
        let too_many = search.has_too_many(|size| size.visits);
        candidate.visit.is_empty() || search.try_hard(&candidate, too_many)
    };
    keep(search, &|_, visit| visit.does != Deed::Read);
    for client in (1..=search.best.workload.clients).rev() {
        keep(search, &|_, visit| visit.client != client);
    }
    for parity in 0..2 {
        keep(search, &|number, _| number % 2 == parity);
    }
}

/// Nobody visits some of the keys.
fn fewer_keys(search: &mut Search<'_>) {
    let mut keys: Vec<u32> = search.best.visit.iter().map(|visit| visit.cart).collect();
    keys.sort_unstable();
    keys.dedup();
    if let Some(key) = named_keys(search).first().and_then(|key| keys.iter().position(|other| other == key)) {
        // What comes first is taken away last.
        keys.swap(0, key);
    }
    let least = least_part(search, keys.len());
    remove_parts(keys.len(), least, |part| {
        let mut candidate = search.best.clone();
        candidate.visit.retain(|visit| !keys[part.clone()].contains(&visit.cart));
        let too_many = search.has_too_many(|size| size.visits);
        let gave = !candidate.visit.is_empty() && search.try_hard(&candidate, too_many);
        if gave {
            keys.drain(part);
        }
        gave
    });
}

/// Long lists are not taken apart one by one at once: other things may give that make it cheaper.
fn least_part(search: &Search<'_>, len: usize) -> usize {
    (len / 24) >> search.luck
}

fn fewer_visits(search: &mut Search<'_>) {
    let least = least_part(search, search.best.visit.len());
    remove_parts(search.best.visit.len(), least, |part| {
        let mut candidate = search.best.clone();
        candidate.visit.drain(part);
        let too_many = search.has_too_many(|size| size.visits);
        // Without any visit the clients would draw some.
        !candidate.visit.is_empty() && search.try_hard(&candidate, too_many)
    });
}

fn fewer_faults(search: &mut Search<'_>) {
    remove_parts(search.best.fault.len(), 1, |part| {
        let mut candidate = search.best.clone();
        candidate.fault.drain(part);
        let too_many = search.has_too_many(|size| size.faults);
        search.try_hard(&candidate, too_many)
    });
}

/// Of two faults with the same nodes, one that lasts until the other would have been over.
fn one_fault_for_two(search: &mut Search<'_>) {
    let mut index = 0;
    while index < search.best.fault.len() {
        let gave = (index + 1..search.best.fault.len()).any(|other| {
            let pairs = [(index, other), (other, index)];
            let merged: Vec<Scenario> =
                pairs.into_iter().filter_map(|(kept, gone)| covering(&search.best, kept, gone)).collect();
            let too_many = search.has_too_many(|size| size.faults);
            merged.iter().any(|candidate| search.try_hard(candidate, too_many))
        });
        index += usize::from(!gave);
    }
}

/// The fault `kept` from when the earlier of the two strikes to when the later one is over; the other is `gone`.
fn covering(scenario: &Scenario, kept: usize, gone: usize) -> Option<Scenario> {
    let mut candidate = scenario.clone();
    let over = |fault: &Fault| {
        let lasts = fault.clone().lasts_mut().map_or(0, |lasts| lasts.ns());
        fault.at().ns() + lasts
    };
    let (one, other) = (&scenario.fault[kept], &scenario.fault[gone]);
    if one.nodes() != other.nodes() {
        return None;
    }
    let from = one.at().min(other.at());
    let until = over(one).max(over(other));
    let mut fault = one.clone().struck_at(from);
    *fault.lasts_mut()? = Span::from_ns(until - from.ns());
    candidate.fault[kept] = fault;
    candidate.fault.remove(gone);
    Some(candidate)
}

/// A network, disks and clocks that do what is expected of them.
fn calmer_world(search: &mut Search<'_>) {
    let fixed = |ms| Latency::Fixed { value: Span::from_ms(ms) };
    let quiet: [&dyn Fn(&mut Scenario); 9] = [
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
        &|scenario| scenario.network.bandwidth_kib = 0,
        &|scenario| scenario.network.latency = fixed(1),
        &|scenario| scenario.disk = DiskSpec::default(),
        &|scenario| scenario.clock = ClockSpec { tick: scenario.clock.tick, ..ClockSpec::default() },
        &|scenario| scenario.clock = ClockSpec::default(),
    ];
    try_each(search, &quiet);
}

fn try_each(search: &mut Search<'_>, changes: &[&dyn Fn(&mut Scenario)]) {
    for change in changes {
        let mut candidate = search.best.clone();
        change(&mut candidate);
        search.try_with_luck(&candidate);
    }
}

/// A smaller N, with quorums that fit it; where nodes are too many, with no other nodes than the homes.
fn fewer_homes(search: &mut Search<'_>) {
    for n in 1..search.best.cluster.n {
        let candidate = with_homes(&search.best, n);
        let homes_alone = homes_alone(&candidate).filter(|_| search.has_too_many(|size| size.nodes));
        if homes_alone.iter().chain([&candidate]).any(|candidate| search.try_with_luck(candidate)) {
            return;
        }
    }
}

/// As many nodes as homes: what the others did these do.
fn homes_alone(scenario: &Scenario) -> Option<Scenario> {
    let ClusterSpec { n, partitions, .. } = scenario.cluster;
    let key = scenario.visit.first()?.cart;
    like_on_a_ring(scenario, u32::from(n), partitions, key, Rest::Folds)
}

fn with_homes(scenario: &Scenario, n: u8) -> Scenario {
    let mut candidate = scenario.clone();
    let cluster = &mut candidate.cluster;
    cluster.n = n;
    for quorum in [&mut cluster.r, &mut cluster.w] {
        if let Quorum::Count(count) = &mut quorum.0 {
            *count = (*count).min(n);
        }
    }
    candidate
}

/// One home less, and with it one node, for as long as that gives something: the last home that nobody names goes, and all others
/// keep their places.
fn homes_that_nobody_names(search: &mut Search<'_>) {
    while let Some(candidate) = without_a_home(search) {
        if !search.try_with_luck(&candidate) {
            return;
        }
    }
}

fn without_a_home(search: &Search<'_>) -> Option<Scenario> {
    let scenario = &search.best;
    let (n, nodes) = (scenario.cluster.n, scenario.cluster.nodes);
    let key = named_keys(search).first().copied().or(scenario.visit.first().map(|visit| visit.cart))?;
    let mut candidate = with_homes(scenario, n.checked_sub(1).filter(|n| *n > 0)?);
    candidate.cluster.nodes -= 1;
    let (mut before, after) = (places(scenario, key)?, places(&candidate, key)?);
    let mut named: Vec<u32> = scenario.fault.iter().flat_map(Fault::nodes).collect();
    for request in candidate.visit.iter_mut().flat_map(VisitSpec::requests_mut) {
        named.extend(request.nodes_mut().map(|node| *node));
    }
    let gone = before.iter().take(usize::from(n)).rposition(|home| !named.contains(home))?;
    before.remove(gone);
    let rename = |node: u32| match before.iter().position(|other| *other == node) {
        _ if node > nodes => Some(node - 1),
        Some(place) => after.get(place).copied(),
        None => None,
    };
    candidate.fault.retain_mut(|fault| fault.retain_nodes(rename));
    for request in candidate.visit.iter_mut().flat_map(VisitSpec::requests_mut) {
        request.nodes_mut().for_each(|node| *node = rename(*node).unwrap_or(1));
    }
    Some(candidate)
}

/// As few nodes as there may be: what rests on their number may fail with four and with eight, and not with six.
fn few_nodes(search: &mut Search<'_>) {
    let n = u32::from(search.best.cluster.n);
    let key = named_keys(search).first().copied().or(search.best.visit.first().map(|visit| visit.cart));
    let most = (Size::SMALL.nodes as u32).saturating_sub(search.best.cluster.spares).max(n);
    let little_by_little = (n..search.best.cluster.nodes).map(|left| (left, false));
    let at_last = (n..=most).rev().map(|left| (left, true));
    let ways: Vec<(u32, bool)> = little_by_little.chain(at_last).collect();
    for (left, hard) in ways {
        if left >= search.best.cluster.nodes || hard && !search.has_too_many(|size| size.nodes) {
            continue;
        }
        for partitions in [search.best.cluster.partitions, 8, 16] {
            for rest in [Rest::Goes, Rest::Folds] {
                let Some(candidate) =
                    key.and_then(|key| like_on_a_ring(&search.best, left, partitions, key, rest))
                else {
                    continue;
                };
                if search.try_hard(&candidate, hard) {
                    return;
                }
            }
        }
    }
}

/// What becomes of the part that surplus nodes had.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Faults of theirs do not happen.
    Goes,
    /// Others have it beside their own.
    Folds,
}

/// A smaller ring, on which each node has the place that one had before, as `key` sees it: homes are homes, and the first
/// fallback is the first fallback. Spares are named after them.
fn like_on_a_ring(scenario: &Scenario, left: u32, partitions: u32, key: u32, rest: Rest) -> Option<Scenario> {
    let mut candidate = scenario.clone();
    candidate.cluster.nodes = left;
    candidate.cluster.partitions = partitions;
    let (before, after) = (places(scenario, key)?, places(&candidate, key)?);
    let nodes = scenario.cluster.nodes;
    let place = |node: u32| before.iter().position(|other| *other == node);
    let folded = |node: u32| match place(node) {
        _ if node > nodes => Some(node - nodes + left),
        Some(place) => after.get(place % after.len()).copied(),
        None => Some(1 + (node - 1) % left),
    };
    let rename = |node: u32| {
        let goes =
            rest == Rest::Goes && node <= nodes && place(node).is_none_or(|place| place >= after.len());
        if goes { None } else { folded(node) }
    };
    candidate.fault.retain_mut(|fault| fault.retain_nodes(rename));
    for request in candidate.visit.iter_mut().flat_map(VisitSpec::requests_mut) {
        request.nodes_mut().for_each(|node| *node = folded(*node).unwrap_or(1));
    }
    Some(candidate)
}

/// The founders in the order in which `key` prefers them, homes first.
fn places(scenario: &Scenario, key: u32) -> Option<Vec<u32>> {
    let ClusterSpec { nodes, partitions, n, .. } = scenario.cluster;
    let members: Vec<NodeId> = (1..=u64::from(nodes)).map(NodeId).collect();
    let ring = Ring::new(&members, partitions, n).ok()?;
    let keyspace = Keyspace::new(&scenario.workload, Streams::new(0));
    let token = keyspace.keys().get(key as usize)?.token();
    Some(ring.preference_list(token, n).nodes().iter().map(|node| node.0 as u32).collect())
}

/// Takes one node away after the other, spares among them.
fn fewer_nodes(search: &mut Search<'_>) {
    let mut node = search.best.cluster.nodes + search.best.cluster.spares;
    while node > 0 {
        if let Some(candidate) = without_node(&search.best, node) {
            let too_many = search.has_too_many(|size| size.nodes);
            search.try_hard(&candidate, too_many);
        }
        node -= 1;
    }
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

/// Everything in a fraction of the time; and nothing to wait for before the first of it.
fn sooner(search: &mut Search<'_>) {
    const LEAST_NS: u64 = 200_000_000;
    for (part, of) in [(1, 4), (1, 2), (3, 4)] {
        if search.best.duration.ns() > LEAST_NS {
            let candidate = at_other_times(&search.best, |ns| ns / of * part);
            search.try_with_luck(&candidate);
        }
    }
    let first = happens_at(&search.best).min().unwrap_or_default().ns();
    for wait_ns in [LEAST_NS, 1_000_000_000] {
        if first > wait_ns {
            let candidate = at_other_times(&search.best, |ns| ns.saturating_sub(first - wait_ns));
            if search.try_with_luck(&candidate) {
                return;
            }
        }
    }
}

/// When something is done to the cluster.
fn happens_at(scenario: &Scenario) -> impl Iterator<Item = Span> {
    scenario.fault.iter().map(Fault::at).chain(scenario.visit.iter().map(|visit| visit.at))
}

fn at_other_times(scenario: &Scenario, when: impl Fn(u64) -> u64) -> Scenario {
    let move_to = |span: Span| Span::from_ns(when(span.ns()));
    let mut candidate = scenario.clone();
    candidate.duration = move_to(candidate.duration);
    candidate.visit.iter_mut().for_each(|visit| visit.at = move_to(visit.at));
    for fault in &mut candidate.fault {
        *fault = fault.clone().struck_at(move_to(fault.at()));
    }
    candidate
}

/// Clients and keys that nobody names go; so do partitions.
fn compact(search: &mut Search<'_>) {
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
    search.try_with_luck(&candidate);
    let mut candidate = search.best.clone();
    candidate.cluster.partitions = 8;
    search.try_with_luck(&candidate);
}

/// Settings as they are by default.
fn simpler_cluster(search: &mut Search<'_>) {
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
    try_each(search, &settings);
}

/// Visits that ask for less, and writes without a read: all of them, or, where there are few, one by one.
fn simpler_visits(search: &mut Search<'_>) {
    const FEW: usize = 15;
    let plain: [fn(&mut VisitSpec); 7] = [
        |visit| {
            visit.write = visit.write.or(visit.read);
            (visit.does, visit.item, visit.read) = (Deed::AddBlindly, 0, None);
        },
        |visit| {
            for request in visit.requests_mut() {
                (request.strict, request.primary) = (false, false);
            }
        },
        |visit| visit.item = 0,
        |visit| visit.reads = 1,
        |visit| visit.requests_mut().for_each(|request| request.crash = None),
        |visit| {
            if visit.does == Deed::Remove {
                visit.does = Deed::Add;
            }
        },
        |visit| {
            if visit.read.is_some() {
                visit.write = None;
            }
        },
    ];
    for change in plain {
        let mut candidate = search.best.clone();
        candidate.visit.iter_mut().for_each(change);
        if search.try_out(&candidate) || search.best.visit.len() > FEW {
            continue;
        }
        for index in 0..search.best.visit.len() {
            let mut candidate = search.best.clone();
            change(&mut candidate.visit[index]);
            search.try_out(&candidate);
        }
    }
}

/// Faults that are over sooner, and name fewer nodes.
fn simpler_faults(search: &mut Search<'_>) {
    for index in 0..search.best.fault.len() {
        let mut candidate = search.best.clone();
        if let Some(lasts) = candidate.fault[index].lasts_mut() {
            *lasts = Span::from_ns(lasts.ns() / 2);
            if lasts.ns() > 1_000_000 {
                search.try_out(&candidate);
            }
        }
        for node in search.best.fault[index].nodes() {
            let mut candidate = search.best.clone();
            if candidate.fault[index].retain_nodes(|other| (other != node).then_some(other)) {
                search.try_out(&candidate);
            }
        }
    }
}

/// No more time than it takes, in round numbers.
fn shorter(search: &mut Search<'_>) {
    let last = happens_at(&search.best).max().unwrap_or_default().ns();
    for more_ms in [100, 1_000, 5_000] {
        let mut candidate = search.best.clone();
        candidate.duration = Span::from_ms(last.div_ceil(1_000_000) + more_ms);
        if candidate.duration < search.best.duration && search.try_out(&candidate) {
            break;
        }
    }
    for unit in [100_000_000, 10_000_000, 1_000_000] {
        let mut candidate = at_other_times(&search.best, |ns| ns.div_ceil(unit) * unit);
        for lasts in candidate.fault.iter_mut().filter_map(Fault::lasts_mut) {
            *lasts = rounded(*lasts, unit);
        }
        if search.try_out(&candidate) {
            break;
        }
    }
}

/// Up to a whole number of units.
fn rounded(span: Span, unit_ns: u64) -> Span {
    Span::from_ns(span.ns().div_ceil(unit_ns) * unit_ns)
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

    #[test]
    fn moments_are_found_in_what_is_said_of_them() {
        assert_eq!(moment_in("n2 dropped w1 of carts/cart-1 at 2.079 s, at last"), Some(2_079_000_000));
        assert_eq!(moment_in("At the end n3 holds carts/cart-1 at home"), None);
    }

    #[test]
    fn on_a_smaller_ring_each_node_has_the_place_of_another_one() {
        let mut scenario = crate::swarm::scenario(1);
        scenario.cluster = ClusterSpec { n: 3, ..ClusterSpec::of(8) };
        let (at, lasts) = (Span::default(), Span::from_ms(1));
        for key in 0..scenario.workload.keys {
            let before = places(&scenario, key).unwrap();
            scenario.fault = before.iter().map(|node| Fault::Crash { at, lasts, node: *node }).collect();
            let smaller = |rest| like_on_a_ring(&scenario, 5, 8, key, rest).unwrap();
            let after = places(&smaller(Rest::Goes), key).unwrap();
            let named = |small: Scenario| small.fault.iter().flat_map(Fault::nodes).collect::<Vec<_>>();
            assert_eq!(named(smaller(Rest::Goes)), after, "what befell the first five");
            assert_eq!(named(smaller(Rest::Folds))[5..], after[..3], "what befell the others befalls these");
        }
    }
}
