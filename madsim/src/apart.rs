//! Each seed in a process of its own.
//!
//! A thread of its own is not enough. tokio's `select!` begins with a branch that it draws, and seeds each thread's draws from a
//! counter of the whole process, so the second run of a seed in one process would be another one. A process also contains what a
//! run does to it, be it an abort.

use std::io;
use std::process::Command;

use cartwheel_node::Sabotage;

use crate::run::Outcome;

/// The option of this command that runs one seed and prints its [`Outcome`].
pub const ONE: &str = "one";

/// Runs `seed` in a process of its own. One that dies is a run with a problem.
///
/// # Errors
///
/// This command cannot be run again.
pub fn run(seed: u64, sabotage: Option<Sabotage>) -> io::Result<Outcome> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(format!("--{ONE}")).arg(seed.to_string());
    if let Some(sabotage) = sabotage {
        command.arg("--sabotage").arg(sabotage.name());
    }
    let done = command.stderr(std::process::Stdio::inherit()).output()?;
    Ok(serde_json::from_slice(&done.stdout).unwrap_or_else(|_| {
        let mut outcome = Outcome::default();
        outcome.told.problems.push(format!("its process did not end well: {}", done.status));
        outcome
    }))
}
