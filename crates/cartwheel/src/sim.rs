//! `cartwheel sim`: replay one scenario.

use std::path::PathBuf;
use std::process::ExitCode;

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::{Scenario, swarm};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::output::{complain, say};

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

#[derive(clap::Args)]
pub struct SwarmArgs {
    /// The seed, which makes the scenario, too.
    #[arg(long)]
    seed: u64,
    /// Print the scenario that the seed makes, as a file, instead of running it.
    #[arg(long)]
    show: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Plant a bug in every node, to see it found: one that a real system of this family had.
    #[arg(long, value_parser = flaws())]
    flaw: Option<Flaw>,
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
}

pub fn run(command: Command) -> ExitCode {
    match command {
        Command::Run(args) => match Scenario::load(&args.scenario) {
            Ok(scenario) => {
                let seed = args.seed.or(scenario.seed).unwrap_or(1);
                replay(scenario, seed, args.flaw, args.json)
            }
            Err(error) => complain(&error),
        },
        Command::Swarm(args) => {
            let scenario = swarm::scenario(args.seed);
            if args.show {
                return show(&scenario);
            }
            replay(scenario, args.seed, args.flaw, args.json)
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

fn replay(scenario: Scenario, seed: u64, flaw: Option<Flaw>, json: bool) -> ExitCode {
    let report = cartwheel_sim::run(&Scenario { flaw, ..scenario }, seed);
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
        let missing = RunArgs { scenario: "no-such-file.toml".into(), seed: None, json: false, flaw: None };
        assert_eq!(run(Command::Run(missing)), ExitCode::from(BAD_INPUT));
    }
}
