//! `cartwheel cluster`: what operators see of a cluster, and how they change it.

pub mod access;
pub mod client;
pub mod show;
mod transfers;

use std::process::ExitCode;

use cartwheel_node::{
    AdminAnswer, BackupReport, BackupRequest, ChangeKind, ChangeReport, ClusterReport, CommitRequest,
    PlanReport, Report,
};
use serde::Serialize;

use self::client::{Client, Failure};
use crate::output::{complain, fail, say};

#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 when it was done, 1 when the cluster refused it or could not be asked, 2 on bad input."
)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    access: access::Args,
    /// Print what the node answered, as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show the members: how they stand, what they own, whether they answer.
    Status,
    /// Prepare to let in a node that has made itself known.
    Join {
        /// The node.
        name: String,
        #[command(flatten)]
        share: Share,
    },
    /// Prepare to let a member give away what it has and leave.
    Leave {
        /// The member.
        name: String,
    },
    /// Prepare to let a newcomer take over exactly what a member keeps.
    Replace {
        /// The member.
        name: String,
        /// The newcomer.
        with: String,
        /// The member is dead: it is not waited for, and never returns; what it had is fetched from the others.
        #[arg(long)]
        dead: bool,
    },
    /// Prepare to give up a dead member, for ever. Its partitions go to the others.
    Remove {
        /// The member.
        name: String,
    },
    /// Prepare another weight or zone of a member.
    Set {
        /// The member.
        name: String,
        #[command(flatten)]
        share: Share,
    },
    /// Show what is prepared, and what committing it would move.
    Plan,
    /// Make what is prepared so. Commits exactly the plan that it shows.
    Commit {
        /// Commit this plan, as `plan` named it, or nothing.
        #[arg(long, value_name = "PLAN")]
        plan: Option<String>,
    },
    /// Forget what is prepared.
    Clear,
    /// Show what moves between nodes.
    Transfers {
        /// Go on until nothing moves any more.
        #[arg(long)]
        watch: bool,
    },
    /// Show what nodes keep for others that were away.
    Hints,
    /// Show what nodes compare, and have found to differ.
    AntiEntropy,
    /// Show who owns which partition, now and next.
    Ring,
    /// Have the asked node copy its data to its directory of backups, while it goes on serving.
    Backup {
        /// What the copy is called.
        name: String,
    },
}

#[derive(clap::Args)]
struct Share {
    /// How much it keeps, relative to the others.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    weight: Option<u16>,
    /// Nodes of one zone fail together; copies are spread over zones.
    #[arg(long)]
    zone: Option<String>,
}

pub fn run(args: Args) -> ExitCode {
    if let Command::Set { share: Share { weight: None, zone: None }, .. } = args.command {
        return complain(&"cluster set: nothing to set; give --weight, --zone or both");
    }
    let client = match args.access.client() {
        Ok(client) => client,
        Err(why) => return complain(&why),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    match runtime.block_on(carry_out(args, client)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

async fn carry_out(Args { command, json, .. }: Args, client: Client) -> Result<(), Failure> {
    let change = ChangeReport::new;
    match command {
        Command::Status => {
            let cluster = client.cluster().await?;
            tell(json, &cluster, show::status)
        }
        Command::Ring => {
            let cluster = client.cluster().await?;
            tell(json, &cluster, show::ring)
        }
        Command::Backup { name } => {
            let copied: BackupReport = client.post_patiently("backup", &BackupRequest { name }).await?;
            tell(json, &copied, |BackupReport { path, records, bytes }| {
                format!("copied {records} keys, {bytes} bytes, to {path} on the node's machine")
            })
        }
        Command::Hints => tell(json, &survey(&client).await?, show::hints),
        Command::AntiEntropy => tell(json, &survey(&client).await?, show::anti_entropy),
        Command::Transfers { watch } => transfers::run(&client, watch, json).await,
        Command::Join { name, share: Share { weight, zone } } => {
            stage(&client, json, ChangeReport { weight, zone, ..change(name, ChangeKind::Join) }).await
        }
        Command::Set { name, share: Share { weight, zone } } => {
            stage(&client, json, ChangeReport { weight, zone, ..change(name, ChangeKind::Set) }).await
        }
        Command::Leave { name } => stage(&client, json, change(name, ChangeKind::Leave)).await,
        Command::Remove { name } => stage(&client, json, change(name, ChangeKind::Remove)).await,
        Command::Replace { name, with, dead } => {
            stage(&client, json, ChangeReport { with: Some(with), dead, ..change(name, ChangeKind::Replace) })
                .await
        }
        Command::Plan => {
            let answer = client.plan().await?;
            let alive = given_up_alive(&client, &answer.staged).await?;
            tell(json, &answer, |answer| show::answer(answer, &alive, "commit it"))
        }
        Command::Commit { plan } => commit(&client, json, plan).await,
        Command::Clear => {
            let answer: AdminAnswer = client.post("cluster/clear", &()).await?;
            tell(json, &answer, |_| "nothing is prepared any more".to_owned())
        }
    }
}

async fn stage(client: &Client, json: bool, change: ChangeReport) -> Result<(), Failure> {
    let answer: AdminAnswer = client.post("cluster/stage", &change).await?;
    let alive = given_up_alive(client, &answer.staged).await?;
    tell(json, &answer, |answer| show::answer(answer, &alive, "commit it"))
}

/// Of the members that are to be given up as dead, those that the asked node finds alive.
pub async fn given_up_alive(client: &Client, changes: &[ChangeReport]) -> Result<Vec<String>, Failure> {
    let dead: Vec<&String> = changes
        .iter()
        .filter(|change| change.dead || change.change == ChangeKind::Remove)
        .map(|change| &change.node)
        .collect();
    if dead.is_empty() {
        return Ok(Vec::new());
    }
    let members = client.cluster().await?.members;
    let alive = members.into_iter().filter(|member| ["alive", "self"].contains(&member.seen.as_str()));
    Ok(alive.map(|member| member.name).filter(|name| dead.contains(&name)).collect())
}

/// Shows the plan, then commits exactly that one.
async fn commit(client: &Client, json: bool, asked: Option<String>) -> Result<(), Failure> {
    let shown: Option<PlanReport> = client.plan().await?.plan;
    let Some(shown) = shown else { return Err(Failure::new("nothing is prepared")) };
    if let Some(asked) = asked.filter(|asked| *asked != shown.plan) {
        let now = shown.plan;
        return Err(Failure::new(format!(
            "plan {asked} is not what is prepared: that is {now}; look at `plan` again"
        )));
    }
    if !json {
        say(&show::plan(&shown, &given_up_alive(client, &shown.changes).await?));
    }
    let request = CommitRequest { plan: Some(shown.plan) };
    let answer: AdminAnswer = client.post("cluster/commit", &request).await?;
    tell(json, &answer, |_| {
        format!("committed; see it happen: cartwheel cluster transfers --watch --node {client}")
    })
}

fn tell<T: Serialize>(json: bool, what: &T, show: impl FnOnce(&T) -> String) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string_pretty(what).map_err(|error| Failure::new(error.to_string()))?;
        say(&text);
    } else {
        say(&show(what));
    }
    Ok(())
}

/// The asked node's view of the cluster, and what each member says of itself.
#[derive(Serialize)]
pub struct Survey {
    cluster: ClusterReport,
    nodes: Vec<Surveyed>,
}

#[derive(Serialize)]
pub struct Surveyed {
    name: String,
    http: Option<String>,
    /// Why there is no report.
    silent: Option<String>,
    report: Option<Report>,
}

/// Asks every member that is not gone.
async fn survey(client: &Client) -> Result<Survey, Failure> {
    let cluster = client.cluster().await?;
    let there =
        cluster.members.iter().filter(|member| !["left", "removed"].contains(&member.status.as_str()));
    let mut asked = tokio::task::JoinSet::new();
    for (index, member) in there.enumerate() {
        let http = if client.is_private() { member.https.clone() } else { member.http.clone() };
        let (name, sibling) = (member.name.clone(), http.as_deref().map(|http| client.sibling(http)));
        asked.spawn(async move {
            let report = match sibling {
                Some(Ok(client)) => client.get::<Report>("status").await.map_err(|error| error.to_string()),
                _ => Err("it has told nobody where it answers HTTP".to_owned()),
            };
            let (report, silent) = match report {
                Ok(report) => (Some(report), None),
                Err(why) => (None, Some(why)),
            };
            (index, Surveyed { name, http, silent, report })
        });
    }
    let mut nodes = asked.join_all().await;
    nodes.sort_by_key(|(index, _)| *index);
    Ok(Survey { cluster, nodes: nodes.into_iter().map(|(_, node)| node).collect() })
}
