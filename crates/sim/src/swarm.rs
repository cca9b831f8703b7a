//! The general swarm: each seed makes its own cluster, network, workload and faults, so that rare combinations get
//! their turn (swarm testing: a random subset of faults finds more than all of them at once).

use std::collections::BTreeMap;

use cartwheel_core::Quorum;

use crate::latency::Latency;
use crate::scenario::{
    ArrivalSpec, ClockSpec, ClusterSpec, DiskSpec, ExpectSpec, KindSpec, Mix, NemesisSpec, NetworkSpec,
    PopularitySpec, Probability, QuorumSpec, Scenario, Span, TargetSpec, TypeSpec, WorkloadSpec,
};
use crate::streams::{Component, Stream, Streams};

/// The scenario of `seed`. Its faults stay within the budget, so every red verdict is a bug.
pub fn scenario(seed: u64) -> Scenario {
    let mut stream = Streams::new(seed).stream(Component::Swarm);
    let stream = &mut stream;
    let cluster = cluster(stream);
    let mut scenario = Scenario {
        name: "swarm".into(),
        about: "The general swarm: options drawn from the seed.".into(),
        duration: Span::from_ms(stream.between(5_000, 20_000)),
        settle: settle(&cluster),
        network: network(stream),
        disk: DiskSpec {
            sync: Latency::LogNormal { median: Span::from_us(stream.between(100, 20_000)), sigma: 0.7 },
            ..DiskSpec::default()
        },
        clock: ClockSpec {
            offset_max: Span::from_ms(pick(stream, &[0, 10, 10_000])),
            drift_max_ppm: pick(stream, &[0, 200, 100_000]) as u32,
            tick: Span::default(),
        },
        workload: workload(stream),
        seed: None,
        visit: Vec::new(),
        fault: Vec::new(),
        nemesis: Some(nemesis(stream)),
        expect: ExpectSpec { happened: BTreeMap::new(), ..ExpectSpec::default() },
        museum: None,
        listing: None,
        flaw: None,
        cluster,
    };
    hold_back(stream, &mut scenario.cluster);
    if let Some(nemesis) = &mut scenario.nemesis {
        nemesis.restart = pick(stream, &[0, 1, 3]) as u32;
        nemesis.restore_disk = pick(stream, &[0, 0, 1, 2]) as u32;
    }
    spread(stream, &mut scenario.workload);
    if let Some(nemesis) = &mut scenario.nemesis {
        nemesis.pause = pick(stream, &[0, 0, 1, 2]) as u32;
        nemesis.suspend = pick(stream, &[0, 0, 1, 2]) as u32;
        nemesis.crash_loop = pick(stream, &[0, 0, 1]) as u32;
        nemesis.flapping = pick(stream, &[0, 0, 1]) as u32;
        nemesis.rolling_restart = pick(stream, &[0, 0, 0, 1]) as u32;
        nemesis.lying_sync = pick(stream, &[0, 0, 1, 2]) as u32;
    }
    scenario.network.bandwidth_kib = pick(stream, &[0, 0, 100, 10_000]);
    ask_clocks(stream, &mut scenario);
    reap_soon(stream, &mut scenario.cluster);
    vary(stream, &mut scenario.workload);
    if let Some(nemesis) = &mut scenario.nemesis {
        nemesis.late_link = pick(stream, &[0, 1, 3]) as u32;
        nemesis.read_errors = pick(stream, &[0, 0, 1, 2]) as u32;
        nemesis.write_errors = pick(stream, &[0, 0, 1, 2]) as u32;
        nemesis.disk_full = pick(stream, &[0, 0, 1]) as u32;
        nemesis.set_props = pick(stream, &[0, 0, 1, 2]) as u32;
        nemesis.corrupt_record = pick(stream, &[0, 0, 1, 2]) as u32;
    }
    haunt(stream, &mut scenario);
    scenario
}

/// The scenario of `seed` with data types in the place of what its clients do: a counter, a set and a map in turns. What
/// data types are not made for is left out of it: buckets that do not keep siblings, and deletes.
pub fn data_types(seed: u64) -> Scenario {
    let mut scenario = scenario(seed);
    let of = [TypeSpec::Counter, TypeSpec::Set, TypeSpec::Map][(seed % 3) as usize];
    scenario.name = "data-types-swarm".into();
    scenario.cluster.last_write_wins = false;
    scenario.expect.lost_writes_max = None;
    scenario.workload = WorkloadSpec {
        kind: KindSpec::DataTypes { of, read: tenths(1), remove: tenths(2) },
        delete: Probability::default(),
        retries: scenario.workload.retries + 1,
        ..scenario.workload
    };
    if let Some(nemesis) = &mut scenario.nemesis {
        nemesis.set_props = 0;
    }
    scenario
}

/// Sometimes everything helps what is old to come back: much is deleted and soon reaped, records are lost, so that they are repaired,
/// and links are so late that a repair may arrive when nothing is left that would tell its age.
fn haunt(stream: &mut Stream, scenario: &mut Scenario) {
    let soon = Span::from_ms(stream.between(20, 300));
    if stream.below(5) != 0 {
        return;
    }
    scenario.cluster.reap_after = soon;
    scenario.cluster.gossip_interval = Span::from_ms(100);
    scenario.workload.delete = Probability::new(0.3).unwrap_or_default();
    if let Some(nemesis) = &mut scenario.nemesis {
        nemesis.late_link += 5;
        nemesis.wipe_key += 4;
    }
}

/// Sometimes clocks are coarse, and sometimes they decide: then writes are lost, and all replicas lose the same ones.
fn ask_clocks(stream: &mut Stream, scenario: &mut Scenario) {
    scenario.clock.tick = Span::from_ms(pick(stream, &[0, 0, 16, 1_000]));
    scenario.cluster.last_write_wins = stream.below(8) == 0;
    scenario.expect.lost_writes_max = scenario.cluster.last_write_wins.then_some(u64::from(u32::MAX));
}

/// Sometimes there are so many carts that most are left alone for a while, so that deleted ones are reaped in mid-flight.
fn spread(stream: &mut Stream, workload: &mut WorkloadSpec) {
    let keys = u64::from(workload.keys);
    workload.keys = pick(stream, &[keys, keys, 40, 150]) as u32;
}

/// Sometimes tombstones are reaped while what is older than they are is still under way.
fn reap_soon(stream: &mut Stream, cluster: &mut ClusterSpec) {
    let soon = Span::from_ms(stream.between(20, 300));
    cluster.reap_after = if stream.below(2) == 0 { soon } else { cluster.reap_after };
}

/// How background work is held back. Drawn last, so that it leaves everything else of a seed as it was.
fn hold_back(stream: &mut Stream, cluster: &mut ClusterSpec) {
    let target_ms = pick(stream, &[0, 5, 50, 50]);
    cluster.background_latency_target = TargetSpec((target_ms > 0).then(|| Span::from_ms(target_ms)));
    cluster.background_window = Span::from_ms(stream.between(1_000, 10_000));
    cluster.background_rate_min = pick(stream, &[20, 100, 1_000]) as u32;
}

/// Within this the cluster must have converged: time for hints, and for two rounds in which a node compares every
/// partition with every other home of it (a change that one round brings may be news to the next home).
fn settle(cluster: &ClusterSpec) -> Span {
    let pairs = u64::from(cluster.partitions) * u64::from(cluster.n.saturating_sub(1));
    Span::from_ns(60_000_000_000 + 2 * pairs * cluster.anti_entropy_interval.ns())
}

fn cluster(stream: &mut Stream) -> ClusterSpec {
    let nodes = stream.between(3, 9) as u32;
    let n = stream.between(1, u64::from(nodes.min(5))) as u8;
    let mut quorum = || QuorumSpec(Quorum::Count(stream.between(1, u64::from(n)) as u8));
    ClusterSpec {
        r: quorum(),
        w: quorum(),
        nodes,
        n,
        partitions: 1 << stream.between(3, 7),
        last_write_wins: false,
        request_timeout: Span::from_ms(1_000),
        replica_timeout: Span::from_ms(stream.between(20, 200)),
        suspect_after: stream.between(1, 4) as u32,
        spares: pick(stream, &[0, 0, 1, 2, 3]) as u32,
        swim_interval: Span::from_ms(stream.between(200, 2_000)),
        gossip_interval: Span::from_ms(stream.between(100, 1_000)),
        reap_after: Span::from_ms(stream.between(1_200, 2_500)),
        hint_bytes_max: pick(stream, &[1, 1_000, 1 << 30, 1 << 30]),
        past_entries_max: pick(stream, &[1, 3, 10, 50]) as u32,
        hint_interval: Span::from_ms(stream.between(50, 1_000)),
        anti_entropy_interval: Span::from_ms(stream.between(10, 200)),
        background_latency_target: TargetSpec::default(),
        background_window: Span::from_ms(60_000),
        background_rate_min: 100,
        background_rate_max: 10_000,
    }
}

fn network(stream: &mut Stream) -> NetworkSpec {
    let median = Span::from_us(pick(stream, &[100, 1_000, 10_000]));
    let loss = pick(stream, &[0, 0, 1, 20]) as f64 / 1_000.0;
    let duplication = pick(stream, &[0, 0, 1, 20]) as f64 / 1_000.0;
    let reordering = pick(stream, &[0, 0, 10, 100]) as f64 / 1_000.0;
    let late_by = Span::from_ms(pick(stream, &[5, 50, 500]));
    NetworkSpec {
        reordering: Probability::new(reordering).unwrap_or_default(),
        reordering_delay: Latency::Exponential { min: Span::default(), mean: late_by },
        latency: Latency::LogNormal { median, sigma: pick(stream, &[1, 5, 12]) as f64 / 10.0 },
        loss: Probability::new(loss).unwrap_or_default(),
        duplication: Probability::new(duplication).unwrap_or_default(),
        bandwidth_kib: 0,
    }
}

fn workload(stream: &mut Stream) -> WorkloadSpec {
    let (clients, keys) = (stream.between(1, 8) as u32, stream.between(1, 8) as u32);
    let think = Latency::Exponential { min: Span::default(), mean: Span::from_ms(stream.between(5, 200)) };
    let remove = tenths(pick(stream, &[0, 2, 4]));
    let delete = tenths(pick(stream, &[0, 0, 1, 3]));
    let blind = tenths(pick(stream, &[0, 1, 5]));
    WorkloadSpec {
        kind: KindSpec::Cart { remove, blind },
        clients,
        keys,
        arrivals: ArrivalSpec::Closed { think },
        delete,
        strict: tenths(pick(stream, &[0, 0, 3])),
        primary: tenths(pick(stream, &[0, 0, 3])),
        buckets: 1,
        retries: stream.below(3) as u32,
        popularity: None,
        crash: Probability::default(),
        restart_after: Latency::Exponential { min: Span::default(), mean: Span::from_ms(500) },
    }
}

fn tenths(count: u64) -> Probability {
    Probability::new(count as f64 / 10.0).unwrap_or_default()
}

/// What clients do beside filling carts, which keys they like, when they come, and whether they crash.
fn vary(stream: &mut Stream, workload: &mut WorkloadSpec) {
    let read = tenths(stream.below(8));
    let mix = [Mix::A, Mix::B, Mix::C, Mix::D, Mix::E, Mix::F][stream.index(6)];
    let scan_max = stream.between(1, 10) as u32;
    match stream.below(8) {
        0..4 => {}
        4 => workload.kind = KindSpec::Registers { read },
        5 => workload.kind = KindSpec::Counters { read },
        _ => workload.kind = KindSpec::Ycsb { mix, scan_max },
    }
    let theta = pick(stream, &[50, 99, 99, 150]) as f64 / 100.0;
    let hotspot = PopularitySpec::Hotspot { keys: tenths(2), operations: tenths(8) };
    workload.popularity = match stream.below(8) {
        0 => Some(PopularitySpec::Uniform),
        1 => Some(PopularitySpec::Zipfian { theta }),
        2 => Some(PopularitySpec::Latest { theta }),
        3 => Some(hotspot),
        _ => None,
    };
    let rate = stream.between(5, 200) as f64;
    if stream.below(4) == 0 {
        workload.arrivals = ArrivalSpec::Open { rate };
    }
    workload.crash = Probability::new(pick(stream, &[0, 0, 0, 1, 5]) as f64 / 100.0).unwrap_or_default();
    let away_ms = pick(stream, &[5, 100, 1_000, 4_000]);
    workload.restart_after = Latency::Exponential { min: Span::default(), mean: Span::from_ms(away_ms) };
}

fn nemesis(stream: &mut Stream) -> NemesisSpec {
    let mut weight = || if stream.below(2) == 0 { 0 } else { 1 + stream.below(3) as u32 };
    NemesisSpec {
        crash: 1 + weight(),
        partition: weight(),
        one_way: weight(),
        wipe_disk: weight(),
        wipe_key: weight(),
        partial_partition: weight(),
        drop_acks: weight(),
        slow_node: weight(),
        clock_jump: weight(),
        join: weight(),
        leave: weight(),
        replace: weight(),
        restart: 0,
        restore_disk: 0,
        pause: 0,
        suspend: 0,
        crash_loop: 0,
        flapping: 0,
        rolling_restart: 0,
        lying_sync: 0,
        late_link: 0,
        read_errors: 0,
        write_errors: 0,
        disk_full: 0,
        set_props: 0,
        corrupt_record: 0,
        every: Span::from_ms(stream.between(200, 3_000)),
        lasts: Span::from_ms(stream.between(100, 4_000)),
    }
}

fn pick(stream: &mut Stream, from: &[u64]) -> u64 {
    from[stream.index(from.len())]
}
