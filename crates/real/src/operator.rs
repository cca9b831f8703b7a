//! Operators who change who the members are, with the command that people use, and try again until it is done.

use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::world::World;

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Join(String),
    Leave(String),
    Replace { node: String, with: String, dead: bool },
    Remove(String),
}

impl Change {
    /// As it is typed.
    fn words(&self) -> Vec<String> {
        let words: Vec<&str> = match self {
            Self::Join(node) => vec!["join", node],
            Self::Leave(node) => vec!["leave", node],
            Self::Replace { node, with, dead: false } => vec!["replace", node, with],
            Self::Replace { node, with, dead: true } => vec!["replace", node, with, "--dead"],
            Self::Remove(node) => vec!["remove", node],
        };
        words.into_iter().map(str::to_owned).collect()
    }
}

/// One operator for the whole cluster, who does one thing after another.
#[derive(Debug, Default)]
pub struct Operator {
    wanted: Vec<Change>,
    /// Why it did not go the last time.
    pub refused: String,
}

impl Operator {
    /// One thing more.
    pub fn wants(&mut self, change: Change) {
        self.wanted.push(change);
    }

    /// What is still to be done.
    pub fn open(&self) -> &[Change] {
        &self.wanted
    }

    /// Tries to do the next thing.
    pub async fn work(&mut self, world: &World) {
        let Some(change) = self.wanted.first() else { return };
        let Some((number, report)) = world.cluster().await else { return };
        if report.ring.phase != "settled" && !matches!(change, Change::Remove(_)) {
            return;
        }
        let url = format!("http://{}", world.nodes[number].http);
        let mut done = cartwheel(world, change.words(), &url).await;
        if done.is_ok() {
            done = cartwheel(world, vec!["commit".to_owned()], &url).await;
        }
        match done {
            Ok(()) => drop(self.wanted.remove(0)),
            Err(why) => {
                self.refused = why;
                // What was prepared and cannot be committed is in nobody's way.
                _ = cartwheel(world, vec!["clear".to_owned()], &url).await;
            }
        }
    }
}

async fn cartwheel(world: &World, words: Vec<String>, url: &str) -> Result<(), String> {
    let mut command = Command::new(&world.binary);
    command.arg("cluster").args(words).args(["--node", url]).stdin(Stdio::null());
    let Output { status, stderr, .. } = command.output().await.map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&stderr).trim_end().to_owned()) }
}
