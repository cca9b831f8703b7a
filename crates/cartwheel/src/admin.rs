//! `cartwheel admin`: the words of `riak admin`, for scripts and hands that know them.
//!
//! Arguments, what is printed and the exit status are Riak's: results on standard output, 0 when it was done and 1 when
//! it was not. What Riak does on the node's own machine is asked of a node over HTTP here, as with `cartwheel cluster`.

mod bucket_type;
mod cluster;
mod erlang;
mod grid;
mod security;
mod words;

use std::process::ExitCode;

use crate::cluster::access;
use crate::cluster::client::{Client, Failure};
use crate::output::{complain, fail};

#[derive(clap::Args)]
#[command(after_help = "Exit status: 0 when it was done, 1 when it was not, 2 on bad input.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    access: access::Args,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Bucket types: names for buckets that are alike, with properties of their own.
    #[command(subcommand)]
    BucketType(bucket_type::Command),
    /// Users, groups, where they come from, and what they may do.
    #[command(subcommand)]
    Security(security::Command),
    /// Who the members are, in Riak's words. `cartwheel cluster` says and does more.
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// How the asked node fares, a line for each number.
    #[command(alias = "stats")]
    Status,
    /// The members, and what each owns.
    MemberStatus,
    /// Who owns which partition.
    RingStatus,
}

pub fn run(args: Args) -> ExitCode {
    let Args { command, access } = args;
    let client = match access.client() {
        Ok(client) => client,
        Err(why) => return complain(&why),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    match runtime.block_on(carry_out(command, &client)) {
        Ok(status) => status,
        Err(failure) => fail(&failure),
    }
}

async fn carry_out(command: Command, client: &Client) -> Result<ExitCode, Failure> {
    match command {
        Command::BucketType(command) => bucket_type::run(command, client).await,
        Command::Security(command) => security::run(command, client).await,
        Command::Cluster(command) => cluster::run(command, client).await,
        Command::Status => cluster::stats(client).await,
        Command::MemberStatus => cluster::member_status(client).await,
        Command::RingStatus => cluster::ring_status(client).await,
    }
}
