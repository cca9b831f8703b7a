//! `cartwheel sim`: replay one scenario.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::report::page;
use cartwheel_sim::{Report, Scenario, swarm};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{complain, say, tell_progress};
use crate::record::{TraceArgs, write_file};

/// How often a run is looked at, to tell how far it has come.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// What takes no longer than this says nothing of that.
const MOMENT: Duration = Duration::from_secs(1);

/// What to do with a scenario.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Run a scenario file with a seed and print what happened.
    ///
    /// The same file and seed give the same trace digest on every machine. Exit status: 0 when the file's
    /// expectations hold, 1 when one fails, 2 on bad input.
    Run(RunArgs),
    /// Run one seed of the general swarm, which `fuzz` runs many of.
    Swarm(SwarmArgs),
}

/// What a run leaves behind beside its report.
#[derive(clap::Args, Default)]
pub struct LeaveArgs {
    /// Write a page to look at: who said what to whom and when, what clients waited for, and the verdicts explained.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    #[command(flatten)]
    trace: TraceArgs,
}

#[derive(clap::Args)]
pub struct SwarmArgs {
    /// The seed, which makes the scenario, too.
    #[arg(long)]
    seed: u64,
    /// Data types in the place of what the swarm's clients do, as `fuzz --data-types` has them.
    #[arg(long)]
    data_types: bool,
    /// Print the scenario that the seed makes, as a file, instead of running it.
    #[arg(long)]
    show: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Plant a bug in every node, to see it found: one that a real system of this family had.
    #[arg(long, value_parser = flaws())]
    flaw: Option<Flaw>,
    #[command(flatten)]
    leave: LeaveArgs,
}

#[derive(clap::Args)]
pub struct RunArgs {
    /// The scenario, a TOML file.
    scenario: PathBuf,
    /// The seed of all randomness. Where it is not given, the file's, or 1.
    #[arg(long)]
    seed: Option<u64>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Plant a bug in every node, to see it found: one that a real system of this family had.
    #[arg(long, value_parser = flaws())]
    flaw: Option<Flaw>,
    #[command(flatten)]
    leave: LeaveArgs,
}

pub fn run(command: Command) -> ExitCode {
    match command {
        Command::Run(args) => match Scenario::load(&args.scenario) {
            Ok(scenario) => {
                let seed = args.seed.or(scenario.seed).unwrap_or(1);
                replay(scenario, seed, args.flaw, args.json, &args.leave)
            }
            Err(error) => complain(&error),
        },
        Command::Swarm(args) => {
            let scenario =
                if args.data_types { swarm::data_types(args.seed) } else { swarm::scenario(args.seed) };
            if args.show {
                return show(&Scenario { seed: Some(args.seed), ..scenario });
            }
            replay(scenario, args.seed, args.flaw, args.json, &args.leave)
        }
    }
}

fn show(scenario: &Scenario) -> ExitCode {
    match toml::to_string(scenario) {
        Ok(text) => say(&text.trim_end()),
        Err(error) => return complain(&error),
    }
    ExitCode::SUCCESS
}

fn replay(scenario: Scenario, seed: u64, flaw: Option<Flaw>, json: bool, leave: &LeaveArgs) -> ExitCode {
    let report = match run_and_leave(&Scenario { flaw, ..scenario }, seed, leave) {
        Ok(report) => report,
        Err(error) => return complain(&error),
    };
    if json {
        match serde_json::to_string_pretty(&report) {
            Ok(text) => say(&text),
            Err(error) => return complain(&error),
        }
    } else {
        say(&report);
    }
    ExitCode::from(u8::from(!report.expectations_hold))
}

/// Runs it, and writes what was asked for beside the report.
fn run_and_leave(scenario: &Scenario, seed: u64, leave: &LeaveArgs) -> Result<Report, String> {
    let trace = leave.trace.wanted()?;
    if trace.is_none() && leave.report.is_none() {
        return Ok(run_with_progress(scenario, seed));
    }
    let (report, recording) = cartwheel_sim::run_recorded(scenario, seed);
    if let Some(trace) = trace {
        trace.write(&recording)?;
    }
    if let Some(path) = &leave.report {
        write_file(path, |out| page::write(scenario, &report, &recording, out))?;
        tell_progress(&format!("report        {}", path.display()));
    }
    Ok(report)
}

/// Runs it; says how far it has come, where that takes more than a moment.
fn run_with_progress(scenario: &Scenario, seed: u64) -> Report {
    let now_ns = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| cartwheel_sim::run_watched(scenario, seed, &now_ns));
        let bar = ProgressBar::with_draw_target(
            Some(scenario.duration.ns() / 1_000_000),
            ProgressDrawTarget::stderr(),
        );
        let style = ProgressStyle::with_template("{bar:40} {msg} simulated, {elapsed} of {duration}");
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let began = Instant::now();
        while !running.is_finished() {
            std::thread::sleep(LOOK_EVERY);
            if began.elapsed() > MOMENT {
                let now_ms = now_ns.load(Ordering::Relaxed) / 1_000_000;
                bar.set_message(format!("{} s", now_ms / 1_000));
                bar.set_position(now_ms.min(scenario.duration.ns() / 1_000_000));
            }
        }
        bar.finish_and_clear();
        running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Flaws by their names, which the help lists.
pub fn flaws() -> impl TypedValueParser<Value = Flaw> {
    let names = Flaw::ALL.iter().map(|flaw| flaw.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse().map_err(|_| "no such flaw"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::BAD_INPUT;

    #[test]
    fn bad_input_has_a_status_of_its_own() {
        let missing = RunArgs {
            scenario: "no-such-file.toml".into(),
            seed: None,
            json: false,
            flaw: None,
            leave: LeaveArgs::default(),
        };
        assert_eq!(run(Command::Run(missing)), ExitCode::from(BAD_INPUT));
    }
}
