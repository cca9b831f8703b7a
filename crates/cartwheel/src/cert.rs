//! `cartwheel cert`: an authority for tests and small clusters, and certificates of it.
//!
//! A node's certificate carries the node's name, which its peers ask for, and the hosts at which clients call it. A
//! client's carries the user's name and no DNS name, so that no client can pass for a node.

mod authority;
mod files;

use std::path::PathBuf;
use std::process::ExitCode;

use rcgen::ExtendedKeyUsagePurpose;

pub use self::authority::{Authority, Subject};
use crate::output::{complain, say};

/// How long certificates are good, unless asked otherwise: a year and a month, so that a yearly renewal has time.
const DAYS: u32 = 397;
/// The same for authorities, which take more trouble to replace.
const AUTHORITY_DAYS: u32 = 3_650;

#[derive(clap::Subcommand)]
#[command(
    after_help = "Exit status: 0 when the files were written, 2 when not. No file is ever written over."
)]
pub enum Command {
    /// Make an authority: `ca.pem`, which everybody may see, and `ca.key`, which nobody should.
    Authority {
        /// Where its files are put.
        dir: PathBuf,
        /// How long it is good.
        #[arg(long, default_value_t = AUTHORITY_DAYS, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: u32,
    },
    /// Make a certificate for a node: `NAME.pem` and `NAME.key`.
    Node {
        /// The node's name, as its configuration has it.
        name: String,
        /// A name or an address by which clients call it.
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        #[command(flatten)]
        files: Files,
    },
    /// Make a certificate for a client: `NAME.pem` and `NAME.key`.
    Client {
        /// The user's name.
        name: String,
        #[command(flatten)]
        files: Files,
    },
}

#[derive(clap::Args)]
pub struct Files {
    /// Where the authority's files are.
    #[arg(long, value_name = "DIR")]
    ca: PathBuf,
    /// How long it is good.
    #[arg(long, default_value_t = DAYS, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// Where the files are put.
    #[arg(short, long, default_value = ".", value_name = "DIR")]
    output: PathBuf,
}

pub fn run(command: Command) -> ExitCode {
    let written = match command {
        Command::Authority { dir, days } => Authority::make(&dir, days),
        Command::Node { name, hosts, files } => issue(&Subject::Node { name, hosts }, &files),
        Command::Client { name, files } => issue(&Subject::Client { name }, &files),
    };
    match written {
        Ok(written) => {
            written.iter().for_each(|file| say(&file.display()));
            ExitCode::SUCCESS
        }
        Err(why) => complain(&format!("cert: {why}")),
    }
}

fn issue(subject: &Subject, Files { ca, days, output }: &Files) -> Result<Vec<PathBuf>, String> {
    Authority::open(ca)?.issue(subject, *days, output)
}

/// A certificate for a node on this machine, for [`DAYS`].
pub fn issue_local(authority: &Authority, name: &str, dir: &std::path::Path) -> Result<Vec<PathBuf>, String> {
    let hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    authority.issue(&Subject::Node { name: name.to_owned(), hosts }, DAYS, dir)
}

/// An authority for nodes on this machine.
pub fn make_local(dir: &std::path::Path) -> Result<Authority, String> {
    Authority::make(dir, AUTHORITY_DAYS)?;
    Authority::open(dir)
}

impl Subject {
    fn name(&self) -> &str {
        match self {
            Self::Node { name, .. } | Self::Client { name } => name,
        }
    }

    fn uses(&self) -> Vec<ExtendedKeyUsagePurpose> {
        match self {
            // It calls its peers, and is called.
            Self::Node { .. } => {
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]
            }
            Self::Client { .. } => vec![ExtendedKeyUsagePurpose::ClientAuth],
        }
    }
}
