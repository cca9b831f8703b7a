//! The `cartwheel` command.

mod admin;
mod cert;
mod cluster;
mod config;
mod dev;
mod flight;
mod fuzz;
mod museum;
mod output;
mod real;
mod record;
mod replay;
mod restore;
mod security;
mod serve;
mod shrink;
mod sim;
mod sweep;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An always-writable, leaderless key-value store after Amazon's Dynamo, and the simulator that proves it.
#[derive(Parser)]
#[command(name = "cartwheel", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one node of a cluster.
    Serve(serve::Args),
    /// Run a cluster on this machine, each node a process of its own.
    Dev(dev::Args),
    /// Look at a cluster, and change who its members are.
    Cluster(cluster::Args),
    /// Bucket types, users and the rest, in the words of `riak admin`.
    Admin(admin::Args),
    /// Make certificates for nodes and clients.
    #[command(subcommand)]
    Cert(cert::Command),
    /// Help with users and what they may do.
    #[command(subcommand)]
    Security(security::Command),
    /// Look at configuration files of nodes before a node does.
    #[command(subcommand)]
    Config(config::Command),
    /// Put a backup in the place of a node's data.
    Restore(restore::Args),
    /// Replay a failure scenario by seed.
    #[command(subcommand)]
    Sim(sim::Command),
    /// Play a scenario on real nodes: processes that are killed, namespaces that are cut, disks that are full.
    Real(real::Args),
    /// Run a scenario, or what real nodes recorded, until a moment, and show what every node holds of a key, owes and believes.
    Replay(replay::Args),
    /// Replay a scenario, or the general swarm, with many seeds and report those that fail.
    Fuzz(fuzz::Args),
    /// Plant real bugs of real systems, one after the other, and see each of them found.
    Museum(museum::Args),
    /// Run a scenario with many settings and seeds, and write a table with a row for each run.
    Sweep(sweep::Args),
    /// Turn a seed that fails into the smallest scenario file that fails in the same way.
    Shrink(shrink::Args),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Dev(args) => dev::run(args),
        Command::Cluster(args) => cluster::run(args),
        Command::Admin(args) => admin::run(args),
        Command::Cert(command) => cert::run(command),
        Command::Security(command) => security::run(&command),
        Command::Config(command) => config::run(&command),
        Command::Restore(args) => restore::run(&args),
        Command::Sim(command) => sim::run(command),
        Command::Real(args) => real::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Museum(args) => museum::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Shrink(args) => shrink::run(&args),
    }
}
