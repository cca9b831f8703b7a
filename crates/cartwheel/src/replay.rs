//! `cartwheel replay`: a run, stopped at a moment, to look inside.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::Scenario;
use cartwheel_sim::replay::Question;
use cartwheel_sim::scenario::Span;

use crate::flight::{self, When};
use crate::output::{complain, say};
use crate::record::TraceArgs;
use crate::sim::flaws;

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 when the moment is shown, 1 when recorded nodes do something else now, 2 on bad input."
)]
pub struct Args {
    /// The scenario, a TOML file.
    #[arg(required_unless_present = "flight")]
    scenario: Option<PathBuf>,
    /// Instead of a scenario: what real nodes recorded, in or below these directories, such as the data directories of several
    /// nodes. It is re-executed, and every output compared.
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with_all = ["scenario", "seed", "flaw"])]
    flight: Vec<PathBuf>,
    /// The seed of all randomness. Where it is not given, the file's, or 1.
    #[arg(long)]
    seed: Option<u64>,
    /// Plant a bug in every node, to see what it does: one that a real system of this family had.
    #[arg(long, value_parser = flaws())]
    flaw: Option<Flaw>,
    /// The moment, in simulated time, such as 2.31s, 850ms or `1m 3s`; the end of the run where it is not given. Of a flight:
    /// counted from the beginning of the earliest recording, or a date such as 2026-11-28T20:13:01.5Z.
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// Where the page or the trace of a flight begins; 30 s before its end where it is not given.
    #[arg(long, value_name = "TIME", requires = "flight")]
    since: Option<When>,
    /// What is held of this key, such as carts/cart-1; an overview of all keys where it is not given.
    #[arg(long)]
    key: Option<String>,
    /// This node only, such as n3.
    #[arg(long)]
    node: Option<String>,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
    /// Write a page of a flight to this file: what all nodes heard and said, in one space-time diagram.
    #[arg(long, value_name = "FILE", requires = "flight")]
    report: Option<PathBuf>,
    #[command(flatten)]
    trace: TraceArgs,
}

pub fn run(args: &Args) -> ExitCode {
    let shown = match &args.scenario {
        Some(scenario) => replay(args, scenario).map(|()| ExitCode::SUCCESS),
        None => replay_flight(args),
    };
    shown.unwrap_or_else(|error| complain(&error))
}

fn replay_flight(args: &Args) -> Result<ExitCode, String> {
    flight::replay(&flight::Asked {
        dirs: &args.flight,
        since: args.since,
        until: args.until,
        key: args.key.as_deref(),
        node: args.node.as_deref(),
        json: args.json,
        report: args.report.as_deref(),
        trace: args.trace.wanted()?,
    })
}

fn replay(args: &Args, path: &Path) -> Result<(), String> {
    let trace = args.trace.wanted()?;
    let scenario = Scenario::load(path).map_err(|error| error.to_string())?;
    let seed = args.seed.or(scenario.seed).unwrap_or(1);
    let until = match args.until {
        Some(When::Wall(_)) => {
            return Err("--until: simulated time has no date; allowed: a time such as 2.31s".into());
        }
        Some(When::After(span)) => Some(span),
        None => None,
    };
    let question = Question { until, key: args.key.clone(), node: args.node.clone() };
    let scenario = Scenario { flaw: args.flaw, ..scenario };
    let (situation, recording) = cartwheel_sim::replay(&scenario, seed, &question)
        .map_err(|error| format!("{}, seed {seed}: {error}", path.display()))?;
    if args.json {
        say(&serde_json::to_string_pretty(&situation).map_err(|error| error.to_string())?);
    } else {
        say(&situation);
    }
    trace.map_or(Ok(()), |trace| trace.write(&recording))
}

/// A time as reports print it, `2.310 s` or `2.31s`, or as scenario files have it, `1m 3s 5ms`.
pub fn moment(text: &str) -> Result<Span, String> {
    let number = text.strip_suffix('s').map(str::trim_end);
    if let Some((whole, part)) = number.and_then(|number| number.split_once('.')) {
        let is_number =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if is_number(whole) && is_number(part) && part.len() <= 9 {
            let ns = format!("{part:0<9}").parse::<u64>().ok();
            let seconds = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(1_000_000_000));
            if let Some(ns) = seconds.zip(ns).and_then(|(seconds, ns)| seconds.checked_add(ns)) {
                return Ok(Span::from_ns(ns));
            }
        }
    }
    let parsed = humantime::parse_duration(text).ok().and_then(|time| u64::try_from(time.as_nanos()).ok());
    parsed
        .map(Span::from_ns)
        .ok_or_else(|| "allowed: a time with its unit, such as 2.31s, 850ms or `1m 3s`".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_reports_print_them_or_as_files_have_them() {
        let ns = |text: &str| moment(text).map(Span::ns);
        assert_eq!(ns("2.31s"), Ok(2_310_000_000));
        assert_eq!(ns("2.310 s"), Ok(2_310_000_000));
        assert_eq!(ns("0.000000001s"), Ok(1));
        assert_eq!(ns("850ms"), Ok(850_000_000));
        assert_eq!(ns("1m 3s"), Ok(63_000_000_000));
        for bad in ["2.31", "s", ".5s", "2.s", "-1s", "soon", "2.3.1s", "99999999999999999999.0s"] {
            assert!(ns(bad).is_err(), "{bad}");
        }
    }
}
