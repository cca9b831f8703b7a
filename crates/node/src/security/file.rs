//! The file with users and grants: TOML, every key known, every error one line that names the file, what is wrong and
//! what is allowed.

use std::collections::{BTreeMap, BTreeSet};

use cartwheel_core::Key;
use cartwheel_core::membership::Bucket;
use ipnet::IpNet;
use serde::Deserialize;

use super::policy::{Method, Policy, Scope, Source, User, Who};
use crate::reload::FileContent;

/// What stands for every user, in sources and grants.
const ALL: &str = "all";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecurityFile {
    /// Without it the cluster decides.
    enabled: Option<bool>,
    #[serde(default, rename = "user")]
    users: Vec<UserEntry>,
    #[serde(default, rename = "group")]
    groups: Vec<GroupEntry>,
    #[serde(default, rename = "source")]
    sources: Vec<SourceEntry>,
    #[serde(default, rename = "grant")]
    grants: Vec<GrantEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserEntry {
    name: String,
    password: Option<String>,
    #[serde(default)]
    groups: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupEntry {
    name: String,
    /// Those that it is part of.
    #[serde(default)]
    groups: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceEntry {
    /// Users, or `all`.
    users: Vec<String>,
    cidr: IpNet,
    method: MethodEntry,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MethodEntry {
    Trust,
    Password,
    Certificate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantEntry {
    /// Users and groups, or `all`.
    to: Vec<String>,
    permissions: Vec<String>,
    /// Without it everywhere.
    #[serde(rename = "type")]
    bucket_type: Option<String>,
    /// Without it in all buckets of the type.
    bucket: Option<String>,
}

/// What the one file says.
pub(crate) fn read(files: &[FileContent]) -> Result<Policy, String> {
    let [file] = files else { return Err("one file is needed".to_owned()) };
    let complaint = |what: String| format!("{}: {what}", file.path.display());
    let text = std::str::from_utf8(&file.bytes).map_err(|_| complaint("is not UTF-8".to_owned()))?;
    parse(text).map_err(complaint)
}

fn parse(text: &str) -> Result<Policy, String> {
    let deserializer = toml::Deserializer::parse(text).map_err(|error| one_line(text, "", &error))?;
    let file: SecurityFile = serde_path_to_error::deserialize(deserializer)
        .map_err(|error| one_line(text, &error.path().to_string(), error.inner()))?;
    file.understand()
}

/// Says the line and the key, never what is there: it may be a password.
fn one_line(text: &str, path: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let key = if matches!(path, "" | ".") { String::new() } else { format!("{path}: ") };
    format!("{line}{key}{}", error.message().lines().map(str::trim).collect::<Vec<_>>().join(" "))
}

impl SecurityFile {
    fn understand(self) -> Result<Policy, String> {
        let mut policy = Policy { enabled: self.enabled, ..Policy::default() };
        for UserEntry { name, password, groups } in self.users {
            let password = password.map(|hash| hash.parse()).transpose();
            let password = password.map_err(|why| format!("user {name:?}: password: {why}"))?;
            introduce("user", &name, &policy.users, &policy.groups)?;
            policy.users.insert(name, User { password, groups });
        }
        for GroupEntry { name, groups } in self.groups {
            introduce("group", &name, &policy.users, &policy.groups)?;
            policy.groups.insert(name, groups);
        }
        check_groups(&policy)?;
        for SourceEntry { users, cidr, method } in self.sources {
            for user in users {
                let who = role(user, "source.users", |name| policy.users.contains_key(name))?;
                policy.sources.push(Source { who, network: cidr.trunc(), method: method.into() });
            }
        }
        for grant in self.grants {
            grant.enter_into(&mut policy)?;
        }
        Ok(policy)
    }
}

impl GrantEntry {
    fn enter_into(self, policy: &mut Policy) -> Result<(), String> {
        let Self { to, permissions, bucket_type, bucket } = self;
        let scope = match (bucket_type, bucket) {
            (None, None) => Scope::Any,
            (Some(bucket_type), None) => Scope::Type(bucket_type.into_bytes()),
            (Some(bucket_type), Some(bucket)) => {
                Scope::Bucket(Bucket { bucket_type: bucket_type.into_bytes(), name: bucket.into_bytes() })
            }
            (None, Some(bucket)) => {
                let default = String::from_utf8_lossy(Key::DEFAULT_TYPE).into_owned();
                return Err(format!("grant: bucket {bucket:?} needs a type; most are of type {default:?}"));
            }
        };
        for name in to {
            let known = |name: &str| policy.users.contains_key(name) || policy.groups.contains_key(name);
            let who = role(name, "grant.to", known)?;
            for permission in &permissions {
                let permission = permission.parse().map_err(|why| format!("grant.permissions: {why}"))?;
                policy.grant(permission, scope.clone(), who.clone());
            }
        }
        Ok(())
    }
}

/// A name is one user or one group, and not what means everybody.
pub(super) fn introduce(
    what: &str,
    name: &str,
    users: &BTreeMap<String, User>,
    groups: &BTreeMap<String, BTreeSet<String>>,
) -> Result<(), String> {
    match name {
        "" | ALL | "any" => Err(format!("{what}: {name:?} is no name that a user or a group may have")),
        _ if name.contains(':') => Err(format!("{what}: {name:?}: a colon cannot be said in a request")),
        _ if users.contains_key(name) || groups.contains_key(name) => {
            Err(format!("{what}: {name:?} is there twice; users and groups have one name each"))
        }
        _ => Ok(()),
    }
}

fn check_groups(policy: &Policy) -> Result<(), String> {
    let users = policy.users.iter().map(|(name, user)| (name, &user.groups));
    for (name, groups) in users.chain(&policy.groups) {
        if let Some(unknown) = groups.iter().find(|group| !policy.groups.contains_key(*group)) {
            return Err(format!("{name:?} is in {unknown:?}, which is no group here"));
        }
    }
    Ok(())
}

fn role(name: String, key: &str, known: impl FnOnce(&str) -> bool) -> Result<Who, String> {
    match name.as_str() {
        ALL => Ok(Who::All),
        _ if known(&name) => Ok(Who::Role(name)),
        _ => Err(format!(
            "{key}: {name:?} is not known here; allowed are {ALL:?} and who is named in this file"
        )),
    }
}

impl From<MethodEntry> for Method {
    fn from(entry: MethodEntry) -> Self {
        match entry {
            MethodEntry::Trust => Self::Trust,
            MethodEntry::Password => Self::Password,
            MethodEntry::Certificate => Self::Certificate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::Permission;
    use super::*;

    const GOOD: &str = r#"
        enabled = true
        [[user]]
        name = "alice"
        groups = ["shoppers"]
        [[group]]
        name = "shoppers"
        [[source]]
        users = ["all"]
        cidr = "127.0.0.1/8"
        method = "password"
        [[grant]]
        to = ["shoppers"]
        permissions = ["riak_kv.get", "riak_kv.put"]
        type = "default"
        bucket = "carts"
    "#;

    #[test]
    fn a_file_makes_a_policy() {
        let policy = parse(GOOD).expect("valid");
        let bucket =
            |name: &[u8]| Scope::Bucket(Bucket { bucket_type: b"default".to_vec(), name: name.to_vec() });
        assert!(policy.allows("alice", Permission::Put, &bucket(b"carts")));
        assert!(!policy.allows("alice", Permission::Put, &bucket(b"cards")));
        assert!(!policy.allows("alice", Permission::Delete, &bucket(b"carts")));
        assert!(!policy.allows("shoppers", Permission::Put, &bucket(b"carts")), "a group is no user");
        assert_eq!(policy.method("alice", [127, 0, 0, 1].into()), Some(Method::Password));
    }

    #[test]
    fn every_mistake_is_one_line_that_says_what_is_allowed() {
        for (good, bad, why) in [
            ("enabled = true", "enable = true", "unknown field `enable`"),
            (
                "\"riak_kv.put\"",
                "\"riak_kv.write\"",
                "grant.permissions: \"riak_kv.write\" is no permission; allowed",
            ),
            ("to = [\"shoppers\"]", "to = [\"shopers\"]", "grant.to: \"shopers\" is not known here"),
            (
                "groups = [\"shoppers\"]",
                "groups = [\"staff\"]",
                "\"alice\" is in \"staff\", which is no group",
            ),
            ("name = \"shoppers\"", "name = \"alice\"", "group: \"alice\" is there twice"),
            ("name = \"alice\"", "name = \"all\"", "user: \"all\" is no name"),
            ("name = \"alice\"", "name = \"a:b\"", "a colon"),
            ("127.0.0.1/8", "127.0.0.1/33", "source[0].cidr"),
            ("method = \"password\"", "method = \"pam\"", "unknown variant `pam`"),
            ("type = \"default\"", "", "grant: bucket \"carts\" needs a type"),
            ("groups = [\"shoppers\"]", "password = \"milk\"", "user \"alice\": password: not a hash"),
        ] {
            let text = GOOD.replacen(good, bad, 1);
            let error = parse(&text).expect_err(bad);
            assert!(error.contains(why), "{error:?} should say {why:?}");
            assert_eq!(error.lines().count(), 1, "{error:?}");
        }
    }
}
