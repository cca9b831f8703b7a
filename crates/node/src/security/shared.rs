//! Users and what they may do, as the cluster keeps them: what operators said at any node, gossiped to all.
//!
//! Each user, group, source and grant is an entry of its own among what the core keeps for its driver. Its name is a JSON
//! list (`["grant","alice","riak_kv.get","default","carts"]`), and what it says is JSON, too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use cartwheel_core::membership::{Bucket, Cluster, Metadata};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::password::PasswordHash;
use super::policy::{Method, Permission, Policy, Scope, Source, User, Who};

/// What stands for every user.
pub(super) const ALL: &str = "all";

/// What the cluster says, for whoever asks.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<RwLock<Arc<Policy>>>);

impl Shared {
    pub fn present(&self) -> Arc<Policy> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What `cluster` says holds from now on.
    pub fn publish(&self, cluster: &Cluster) {
        self.replace(policy_of(&cluster.metadata));
    }

    pub(super) fn replace(&self, policy: Policy) {
        let policy = Arc::new(policy);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }
}

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    Enabled,
    User(String),
    Group(String),
    /// For whom, a user or `all`; from where.
    Source(String, IpNet),
    /// To whom, a user, a group or `all`.
    Grant(String, Permission, Scope),
}

/// What is said of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UserSaid {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(default)]
    pub groups: BTreeSet<String>,
}

/// What is said of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GroupSaid {
    #[serde(default)]
    pub groups: BTreeSet<String>,
}

/// What is said of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SourceSaid {
    pub method: String,
}

impl Entry {
    pub fn name(&self) -> Vec<u8> {
        let list = match self {
            Self::Enabled => vec!["enabled".to_owned()],
            Self::User(name) => vec!["user".to_owned(), name.clone()],
            Self::Group(name) => vec!["group".to_owned(), name.clone()],
            Self::Source(who, network) => vec!["source".to_owned(), who.clone(), network.to_string()],
            Self::Grant(who, permission, scope) => {
                let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
                let mut list = vec!["grant".to_owned(), who.clone(), permission.name().to_owned()];
                match scope {
                    Scope::Any => {}
                    Scope::Type(name) => list.push(text(name)),
                    Scope::Bucket(Bucket { bucket_type, name }) => {
                        list.extend([text(bucket_type), text(name)]);
                    }
                }
                list
            }
        };
        serde_json::json!(list).to_string().into_bytes()
    }

    /// `None` for what this release does not know: it is left alone.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        let list: Vec<String> = serde_json::from_slice(name).ok()?;
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let grant = |who: &str, permission: &str, scope| {
            Some(Self::Grant(who.to_owned(), permission.parse().ok()?, scope))
        };
        match list.as_slice() {
            ["enabled"] => Some(Self::Enabled),
            ["user", name] => Some(Self::User((*name).to_owned())),
            ["group", name] => Some(Self::Group((*name).to_owned())),
            ["source", who, network] => Some(Self::Source((*who).to_owned(), network.parse().ok()?)),
            ["grant", who, permission] => grant(who, permission, Scope::Any),
            ["grant", who, permission, bucket_type] => {
                grant(who, permission, Scope::Type(bucket_type.as_bytes().to_vec()))
            }
            ["grant", who, permission, bucket_type, bucket] => {
                let bucket_type = bucket_type.as_bytes().to_vec();
                grant(
                    who,
                    permission,
                    Scope::Bucket(Bucket { bucket_type, name: bucket.as_bytes().to_vec() }),
                )
            }
            _ => None,
        }
    }
}

/// All entries that say something.
pub(super) fn entries(metadata: &Metadata) -> BTreeMap<Entry, Vec<u8>> {
    let said = metadata
        .iter()
        .filter_map(|(name, entry)| Some((Entry::of_name(name)?, entry.value.as_ref()?.0.clone())));
    said.collect()
}

pub(super) fn who(name: &str) -> Who {
    if name == ALL { Who::All } else { Who::Role(name.to_owned()) }
}

/// How somebody proves its name, as files and operators spell it.
pub(super) fn method(name: &str) -> Option<Method> {
    match name {
        "trust" => Some(Method::Trust),
        "password" => Some(Method::Password),
        "certificate" => Some(Method::Certificate),
        _ => None,
    }
}

/// What the entries come to. What makes no sense lets nobody in.
pub(super) fn policy_of(metadata: &Metadata) -> Policy {
    let mut policy = Policy::default();
    for (entry, said) in entries(metadata) {
        match entry {
            Entry::Enabled => policy.enabled = serde_json::from_slice(&said).ok(),
            Entry::User(name) => {
                if let Ok(UserSaid { password, groups }) = serde_json::from_slice(&said) {
                    let password = password.and_then(|hash| hash.parse::<PasswordHash>().ok());
                    policy.users.insert(name, User { password, groups });
                }
            }
            Entry::Group(name) => {
                if let Ok(GroupSaid { groups }) = serde_json::from_slice(&said) {
                    policy.groups.insert(name, groups);
                }
            }
            Entry::Source(name, network) => {
                let said: Option<SourceSaid> = serde_json::from_slice(&said).ok();
                if let Some(method) = said.and_then(|said| method(&said.method)) {
                    policy.sources.push(Source { who: who(&name), network, method });
                }
            }
            Entry::Grant(name, permission, scope) => policy.grant(permission, scope, who(&name)),
        }
    }
    policy
}
