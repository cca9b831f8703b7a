//! `cartwheel config`: configuration files of nodes, before a node reads them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cartwheel_node::Settings;

use crate::output::{complain, say};
use crate::serve::environment;

/// What to do with a configuration file.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Say whether a node would start with each of these files, and what is wrong if not.
    ///
    /// Settings from the environment (CARTWHEEL_SET_HTTP and the like) count as they would for the node. Exit status: 0
    /// when all are good, 2 when one is not.
    Check {
        /// The files (TOML).
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print what holds: the file, with the environment's settings in their places.
    Show {
        /// The file (TOML).
        file: PathBuf,
    },
    /// Print a file with every setting, its default, and what it means.
    Example,
}

pub fn run(command: &Command) -> ExitCode {
    match command {
        Command::Check { files } => {
            let checked: Vec<bool> = files.iter().map(|file| check(file)).collect();
            if checked.iter().all(|good| *good) {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(crate::output::BAD_INPUT)
            }
        }
        Command::Show { file } => match Settings::load_with(file, environment()) {
            Ok(settings) => match toml::to_string(&settings.file) {
                Ok(text) => {
                    say(&text.trim_end());
                    ExitCode::SUCCESS
                }
                Err(error) => complain(&error),
            },
            Err(error) => complain(&error),
        },
        Command::Example => {
            say(&example().trim_end());
            ExitCode::SUCCESS
        }
    }
}

fn check(path: &Path) -> bool {
    let settings = Settings::load_with(path, environment()).map_err(|error| error.to_string());
    let checked = settings.and_then(|settings| {
        let file = path.display();
        cartwheel_node::check_files(&settings).map_err(|error| format!("{file}: {error}"))?;
        Ok(settings.file)
    });
    let file = match checked {
        Ok(file) => file,
        Err(error) => {
            // Its status is that of all of them.
            _ = complain(&error);
            return false;
        }
    };
    let (node, cluster, founders) = (&file.node, &file.cluster, file.members.len());
    let role = if file.is_founder() { "a founder" } else { "a newcomer" };
    say(&format!(
        "{}: good; node {node}, {role} of cluster {cluster}, which has {founders} founders",
        path.display()
    ));
    true
}

/// The one that the documentation explains.
fn example() -> &'static str {
    let docs = include_str!("../../../docs/node.md");
    let block = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    block.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_good_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("node.toml");
        std::fs::write(&path, example()).expect("written");
        assert!(Settings::load(&path).is_ok(), "{:?}", Settings::load(&path));
    }
}
