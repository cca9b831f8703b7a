use std::collections::BTreeMap;

use cartwheel_core::Config;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::Cluster;
use cartwheel_core::ring::Ring;

use super::super::hash_password;
use super::super::policy::Method;
use super::*;

/// A cluster in which operators speak.
struct Told(Cluster);

impl Told {
    fn new() -> Self {
        let config = Config::new(NodeId(1), Ring::new(&[NodeId(1)], 8, 1).expect("a ring"));
        Self(Cluster::founded(&[NodeId(1)], config.ring, 1, &BTreeMap::new()))
    }

    fn tell(&mut self, request: SecurityRequest) -> Result<(), String> {
        let changes = changes(&self.0.metadata, request)?;
        self.0.set_metadata(NodeId(1), changes).map_err(|error| error.to_string())
    }

    fn policy(&self) -> Policy {
        policy_of(&self.0.metadata)
    }
}

fn role(name: &str, groups: &[&str]) -> Role {
    let groups = Some(groups.iter().map(|group| (*group).to_owned()).collect());
    Role { name: name.to_owned(), password_hash: None, groups }
}

fn grant(permissions: &[&str], place: &[&str], roles: &[&str]) -> Grant {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (bucket_type, bucket) = (place.first(), place.get(1));
    Grant {
        permissions: list(permissions),
        bucket_type: bucket_type.map(|name| (*name).to_owned()),
        bucket: bucket.map(|name| (*name).to_owned()),
        roles: list(roles),
    }
}

fn source(users: &[&str], cidr: &str, method: &str) -> SecurityRequest {
    let users = users.iter().map(|name| (*name).to_owned()).collect();
    SecurityRequest::AddSource { users, cidr: cidr.to_owned(), method: method.to_owned() }
}

/// A shop: alice, in a group; its grants; where she comes from.
fn shop() -> Told {
    let mut shop = Told::new();
    let hash = Some(hash_password("milk").to_string());
    for request in [
        SecurityRequest::AddGroup(role("staff", &[])),
        SecurityRequest::AddGroup(role("shoppers", &["staff"])),
        SecurityRequest::AddUser(Role { password_hash: hash, ..role("alice", &["shoppers"]) }),
        source(&["alice"], "10.1.2.3/8", "password"),
        source(&["all"], "127.0.0.1/32", "trust"),
        SecurityRequest::Grant(grant(&["riak_kv.get", "riak_kv.put"], &["default", "carts"], &["staff"])),
        SecurityRequest::Grant(grant(&["riak_kv.delete"], &["maps"], &["alice"])),
        SecurityRequest::Grant(grant(&["riak_kv.list_keys"], &[], &["all"])),
    ] {
        assert_eq!(shop.tell(request.clone()), Ok(()), "{request:?}");
    }
    shop
}

fn bucket(bucket_type: &str, name: &str) -> Scope {
    Scope::Bucket(Bucket { bucket_type: bucket_type.into(), name: name.into() })
}

#[test]
fn what_operators_say_makes_a_policy() {
    let mut shop = shop();
    let policy = shop.policy();
    assert_eq!(policy.enabled, None);
    assert!(policy.users["alice"].password.as_ref().expect("set").is_of("milk"));
    assert_eq!(policy.method("alice", [10, 9, 9, 9].into()), Some(Method::Password));
    assert_eq!(policy.method("alice", [127, 0, 0, 1].into()), Some(Method::Trust));
    assert!(policy.allows("alice", Permission::Put, &bucket("default", "carts")), "by a group of her group");
    assert!(!policy.allows("alice", Permission::Put, &bucket("default", "cards")));
    assert!(policy.allows("alice", Permission::Delete, &bucket("maps", "any")));
    assert!(policy.allows("alice", Permission::ListKeys, &bucket("default", "cards")));
    assert_eq!(shop.tell(SecurityRequest::Enable), Ok(()));
    assert_eq!(shop.policy().enabled, Some(true));
    assert_eq!(shop.tell(SecurityRequest::Disable), Ok(()));
    assert_eq!(shop.policy().enabled, Some(false));
}

#[test]
fn what_is_revoked_is_allowed_no_more_and_the_rest_stays() {
    let mut shop = shop();
    let carts = bucket("default", "carts");
    let revoked = grant(&["riak_kv.put", "riak_kv.delete"], &["default", "carts"], &["staff"]);
    assert_eq!(shop.tell(SecurityRequest::Revoke(revoked)), Ok(()));
    assert!(!shop.policy().allows("alice", Permission::Put, &carts));
    assert!(shop.policy().allows("alice", Permission::Get, &carts));
}

#[test]
fn who_goes_takes_everything_along() {
    let mut shop = shop();
    assert_eq!(shop.tell(SecurityRequest::DelGroup(role("staff", &[]))), Ok(()));
    let policy = shop.policy();
    assert!(policy.groups["shoppers"].is_empty() && !policy.groups.contains_key("staff"));
    assert!(!policy.allows("alice", Permission::Get, &bucket("default", "carts")));
    assert_eq!(shop.tell(SecurityRequest::DelUser(role("alice", &[]))), Ok(()));
    assert_eq!(shop.tell(SecurityRequest::AddUser(role("alice", &[]))), Ok(()));
    let policy = shop.policy();
    assert!(
        !policy.allows("alice", Permission::Delete, &bucket("maps", "any")),
        "a new alice is not the old one"
    );
    assert_eq!(policy.method("alice", [10, 9, 9, 9].into()), None);
    assert!(policy.users["alice"].password.is_none());
}

#[test]
fn to_alter_changes_only_what_is_named() {
    let mut shop = shop();
    let other =
        Role { groups: None, password_hash: Some(hash_password("bread").to_string()), ..role("alice", &[]) };
    assert_eq!(shop.tell(SecurityRequest::AlterUser(other)), Ok(()));
    let alice = shop.policy().users["alice"].clone();
    assert!(alice.password.expect("set").is_of("bread") && alice.groups.contains("shoppers"));
    assert_eq!(shop.tell(SecurityRequest::AlterUser(role("alice", &[]))), Ok(()));
    let alice = shop.policy().users["alice"].clone();
    assert!(alice.password.expect("set").is_of("bread") && alice.groups.is_empty());
}

#[test]
fn mistakes_are_told_in_riaks_words() {
    let mut shop = shop();
    let before = shop.0.clone();
    for (request, why) in [
        (SecurityRequest::AddUser(role("alice", &[])), "This name is already in use"),
        (SecurityRequest::AddUser(role("staff", &[])), "This name is already in use"),
        (SecurityRequest::AddUser(role("all", &[])), "This name is reserved: all"),
        (SecurityRequest::AddUser(role("a/b", &[])), "Illegal character(s) in name"),
        (SecurityRequest::AddUser(role("bob", &["nobody"])), "Group(s) not recognized: nobody"),
        (SecurityRequest::AlterUser(role("bob", &[])), "User not recognized: bob"),
        (SecurityRequest::DelGroup(role("alice", &[])), "Group not recognized: alice"),
        (source(&["bob"], "10.0.0.0/8", "trust"), "User(s) not recognized: bob"),
        (source(&["alice"], "10.0.0.0/8", "pam"), "Source not recognized: pam"),
        (source(&["alice"], "10.0.0.0/99", "trust"), "10.0.0.0/99 is no network"),
        (
            SecurityRequest::Grant(grant(&["riak_kv.fly"], &[], &["alice"])),
            "Permission not recognized: riak_kv.fly",
        ),
        (SecurityRequest::Grant(grant(&["riak_kv.get"], &[], &["bob"])), "Name(s) not recognized: bob"),
    ] {
        let told = shop.tell(request.clone()).expect_err(why);
        assert!(told.starts_with(why), "{request:?}: {told}");
    }
    assert_eq!(shop.0, before);
}

#[test]
fn a_file_comes_first_and_the_rest_adds_up() {
    let mut shop = shop();
    shop.tell(SecurityRequest::Enable).expect("told");
    let mut file = Policy { enabled: Some(false), ..Policy::default() };
    file.users.insert("oscar".to_owned(), Default::default());
    file.users.insert("staff".to_owned(), Default::default());
    file.grant(Permission::Admin, Scope::Any, super::super::policy::Who::Role("oscar".to_owned()));
    let both = file.before(&shop.policy());
    assert_eq!(both.enabled, Some(false), "a node's file can let operators in again");
    assert_eq!(Policy { enabled: None, ..file }.before(&shop.policy()).enabled, Some(true));
    assert!(!both.groups.contains_key("staff"), "a name is one user or one group");
    assert!(both.allows("alice", Permission::Delete, &bucket("maps", "any")));
    assert_eq!(both.who_may(Permission::Admin, &Scope::Any), ["oscar"], "he comes from where all come from");
}

#[test]
fn the_report_has_everything_but_secrets() {
    let shop = shop();
    let report = SecurityReport::of(&shop.0.metadata, &shop.policy(), false);
    let names = |roles: &[RoleReport]| roles.iter().map(|role| role.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&report.users), names(&report.groups)),
        (vec!["alice".into()], vec!["shoppers".into(), "staff".into()])
    );
    assert_eq!(report.sources.len(), 2);
    assert_eq!(report.sources[0].cidr, "10.0.0.0/8");
    assert_eq!(report.grants.len(), 3);
    assert!(report.admins.is_empty());
    assert!(!serde_json::to_string(&report).expect("JSON").contains("pbkdf2"));
}
