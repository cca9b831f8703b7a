//! `cartwheel admin cluster`, and what Riak's operators look at every day.

use std::process::ExitCode;

use cartwheel_node::{AdminAnswer, ChangeKind, ChangeReport, CommitRequest};
use serde_json::{Map, Value};

use super::erlang::term;
use crate::cluster::client::{Client, Failure};
use crate::cluster::{given_up_alive, show};
use crate::output::say;

#[derive(clap::Subcommand)]
pub enum Command {
    /// The members, and what each owns.
    Status,
    /// Prepare to let in a node that has made itself known. (Riak is asked at the newcomer; here any member is, and the
    /// newcomer is named.)
    Join {
        /// The newcomer.
        name: String,
    },
    /// Prepare to let a member give away what it has and leave.
    Leave {
        /// The member; without it, the node that is asked.
        name: Option<String>,
    },
    /// Prepare to give up a dead member, for ever.
    ForceRemove {
        /// The member.
        name: String,
    },
    /// Prepare to let a newcomer take over what a member keeps.
    Replace {
        /// The member.
        name: String,
        /// The newcomer.
        with: String,
    },
    /// The same for a member that is dead.
    ForceReplace {
        /// The member.
        name: String,
        /// The newcomer.
        with: String,
    },
    /// Show what is prepared, and what committing it would move.
    Plan,
    /// Make what is prepared so.
    Commit,
    /// Forget what is prepared.
    Clear,
}

pub async fn run(command: Command, client: &Client) -> Result<ExitCode, Failure> {
    let change = ChangeReport::new;
    let change = match command {
        Command::Status => return member_status(client).await,
        Command::Plan => {
            let answer = client.plan().await?;
            let alive = given_up_alive(client, &answer.staged).await?;
            say(&show::answer(&answer, &alive, "commit it"));
            return Ok(ExitCode::SUCCESS);
        }
        Command::Commit => {
            let plan = client.plan().await?.plan.ok_or_else(|| Failure::new("nothing is prepared"))?;
            let request = CommitRequest { plan: Some(plan.plan) };
            let _: AdminAnswer = client.post("cluster/commit", &request).await?;
            say(&"Cluster changes committed");
            return Ok(ExitCode::SUCCESS);
        }
        Command::Clear => {
            let _: AdminAnswer = client.post("cluster/clear", &()).await?;
            say(&"Cleared staged cluster changes");
            return Ok(ExitCode::SUCCESS);
        }
        Command::Join { name } => change(name, ChangeKind::Join),
        Command::Leave { name } => {
            let name = match name {
                Some(name) => name,
                None => client.cluster().await?.node,
            };
            change(name, ChangeKind::Leave)
        }
        Command::ForceRemove { name } => change(name, ChangeKind::Remove),
        Command::Replace { name, with } => {
            ChangeReport { with: Some(with), ..change(name, ChangeKind::Replace) }
        }
        Command::ForceReplace { name, with } => {
            ChangeReport { with: Some(with), dead: true, ..change(name, ChangeKind::Replace) }
        }
    };
    let answer: AdminAnswer = client.post("cluster/stage", &change).await?;
    let alive = given_up_alive(client, &answer.staged).await?;
    say(&show::answer(&answer, &alive, "commit it"));
    Ok(ExitCode::SUCCESS)
}

pub async fn member_status(client: &Client) -> Result<ExitCode, Failure> {
    say(&show::status(&client.cluster().await?));
    Ok(ExitCode::SUCCESS)
}

pub async fn ring_status(client: &Client) -> Result<ExitCode, Failure> {
    say(&show::ring(&client.cluster().await?));
    Ok(ExitCode::SUCCESS)
}

/// `name : value`, as Riak prints them.
pub async fn stats(client: &Client) -> Result<ExitCode, Failure> {
    let stats: Map<String, Value> = client.get_page("/stats").await?;
    for (name, value) in stats {
        say(&format!("{name} : {}", term(&value)));
    }
    Ok(ExitCode::SUCCESS)
}
