//! `cartwheel sweep`: one scenario with many settings and seeds, and a row of a table for each run.

mod csv_file;
mod file;
mod frame;
mod measure;
mod merge;
mod parquet_file;
mod plan;
mod summary;
mod vary;

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use cartwheel_sim::fuzz::Shard;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::file::Existing;
use self::frame::{Cell, Frame};
use self::plan::Plan;
use self::vary::Vary;
use crate::fuzz;
use crate::output::{complain, say, tell_progress};

#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Exit status: 0 when all runs were made, whatever came of them, 2 on bad input."
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    sweep: SweepArgs,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Put the tables of shards together, or turn one from .csv into .parquet or back.
    Merge(merge::Args),
}

#[derive(clap::Args)]
struct SweepArgs {
    /// The scenario, a TOML file.
    #[arg(required = true)]
    scenario: Option<PathBuf>,
    /// A setting, by its path in the file, and the values that it takes in turn: workload.cart.clients=5,10,20. A bare
    /// name is one of `cluster`: r=1..4 (1, 2, 3) or r=1..=3. All combinations are run.
    #[arg(long, value_name = "PATH=VALUES")]
    vary: Vec<Vary>,
    /// The seeds of each combination, as FROM..TO (TO not included), or how many, from 0.
    #[arg(long, default_value = "0..100", value_parser = seeds)]
    seeds: Range<u64>,
    /// Only every Nth run, beginning with the Kth: one of N machines that share the work.
    #[arg(long, value_name = "K/N", value_parser = fuzz::shard)]
    shard: Option<Shard>,
    /// Threads; all cores when not given. The table does not depend on it.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Where the table goes: a .parquet or .csv file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace that file if it is there.
    #[arg(long)]
    force: bool,
    /// Print the rows as JSON, one a line, and nothing else.
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

pub fn run(args: &Args) -> ExitCode {
    let done = match &args.command {
        Some(Command::Merge(merge)) => merge::run(merge).map(|frame| tell_merged(&frame)),
        None => sweep(&args.sweep),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

fn sweep(args: &SweepArgs) -> Result<(), String> {
    let existing = if args.force { Existing::Replace } else { Existing::Refuse };
    if let Some(output) = &args.output {
        file::check(output, existing)?;
    }
    let scenario = args.scenario.as_deref().ok_or("a scenario is missing")?;
    let plan = Plan::new(scenario, &args.vary, args.seeds.clone())?;
    let frame = plan.frame(rows(args, &plan));
    if args.json {
        (0..frame.rows.len()).for_each(|index| say(&frame.json(index)));
        return Ok(());
    }
    if let Some(output) = &args.output {
        file::write(&frame, output, existing)?;
    }
    if let Some(table) = summary::summary(&frame).filter(|table| !table.is_empty()) {
        say(&table);
    }
    if let Some(output) = &args.output {
        let (rows, columns) = (frame.rows.len(), frame.columns.len());
        say(&format!("wrote         {rows} rows of {columns} columns to {}", output.display()));
    }
    Ok(())
}

/// Makes the runs of the shard. The rows are in the order of their numbers, whichever thread makes which.
fn rows(args: &SweepArgs, plan: &Plan) -> Vec<Vec<Cell>> {
    let runs = plan.runs_of(args.shard.unwrap_or(Shard::WHOLE));
    let bar = progress_bar(runs.clone().count() as u64);
    let next = Mutex::new(runs);
    let made = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(run) = next.lock().expect("no thread panics while it takes one").next() else { return };
            let report = plan.run(run);
            let row = plan.row(run, &report);
            made.lock().expect("no thread panics while it adds").push((run, row));
            progress(&bar);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..args.threads.map_or(cores, usize::from) {
            scope.spawn(work);
        }
    });
    bar.finish_and_clear();
    let mut made = made.into_inner().expect("no thread panics while it adds");
    made.sort_by_key(|(run, _)| *run);
    made.into_iter().map(|(_, row)| row).collect()
}

/// One more run is made. Where there is no terminal to draw a bar on, each tenth is told in a line.
fn progress(bar: &ProgressBar) {
    bar.inc(1);
    let (done, all) = (bar.position(), bar.length().unwrap_or(0));
    if bar.is_hidden() && all >= 10 && done % all.div_ceil(10) == 0 {
        tell_progress(&format!("{done}/{all} runs"));
    }
}

fn progress_bar(runs: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(runs), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs, {per_sec}, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn tell_merged(frame: &Frame) {
    if let Some(table) = summary::summary(frame).filter(|table| !table.is_empty()) {
        say(&table);
    }
    let missing = match merge::missing(frame) {
        Some(0) => "; the sweep is complete".to_owned(),
        Some(missing) => format!("; {missing} runs of the sweep are missing"),
        None => String::new(),
    };
    say(&format!("merged        {} rows{missing}", frame.rows.len()));
}

/// `FROM..TO`, or how many.
fn seeds(text: &str) -> Result<Range<u64>, String> {
    match text.parse() {
        Ok(0) | Err(_) => fuzz::seeds(text).map_err(|error| format!("{error}, or how many, such as 200")),
        Ok(count) => Ok(0..count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_or_a_number_of_them() {
        assert_eq!(seeds("200"), Ok(0..200));
        assert_eq!(seeds("3..5"), Ok(3..5));
        for bad in ["0", "5..3", "x", "-1"] {
            assert!(seeds(bad).is_err_and(|error| error.contains("FROM..TO")), "{bad}");
        }
    }
}
