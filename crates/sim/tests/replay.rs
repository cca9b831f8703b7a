//! A run, stopped at a moment.

use std::path::Path;

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::replay::{NodeState, Question, ReplayError, Situation};
use cartwheel_sim::scenario::{KindSpec, Span};
use cartwheel_sim::{Scenario, replay, run, swarm};

fn amnesia() -> Scenario {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sim-scenarios/museum/amnesia-reuses-actor.toml");
    Scenario { flaw: Some(Flaw::AmnesiaReusesActor), ..Scenario::load(&file).unwrap() }
}

fn at(us: u64, key: Option<&str>) -> Question {
    Question { until: Some(Span::from_us(us)), key: key.map(str::to_owned), node: None }
}

fn writes(node: &NodeState) -> Vec<&str> {
    let record = node.record.as_ref().unwrap();
    record.siblings.iter().filter_map(|version| version.write.as_deref()).collect()
}

/// The story of the museum piece, moment by moment: the key is gone at its coordinator, which issues a dot again.
#[test]
fn a_lost_write_can_be_followed_to_the_moment_it_was_lost() {
    let look = |us| replay(&amnesia(), 1, &at(us, Some("cart-0"))).unwrap().0;
    let before = look(4_001_050);
    let held: Vec<Vec<&str>> = before.nodes.iter().map(writes).collect();
    assert_eq!(held, [vec![], vec!["w3"], vec!["w3"]]);
    assert_eq!(before.key.as_ref().unwrap().homes.len(), 3);
    let [put] = &before.under_way[..] else { panic!("{:#?}", before.under_way) };
    assert_eq!((put.from.as_str(), put.to.as_str(), put.kind.as_str()), ("c1", "n1", "put"));
    let due_us = put.due_ns.unwrap().div_ceil(1_000);

    let written = look(due_us + 500);
    let [n1, n2, _] = &written.nodes[..] else { panic!("three nodes") };
    assert_eq!((writes(n1), writes(n2)), (vec!["w4"], vec!["w3"]));
    let (ours, theirs) = (&n1.record.as_ref().unwrap().siblings[0], &n2.record.as_ref().unwrap().siblings[0]);
    assert!(ours.dot.ends_with(":1") && theirs.dot.ends_with(":3"), "{} {}", ours.dot, theirs.dot);

    let (end, _) = replay(&amnesia(), 1, &Question::default()).unwrap();
    assert!(end.is_over && end.verdict.unwrap().starts_with("red") && end.findings[0].contains("w4"));
    assert!(end.keys[0].agrees && end.keys[0].copies.iter().all(|(_, held)| held == "[w3]"));
}

#[test]
fn the_end_of_a_replay_is_the_end_of_the_run() {
    let (end, _) = replay(&swarm::scenario(3), 3, &Question::default()).unwrap();
    let report = run(&swarm::scenario(3), 3);
    assert_eq!(
        (end.trace_digest, end.verdict),
        (report.trace_digest.clone(), Some(format!("green: {}", report.summary())))
    );
    let json =
        serde_json::to_string(&replay(&swarm::scenario(3), 3, &at(2_000_000, None)).unwrap().0).unwrap();
    let read: Situation = serde_json::from_str(&json).unwrap();
    assert!(read.nodes.iter().all(|node| node.record.is_none()) && !read.is_over);
}

/// Each thing that a situation can say is met somewhere in a few runs.
#[test]
fn what_nodes_owe_doubt_and_have_not_kept_yet_shows() {
    let mut met = [false; 6];
    let sells = |seed: &u64| matches!(swarm::scenario(*seed).workload.kind, KindSpec::Cart { .. });
    for seed in (0..).filter(sells).take(8) {
        let scenario = swarm::scenario(seed);
        let kind = &scenario.workload.kind;
        let key = format!("{}/{}-0", kind.bucket(0), kind.noun());
        let steps = scenario.duration.ns() / 1_000 / 12;
        for step in 1..12 {
            let (situation, _) = replay(&scenario, seed, &at(step * steps, Some(&key))).unwrap();
            let records: Vec<_> =
                situation.nodes.iter().map(|node| (node, node.record.as_ref().unwrap())).collect();
            let views = || {
                situation.nodes.iter().filter_map(|node| node.view.as_ref()).flat_map(|view| &view.members)
            };
            let seen = [
                records.iter().any(|(_, record)| record.siblings.len() > 1),
                records.iter().any(|(_, record)| record.siblings.iter().any(|version| version.is_tombstone)),
                situation.nodes.iter().any(|node| !node.hints.is_empty()),
                situation.nodes.iter().any(|node| node.exists && !node.is_up && node.view.is_none()),
                views().any(|member| member.liveness != "alive"),
                !situation.under_way.is_empty(),
            ];
            met.iter_mut().zip(seen).for_each(|(met, seen)| *met |= seen);
            for message in &situation.under_way {
                assert!(
                    message.sent_ns <= situation.at_ns
                        && message.due_ns.is_none_or(|due| due > situation.at_ns)
                );
            }
            assert!(situation.to_string().contains(&key));
        }
    }
    assert_eq!(met, [true; 6], "siblings, tombstone, hint, down, doubt, message");
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let ask = |question: &Question| replay(&amnesia(), 1, question).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        ask(&Question { node: Some("n4".into()), ..Question::default() }),
        "--node n4: no such node; allowed: n1 to n3"
    );
    assert_eq!(ask(&at(1, Some("apples"))), "--key apples: no such key; allowed: carts/cart-0");
    let late = ask(&at(99_000_000, None));
    assert!(late.starts_with("--until 99s: the run is over by then; allowed: 0s to 6"), "{late}");
    let error = replay(&amnesia(), 1, &at(99_000_000, None)).map(|_| ()).unwrap_err();
    assert!(matches!(error, ReplayError::After { .. }));
}
