//! What must hold of every policy, on random ones.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use cartwheel_core::membership::Bucket;
use ipnet::{IpNet, Ipv4Net};
use quickcheck::{Arbitrary, Gen, quickcheck};

use super::policy::{Method, Permission, Policy, Scope, Source, User, Who};

const USERS: [&str; 3] = ["alice", "bob", "carol"];
const GROUPS: [&str; 3] = ["shop", "staff", "ops"];
const NAMES: [&[u8]; 2] = [b"default", b"carts"];

fn one<T: Clone>(g: &mut Gen, of: &[T]) -> T {
    g.choose(of).expect("not empty").clone()
}

impl Arbitrary for Permission {
    fn arbitrary(g: &mut Gen) -> Self {
        one(g, &Self::ALL[..4])
    }
}

impl Arbitrary for Who {
    fn arbitrary(g: &mut Gen) -> Self {
        let roles = [&USERS[..], &GROUPS[..]].concat();
        if u8::arbitrary(g).is_multiple_of(7) { Self::All } else { Self::Role(one(g, &roles).to_owned()) }
    }
}

impl Arbitrary for Scope {
    fn arbitrary(g: &mut Gen) -> Self {
        let [bucket_type, name] = [one(g, &NAMES), one(g, &NAMES)].map(<[u8]>::to_vec);
        match u8::arbitrary(g) % 5 {
            0 => Self::Any,
            1 => Self::Type(bucket_type),
            _ => Self::Bucket(Bucket { bucket_type, name }),
        }
    }
}

impl Arbitrary for Source {
    fn arbitrary(g: &mut Gen) -> Self {
        let network = Ipv4Net::new(address(g), u8::arbitrary(g) % 33).expect("a prefix length");
        let method = one(g, &[Method::Trust, Method::Password, Method::Certificate]);
        Self { who: Who::arbitrary(g), network: IpNet::V4(network.trunc()), method }
    }
}

impl Arbitrary for Policy {
    fn arbitrary(g: &mut Gen) -> Self {
        let groups = |g: &mut Gen| -> BTreeSet<String> {
            GROUPS.iter().filter(|_| bool::arbitrary(g)).map(|&group| group.to_owned()).collect()
        };
        let mut policy = Self { enabled: Some(true), sources: Vec::arbitrary(g), ..Self::default() };
        for user in USERS {
            policy.users.insert(user.to_owned(), User { password: None, groups: groups(g) });
        }
        // Groups may be part of each other in circles.
        for group in GROUPS {
            policy.groups.insert(group.to_owned(), groups(g));
        }
        for _ in 0..g.size() / 8 {
            policy.grant(Permission::arbitrary(g), Scope::arbitrary(g), Who::arbitrary(g));
        }
        policy
    }
}

/// Few enough that networks overlap.
fn address(g: &mut Gen) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, u8::arbitrary(g) % 2, u8::arbitrary(g) % 4)
}

/// What everybody may do everywhere that matters here.
fn table(policy: &Policy) -> Vec<bool> {
    let mut scopes = vec![Scope::Any];
    for bucket_type in NAMES {
        scopes.push(Scope::Type(bucket_type.to_vec()));
        let bucket = |name: &[u8]| Bucket { bucket_type: bucket_type.to_vec(), name: name.to_vec() };
        scopes.extend(NAMES.map(|name| Scope::Bucket(bucket(name))));
    }
    let asked = USERS.iter().flat_map(|user| scopes.iter().map(move |scope| (user, scope)));
    let asked = asked.flat_map(|at| Permission::ALL[..4].iter().map(move |permission| (at, *permission)));
    asked.map(|((user, scope), permission)| policy.allows(user, permission, scope)).collect()
}

fn is_within(inner: &[bool], outer: &[bool]) -> bool {
    inner.iter().zip(outer).all(|(inner, outer)| inner <= outer)
}

quickcheck! {
    fn a_grant_takes_nothing_from_anybody(policy: Policy, permission: Permission, scope: Scope, who: Who) -> bool {
        let mut more = policy.clone();
        more.grant(permission, scope, who);
        is_within(&table(&policy), &table(&more))
    }

    fn a_grant_to_all_helps_every_user(policy: Policy, permission: Permission, scope: Scope) -> bool {
        let mut policy = policy;
        policy.grant(permission, scope.clone(), Who::All);
        USERS.iter().all(|user| policy.allows(user, permission, &scope))
    }

    fn nobody_unknown_may_do_anything(policy: Policy, permission: Permission, scope: Scope) -> bool {
        let mut policy = policy;
        policy.grant(permission, scope.clone(), Who::All);
        !policy.allows("mallory", permission, &scope)
    }

    fn to_revoke_is_the_inverse_of_to_grant(policy: Policy, permission: Permission, scope: Scope, who: Who) -> bool {
        let mut before = policy;
        before.revoke(permission, scope.clone(), who.clone());
        let mut after = before.clone();
        after.grant(permission, scope.clone(), who.clone());
        after.revoke(permission, scope, who);
        before == after
    }

    fn what_holds_in_a_type_holds_in_its_buckets(policy: Policy, permission: Permission, bucket: Scope) -> bool {
        let wider = |scope: &Scope| match scope {
            Scope::Bucket(bucket) => Scope::Type(bucket.bucket_type.clone()),
            _ => Scope::Any,
        };
        USERS.iter().all(|user| {
            policy.allows(user, permission, &wider(&bucket)) <= policy.allows(user, permission, &bucket)
        })
    }

    fn a_member_of_a_group_may_do_what_the_group_may(policy: Policy, permission: Permission, scope: Scope) -> bool {
        let mut policy = policy;
        policy.users.entry("alice".to_owned()).or_default().groups.insert("shop".to_owned());
        policy.groups.entry("shop".to_owned()).or_default().insert("staff".to_owned());
        policy.grant(permission, scope.clone(), Who::Role("staff".to_owned()));
        policy.allows("alice", permission, &scope)
    }

    fn the_order_of_sources_says_nothing(policy: Policy, host: u8) -> bool {
        let mut turned = policy.clone();
        turned.sources.reverse();
        let at = IpAddr::from([10, 0, host / 4 % 2, host % 4]);
        USERS.iter().all(|user| policy.method(user, at) == turned.method(user, at))
    }

    fn the_most_specific_source_decides(policy: Policy, host: u8) -> bool {
        let mut policy = policy;
        let at = IpAddr::from([10, 0, host / 4 % 2, host % 4]);
        let own = Who::Role("alice".to_owned());
        policy.sources.retain(|source| source.who != own || source.network.prefix_len() < 32);
        policy.sources.push(Source { who: own, network: IpNet::from(at), method: Method::Trust });
        policy.method("alice", at) == Some(Method::Trust)
    }

    fn a_wider_source_changes_nothing_where_a_narrower_one_decides(policy: Policy, host: u8) -> bool {
        let at = IpAddr::from([10, 0, host / 4 % 2, host % 4]);
        let everywhere: IpNet = "0.0.0.0/0".parse().expect("a network");
        let mut policy = policy;
        policy.sources.retain(|source| source.network != everywhere);
        let before = policy.method("alice", at);
        policy.sources.push(Source { who: Who::All, network: everywhere, method: Method::Trust });
        policy.method("alice", at) == before.or(Some(Method::Trust))
    }
}

#[test]
fn a_user_is_named_before_a_network_is_narrow() {
    let source = |who: Who, network: &str, method| Source {
        who,
        network: network.parse().expect("a network"),
        method,
    };
    let sources = vec![
        source(Who::All, "10.0.0.1/32", Method::Trust),
        source(Who::Role("alice".to_owned()), "10.0.0.0/8", Method::Password),
    ];
    let policy = Policy { sources, ..Policy::default() };
    let at = |address: &str| address.parse().expect("an address");
    assert_eq!(policy.method("alice", at("10.0.0.1")), Some(Method::Password));
    assert_eq!(policy.method("bob", at("10.0.0.1")), Some(Method::Trust));
    assert_eq!(policy.method("bob", at("::ffff:10.0.0.1")), Some(Method::Trust));
    assert_eq!(policy.method("bob", at("10.0.0.2")), None);
}
