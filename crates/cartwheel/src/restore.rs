//! `cartwheel restore`: a backup in the place of a node's data.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cartwheel_node::Settings;

use crate::output::{complain, say};
use crate::serve::environment;

/// Copies a backup (`cartwheel cluster backup`) to where a node keeps its data. The node must not run, and must have no
/// data. To bring back one node of a cluster that goes on, use no backup: start it with an empty disk. To bring back a
/// whole cluster, restore every node before you start any.
#[derive(clap::Args)]
pub struct Args {
    /// The backup, a directory.
    backup: PathBuf,
    /// The node's configuration file (TOML).
    #[arg(long)]
    config: PathBuf,
}

pub fn run(Args { backup, config }: &Args) -> ExitCode {
    let file = match Settings::load_with(config, environment()) {
        Ok(settings) => settings.file,
        Err(error) => return complain(&error),
    };
    match restore(backup, &file.data, &file.cluster, &file.node) {
        Ok(()) => {
            say(&format!("{} is in its place as {}; start the node", backup.display(), file.data.display()));
            ExitCode::SUCCESS
        }
        Err(why) => complain(&why),
    }
}

fn restore(backup: &Path, data: &Path, cluster: &str, node: &str) -> Result<(), String> {
    let identity = fs::read_to_string(backup.join("identity"))
        .map_err(|error| format!("{}: no backup: its identity cannot be read: {error}", backup.display()))?;
    let field = |name: &str| {
        let line = identity.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")));
        line.unwrap_or_default().to_owned()
    };
    let (of_cluster, of_node) = (field("cluster"), field("node"));
    if (of_cluster.as_str(), of_node.as_str()) != (cluster, node) {
        return Err(format!(
            "{}: a backup of node {of_node:?} of cluster {of_cluster:?}; the configuration is of {node:?} of {cluster:?}",
            backup.display()
        ));
    }
    if data.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!("{}: there is data in its place; move it away first", data.display()));
    }
    // Beside its place first, then renamed: it is there as a whole or not at all.
    let mut partial = data.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let failed = |error: io::Error| format!("{}: {error}", partial.display());
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(failed)?;
    }
    copy(backup, &partial).map_err(failed)?;
    if data.exists() {
        fs::remove_dir(data).map_err(|error| format!("{}: {error}", data.display()))?;
    }
    fs::rename(&partial, data).map_err(failed)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
            File::open(&to)?.sync_all()?;
        }
    }
    File::open(to)?.sync_all()
}
