//! The handoff storm, with the controller and without it: runs both scenarios with one seed, says what came of them, and
//! draws `docs/figures/handoff-storm.svg`. The seed is the first argument, or 1.

#![allow(clippy::print_stdout, reason = "a study prints what it found")]

mod figure;

use std::path::Path;

use cartwheel_sim::{Moment, Report, Scenario, run};

/// Moments that one point of the figure covers: it shows the worst p99 among them.
const MERGED: usize = 2;

fn main() {
    let seed = std::env::args().nth(1).map_or(1, |seed| seed.parse().expect("the argument is a seed"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let load = |name: &str| {
        let file = root.join("sim-scenarios/studies").join(name);
        Scenario::load(&file).unwrap_or_else(|error| panic!("{error}"))
    };
    let unheld = run(&load("handoff-storm-unheld.toml"), seed);
    let held = run(&load("handoff-storm.toml"), seed);
    for report in [&unheld, &held] {
        println!("{report}\n");
        summarise(report);
    }
    let svg = figure::draw(&points(&unheld), &points(&held));
    let file = root.join("docs/figures/handoff-storm.svg");
    std::fs::write(&file, svg).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    println!("drawn: docs/figures/handoff-storm.svg");
}

/// How the seconds after the home's return went.
fn summarise(report: &Report) {
    let after = report.timeline.iter().filter(|moment| moment.from_ms >= figure::BACK_MS);
    let served: Vec<u64> = after.clone().filter_map(|moment| moment.p99_us).collect();
    let above = served.iter().filter(|p99| **p99 > figure::TARGET_MS * 1_000).count();
    let worst = served.iter().max().copied().unwrap_or(0) / 1_000;
    let moved: u64 = after.clone().map(|moment| moment.background_records).sum();
    let last = after.clone().rfind(|moment| moment.background_records > 0);
    println!(
        "after the return: worst p99 {worst} ms, above the target for {} ms; {moved} records moved, the last at {} ms\n",
        above * 250,
        last.map_or(0, |moment| moment.from_ms)
    );
}

/// Time in seconds, p99 in milliseconds, background records per second.
fn points(report: &Report) -> Vec<figure::Point> {
    let point = |moments: &[Moment]| {
        let span_ms = 250 * moments.len() as u64;
        let records: u64 = moments.iter().map(|moment| moment.background_records).sum();
        figure::Point {
            seconds: moments[0].from_ms as f64 / 1_000.0,
            p99_ms: moments.iter().filter_map(|moment| moment.p99_us).max().map(|us| us as f64 / 1_000.0),
            records_per_second: records as f64 * 1_000.0 / span_ms as f64,
        }
    };
    report.timeline.chunks(MERGED).map(point).collect()
}
