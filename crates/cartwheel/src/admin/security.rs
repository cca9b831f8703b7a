//! `cartwheel admin security`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use cartwheel_node::{GrantReport, Role, SecurityReport, SecurityRequest, SourceReport};

use super::grid::Grid;
use super::words;
use crate::cluster::client::{Client, Failure};
use crate::output::{complain, say, tell_progress};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Ask everybody who it is, everywhere in the cluster, and let it do only what was granted.
    Enable,
    /// Ask nobody.
    Disable,
    /// Whether anybody is asked.
    Status,
    /// A new user, with `password=PASSWORD`, `groups=GROUP[,GROUP]`.
    AddUser(Named),
    /// Change a user; what is not named stays.
    AlterUser(Named),
    /// No such user any more, nor anything that was granted to it.
    DelUser(Named),
    /// Users, with their groups and what they may do.
    PrintUser(Named),
    /// All users.
    PrintUsers,
    /// A new group, with `groups=GROUP[,GROUP]` that it is part of.
    AddGroup(Named),
    /// Change a group.
    AlterGroup(Named),
    /// No such group any more.
    DelGroup(Named),
    /// A group, and what it may do.
    PrintGroup(Named),
    /// All groups.
    PrintGroups,
    /// Where users may come from, and how they prove who they are.
    AddSource {
        /// Users, or all.
        users: String,
        /// A network, such as 10.0.0.0/8.
        cidr: String,
        /// trust, password or certificate.
        method: String,
    },
    /// They may not come from there any more.
    DelSource {
        /// Users, or all.
        users: String,
        /// The network.
        cidr: String,
    },
    /// All sources.
    PrintSources,
    /// `PERMISSION[,PERMISSION] on any|TYPE [BUCKET] to WHO[,WHO]`
    Grant {
        /// The sentence.
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// `PERMISSION[,PERMISSION] on any|TYPE [BUCKET] from WHO[,WHO]`
    Revoke {
        /// The sentence.
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// What a user or a group may do: on its own, by its groups, and altogether.
    PrintGrants(Named),
}

#[derive(clap::Args)]
pub struct Named {
    /// Who.
    name: String,
    /// key=value
    options: Vec<String>,
}

impl Named {
    fn role(&self) -> Result<Role, String> {
        words::role(&self.name, &self.options)
    }
}

pub async fn run(command: Command, client: &Client) -> Result<ExitCode, Failure> {
    let request = match command {
        Command::Status
        | Command::PrintUser(_)
        | Command::PrintUsers
        | Command::PrintGroup(_)
        | Command::PrintGroups
        | Command::PrintSources
        | Command::PrintGrants(_) => return show(command, &client.get("security").await?),
        Command::Enable => return enable(client).await,
        Command::Disable => Ok(SecurityRequest::Disable),
        Command::AddUser(named) => named.role().map(SecurityRequest::AddUser),
        Command::AlterUser(named) => named.role().map(SecurityRequest::AlterUser),
        Command::DelUser(named) => named.role().map(SecurityRequest::DelUser),
        Command::AddGroup(named) => named.role().map(SecurityRequest::AddGroup),
        Command::AlterGroup(named) => named.role().map(SecurityRequest::AlterGroup),
        Command::DelGroup(named) => named.role().map(SecurityRequest::DelGroup),
        Command::AddSource { users, cidr, method } => {
            Ok(SecurityRequest::AddSource { users: words::roles(&users), cidr, method })
        }
        Command::DelSource { users, cidr } => {
            Ok(SecurityRequest::DelSource { users: words::roles(&users), cidr })
        }
        Command::Grant { words } => words::grant(&words, "to").map(SecurityRequest::Grant),
        Command::Revoke { words } => words::grant(&words, "from").map(SecurityRequest::Revoke),
    };
    match request {
        Ok(request) => tell(&request, client).await,
        Err(why) => Ok(complain(&why)),
    }
}

async fn tell(request: &SecurityRequest, client: &Client) -> Result<ExitCode, Failure> {
    match client.try_post("security", request).await? {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(why) => {
            say(&why);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Turns it on, and says what an operator needs to know who is about to be asked for credentials.
async fn enable(client: &Client) -> Result<ExitCode, Failure> {
    // Afterwards it may be too late to ask.
    let report: SecurityReport = client.get("security").await?;
    let cluster = client.cluster().await?;
    let there =
        cluster.members.iter().filter(|member| ["member", "leaving"].contains(&member.status.as_str()));
    let plain: Vec<&str> =
        there.filter(|member| member.https.is_none()).map(|member| member.name.as_str()).collect();
    let status = tell(&SecurityRequest::Enable, client).await?;
    if status == ExitCode::SUCCESS {
        for line in warnings(&report, &plain) {
            tell_progress(&line);
        }
    }
    Ok(status)
}

fn warnings(report: &SecurityReport, plain: &[&str]) -> Vec<String> {
    let mut lines = vec![
        "security is on, at every node that hears of it: plain HTTP is refused from now on, to operators, too; name https \
         addresses with --node, and --ca"
            .to_owned(),
    ];
    if !plain.is_empty() {
        let nodes = plain.join(", ");
        lines.push(format!("without an https address, so that nobody can ask them anything: {nodes}"));
    }
    match report.admins.as_slice() {
        [] => lines.push(
            "NOBODY may administer the cluster over the network any more: no user that may come from anywhere was granted \
             cartwheel.admin"
                .to_owned(),
        ),
        admins => lines.push(format!("who may administer the cluster: {}", admins.join(", "))),
    }
    if report.admins.is_empty() || !plain.is_empty() {
        lines.push(
            "the way back: `enabled = false` in the file that `security` names in one node's configuration (start it again if \
             it named none) lets everybody in at that node; there `security disable`, or grant what is missing \
             (docs/security.md)"
                .to_owned(),
        );
    }
    lines
}

fn show(command: Command, report: &SecurityReport) -> Result<ExitCode, Failure> {
    match command {
        Command::Status => {
            say(&if report.enabled { "Enabled" } else { "Disabled" });
            if report.enabled != report.enabled_here {
                let here = if report.enabled_here { "asks everybody" } else { "asks nobody" };
                tell_progress(&format!("the asked node {here}: its own file comes first"));
            }
        }
        Command::PrintUsers => say(&users(report, None)),
        Command::PrintUser(Named { name, .. }) if report.users.iter().any(|user| user.name == name) => {
            say(&users(report, Some(&name)));
        }
        Command::PrintUser(Named { name, .. }) => return Ok(unknown("User", &name)),
        Command::PrintGroups => say(&groups(report, None)),
        Command::PrintGroup(Named { name, .. }) if report.groups.iter().any(|group| group.name == name) => {
            say(&groups(report, Some(&name)));
        }
        Command::PrintGroup(Named { name, .. }) => return Ok(unknown("Group", &name)),
        Command::PrintSources => say(&sources(report)),
        Command::PrintGrants(Named { name, .. }) => {
            let name = words::roles(&name).pop().unwrap_or_default();
            let known = report.users.iter().chain(&report.groups).any(|role| role.name == name);
            if !known && name != "all" {
                return Ok(unknown("Name", &name));
            }
            say(&grants(report, &name));
        }
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(what: &str, name: &str) -> ExitCode {
    say(&format!("{what} not recognized: {name}"));
    ExitCode::FAILURE
}

fn one(text: impl Into<String>) -> Vec<String> {
    vec![text.into()]
}

fn users(report: &SecurityReport, only: Option<&str>) -> Grid {
    let mut grid = Grid::new(&[("username", 20), ("groups", 20), ("password", 20), ("options", 20)]);
    for user in report.users.iter().filter(|user| only.is_none_or(|only| only == user.name)) {
        // Neither it nor its hash is anybody's business.
        let password = if user.has_password { "********" } else { "" };
        grid.row(vec![one(&user.name), user.groups.iter().cloned().collect(), one(password), one("[]")]);
    }
    grid
}

fn groups(report: &SecurityReport, only: Option<&str>) -> Grid {
    let mut grid = Grid::new(&[("group", 20), ("groups", 20), ("options", 20)]);
    for group in report.groups.iter().filter(|group| only.is_none_or(|only| only == group.name)) {
        grid.row(vec![one(&group.name), group.groups.iter().cloned().collect(), one("[]")]);
    }
    grid
}

fn sources(report: &SecurityReport) -> Grid {
    let mut together: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for SourceReport { user, cidr, method } in &report.sources {
        together.entry((cidr, method)).or_default().push(user.clone());
    }
    let mut grid = Grid::new(&[("users", 20), ("cidr", 18), ("source", 11), ("options", 10)]);
    for ((cidr, method), users) in together {
        grid.row(vec![users, one(cidr), one(method), one("[]")]);
    }
    grid
}

/// Riak's three tables: by its groups, by itself, and both together.
fn grants(report: &SecurityReport, name: &str) -> String {
    let kind = if report.groups.iter().any(|group| group.name == name) { "group" } else { "user" };
    let inherited = groups_of(report, name);
    let place = |grant: &GrantReport| {
        let bucket_type = grant.bucket_type.clone().unwrap_or_else(|| "ANY".to_owned());
        (bucket_type, grant.bucket.clone().unwrap_or_else(|| "*".to_owned()))
    };
    let words = |grant: &GrantReport| grant.permissions.iter().cloned().collect::<Vec<_>>();
    let mut of_groups = Grid::new(&[("group", 20), ("type", 10), ("bucket", 10), ("grants", 40)]);
    let mut own = Grid::new(&[("type", 10), ("bucket", 10), ("grants", 40)]);
    let mut all: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for grant in &report.grants {
        let (bucket_type, bucket) = place(grant);
        if grant.role == name {
            own.row(vec![one(&bucket_type), one(&bucket), words(grant)]);
        } else if grant.role == "all" || inherited.contains(grant.role.as_str()) {
            of_groups.row(vec![one(&grant.role), one(&bucket_type), one(&bucket), words(grant)]);
        } else {
            continue;
        }
        all.entry((bucket_type, bucket)).or_default().extend(grant.permissions.iter().cloned());
    }
    let mut cumulative = Grid::new(&[("type", 10), ("bucket", 10), ("grants", 40)]);
    for ((bucket_type, bucket), permissions) in all {
        cumulative.row(vec![one(bucket_type), one(bucket), permissions.into_iter().collect()]);
    }
    format!(
        "Inherited permissions ({kind}/{name})\n\n{of_groups}\n\nDedicated permissions ({kind}/{name})\n\n{own}\n\n\
         Cumulative permissions ({kind}/{name})\n\n{cumulative}"
    )
}

/// The groups that somebody is in, theirs included.
fn groups_of<'a>(report: &'a SecurityReport, name: &str) -> BTreeSet<&'a str> {
    let of = |name: &str| {
        let role = report.users.iter().chain(&report.groups).find(|role| role.name == name);
        role.into_iter().flat_map(|role| role.groups.iter().map(String::as_str))
    };
    let (mut found, mut open) = (BTreeSet::new(), of(name).collect::<Vec<&str>>());
    while let Some(group) = open.pop() {
        if found.insert(group) {
            open.extend(of(group));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_turns_it_on_is_told_how_to_get_in_again() {
        let locked_out = warnings(&SecurityReport::default(), &["n1"]).join("\n");
        for said in [
            "plain HTTP is refused",
            "nobody can ask them anything: n1",
            "NOBODY may administer",
            "the way back",
        ] {
            assert!(locked_out.contains(said), "{locked_out}");
        }
        let report = SecurityReport { admins: vec!["oscar".to_owned()], ..SecurityReport::default() };
        let fine = warnings(&report, &[]).join("\n");
        assert!(
            fine.contains("who may administer the cluster: oscar") && !fine.contains("the way back"),
            "{fine}"
        );
    }
}
