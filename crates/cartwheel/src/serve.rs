//! `cartwheel serve`: one node.

use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;

use cartwheel_node::degraded::{self, Retries};
use cartwheel_node::{LogFormat, RunError, Settings, StartError};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::output::complain;

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 after SIGTERM or ctrl-c, 1 when the node broke down, 2 when it was not started. A node whose store \
                  fails (a full disk) says so, and tries again."
)]
pub struct Args {
    /// The node's configuration file (TOML).
    #[arg(long)]
    config: PathBuf,
}

pub fn run(Args { config }: Args) -> ExitCode {
    let settings = match Settings::load_with(&config, environment()) {
        Ok(settings) => settings,
        Err(error) => return complain(&error),
    };
    start_log(settings.file.log);
    raise_file_limit(settings.file.connections_max);
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(serve(settings)),
        Err(error) => complain(&format!("cannot start: {error}")),
    }
}

/// Each connection is an open file; most systems allow more of them to whoever asks.
fn raise_file_limit(connections_max: u32) {
    /// Peers, and the store's files.
    const BESIDE: u64 = 2_000;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // What cannot be raised stays as it was.
    _ = setrlimit(Resource::Nofile, limit);
    let wanted = u64::from(connections_max) + BESIDE;
    if let Some(allowed) = getrlimit(Resource::Nofile).current.filter(|allowed| *allowed < wanted) {
        tracing::warn!(allowed, wanted, "the system allows fewer open files than connections_max takes");
    }
}

async fn serve(settings: Settings) -> ExitCode {
    // Listened for from the beginning: a signal that comes while the store is opened is not missed.
    let stop = match stop_signal() {
        Ok(stop) => stop,
        Err(error) => return complain(&format!("cannot listen to signals: {error}")),
    };
    let mut stop = pin!(stop);
    let node = settings.file.node.clone();
    let mut retries = Retries::default();
    let mut has_run = false;
    loop {
        let degraded = match cartwheel_node::start(settings.clone()).await {
            Ok(running) => {
                has_run = true;
                let https = running.https.map(tracing::field::display);
                let pb = running.pb.map(tracing::field::display);
                tracing::info!(node, http = %running.http, https, pb, peer = %running.peer, "ready");
                match running.run_until(stop.as_mut()).await {
                    Ok(()) => break,
                    Err(RunError::Outdated { seen, number }) => match put_aside(&settings, seen, number) {
                        Ok(()) => continue,
                        Err(error) => return broke_down(&node, &error),
                    },
                    Err(error @ RunError::StoreFailed) => error.to_string(),
                    Err(error) => return broke_down(&node, &error.to_string()),
                }
            }
            Err(StartError::Damaged) => match cartwheel_node::salvage(&settings) {
                Ok(what) => {
                    tracing::error!(
                        node,
                        "its data is damaged: {what}; the node goes on, and fetches from the others what it should hold"
                    );
                    continue;
                }
                Err(error) if has_run => error.to_string(),
                Err(error) => return complain(&format!("node {node:?} was not started: {error}")),
            },
            Err(error) if has_run => error.to_string(),
            Err(error) => return complain(&format!("node {node:?} was not started: {error}")),
        };
        let pause = retries.pause(std::time::Instant::now());
        tracing::error!(node, error = degraded, ?pause, "degraded: takes no part, and tries again");
        tokio::select! {
            () = degraded::answer_for(settings.file.http, &degraded, pause) => {}
            () = stop.as_mut() => return broke_down(&node, &degraded),
        }
    }
    tracing::info!(node, "stopped");
    ExitCode::SUCCESS
}

fn broke_down(node: &str, error: &str) -> ExitCode {
    tracing::error!(node, error, "stopped");
    ExitCode::FAILURE
}

/// The data is an old copy. Nothing of it is lost, and nothing of it comes back: the next start fetches from the other
/// nodes what this one should hold.
fn put_aside(settings: &Settings, seen: u64, number: u64) -> Result<(), String> {
    let data = settings.file.data.display();
    let aside = cartwheel_node::set_aside(settings)
        .map_err(|error| format!("{data} is an old copy, and cannot be put aside: {error}"))?;
    let aside = aside.display();
    tracing::warn!(
        "{data} is an old copy: this is start {number} of it, and peers have seen start {seen}; it is put aside as \
         {aside}, and the node fetches what it should hold from the others"
    );
    Ok(())
}

/// All variables that are text.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Comes with SIGTERM or SIGINT.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// To standard error; `RUST_LOG` overrules what is shown.
fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A line that cannot be written (the disk of the log is full) is lost. Complaining of that to the same place would panic.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    match format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => log.json().init(),
    }
}
