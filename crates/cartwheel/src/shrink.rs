//! `cartwheel shrink`: from a seed that fails to the smallest scenario that fails in the same way.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::shrink::{Shrunk, shrink};
use cartwheel_sim::{Scenario, swarm};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{complain, say, tell_progress};
use crate::sim::flaws;

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 when a smaller scenario was written, 1 when the run does not fail, 2 on bad input."
)]
pub struct Args {
    /// A scenario file that fails; without it, the general swarm.
    #[arg(long)]
    scenario: Option<PathBuf>,
    /// The seed with which it fails. Where it is not given, the file's, or 1.
    #[arg(long)]
    seed: Option<u64>,
    /// The museum piece that makes it fail: what is written is green without it.
    #[arg(long, value_parser = flaws())]
    flaw: Option<Flaw>,
    /// Where the scenario is written.
    #[arg(short, long, default_value = "shrunk.toml")]
    output: PathBuf,
    /// Stop then, and write the smallest scenario found so far.
    #[arg(long, default_value = "1m", value_parser = humantime::parse_duration)]
    budget: Duration,
}

pub fn run(args: &Args) -> ExitCode {
    let scenario = match args.scenario.as_deref().map(Scenario::load).transpose() {
        Ok(scenario) => scenario,
        Err(error) => return complain(&error),
    };
    let seed = args.seed.or_else(|| scenario.as_ref().and_then(|scenario| scenario.seed)).unwrap_or(1);
    let scenario = Scenario { flaw: args.flaw, ..scenario.unwrap_or_else(|| swarm::scenario(seed)) };
    let Some(shrunk) = shrink_within(&scenario, seed, args.budget) else {
        say(&format!("seed {seed} of {} does not fail: there is nothing to shrink", scenario.name));
        return ExitCode::FAILURE;
    };
    match write(&shrunk, seed, args.flaw, &args.output, true) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

/// Shrinks for at most `budget`, with a sign of life.
pub fn shrink_within(scenario: &Scenario, seed: u64, budget: Duration) -> Option<Shrunk> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} shrinking seed {msg}: {pos} runs, {elapsed}");
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_message(seed.to_string());
    if bar.is_hidden() {
        tell_progress(&format!("shrinking seed {seed}, for at most {}", humantime::format_duration(budget)));
    }
    let end = Instant::now() + budget;
    let shrunk = shrink(scenario, seed, &|| {
        bar.inc(1);
        Instant::now() < end
    });
    bar.finish_and_clear();
    shrunk
}

/// Writes a file, and the directories that it is to be in.
pub fn write_file(path: &Path, text: &str) -> Result<(), String> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)
            .map_err(|error| format!("{}: cannot create it: {error}", parent.display()))?;
    }
    std::fs::write(path, text).map_err(|error| format!("{}: cannot write it: {error}", path.display()))
}

/// Writes the scenario, with how it fails and how that is seen, and tells of it where that is wanted.
pub fn write(shrunk: &Shrunk, seed: u64, flaw: Option<Flaw>, path: &Path, tell: bool) -> Result<(), String> {
    let Shrunk { scenario, report, symptom, runs } = shrunk;
    let with = flaw.map(|flaw| format!(" --flaw {flaw}")).unwrap_or_default();
    let replay = format!("cartwheel sim run {}{with}", path.display());
    let why = report.explanation().unwrap_or_else(|| report.verdict.clone());
    let why = if why.starts_with(&symptom.to_string()) { why } else { format!("{symptom}: {why}") };
    let name =
        path.file_stem().map_or_else(|| scenario.name.clone(), |name| name.to_string_lossy().into_owned());
    let about = format!("Shrunk from seed {seed} of {}: {symptom}.", scenario.name);
    let file = Scenario { name, about, ..scenario.clone() }.to_file();
    let mut text = format!("# {why}.\n");
    if let Some(flaw) = flaw {
        text += &format!("# Only with the museum piece {flaw}: without it, it is green.\n");
    }
    text += &format!("# Replay: {replay}\n\n{file}");
    write_file(path, &text)?;
    if !tell {
        return Ok(());
    }
    say(&format!(
        "shrunk        to {} nodes, {} faults, {} visits, {} of simulated load; {runs} runs",
        scenario.cluster.nodes,
        scenario.fault.len(),
        scenario.visit.len(),
        scenario.duration
    ));
    say(&format!("  {why}."));
    say(&format!("  written to {}; replay: {replay}; to look at it, add --report run.html", path.display()));
    Ok(())
}
