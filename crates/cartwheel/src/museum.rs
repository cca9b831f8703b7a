//! `cartwheel museum`: real bugs, planted and found.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::Scenario;
use cartwheel_sim::museum::{Found, Shown, find, show};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::output::{complain, say, tell_progress};
use crate::sim::flaws;
use crate::table::Table;

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 when each piece is seen by its oracles and found by the swarm, 1 when one is not, 2 on bad input."
)]
pub struct Args {
    /// Where the scenarios of the pieces are.
    #[arg(long, default_value = "sim-scenarios/museum")]
    scenarios: PathBuf,
    /// One piece only.
    #[arg(long, value_parser = flaws())]
    flaw: Option<Flaw>,
    /// How many seeds the general swarm may take to find a piece.
    #[arg(long, default_value_t = 2_000)]
    seeds_max: u64,
    /// Run the scenarios only.
    #[arg(long)]
    no_fuzz: bool,
    /// Print the rows as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    flaw: String,
    oracle: String,
    green_without: bool,
    red_with: Vec<String>,
    fuzz_seeds: Option<u64>,
    fuzz_sim_seconds: Option<f64>,
    wall_seconds: f64,
    #[serde(skip)]
    is_as_expected: bool,
}

pub fn run(args: &Args) -> ExitCode {
    let scenarios = match load(&args.scenarios) {
        Ok(scenarios) => scenarios,
        Err(error) => return complain(&error),
    };
    let wanted = |scenario: &&Scenario| {
        let flaw = scenario.museum.as_ref().map(|museum| &museum.flaw);
        args.flaw.is_none_or(|only| flaw == Some(&only.to_string()))
    };
    let rows: Vec<Row> = scenarios.iter().filter(wanted).filter_map(|scenario| row(args, scenario)).collect();
    if rows.is_empty() {
        return complain(&format!("{}: no scenario shows that piece", args.scenarios.display()));
    }
    if args.json {
        say(&serde_json::to_string_pretty(&rows).unwrap_or_default());
    } else {
        tell(args, &rows);
    }
    ExitCode::from(u8::from(!rows.iter().all(|row| row.is_as_expected)))
}

fn load(directory: &Path) -> Result<Vec<Scenario>, String> {
    let unreadable = |error| format!("{}: cannot list it: {error}", directory.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.path());
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files.iter().map(|file| Scenario::load(file).map_err(|error| error.to_string())).collect()
}

fn row(args: &Args, scenario: &Scenario) -> Option<Row> {
    let began = Instant::now();
    let shown = show(scenario)?;
    let found = if args.no_fuzz { None } else { search(args, &shown) };
    let is_as_expected = shown.is_as_expected() && (args.no_fuzz || found.is_some());
    let Shown { flaw, oracles, green_without, red_with } = shown;
    Some(Row {
        flaw,
        oracle: oracles.into_iter().collect::<Vec<_>>().join(", "),
        green_without,
        red_with: red_with.into_iter().collect(),
        fuzz_seeds: found.map(|found| found.seeds),
        fuzz_sim_seconds: found.map(|found| found.sim_seconds),
        wall_seconds: began.elapsed().as_secs_f64(),
        is_as_expected,
    })
}

fn search(args: &Args, shown: &Shown) -> Option<Found> {
    let bar = ProgressBar::with_draw_target(Some(args.seeds_max), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("looking for {msg}: {pos} of at most {len} seeds, {elapsed}");
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(shown.flaw.clone());
    if bar.is_hidden() {
        tell_progress(&format!("looking for {} with at most {} seeds", shown.flaw, args.seeds_max));
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let found = find(shown.flaw.parse().ok()?, args.seeds_max, threads, || bar.inc(1));
    bar.finish_and_clear();
    found
}

fn tell(args: &Args, rows: &[Row]) {
    let mut table =
        Table::new(["flaw", "oracle", "green without", "red with", "fuzz seeds", "fuzz sim s", "wall s"]);
    for row in rows {
        let or_none = |found: Option<String>| {
            found.unwrap_or_else(|| if args.no_fuzz { "-".into() } else { "not found".into() })
        };
        table.row([
            row.flaw.clone(),
            row.oracle.clone(),
            if row.green_without { "yes" } else { "NO" }.to_owned(),
            if row.red_with.is_empty() { "NOTHING".to_owned() } else { row.red_with.join(" ") },
            or_none(row.fuzz_seeds.map(|seeds| seeds.to_string())),
            or_none(row.fuzz_sim_seconds.map(|seconds| format!("{seconds:.1}"))),
            format!("{:.1}", row.wall_seconds),
        ]);
    }
    say(&table);
    let mut seeds: Vec<u64> = rows.iter().filter_map(|row| row.fuzz_seeds).collect();
    seeds.sort_unstable();
    if let Some(median) = seeds.get(seeds.len() / 2) {
        say(&format!(
            "found         {} of {} by the swarm; the median took {median} seeds",
            seeds.len(),
            rows.len()
        ));
    }
}
