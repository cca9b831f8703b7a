//! The sentences of `riak admin security`: `grant P,P on any to WHO`, `key=value`, `user/NAME`.

use std::collections::BTreeSet;

use cartwheel_node::{Grant, Role, hash_password};

/// Names between commas.
pub fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Names of users and groups; Riak lets them be told apart by `user/` and `group/`. Here a name is only one of the two.
pub fn roles(text: &str) -> Vec<String> {
    let plain = |name: String| {
        let known = name.strip_prefix("user/").or_else(|| name.strip_prefix("group/"));
        known.map(str::to_owned).unwrap_or(name)
    };
    list(text).into_iter().map(plain).collect()
}

/// `PERMISSIONS on any|TYPE [BUCKET] to|from ROLES`. The small words may be large.
pub fn grant(words: &[String], toward: &str) -> Result<Grant, String> {
    let is = |word: &str, wanted: &str| word.eq_ignore_ascii_case(wanted);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (permissions, bucket_type, bucket, to) = match words.as_slice() {
        [permissions, on, any, to, who] if is(on, "on") && is(any, "any") && is(to, toward) => {
            (permissions, None, None, who)
        }
        [permissions, on, name, to, who] if is(on, "on") && is(to, toward) => {
            (permissions, Some((*name).to_owned()), None, who)
        }
        [permissions, on, name, bucket, to, who] if is(on, "on") && is(to, toward) => {
            (permissions, Some((*name).to_owned()), Some((*bucket).to_owned()), who)
        }
        _ => {
            let verb = if toward == "to" { "grant" } else { "revoke" };
            let what = format!("{verb} PERMISSION[,PERMISSION] on any|TYPE [BUCKET] {toward} WHO[,WHO]");
            return Err(format!("security {verb}: allowed is {what}, where WHO is a user, a group, or all"));
        }
    };
    Ok(Grant { permissions: list(permissions), bucket_type, bucket, roles: roles(to) })
}

/// A user or a group with `password=` and `groups=`.
pub fn role(name: &str, options: &[String]) -> Result<Role, String> {
    let mut role = Role { name: roles(name).pop().unwrap_or_default(), ..Role::default() };
    for option in options {
        match option.split_once('=') {
            Some(("password", password)) => role.password_hash = Some(hash_password(password).to_string()),
            Some(("groups", groups)) => {
                role.groups = Some(roles(groups).into_iter().collect::<BTreeSet<_>>());
            }
            _ => return Err(format!("{option}: allowed are password=PASSWORD and groups=GROUP[,GROUP]")),
        }
    }
    Ok(role)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn grants_are_sentences() {
        let grant = |text: &str| grant(&words(text), "to");
        let all = grant("riak_kv.get,riak_kv.put on any to group/shoppers,alice").expect("a sentence");
        assert_eq!(all.permissions, ["riak_kv.get", "riak_kv.put"]);
        assert_eq!((all.bucket_type, all.bucket, all.roles), (None, None, words("shoppers alice")));
        let one = grant("riak_kv.get ON default carts TO all").expect("a sentence");
        assert_eq!((one.bucket_type.as_deref(), one.bucket.as_deref()), (Some("default"), Some("carts")));
        assert_eq!(grant("p on maps to all").expect("a sentence").bucket_type.as_deref(), Some("maps"));
        for wrong in ["p any to all", "p on any all", "p on a b c to all", "p on any from all"] {
            assert!(grant(wrong).expect_err(wrong).contains("allowed is grant"), "{wrong}");
        }
    }

    #[test]
    fn options_are_pairs_and_passwords_do_not_travel() {
        let options = ["password=Test=1234", "groups=a,group/b"].map(str::to_owned);
        let role = role("user/alice", &options).expect("options");
        assert_eq!(role.name, "alice");
        let hash: cartwheel_node::PasswordHash = role.password_hash.expect("given").parse().expect("a hash");
        assert!(hash.is_of("Test=1234"));
        assert_eq!(role.groups, Some(["a", "b"].map(str::to_owned).into()));
        assert!(super::role("alice", &["colour=red".to_owned()]).is_err());
    }
}
