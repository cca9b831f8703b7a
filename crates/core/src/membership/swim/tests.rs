//! Clusters of failure detectors on a seeded network. Time is counted in probe intervals; all nodes start at once,
//! so their intervals coincide.

mod world;

use alloc::vec::Vec;

use quickcheck::{Arbitrary, Gen, QuickCheck};

use self::world::{INTERVAL, World};
use super::codec::{PACKET_BYTES_MAX, Packet};
use super::*;

/// A cluster of `nodes` that has run for long enough that everybody has heard everybody.
fn settled(nodes: u64, seed: u64) -> World {
    let mut world = World::new(nodes, seed);
    world.run_intervals(2 * nodes);
    assert_eq!(world.log, [], "nothing has happened");
    world
}

/// Periods until somebody suspects a node that crashed just before a period.
fn periods_to_first_suspicion(nodes: u64, seed: u64) -> u64 {
    let mut world = World::new(nodes, seed);
    let victim = NodeId(seed % nodes);
    // Somewhere in a round of probes.
    world.run_intervals(4 + seed / nodes % (nodes - 1));
    let crashed = world.crash(victim);
    for period in 1.. {
        world.run_intervals(1);
        if world.is_suspected_by_somebody(victim) {
            assert_eq!(crashed + INTERVAL * u32::try_from(period).expect("few"), world.now);
            return period;
        }
    }
    unreachable!("there is no last number");
}

/// In a period each of n - 1 nodes probes one other at random, so the expected number of periods until somebody
/// probes the crashed one is 1 / (1 - (1 - 1/(n-1))^(n-1)). Taking turns instead of drawing makes it a little less.
#[test]
fn the_first_suspicion_takes_as_long_as_theory_says() {
    const SEEDS: u64 = 600;
    for (nodes, theory_thousandths) in [(8, 1_515), (16, 1_551), (32, 1_567)] {
        let periods: u64 = (0..SEEDS).map(|seed| periods_to_first_suspicion(nodes, seed)).sum();
        let mean_thousandths = periods * 1_000 / SEEDS;
        assert!(
            mean_thousandths.abs_diff(theory_thousandths) * 10 <= theory_thousandths,
            "{nodes} nodes: {mean_thousandths} thousandths of a period instead of {theory_thousandths}"
        );
    }
}

/// Round-robin probing: each node probes each other at least once in 2n - 1 periods, however unlucky the shuffle.
/// The probe takes a period, the suspicion its time; news from others can only make it faster.
#[test]
fn a_crashed_node_is_down_for_everybody_within_the_bound() {
    for (nodes, seed) in [(2, 1), (3, 2), (8, 3), (8, 4), (16, 5), (32, 6), (32, 7)] {
        let mut world = settled(nodes, seed);
        let victim = NodeId(seed % nodes);
        let crashed = world.crash(victim);
        let suspicion = world.config.suspicion(usize::try_from(nodes).expect("few"));
        let bound = INTERVAL * u32::try_from(2 * nodes).expect("few") + suspicion;
        let took = world.run_until("all hold it down", bound, |world| world.is_down_for_all(victim));
        assert!(took.since(crashed) > suspicion, "it had time to refute");
        assert_eq!(world.downs(), nodes - 1, "once each, and nobody else");
        world.run_intervals(20);
        assert_eq!(world.downs(), nodes - 1, "and it stays so");
    }
}

/// With the default number of retransmissions, news of a death has crossed the cluster a few periods after the
/// first suspicion ran out, long before everybody would have found out alone.
#[test]
fn news_of_a_death_travels_by_infection() {
    for seed in 0..20 {
        let mut world = settled(32, seed);
        let victim = NodeId(seed);
        world.crash(victim);
        let bound = INTERVAL * 100;
        let first = world.run_until("somebody holds it down", bound, |world| world.downs() > 0);
        let all = world.run_until("all hold it down", bound, |world| world.is_down_for_all(victim));
        assert!(all.since(first) <= INTERVAL * 8, "{:?}", all.since(first));
    }
}

#[test]
fn a_one_way_cut_towards_one_peer_makes_nobody_down() {
    let mut world = settled(8, 1);
    world.cut(NodeId(2), NodeId(5));
    world.run_intervals(300);
    assert_eq!(world.log, []);
}

#[test]
fn a_cut_in_both_directions_between_two_nodes_makes_nobody_down() {
    let mut world = settled(8, 2);
    world.cut(NodeId(2), NodeId(5));
    world.cut(NodeId(5), NodeId(2));
    world.run_intervals(300);
    assert_eq!(world.log, []);
}

#[test]
fn a_lossy_network_raises_suspicions_that_are_refuted_under_the_same_identity() {
    let mut world = settled(16, 3);
    world.loss_percent = 20;
    world.run_intervals(500);
    assert!(world.suspicions > 0, "nothing was tested");
    assert_eq!(world.log, []);
    assert!(world.identities().all(|identity| identity.renewal == 0));
}

#[test]
fn a_node_that_restarts_after_it_was_declared_down_is_alive_everywhere_at_once() {
    let mut world = settled(16, 4);
    let victim = NodeId(9);
    world.crash(victim);
    world.run_until("all hold it down", INTERVAL * 100, |world| world.is_down_for_all(victim));
    let back = world.start(victim, 2);
    world.run_until("those that it turns to know", INTERVAL / 20, |world| world.alives() >= 3);
    let alive =
        world.run_until("it is alive everywhere", INTERVAL * 8, |world| !world.is_down_for_somebody(victim));
    assert!(alive > back);
    world.run_intervals(50);
    assert_eq!((world.downs(), world.alives()), (15, 15), "once each");
}

#[test]
fn a_node_that_restarts_quickly_is_never_down() {
    for seed in 0..20 {
        let mut world = settled(8, seed);
        world.crash(NodeId(3));
        world.run_intervals(seed % 3);
        world.start(NodeId(3), 2);
        world.run_intervals(50);
        assert_eq!(world.log, []);
    }
}

/// From an old copy of its disk, say.
#[test]
fn a_node_that_starts_with_an_old_boot_number_is_alive_nevertheless() {
    for (boot, old_boot) in [(2, 1), (7, 0), (7, 7)] {
        let mut world = settled(8, 5);
        let victim = NodeId(3);
        world.crash(victim);
        world.start(victim, boot);
        world.run_intervals(20);
        world.crash(victim);
        world.run_until("all hold it down", INTERVAL * 40, |world| world.is_down_for_all(victim));
        world.start(victim, old_boot);
        world.run_until("it is alive everywhere", INTERVAL * 12, |world| !world.is_down_for_somebody(victim));
        let (downs, alives) = (world.downs(), world.alives());
        world.run_intervals(50);
        assert_eq!((world.downs(), world.alives()), (downs, alives), "and it stays so");
    }
}

#[test]
fn both_sides_of_a_partition_hold_the_other_down_and_are_one_again_after_it() {
    for (nodes, side, seed) in [(2, 1, 1), (3, 1, 2), (8, 1, 3), (8, 4, 4), (16, 5, 5), (32, 16, 6)] {
        let mut world = settled(nodes, seed);
        world.partition(side);
        world.run_until("each side holds the other down", INTERVAL * 200, |world| {
            world.downs() == 2 * side * (nodes - side)
        });
        world.run_intervals(100);
        assert_eq!(world.downs(), 2 * side * (nodes - side), "and nobody else");
        world.heal();
        world.run_until("all are alive", INTERVAL * 20, World::all_are_alive);
        world.run_intervals(100);
        assert!(world.all_are_alive());
        assert_eq!(world.ignored(), SwimIgnored::default());
    }
}

#[test]
fn a_removed_member_is_forgotten_and_does_not_come_back_by_rumour() {
    let mut world = settled(8, 6);
    let removed = NodeId(4);
    let rest: Vec<NodeId> = (0..8).map(NodeId).filter(|&node| node != removed).collect();
    // Only half of the others know yet.
    for node in [0, 1, 2, 3] {
        world.set_members(NodeId(node), &rest);
    }
    world.run_intervals(30);
    world.crash(removed);
    world.run_until("who still counts it holds it down", INTERVAL * 50, |world| world.downs() == 3);
    world.run_intervals(30);
    let by: Vec<NodeId> = world.log.iter().map(|&(_, by, _)| by).collect();
    assert!(by.iter().all(|&by| by > removed), "{by:?}");
    // A down member that is removed is not down any more, and is not announced to.
    for node in [5, 6, 7] {
        world.set_members(NodeId(node), &rest);
    }
    assert!(!world.is_down_for_somebody(removed));
    let sent = world.sent_to(removed);
    world.run_intervals(30);
    assert_eq!(world.sent_to(removed), sent);
}

#[test]
fn a_member_that_is_added_or_comes_back_under_its_name_is_probed() {
    let mut world = settled(4, 7);
    let (all, old) = ([0, 1, 2, 3].map(NodeId), [0, 1, 2].map(NodeId));
    for node in old {
        world.set_members(node, &old);
    }
    world.crash(NodeId(3));
    world.run_intervals(20);
    assert_eq!(world.log, []);
    for node in old {
        world.set_members(node, &all);
    }
    world.run_until("all hold it down", INTERVAL * 20, |world| world.is_down_for_all(NodeId(3)));
    world.start(NodeId(3), 1);
    world.run_until("all are alive", INTERVAL * 10, World::all_are_alive);
}

#[test]
fn the_same_seed_has_the_same_effects() {
    let run = |seed| {
        let mut world = World::new(12, seed);
        world.loss_percent = 10;
        world.run_intervals(20);
        world.partition(5);
        world.run_intervals(40);
        world.heal();
        world.run_intervals(20);
        world.digest
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

/// Two in a period without faults: a ping and an answer.
#[test]
fn load_per_node_does_not_grow_with_the_cluster() {
    for nodes in [4, 32, 128] {
        let mut world = settled(nodes, 8);
        let before = world.sent;
        world.run_intervals(50);
        assert_eq!(world.sent - before, 2 * 50 * nodes);
    }
}

#[test]
fn packets_are_bounded_when_a_big_cluster_starts_at_once() {
    let mut world = World::new(200, 9);
    world.run_intervals(10);
    assert!(world.longest > PACKET_BYTES_MAX - 50, "full ones were sent: {}", world.longest);
    assert!(world.longest <= PACKET_BYTES_MAX);
    assert_eq!(world.log, []);
}

fn lone(peers: u64) -> (Swim, Vec<SwimEffect>) {
    let mut out = Vec::new();
    let mut swim = Swim::new(NodeId(0), 1, SwimConfig::default(), [7; 32]);
    let members: Vec<NodeId> = (0..=peers).map(NodeId).collect();
    swim.set_members(Instant(0), &members, &mut out);
    (swim, out)
}

#[test]
fn garbage_is_counted_and_ignored() {
    fn law(payloads: Vec<Vec<u8>>) -> bool {
        let (mut swim, mut out) = lone(3);
        let (effects, count) = (out.len(), payloads.len() as u64);
        for payload in payloads {
            swim.handle(Instant(1), NodeId(1), &payload, &mut out);
        }
        swim.ignored().malformed == count && out.len() == effects
    }
    QuickCheck::new().quickcheck(law as fn(Vec<Vec<u8>>) -> bool);
}

/// Packets that decode, with small numbers, so that they often concern somebody.
#[derive(Clone, Debug)]
struct AnyPacket {
    from: u64,
    bytes: Vec<u8>,
}

fn any_identity(g: &mut Gen) -> Identity {
    let boot = if u8::arbitrary(g) < 4 { u64::MAX } else { u64::arbitrary(g) % 3 };
    let renewal = if u8::arbitrary(g) < 4 { u32::MAX } else { u32::arbitrary(g) % 3 };
    Identity { node: NodeId(u64::arbitrary(g) % 5), boot, renewal }
}

fn any_member(g: &mut Gen) -> Member<Identity> {
    let state = *g.choose(&[State::Alive, State::Suspect, State::Down]).expect("one");
    let incarnation = if bool::arbitrary(g) { u16::arbitrary(g) % 3 } else { u16::MAX };
    Member::new(any_identity(g), incarnation, state)
}

impl Arbitrary for AnyPacket {
    fn arbitrary(g: &mut Gen) -> Self {
        let src = Identity { node: NodeId(1 + u64::arbitrary(g) % 4), ..any_identity(g) };
        let dst = Identity { node: NodeId(0), ..any_identity(g) };
        let (about, probe_number) = (any_identity(g), u8::arbitrary(g) % 4);
        let message = match u8::arbitrary(g) % 10 {
            0 => Message::Ping(probe_number),
            1 => Message::Ack(probe_number),
            2 => Message::PingReq { target: about, probe_number },
            3 => Message::IndirectPing { origin: about, probe_number },
            4 => Message::IndirectAck { target: about, probe_number },
            5 => Message::ForwardedAck { origin: about, probe_number },
            6 => Message::Announce,
            7 => Message::Feed,
            8 => Message::Gossip,
            _ => Message::TurnUndead,
        };
        let quiet = matches!(message, Message::Announce | Message::TurnUndead);
        let count = if quiet { 0 } else { usize::arbitrary(g) % 4 };
        let news = (0..count).map(|_| any_member(g)).collect();
        let header = foca::Header { src, src_incarnation: u16::arbitrary(g) % 3, dst, message };
        let packet = Packet { header, news };
        let mut bytes = packet.encode().expect("encodable");
        assert_eq!(Packet::decode(&bytes), Ok(packet));
        // Some are damaged.
        if u8::arbitrary(g) < 30 {
            let at = usize::arbitrary(g) % bytes.len();
            bytes[at] = u8::arbitrary(g);
        }
        Self { from: src.node.0, bytes }
    }
}

fn is_answer(payload: &[u8]) -> bool {
    let message = Packet::decode(payload).expect("own packets decode").header.message;
    matches!(message, Message::Ack(_) | Message::IndirectAck { .. })
}

/// Whatever members and strangers say, in whatever order, with timers between: no panic, only members known, nothing
/// to strangers but answers, packets bounded, and `Down` and `Alive` alternate.
#[test]
fn anything_that_decodes_is_survived() {
    fn law(packets: Vec<AnyPacket>) -> bool {
        let (mut swim, mut out) = lone(3);
        let mut timers = BTreeSet::new();
        let mut down = BTreeSet::new();
        let mut now = Instant(0);
        for AnyPacket { from, bytes } in packets {
            swim.handle(now, NodeId(from), &bytes, &mut out);
            now = now + INTERVAL / 4;
            while let Some((_, timer)) = timers.first().copied().filter(|&(at, _)| at <= now) {
                timers.pop_first();
                swim.on_timer(now, timer, &mut out);
            }
            for effect in out.drain(..) {
                let lawful = match effect {
                    SwimEffect::Send { to, payload } => {
                        ((1..=3).contains(&to.0) || to.0 == from && is_answer(&payload))
                            && payload.len() <= PACKET_BYTES_MAX
                    }
                    SwimEffect::Arm { at, timer } => {
                        timers.insert((at, timer));
                        true
                    }
                    SwimEffect::Down(node) => down.insert(node),
                    SwimEffect::Alive(node) => down.remove(&node),
                };
                if !lawful {
                    return false;
                }
            }
        }
        let known = swim.foca.iter_membership_state().map(|member| member.id().node);
        swim.down().eq(down) && known.collect::<BTreeSet<_>>() == swim.members
    }
    QuickCheck::new().tests(2_000).quickcheck(law as fn(Vec<AnyPacket>) -> bool);
}
