//! `cartwheel fuzz`: many seeds, looking for one that breaks a promise.

mod junit;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::corpus::Corpus;
use cartwheel_sim::fuzz::{Campaign, OnFailure, Shard, fuzz, fuzz_with_corpus};
use cartwheel_sim::report::Counter;
use cartwheel_sim::{Report, Scenario, swarm};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{complain, say, tell_progress};
use crate::shrink::{self, shrink_within};
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
    /// The general swarm, with data types in the place of what its clients do: a counter, a set, a map in turns.
    #[arg(long, conflicts_with_all = ["scenario", "corpus"])]
    data_types: bool,
    /// The seeds, as FROM..TO (TO not included).
    #[arg(long, default_value = "0..100", value_parser = seeds)]
    seeds: Range<u64>,
    /// Only every Nth seed, beginning with the Ith: one of N machines that share the work.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<Shard>,
    /// Begin no further seed after so long, such as 10m.
    #[arg(long, value_parser = humantime::parse_duration)]
    budget: Option<Duration>,
    /// Threads; all cores when not given. The findings do not depend on it.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Go on after a seed has failed, and report all that do.
    #[arg(long)]
    keep_going: bool,
    /// Plant a bug in every node, to see it found: one that a real system of this family had.
    #[arg(long, value_parser = flaws())]
    flaw: Option<Flaw>,
    /// Learn: keep each run that reached something new as a scenario file in this directory, and mutate the faults of what
    /// is there for half of the seeds. A seed's run then depends on those before it.
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// The first seed that fails is shrunk to a scenario file in this directory.
    #[arg(long, default_value = "fuzz-failures")]
    failures: PathBuf,
    /// For at most so long; 0s: not at all.
    #[arg(long, default_value = "1m", value_parser = humantime::parse_duration)]
    shrink: Duration,
    /// Write a JUnit report: a test case for each seed that fails, and one for the campaign.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Annotate failures for GitHub's log. On by itself where GITHUB_ACTIONS is set.
    #[arg(long)]
    github: bool,
    /// Print a line `SEED DIGEST` for each seed, in their order, and nothing else.
    #[arg(long, conflicts_with = "json")]
    digests: bool,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> ExitCode {
    let scenario = match args.scenario.as_deref().map(Scenario::load).transpose() {
        Ok(scenario) => scenario,
        Err(error) => return complain(&error),
    };
    // Not after hours of work.
    if let Some(Err(error)) = args.junit.as_deref().map(junit::check) {
        return complain(&error);
    }
    let began = Instant::now();
    let digests = Mutex::new(BTreeMap::new());
    let mut corpus = match args.corpus.as_deref().map(Corpus::load).transpose() {
        Ok(corpus) => corpus,
        Err(error) => return complain(&error),
    };
    let campaign = search(args, scenario.as_ref(), corpus.as_mut(), &digests);
    let took = began.elapsed();
    if args.digests {
        let digests = digests.into_inner().unwrap_or_default();
        digests.iter().for_each(|(seed, digest)| say(&format!("{seed} {digest}")));
    } else if args.json {
        say(&json(&campaign, took));
    } else {
        tell(args, &campaign, took);
    }
    let kept = keep(args, corpus.as_ref());
    match kept.and_then(|()| hand_over(args, scenario.as_ref(), &campaign, took)) {
        Ok(()) => ExitCode::from(u8::from(!campaign.failures.is_empty())),
        Err(error) => complain(&error),
    }
}

/// What has been learned is there for the next campaign.
fn keep(args: &Args, corpus: Option<&Corpus>) -> Result<(), String> {
    let (Some(corpus), Some(dir)) = (corpus, &args.corpus) else { return Ok(()) };
    let new = corpus.write_new(dir)?;
    if !args.json && !args.digests {
        let (kept, covered, dir) = (corpus.kept().len(), corpus.covered(), dir.display());
        say(&format!(
            "corpus        {kept} runs in {dir}, {new} of them new; they reach {covered} marks and powers"
        ));
    }
    Ok(())
}

/// Failures leave as files and annotations.
fn hand_over(
    args: &Args,
    scenario: Option<&Scenario>,
    campaign: &Campaign,
    took: Duration,
) -> Result<(), String> {
    if let Some(path) = &args.junit {
        junit::write(path, campaign, took, |seed| replay(args, campaign, seed))?;
    }
    if args.github || std::env::var_os("GITHUB_ACTIONS").is_some() {
        campaign.failures.iter().for_each(|report| annotate(args, campaign, report));
    }
    for (seed, mutant) in &campaign.mutants {
        shrink::write_file(&mutant_path(args, *seed), &mutant.to_file())?;
    }
    let Some(report) = campaign.failures.first().filter(|_| !args.shrink.is_zero()) else { return Ok(()) };
    let mutant = campaign.mutants.get(&report.seed).cloned();
    let failing = mutant.map(|mutant| Scenario { flaw: args.flaw, ..mutant });
    let failing = failing.unwrap_or_else(|| of_seed(args, scenario, report.seed));
    let shrunk = shrink_within(&failing, report.seed, args.shrink);
    // What the scenario merely expects, and did not happen, cannot be shrunk.
    let Some(shrunk) = shrunk else { return Ok(()) };
    let path = args.failures.join(format!("{}-{}.toml", report.scenario, report.seed));
    shrink::write(&shrunk, report.seed, args.flaw, &path, !args.json && !args.digests)
}

fn annotate(args: &Args, campaign: &Campaign, report: &Report) {
    let why = report.explanation().unwrap_or_else(|| report.verdict.clone());
    let escaped = format!("{why}. Replay: {}", replay(args, campaign, report.seed))
        .replace('%', "%25")
        .replace('\n', "%0A");
    say(&format!("::error title=seed {} of {} fails::{escaped}", report.seed, report.scenario));
}

fn of_seed(args: &Args, scenario: Option<&Scenario>, seed: u64) -> Scenario {
    let swarm = || if args.data_types { swarm::data_types(seed) } else { swarm::scenario(seed) };
    Scenario { flaw: args.flaw, ..scenario.cloned().unwrap_or_else(swarm) }
}

/// Where the scenario of a seed that mutated one goes.
fn mutant_path(args: &Args, seed: u64) -> PathBuf {
    args.failures.join(format!("mutant-{seed}.toml"))
}

fn search(
    args: &Args,
    scenario: Option<&Scenario>,
    corpus: Option<&mut Corpus>,
    digests: &Mutex<BTreeMap<u64, String>>,
) -> Campaign {
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let seeds = shard.seeds(args.seeds.clone());
    let bar = progress_bar(seeds.clone().count() as u64);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let on_failure = if args.keep_going { OnFailure::KeepGoing } else { OnFailure::Stop };
    let end = args.budget.map(|budget| Instant::now() + budget);
    let seen = Mutex::new(Seen::default());
    let threads = args.threads.map_or(cores, usize::from);
    let fresh = |seed| of_seed(args, scenario, seed);
    let after_each = |report: &Report| {
        if args.digests
            && let Ok(mut digests) = digests.lock()
        {
            digests.insert(report.seed, report.trace_digest.clone());
        }
        if let Ok(mut seen) = seen.lock() {
            seen.add(report);
            progress(&bar, &seen);
        }
        end.is_none_or(|end| Instant::now() < end)
    };
    let campaign = match corpus {
        Some(corpus) => fuzz_with_corpus(seeds, threads, on_failure, corpus, fresh, after_each),
        None => fuzz(seeds, threads, on_failure, fresh, after_each),
    };
    bar.finish_and_clear();
    campaign
}

/// What the progress bar tells.
#[derive(Default)]
struct Seen {
    simulated_ns: u128,
    failures: u64,
    marks: BTreeSet<Counter>,
}

impl Seen {
    fn add(&mut self, report: &Report) {
        self.simulated_ns += u128::from(report.simulated_ns);
        self.failures += u64::from(!report.expectations_hold);
        self.marks.extend(report.counters.keys().copied());
    }

    fn words(&self, took: Duration) -> String {
        let hours = self.simulated_ns as f64 / 3.6e12 / took.as_secs_f64().max(1e-9);
        let (marks, all) = (self.marks.len(), Counter::ALL.len());
        format!("{hours:.2} simulated h/s, {marks}/{all} marks, {} failed", self.failures)
    }
}

/// One more seed is done. Where there is no terminal to draw a bar on, each tenth is told in a line.
fn progress(bar: &ProgressBar, seen: &Seen) {
    bar.inc(1);
    let (done, all) = (bar.position(), bar.length().unwrap_or(0));
    let words = seen.words(bar.elapsed());
    if bar.is_hidden() && all >= 10 && done % (all / 10) == 0 {
        tell_progress(&format!("{done}/{all} seeds, {words}"));
    }
    bar.set_message(words);
}

fn progress_bar(seeds: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(seeds), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} seeds, {per_sec}, {msg}, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn tell(args: &Args, campaign: &Campaign, took: Duration) {
    let name = match &args.scenario {
        Some(path) => path.display().to_string(),
        None if args.data_types => "the swarm of data types".into(),
        None => "the swarm".into(),
    };
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
    let unreached: Vec<String> = campaign.never_happened().map(Counter::name).collect();
    if !unreached.is_empty() {
        say(&format!("never         {}", unreached.join(", ")));
    }
    for report in &campaign.failures {
        tell_failure(args, campaign, report);
    }
    let failed = campaign.failures.len();
    let seeds = if failed == 1 { "1 seed fails".into() } else { format!("{failed} seeds fail") };
    let result = if failed == 0 { "every seed is as expected".into() } else { seeds };
    say(&format!("result        {result}"));
}

fn tell_failure(args: &Args, campaign: &Campaign, report: &Report) {
    let broken: Vec<&str> =
        report.expectations.iter().filter(|e| !e.holds).map(|e| e.what.as_str()).collect();
    say(&format!("seed {} fails: {}", report.seed, broken.join("; ")));
    if let Some(why) = report.explanation() {
        say(&format!("  {why}."));
    }
    say(&format!("  replay: {}", replay(args, campaign, report.seed)));
}

/// The command that shows the failure again.
fn replay(args: &Args, campaign: &Campaign, seed: u64) -> String {
    let flaw = args.flaw.map(|flaw| format!(" --flaw {flaw}")).unwrap_or_default();
    if campaign.mutants.contains_key(&seed) {
        return format!("cartwheel sim run {} --seed {seed}{flaw}", mutant_path(args, seed).display());
    }
    match &args.scenario {
        Some(path) => format!("cartwheel sim run {} --seed {seed}{flaw}", path.display()),
        None => {
            let data_types = if args.data_types { " --data-types" } else { "" };
            format!("cartwheel sim swarm{data_types} --seed {seed}{flaw}")
        }
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
        "happened": campaign.happened,
        "failures": failures,
    });
    format!("{found:#}")
}

fn hours(campaign: &Campaign) -> f64 {
    campaign.simulated_ns as f64 / 3.6e12
}

/// `I/N`.
pub fn shard(text: &str) -> Result<Shard, String> {
    let shard = text.split_once('/').and_then(|(shard, of)| {
        let (shard, of) = (shard.parse().ok()?, of.parse().ok()?);
        (1..=of).contains(&shard).then_some(Shard { shard, of })
    });
    shard.ok_or_else(|| "allowed: I/N with 1 <= I <= N, such as 3/20".into())
}

/// `FROM..TO`, not empty.
pub fn seeds(text: &str) -> Result<Range<u64>, String> {
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

    #[test]
    fn shards_share_all_seeds_and_no_seed_twice() {
        let of = |text: &str| shard(text).map(|shard| shard.seeds(10..20).collect::<Vec<_>>());
        assert_eq!(of("2/3"), Ok(vec![11, 14, 17]));
        let mut all: Vec<u64> =
            ["1/3", "2/3", "3/3"].into_iter().flat_map(|text| of(text).unwrap()).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(10..20));
        for bad in ["0/3", "4/3", "1", "1/0", "/", "a/b"] {
            assert!(shard(bad).is_err(), "{bad}");
        }
    }
}
