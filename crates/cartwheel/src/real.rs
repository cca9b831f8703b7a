//! `cartwheel real`: a scenario on real nodes.

use std::path::PathBuf;
use std::process::ExitCode;

use cartwheel_real::{NetworkKind, Options, PlayError, Report, play};
use cartwheel_sim::Scenario;
use cartwheel_sim::scenario::Span;

use crate::output::{complain, say, tell_progress};

/// Plays scenario files on a cluster of real nodes, each a process of this binary with a disk of its own, with the
/// simulator's clients and the simulator's judge. As root on Linux, each node is in a network namespace of its own, and
/// links can be cut; otherwise, or with --loopback, faults of the network are left out. What cannot be done to a real
/// machine is left out, too; the report says what, how often and why.
#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 when all is well, 1 when a write is lost, a deleted key is back, or the cluster does not come to \
                  rest, 2 when it could not be played."
)]
pub struct Args {
    /// The scenarios, TOML files, one after the other.
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    /// The seed of clients and faults. Where it is not given, the file's, or 1.
    #[arg(long)]
    seed: Option<u64>,
    /// How often each is played, with one seed after the other.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    times: u64,
    /// Where nodes keep configurations, logs and data: an empty directory, or a new one. Where it is not given, a
    /// temporary one, which is kept when something is wrong.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Clients and faults go on for so long, instead of as long as the scenario says; then it expects nothing to have happened.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    duration: Option<std::time::Duration>,
    /// All nodes on 127.0.0.1.
    #[arg(long)]
    loopback: bool,
    /// Another binary of the nodes than this one.
    #[arg(long, value_name = "BINARY")]
    binary: Option<PathBuf>,
    /// What the nodes begin with, to see them upgraded: whoever starts again, starts as the other binary.
    #[arg(long, value_name = "BINARY")]
    upgrade_from: Option<PathBuf>,
    /// Print each report as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> ExitCode {
    let mut scenarios = Vec::new();
    for path in &args.scenarios {
        match Scenario::load(path) {
            Ok(scenario) => scenarios.push(shortened(scenario, args.duration)),
            Err(error) => return complain(&error),
        }
    }
    let network = if args.loopback { NetworkKind::Loopback } else { NetworkKind::detect() };
    if network == NetworkKind::Loopback && !args.loopback {
        tell_progress(
            &"SKIPPED: no network namespaces can be made here (they take root, and ip of iproute2): links are not cut",
        );
    }
    let mut all_green = true;
    for scenario in &scenarios {
        let first = args.seed.or(scenario.seed).unwrap_or(1);
        for seed in first..first.saturating_add(args.times) {
            match once(args, scenario, seed, network) {
                Ok(green) => all_green &= green,
                Err(why) => return complain(&why),
            }
        }
    }
    ExitCode::from(u8::from(!all_green))
}

fn shortened(mut scenario: Scenario, duration: Option<std::time::Duration>) -> Scenario {
    if let Some(duration) = duration {
        scenario.duration = Span::from_ns(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        scenario.expect.happened.clear();
    }
    scenario
}

fn once(args: &Args, scenario: &Scenario, seed: u64, network: NetworkKind) -> Result<bool, String> {
    let temporary = match args.dir {
        Some(_) => None,
        None => Some(tempfile::tempdir().map_err(|error| format!("a temporary directory: {error}"))?),
    };
    let dir = match (&args.dir, &temporary) {
        (Some(dir), _) if args.times > 1 || args.scenarios.len() > 1 => {
            dir.join(format!("{}-{seed}", scenario.name))
        }
        (Some(dir), _) => dir.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => PathBuf::from("real"),
    };
    let this = std::env::current_exe().map_err(|error| format!("where this binary is: {error}"))?;
    let binary = args.binary.clone().unwrap_or(this);
    let options = Options { dir: dir.clone(), binary, before: args.upgrade_from.clone(), network };
    tell_progress(&format!("{}, seed {seed}: nodes are in {}", scenario.name, dir.display()));
    let played = play(scenario, seed, &options, &|what| tell_progress(&what));
    let green = played.as_ref().is_ok_and(Report::is_green);
    let has_begun = !matches!(played, Err(PlayError::Unplayable { .. } | PlayError::Machine { .. }));
    if !green
        && has_begun
        && let Some(temporary) = temporary
    {
        // Somebody will want to look at it.
        let kept = temporary.keep();
        tell_progress(&format!("logs and data are kept in {}", kept.display()));
    }
    let report = played.map_err(|error| format!("{}: {error}", scenario.name))?;
    show(&report, args.json)?;
    Ok(green)
}

fn show(report: &Report, json: bool) -> Result<(), String> {
    if json {
        say(&serde_json::to_string_pretty(report).map_err(|error| error.to_string())?);
    } else {
        say(report);
    }
    Ok(())
}
