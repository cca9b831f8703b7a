//! The suite, tested: it is the same each time, it is green, and it finds what is planted.
//!
//! Nothing here looks at a real clock: a seed is red or green whatever the machine does beside it.

use std::process::{Command, Output};

use cartwheel_node::Sabotage;

/// What the command does with these options.
fn suite(options: &[&str]) -> Output {
    let command = env!("CARGO_BIN_EXE_cartwheel-madsim");
    Command::new(command).args(options).output().expect("the command runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_seed_is_the_same_run_each_time_and_no_other_seed_is() {
    let run = || {
        let output = suite(&["--seeds", "0..4", "--twice", "2"]);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    let (once, again) = (run(), run());
    assert_eq!(once, again);
    let digests: std::collections::BTreeSet<&str> =
        once.lines().filter_map(|line| line.split_once(' ')).map(|(_, digest)| digest).collect();
    assert_eq!(digests.len(), 4, "{once}");
}

/// The seeds among which a planted bug is found, and what is said of it. They are green without: the suite's first seeds,
/// which CI runs.
fn found(sabotage: Sabotage) -> (&'static str, &'static [&'static str]) {
    match sabotage {
        Sabotage::LoneFrameUnflushed => ("0..3", &["a healthy cluster"]),
        Sabotage::RefusedPeerForgotten => ("0..6", &["not settled after"]),
        Sabotage::CallsRenumbered => ("0..30", &["was asked for, and"]),
        Sabotage::HintScanSkipped => ("0..20", &["on its disk are owed to others"]),
    }
}

fn is_found(sabotage: Sabotage) {
    let (seeds, why) = found(sabotage);
    let output = suite(&["--seeds", seeds, "--twice", "0", "--sabotage", sabotage.name()]);
    let told = told(&output);
    assert_eq!(output.status.code(), Some(1), "{sabotage} was not found: {told}");
    assert!(why.iter().any(|why| told.contains(why)), "{sabotage}: {told}");
}

#[test]
fn a_frame_that_is_not_flushed_is_found() {
    is_found(Sabotage::LoneFrameUnflushed);
}

#[test]
fn a_peer_that_is_not_called_again_is_found() {
    is_found(Sabotage::RefusedPeerForgotten);
}

#[test]
fn an_answer_to_somebody_elses_request_is_found() {
    is_found(Sabotage::CallsRenumbered);
}

#[test]
fn a_start_that_does_not_look_for_hints_is_found() {
    is_found(Sabotage::HintScanSkipped);
}

#[test]
fn what_is_wrong_with_an_option_is_said() {
    for (options, why) in [
        (["--seeds", "5"], "is no range of seeds"),
        (["--sabotage", "gremlins"], "is not a planted bug; allowed: lone-frame-unflushed,"),
    ] {
        let output = suite(&options);
        assert_eq!(output.status.code(), Some(2));
        assert!(told(&output).contains(why), "{}", told(&output));
    }
}
