//! `cartwheel fuzz`: many seeds, looking for one that breaks a promise.

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::fuzz::{Campaign, OnFailure, fuzz};
use cartwheel_sim::{Report, Scenario, swarm};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{complain, say, tell_progress};
use crate::sim::flaws;

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 when every seed's expectations hold, 1 when a seed fails, 2 on bad input."
)]
pub struct Args {
    /// Run this scenario with each seed; without it, the general swarm, where each seed makes its own cluster,
    /// network, workload and faults.
    #[arg(long)]
    scenario: Option<PathBuf>,
    /// The seeds, as FROM..TO (TO not included).
    #[arg(long, default_value = "0..100", value_parser = seeds)]
    seeds: Range<u64>,
    /// Threads; all cores when not given. The findings do not depend on it.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Go on after a seed has failed, and report all that do.
    #[arg(long)]
    keep_going: bool,
    /// Plant a bug in every node, to see it found: one that a real system of this family had.
    #[arg(long, value_parser = flaws())]
    flaw: Option<Flaw>,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> ExitCode {
    let scenario = match args.scenario.as_deref().map(Scenario::load).transpose() {
        Ok(scenario) => scenario,
        Err(error) => return complain(&error),
    };
    let began = Instant::now();
    let campaign = search(args, scenario.as_ref());
    let took = began.elapsed();
    if args.json {
        say(&json(&campaign, took));
    } else {
        tell(args, &campaign, took);
    }
    ExitCode::from(u8::from(!campaign.failures.is_empty()))
}

fn search(args: &Args, scenario: Option<&Scenario>) -> Campaign {
    let bar = progress_bar(args);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let on_failure = if args.keep_going { OnFailure::KeepGoing } else { OnFailure::Stop };
    let of_seed = |seed| {
        let mut scenario = scenario.cloned().unwrap_or_else(|| swarm::scenario(seed));
        scenario.flaw = args.flaw;
        scenario
    };
    let campaign =
        fuzz(args.seeds.clone(), args.threads.map_or(cores, usize::from), on_failure, of_seed, |_| {
            progress(&bar);
        });
    bar.finish_and_clear();
    campaign
}

/// One more seed is done. Where there is no terminal to draw a bar on, each tenth is told in a line.
fn progress(bar: &ProgressBar) {
    bar.inc(1);
    let (done, all) = (bar.position(), bar.length().unwrap_or(0));
    if bar.is_hidden() && all >= 10 && done % (all / 10) == 0 {
        tell_progress(&format!("{done}/{all} seeds"));
    }
}

fn progress_bar(args: &Args) -> ProgressBar {
    let bar =
        ProgressBar::with_draw_target(Some(args.seeds.end - args.seeds.start), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {per_sec}, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn tell(args: &Args, campaign: &Campaign, took: Duration) {
    let name = args.scenario.as_ref().map_or("the swarm".into(), |path| path.display().to_string());
    say(&format!(
        "ran           {} seeds of {name}: {:.2} simulated hours, {} events, {} acknowledged writes",
        campaign.seeds,
        hours(campaign),
        campaign.events,
        campaign.acked_writes
    ));
    let wall = took.as_secs_f64().max(1e-9);
    say(&format!(
        "speed         {:.1} s of wall time; each second {:.3} simulated hours, {:.0} events, {:.1} seeds",
        wall,
        hours(campaign) / wall,
        campaign.events as f64 / wall,
        campaign.seeds as f64 / wall
    ));
    for report in &campaign.failures {
        tell_failure(args, report);
    }
    let failed = campaign.failures.len();
    let seeds = if failed == 1 { "1 seed fails".into() } else { format!("{failed} seeds fail") };
    let result = if failed == 0 { "every seed is as expected".into() } else { seeds };
    say(&format!("result        {result}"));
}

fn tell_failure(args: &Args, report: &Report) {
    let broken: Vec<&str> =
        report.expectations.iter().filter(|e| !e.holds).map(|e| e.what.as_str()).collect();
    say(&format!("seed {} fails: {}", report.seed, broken.join("; ")));
    if let Some(why) = report.explanation() {
        say(&format!("  {why}."));
    }
    say(&format!("  replay: {}", replay(args, report.seed)));
}

/// The command that shows the failure again.
fn replay(args: &Args, seed: u64) -> String {
    let flaw = args.flaw.map(|flaw| format!(" --flaw {flaw}")).unwrap_or_default();
    match &args.scenario {
        Some(path) => format!("cartwheel sim run {} --seed {seed}{flaw}", path.display()),
        None => format!("cartwheel sim swarm --seed {seed}{flaw}"),
    }
}

fn json(campaign: &Campaign, took: Duration) -> String {
    let failures: Vec<serde_json::Value> =
        campaign.failures.iter().filter_map(|report| serde_json::to_value(report).ok()).collect();
    let found = serde_json::json!({
        "seeds": campaign.seeds,
        "simulated_hours": hours(campaign),
        "events": campaign.events,
        "acked_writes": campaign.acked_writes,
        "wall_seconds": took.as_secs_f64(),
        "failures": failures,
    });
    format!("{found:#}")
}

fn hours(campaign: &Campaign) -> f64 {
    campaign.simulated_ns as f64 / 3.6e12
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range
        .filter(|range: &Range<u64>| !range.is_empty())
        .ok_or_else(|| "allowed: FROM..TO with FROM below TO, such as 0..1000".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_that_is_not_empty() {
        assert_eq!(seeds("3..5"), Ok(3..5));
        for bad in ["5..3", "5..5", "5", "a..b", "..", "-1..2"] {
            assert!(seeds(bad).is_err(), "{bad}");
        }
    }
}
