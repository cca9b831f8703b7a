//! What operators say of users and grants, in the words of `riak admin security`, and what becomes of the entries.

use std::collections::{BTreeMap, BTreeSet};

use cartwheel_core::membership::{Bucket, Metadata, Opaque};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::file::introduce;
use super::password::PasswordHash;
use super::policy::{Permission, Policy, Scope};
use super::shared::{ALL, Entry, GroupSaid, SourceSaid, UserSaid, entries, method, policy_of};

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "op", deny_unknown_fields)]
pub enum SecurityRequest {
    /// Ask everybody who it is.
    Enable,
    /// Ask nobody.
    Disable,
    /// A new user.
    AddUser(Role),
    /// Change a user: what is not named stays.
    AlterUser(Role),
    /// No such user any more, nor what it was granted.
    DelUser(Role),
    /// A new group.
    AddGroup(Role),
    /// Change a group.
    AlterGroup(Role),
    /// No such group any more; nobody is in it.
    DelGroup(Role),
    /// Where users may come from, and how they prove who they are.
    AddSource {
        /// Users, or `all`.
        users: Vec<String>,
        /// A network.
        cidr: String,
        /// `trust`, `password` or `certificate`.
        method: String,
    },
    /// They may not any more.
    DelSource {
        /// Users, or `all`.
        users: Vec<String>,
        /// A network.
        cidr: String,
    },
    /// Allow something.
    Grant(Grant),
    /// Allow it no more.
    Revoke(Grant),
}

/// A user or a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// A user's password, as `cartwheel security hash` makes it unreadable. Empty: it has none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// The groups that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<BTreeSet<String>>,
}

/// What is allowed, where and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Riak's names and `cartwheel.admin`; `all`: all of Riak's.
    pub permissions: Vec<String>,
    /// Without it everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_type: Option<String>,
    /// Without it in all buckets of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Users and groups, or `all`.
    pub roles: Vec<String>,
}

/// What the cluster says, for operators. No password, and no hash of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityReport {
    /// What the cluster says.
    pub enabled: bool,
    /// What holds at the asked node, whose file comes first.
    pub enabled_here: bool,
    /// Whether the asked node has a file with users.
    pub has_file: bool,
    /// Users that may administer the cluster, those in the asked node's file included.
    pub admins: Vec<String>,
    /// Users.
    pub users: Vec<RoleReport>,
    /// Groups.
    pub groups: Vec<RoleReport>,
    /// Where users come from.
    pub sources: Vec<SourceReport>,
    /// What is allowed.
    pub grants: Vec<GrantReport>,
}

/// A user or a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleReport {
    /// Its name.
    pub name: String,
    /// The groups that it is in.
    pub groups: BTreeSet<String>,
    /// Whether it has a password.
    pub has_password: bool,
}

/// Where somebody may come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// A user, or `all`.
    pub user: String,
    /// The network.
    pub cidr: String,
    /// `trust`, `password` or `certificate`.
    pub method: String,
}

/// What is allowed to one in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantReport {
    /// A user, a group or `all`.
    pub role: String,
    /// Without it everywhere.
    pub bucket_type: Option<String>,
    /// Without it in all buckets of the type.
    pub bucket: Option<String>,
    /// What is allowed.
    pub permissions: BTreeSet<String>,
}

/// Entries that change; those that are `None` go.
pub(crate) type Changes = Vec<(Vec<u8>, Option<Opaque>)>;

/// What becomes of the entries if this is wanted.
///
/// # Errors
///
/// Why it cannot be, in Riak's words where Riak has some.
pub(crate) fn changes(metadata: &Metadata, request: SecurityRequest) -> Result<Changes, String> {
    let mut draft = Draft { before: entries(metadata), changes: Changes::new() };
    match request {
        SecurityRequest::Enable => draft.say(&Entry::Enabled, &true),
        SecurityRequest::Disable => draft.say(&Entry::Enabled, &false),
        SecurityRequest::AddUser(role) => draft.user(role, Known::No)?,
        SecurityRequest::AlterUser(role) => draft.user(role, Known::Yes)?,
        SecurityRequest::DelUser(role) => draft.forget(&Entry::User(role.name))?,
        SecurityRequest::AddGroup(role) => draft.group(role, Known::No)?,
        SecurityRequest::AlterGroup(role) => draft.group(role, Known::Yes)?,
        SecurityRequest::DelGroup(role) => draft.forget(&Entry::Group(role.name))?,
        SecurityRequest::AddSource { users, cidr, method } => draft.source(&users, &cidr, &method)?,
        SecurityRequest::DelSource { users, cidr } => draft.no_source(&users, &cidr)?,
        SecurityRequest::Grant(grant) => draft.grant(&grant)?,
        SecurityRequest::Revoke(grant) => draft.revoke(&grant)?,
    }
    Ok(draft.changes)
}

/// Whether somebody has to be known already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    No,
    Yes,
}

struct Draft {
    before: BTreeMap<Entry, Vec<u8>>,
    changes: Changes,
}

impl Draft {
    fn say(&mut self, entry: &Entry, what: &impl Serialize) {
        // Maps whose keys are no text would fail; there are none.
        let said = serde_json::to_vec(what).unwrap_or_default();
        self.changes.push((entry.name(), Some(Opaque(said))));
    }

    fn said<T: for<'a> Deserialize<'a> + Default>(&self, entry: &Entry) -> T {
        self.before.get(entry).and_then(|said| serde_json::from_slice(said).ok()).unwrap_or_default()
    }

    fn has_user(&self, name: &str) -> bool {
        self.before.contains_key(&Entry::User(name.to_owned()))
    }

    fn has_group(&self, name: &str) -> bool {
        self.before.contains_key(&Entry::Group(name.to_owned()))
    }

    fn user(&mut self, Role { name, password_hash, groups }: Role, known: Known) -> Result<(), String> {
        self.check_name("user", &name, known, self.has_user(&name))?;
        self.check_groups(groups.as_ref())?;
        let entry = Entry::User(name);
        let mut said: UserSaid = self.said(&entry);
        if let Some(hash) = password_hash {
            hash.parse::<PasswordHash>().map_err(|why| format!("password: {why}"))?;
            said.password = Some(hash);
        }
        said.groups = groups.unwrap_or(said.groups);
        self.say(&entry, &said);
        Ok(())
    }

    fn group(&mut self, Role { name, password_hash, groups }: Role, known: Known) -> Result<(), String> {
        if password_hash.is_some() {
            return Err("groups have no passwords".to_owned());
        }
        self.check_name("group", &name, known, self.has_group(&name))?;
        self.check_groups(groups.as_ref())?;
        let entry = Entry::Group(name);
        let before: GroupSaid = self.said(&entry);
        self.say(&entry, &GroupSaid { groups: groups.unwrap_or(before.groups) });
        Ok(())
    }

    fn check_name(&self, what: &str, name: &str, known: Known, is_known: bool) -> Result<(), String> {
        match known {
            Known::Yes if is_known => Ok(()),
            Known::Yes if what == "user" => Err(format!("User not recognized: {name}")),
            Known::Yes => Err(format!("Group not recognized: {name}")),
            Known::No if self.has_user(name) || self.has_group(name) => {
                Err("This name is already in use".to_owned())
            }
            Known::No if name == ALL => Err(format!("This name is reserved: {name}")),
            Known::No if name.contains(['/', ',']) => Err("Illegal character(s) in name".to_owned()),
            Known::No => {
                let nobody = Policy::default();
                introduce(what, name, &nobody.users, &nobody.groups)
            }
        }
    }

    fn check_groups(&self, groups: Option<&BTreeSet<String>>) -> Result<(), String> {
        let unknown: Vec<&str> =
            groups.into_iter().flatten().filter(|group| !self.has_group(group)).map(String::as_str).collect();
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(format!("Group(s) not recognized: {}", unknown.join(", ")))
        }
    }

    /// A user or a group goes, with all that was said to it.
    fn forget(&mut self, gone: &Entry) -> Result<(), String> {
        if !self.before.contains_key(gone) {
            return Err(match gone {
                Entry::Group(name) => format!("Group not recognized: {name}"),
                Entry::User(name) => format!("User not recognized: {name}"),
                _ => "not recognized".to_owned(),
            });
        }
        self.changes.push((gone.name(), None));
        let (Entry::User(role) | Entry::Group(role)) = gone else { return Ok(()) };
        let mut members = Vec::new();
        for entry in self.before.keys() {
            match entry {
                Entry::Source(who, _) | Entry::Grant(who, ..) if who == role => {
                    self.changes.push((entry.name(), None));
                }
                Entry::User(_) | Entry::Group(_) if entry != gone => members.push(entry.clone()),
                _ => {}
            }
        }
        for member in members {
            let mut said: UserSaid = self.said(&member);
            if said.groups.remove(role) {
                self.say(&member, &said);
            }
        }
        Ok(())
    }

    fn source(&mut self, users: &[String], cidr: &str, asked: &str) -> Result<(), String> {
        if method(asked).is_none() {
            return Err(format!("Source not recognized: {asked}; allowed are trust, password, certificate"));
        }
        self.check_users(users)?;
        let network = network(cidr)?;
        for user in users {
            let said = SourceSaid { method: asked.to_owned() };
            self.say(&Entry::Source(user.clone(), network), &said);
        }
        Ok(())
    }

    fn no_source(&mut self, users: &[String], cidr: &str) -> Result<(), String> {
        let network = network(cidr)?;
        for user in users {
            let entry = Entry::Source(user.clone(), network);
            if !self.before.contains_key(&entry) {
                return Err(format!("No source matched: {user} from {network}"));
            }
            self.changes.push((entry.name(), None));
        }
        Ok(())
    }

    fn check_users(&self, users: &[String]) -> Result<(), String> {
        let known = |name: &str| name == ALL || self.has_user(name);
        let unknown: Vec<&str> = users.iter().map(String::as_str).filter(|name| !known(name)).collect();
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(format!("User(s) not recognized: {}", unknown.join(", ")))
        }
    }

    fn check_roles(&self, roles: &[String]) -> Result<(), String> {
        let known = |name: &str| name == ALL || self.has_user(name) || self.has_group(name);
        let unknown: Vec<&str> = roles.iter().map(String::as_str).filter(|name| !known(name)).collect();
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(format!("Name(s) not recognized: {}", unknown.join(", ")))
        }
    }

    fn grant(&mut self, grant: &Grant) -> Result<(), String> {
        self.check_roles(&grant.roles)?;
        for entry in grant.entries()? {
            self.say(&entry, &true);
        }
        Ok(())
    }

    /// What was not granted cannot be revoked, and need not be.
    fn revoke(&mut self, grant: &Grant) -> Result<(), String> {
        self.check_roles(&grant.roles)?;
        for entry in grant.entries()? {
            if self.before.contains_key(&entry) {
                self.changes.push((entry.name(), None));
            }
        }
        Ok(())
    }
}

impl Grant {
    fn entries(&self) -> Result<Vec<Entry>, String> {
        let scope = match (&self.bucket_type, &self.bucket) {
            (None, None) => Scope::Any,
            (Some(bucket_type), None) => Scope::Type(bucket_type.clone().into_bytes()),
            (Some(bucket_type), Some(bucket)) => Scope::Bucket(Bucket {
                bucket_type: bucket_type.clone().into_bytes(),
                name: bucket.clone().into_bytes(),
            }),
            (None, Some(bucket)) => return Err(format!("bucket {bucket:?} needs a type")),
        };
        let mut entries = Vec::new();
        for permission in self.permissions()? {
            for role in &self.roles {
                entries.push(Entry::Grant(role.clone(), permission, scope.clone()));
            }
        }
        Ok(entries)
    }

    fn permissions(&self) -> Result<Vec<Permission>, String> {
        if self.permissions == [ALL] {
            let of_riak = |permission: &Permission| *permission != Permission::Admin;
            return Ok(Permission::ALL.into_iter().filter(of_riak).collect());
        }
        let read = |name: &String| name.parse().map_err(|_| format!("Permission not recognized: {name}"));
        self.permissions.iter().map(read).collect()
    }
}

fn network(cidr: &str) -> Result<IpNet, String> {
    cidr.parse::<IpNet>()
        .map(|network| network.trunc())
        .map_err(|_| format!("{cidr} is no network; allowed are such as 10.0.0.0/8 and ::1/128"))
}

impl SecurityReport {
    /// What `metadata` says; `here` is what holds at this node.
    pub(crate) fn of(metadata: &Metadata, here: &Policy, has_file: bool) -> Self {
        let policy = policy_of(metadata);
        let role = |name: &String, groups: &BTreeSet<String>, has_password| RoleReport {
            name: name.clone(),
            groups: groups.clone(),
            has_password,
        };
        let mut report = Self {
            enabled: policy.enabled == Some(true),
            enabled_here: here.enabled == Some(true),
            has_file,
            admins: here.who_may(Permission::Admin, &Scope::Any),
            users: policy
                .users
                .iter()
                .map(|(name, user)| role(name, &user.groups, user.password.is_some()))
                .collect(),
            groups: policy.groups.iter().map(|(name, groups)| role(name, groups, false)).collect(),
            ..Self::default()
        };
        let mut grants: BTreeMap<(String, Scope), BTreeSet<String>> = BTreeMap::new();
        for (entry, said) in entries(metadata) {
            match entry {
                Entry::Source(user, cidr) => {
                    if let Ok(SourceSaid { method }) = serde_json::from_slice(&said) {
                        report.sources.push(SourceReport { user, cidr: cidr.to_string(), method });
                    }
                }
                Entry::Grant(role, permission, scope) => {
                    grants.entry((role, scope)).or_default().insert(permission.name().to_owned());
                }
                Entry::Enabled | Entry::User(_) | Entry::Group(_) => {}
            }
        }
        let text = |name: Vec<u8>| String::from_utf8_lossy(&name).into_owned();
        report.grants = grants
            .into_iter()
            .map(|((role, scope), permissions)| {
                let (bucket_type, bucket) = match scope {
                    Scope::Any => (None, None),
                    Scope::Type(name) => (Some(text(name)), None),
                    Scope::Bucket(Bucket { bucket_type, name }) => {
                        (Some(text(bucket_type)), Some(text(name)))
                    }
                };
                GrantReport { role, bucket_type, bucket, permissions }
            })
            .collect();
        report
    }
}

#[cfg(test)]
mod tests;
