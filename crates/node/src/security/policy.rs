//! The decisions: how somebody has to prove who it is, and what it may do then.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use cartwheel_core::membership::Bucket;
use ipnet::IpNet;

use super::password::PasswordHash;

/// What can be allowed, by Riak's names; the last is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Permission {
    Get,
    Put,
    Delete,
    ListKeys,
    ListBuckets,
    MapReduce,
    Index,
    GetPreflist,
    GetBucket,
    SetBucket,
    GetBucketType,
    SetBucketType,
    /// Looking at the cluster and changing it: whatever is below `/cartwheel/`.
    Admin,
}

impl Permission {
    pub const ALL: [Self; 13] = [
        Self::Get,
        Self::Put,
        Self::Delete,
        Self::ListKeys,
        Self::ListBuckets,
        Self::MapReduce,
        Self::Index,
        Self::GetPreflist,
        Self::GetBucket,
        Self::SetBucket,
        Self::GetBucketType,
        Self::SetBucketType,
        Self::Admin,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "riak_kv.get",
            Self::Put => "riak_kv.put",
            Self::Delete => "riak_kv.delete",
            Self::ListKeys => "riak_kv.list_keys",
            Self::ListBuckets => "riak_kv.list_buckets",
            Self::MapReduce => "riak_kv.mapreduce",
            Self::Index => "riak_kv.index",
            Self::GetPreflist => "riak_kv.get_preflist",
            Self::GetBucket => "riak_core.get_bucket",
            Self::SetBucket => "riak_core.set_bucket",
            Self::GetBucketType => "riak_core.get_bucket_type",
            Self::SetBucketType => "riak_core.set_bucket_type",
            Self::Admin => "cartwheel.admin",
        }
    }
}

impl FromStr for Permission {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|permission| permission.name() == name);
        named.ok_or_else(|| {
            let allowed = Self::ALL.map(Self::name).join(", ");
            format!("{name:?} is no permission; allowed are {allowed}")
        })
    }
}

/// To whom something applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Every user that there is.
    All,
    /// A user, or whoever is in a group: the two share their names.
    Role(String),
}

/// Where something is allowed, or asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// Everywhere; a request that concerns no bucket is here and nowhere else.
    Any,
    /// In all buckets of a type.
    Type(Vec<u8>),
    /// In one bucket.
    Bucket(Bucket),
}

impl Scope {
    /// The scopes whose grants hold here, this one included.
    fn within(&self) -> Vec<Self> {
        match self {
            Self::Any => vec![Self::Any],
            Self::Type(_) => vec![Self::Any, self.clone()],
            Self::Bucket(bucket) => {
                vec![Self::Any, Self::Type(bucket.bucket_type.clone()), self.clone()]
            }
        }
    }
}

/// As Riak's texts name it: `TYPE/BUCKET`, `TYPE`; nothing for everywhere.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Type(name) => write!(f, "{}", String::from_utf8_lossy(name)),
            Self::Bucket(Bucket { bucket_type, name }) => {
                write!(f, "{}/{}", String::from_utf8_lossy(bucket_type), String::from_utf8_lossy(name))
            }
        }
    }
}

/// How a user proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Method {
    /// Not at all.
    Trust,
    /// With its password.
    Password,
    /// With a certificate whose common name is the user's.
    Certificate,
}

/// From where somebody may come, and what is asked for then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub who: Who,
    pub network: IpNet,
    pub method: Method,
}

/// Somebody who may be let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    /// Nobody without one can come in by password.
    pub password: Option<PasswordHash>,
    pub groups: BTreeSet<String>,
}

/// What is known of users, and what they may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Whether anybody is asked who it is; `None`: not for this to say.
    pub enabled: Option<bool>,
    pub users: BTreeMap<String, User>,
    /// Each group, and those that it is part of.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    pub sources: Vec<Source>,
    /// Changed with [`grant`](Self::grant).
    pub grants: BTreeMap<(Who, Scope), BTreeSet<Permission>>,
}

impl Policy {
    pub fn grant(&mut self, permission: Permission, scope: Scope, who: Who) {
        self.grants.entry((who, scope)).or_default().insert(permission);
    }

    /// Takes back what was granted to exactly `who` in exactly `scope`. What comes from elsewhere (a group, a wider
    /// scope) stays, as in Riak.
    #[cfg(test)]
    pub fn revoke(&mut self, permission: Permission, scope: Scope, who: Who) {
        let place = (who, scope);
        if let Some(permissions) = self.grants.get_mut(&place) {
            permissions.remove(&permission);
            if permissions.is_empty() {
                self.grants.remove(&place);
            }
        }
    }

    /// What holds where this comes before `other`: users and groups that both know are as this knows them; sources and
    /// grants add up.
    pub fn before(&self, other: &Self) -> Self {
        let mut all = other.clone();
        all.enabled = self.enabled.or(other.enabled);
        // Users and groups share their names.
        all.groups.retain(|name, _| !self.users.contains_key(name));
        all.users.retain(|name, _| !self.groups.contains_key(name));
        all.users.extend(self.users.clone());
        all.groups.extend(self.groups.clone());
        all.sources.extend(self.sources.iter().cloned());
        for ((who, scope), permissions) in &self.grants {
            all.grants.entry((who.clone(), scope.clone())).or_default().extend(permissions);
        }
        all
    }

    /// Users that may do this here, and may come from somewhere.
    pub fn who_may(&self, permission: Permission, scope: &Scope) -> Vec<String> {
        let comes_from_somewhere = |name: &String| {
            let own = Who::Role(name.clone());
            self.sources.iter().any(|source| source.who == own || source.who == Who::All)
        };
        let may = |name: &&String| self.allows(name, permission, scope) && comes_from_somewhere(name);
        self.users.keys().filter(may).cloned().collect()
    }

    /// Whether `user` may do this here: granted to itself, to a group that it is in, however deep, or to all.
    pub fn allows(&self, user: &str, permission: Permission, scope: &Scope) -> bool {
        if !self.users.contains_key(user) {
            return false;
        }
        let scopes = scope.within();
        self.roles(user).into_iter().any(|who| {
            scopes.iter().any(|scope| {
                let granted = self.grants.get(&(who.clone(), scope.clone()));
                granted.is_some_and(|permissions| permissions.contains(&permission))
            })
        })
    }

    /// How `user` has to prove who it is when it comes from `address`; `None` where it may not come from. The most
    /// specific source decides: one that names the user before one for all, then the narrowest network. Of two alike
    /// the one that asks for more.
    pub fn method(&self, user: &str, address: IpAddr) -> Option<Method> {
        // An IPv4 client of an IPv6 socket is still that client.
        let address = address.to_canonical();
        let own = Who::Role(user.to_owned());
        let matching = self.sources.iter().filter(|source| {
            (source.who == own || source.who == Who::All) && source.network.contains(&address)
        });
        let strictest =
            matching.max_by_key(|source| (source.who == own, source.network.prefix_len(), source.method));
        strictest.map(|source| source.method)
    }

    /// Everything that `user` is: itself, its groups, theirs, and one of all.
    fn roles(&self, user: &str) -> BTreeSet<Who> {
        let mut roles = BTreeSet::from([Who::All, Who::Role(user.to_owned())]);
        let mut open: Vec<&String> = self.users.get(user).iter().flat_map(|user| &user.groups).collect();
        while let Some(group) = open.pop() {
            if roles.insert(Who::Role(group.clone())) {
                open.extend(self.groups.get(group).into_iter().flatten());
            }
        }
        roles
    }
}
