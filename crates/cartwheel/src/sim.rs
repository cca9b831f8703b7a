//! `cartwheel sim`: replay one scenario.

use std::path::PathBuf;
use std::process::ExitCode;

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::{Report, Scenario};

use crate::output::{complain, say};

/// What to do with a scenario.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Run a scenario file with a seed and print what happened.
    ///
    /// The same file and seed give the same trace digest on every machine. Exit status: 0 when the file's
    /// expectations hold, 1 when one fails, 2 on bad input.
    Run(RunArgs),
}

#[derive(clap::Args)]
pub struct RunArgs {
    /// The scenario, a TOML file.
    scenario: PathBuf,
    /// The seed of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Plant a bug of the museum in every node.
    #[arg(long, value_parser = flaw)]
    flaw: Option<Flaw>,
}

pub fn run(command: Command) -> ExitCode {
    let Command::Run(args) = command;
    let mut scenario = match Scenario::load(&args.scenario) {
        Ok(scenario) => scenario,
        Err(error) => return complain(&error),
    };
    scenario.flaw = args.flaw;
    let report = cartwheel_sim::run(&scenario, args.seed);
    if args.json {
        match serde_json::to_string_pretty(&report) {
            Ok(json) => say(&json),
            Err(error) => return complain(&error),
        }
    } else {
        say(&report);
    }
    status(&report)
}

fn status(report: &Report) -> ExitCode {
    ExitCode::from(u8::from(!report.expectations_hold))
}

/// A flaw by its name, or the list of those there are.
pub fn flaw(name: &str) -> Result<Flaw, String> {
    name.parse().map_err(|_| {
        let names: Vec<&str> = Flaw::ALL.iter().map(|flaw| flaw.name()).collect();
        format!("no such flaw; allowed: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::BAD_INPUT;

    #[test]
    fn bad_input_has_a_status_of_its_own() {
        let missing = RunArgs { scenario: "no-such-file.toml".into(), seed: 1, json: false, flaw: None };
        assert_eq!(run(Command::Run(missing)), ExitCode::from(BAD_INPUT));
    }
}
