//! `cartwheel security`: what an operator needs to write a file with users.

use std::io::BufRead;
use std::process::ExitCode;

use crate::output::{complain, say};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Read a password from standard input, up to the end of the line, and print its hash.
    Hash,
}

pub fn run(command: &Command) -> ExitCode {
    match command {
        Command::Hash => hash(),
    }
}

fn hash() -> ExitCode {
    let mut line = String::new();
    if let Err(error) = std::io::stdin().lock().read_line(&mut line) {
        return complain(&format!("security hash: standard input: {error}"));
    }
    match line.trim_end_matches(['\r', '\n']) {
        "" => complain(&"security hash: no password; give one line on standard input"),
        password => {
            say(&cartwheel_node::hash_password(password));
            ExitCode::SUCCESS
        }
    }
}
