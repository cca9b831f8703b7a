//! Runs many seeds: `seed digest` a line on standard output, and what is wrong with a seed on standard error.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use cartwheel_madsim::apart;
use cartwheel_madsim::run::{Outcome, run};
use cartwheel_node::Sabotage;
use clap::Parser;

/// The whole shipped node under madsim. Exit status: 0 when all is green, 1 when a seed is red or ran differently the second
/// time.
#[derive(Parser)]
struct Options {
    /// From..to, the end not included.
    #[arg(long, default_value = "0..200", value_parser = seeds)]
    seeds: Range<u64>,
    /// Every so manyth seed is run twice, and must be the same run; 0: none.
    #[arg(long, default_value_t = 10)]
    twice: u64,
    /// Seeds at once.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    jobs: usize,
    /// A bug to plant.
    #[arg(long)]
    sabotage: Option<Sabotage>,
    /// Print all that happened.
    #[arg(long)]
    trace: bool,
    /// Run this seed, here, and print what became of it in JSON.
    #[arg(long = apart::ONE, hide = true)]
    one: Option<u64>,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("{text:?} is no range of seeds; expected 0..200");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    Ok(from.parse().map_err(|_| wrong())?..to.parse().map_err(|_| wrong())?)
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(seed) = options.one {
        let log = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt().with_env_filter(log).with_writer(io::stderr).without_time().init();
        return match serde_json::to_writer(io::stdout(), &run(seed, options.sabotage)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    match campaign(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs all seeds; how many are red.
fn campaign(options: &Options) -> io::Result<u64> {
    let next = AtomicU64::new(options.seeds.start);
    let report = Mutex::new(Report::from(options));
    std::thread::scope(|scope| {
        let worker = || -> io::Result<()> {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if !options.seeds.contains(&seed) {
                    return Ok(());
                }
                let judged = judged(seed, options)?;
                report.lock().expect("no panic").take(seed, judged)?;
            }
        };
        let workers: Vec<_> = (0..options.jobs).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no panic"))
    })?;
    let Report { seeds, red, acked, packets, .. } = report.into_inner().expect("no panic");
    writeln!(io::stderr(), "{seeds} seeds, {red} red; {acked} writes acknowledged, {packets} packets")?;
    Ok(red)
}

/// Runs one seed, or the same one twice, and adds what is wrong with that.
fn judged(seed: u64, options: &Options) -> io::Result<Outcome> {
    let mut outcome = apart::run(seed, options.sabotage)?;
    if options.twice > 0 && seed.is_multiple_of(options.twice) {
        let again = apart::run(seed, options.sabotage)?;
        if again.digest != outcome.digest {
            let mut lines = outcome.told.lines.iter().zip(&again.told.lines);
            let differ = lines.find(|(one, other)| one != other);
            outcome.told.problems.push(format!("the second run was another one: {differ:?}"));
        }
    }
    Ok(outcome)
}

/// What is told of seeds, in their order.
struct Report {
    next: u64,
    waiting: BTreeMap<u64, Outcome>,
    trace: bool,
    seeds: u64,
    red: u64,
    acked: u64,
    packets: u64,
}

impl Report {
    fn from(options: &Options) -> Self {
        let (next, trace) = (options.seeds.start, options.trace);
        Self { next, waiting: BTreeMap::new(), trace, seeds: 0, red: 0, acked: 0, packets: 0 }
    }

    fn take(&mut self, seed: u64, outcome: Outcome) -> io::Result<()> {
        self.waiting.insert(seed, outcome);
        while let Some(outcome) = self.waiting.remove(&self.next) {
            self.write(self.next, &outcome)?;
            self.next += 1;
        }
        Ok(())
    }

    fn write(&mut self, seed: u64, outcome: &Outcome) -> io::Result<()> {
        self.seeds += 1;
        self.red += u64::from(!outcome.is_green());
        self.acked += outcome.acked;
        self.packets += outcome.packets;
        writeln!(io::stdout(), "{seed} {:016x}", outcome.digest)?;
        let mut err = io::stderr().lock();
        for line in outcome.told.lines.iter().filter(|_| self.trace) {
            writeln!(err, "{line}")?;
        }
        for problem in &outcome.told.problems {
            writeln!(err, "seed {seed} is red: {problem}")?;
        }
        Ok(())
    }
}
