//! Users, what they may do, and what everybody else is told.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Stdio;

use tempfile::TempDir;

use crate::cluster::{Node, cartwheel, free_address, until};
use crate::http;
use crate::https::{Authority, Client, client_tls_of};

pub const USERS: &str = r#"
enabled = true
[[user]]
name = "alice"
password = "HASH"
[[user]]
name = "bob"
[[user]]
name = "oscar"
password = "HASH"
[[source]]
users = ["all"]
cidr = "127.0.0.0/8"
method = "password"
[[source]]
users = ["bob"]
cidr = "127.0.0.0/8"
method = "certificate"
[[grant]]
to = ["alice", "bob"]
permissions = ["riak_kv.get", "riak_kv.put"]
type = "default"
bucket = "carts"
[[grant]]
to = ["oscar"]
permissions = ["cartwheel.admin"]
"#;

/// As an operator makes it.
pub fn hash(password: &str) -> String {
    let mut hashing = cartwheel()
        .args(["security", "hash"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary");
    writeln!(hashing.stdin.take().expect("piped"), "{password}").expect("written");
    let done = hashing.wait_with_output().expect("ended");
    assert!(done.status.success());
    String::from_utf8(done.stdout).expect("text").trim().to_owned()
}

/// A node with users that answers over TLS.
fn guarded(dir: &TempDir, authority: &Authority) -> (Node, SocketAddr) {
    guarded_by(dir, authority, "")
}

/// The same, with more grants.
pub fn guarded_by(dir: &TempDir, authority: &Authority, grants: &str) -> (Node, SocketAddr) {
    let mut node = Node::new(dir, "n1");
    node.configure("test", &[("n1", node.peer)]);
    authority.certify("n1", node.dir());
    let https = free_address();
    node.configure_also(
        &format!("https = \"{https}\"\nsecurity = \"security.toml\""),
        &client_tls_of(authority, &node),
    );
    let users = USERS.replace("HASH", &hash("milk")) + grants;
    std::fs::write(node.dir().join("security.toml"), users).expect("written");
    node.spawn();
    let client = Client::new(authority, None);
    until("it answers", || client.send(https, "GET", "/ping", None, "").is_ok());
    (node, https)
}

#[test]
fn users_do_what_they_may_and_nobody_else_does_anything() {
    let dir = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(&dir.path().join("ca"));
    let bobs = authority.certify_user("bob");
    let (node, https) = guarded(&dir, &authority);
    let (anybody, bob) = (Client::new(&authority, None), Client::new(&authority, Some(&bobs)));
    let path = "/buckets/carts/keys/k";
    let ask = |client: &Client, method: &str, path: &str, credentials: Option<&str>| {
        let reply = client.send(https, method, path, credentials, "bread").expect("answered");
        (reply.status, reply.body)
    };
    assert_eq!(ask(&anybody, "PUT", path, Some("alice:milk")).0, 204);
    assert_eq!(ask(&bob, "GET", path, None), (200, "bread".to_owned()));

    let plain = http::get(node.http, path).expect("answered");
    assert_eq!(plain.status, 426);
    let told = "Security is enabled and Riak does not accept credentials over HTTP. Try HTTPS instead.";
    assert_eq!(plain.body, told);
    for (client, method, path, credentials, status, logged) in [
        (&anybody, "GET", path, None, 401, "no credentials"),
        (&anybody, "GET", path, Some("alice:bread"), 401, "wrong password of user \"alice\""),
        (&anybody, "GET", path, Some("mallory:milk"), 401, "unknown user \"mallory\""),
        (&anybody, "GET", path, Some("bob:milk"), 401, "no certificate, which user \"bob\" needs here"),
        (
            &anybody,
            "DELETE",
            path,
            Some("alice:milk"),
            403,
            "User 'alice' does not have 'riak_kv.delete' on default/carts",
        ),
        (
            &bob,
            "GET",
            "/types/t/buckets/carts/keys/k",
            None,
            403,
            "User 'bob' does not have 'riak_kv.get' on t/carts",
        ),
        (
            &anybody,
            "GET",
            "/buckets/carts/props",
            Some("alice:milk"),
            403,
            "User 'alice' does not have 'riak_core.get_bucket' on default/carts",
        ),
        (
            &anybody,
            "GET",
            "/cartwheel/status",
            Some("alice:milk"),
            403,
            "User 'alice' does not have 'cartwheel.admin'",
        ),
    ] {
        let (answered, body) = ask(client, method, path, credentials);
        assert_eq!(answered, status, "{method} {path} as {credentials:?}: {body}");
        if status == 403 {
            assert_eq!(body, format!("Permission denied: {logged}"));
        }
        until(&format!("{logged:?} is logged"), || node.log().replace('\\', "").contains(logged));
    }
    assert_eq!(ask(&anybody, "GET", "/cartwheel/status", Some("oscar:milk")).0, 200);
    let log = node.log();
    assert!(!log.contains("milk") && !log.contains("bread"), "no password is logged:\n{log}");
}

#[test]
fn an_operator_comes_in_with_a_password_and_grants_change_while_the_node_runs() {
    let dir = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(&dir.path().join("ca"));
    let (node, https) = guarded(&dir, &authority);
    let url = format!("https://{https}");
    let status = |user: Option<&str>, password: &str| {
        let mut command = cartwheel();
        command.args(["cluster", "status", "--node", &url, "--ca"]).arg(authority.ca());
        command.env("CARTWHEEL_PASSWORD", password);
        user.iter().for_each(|user| _ = command.args(["--user", user]));
        let done = command.output().expect("the binary");
        (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    let (done, shown) = status(Some("oscar"), "milk");
    assert!(done && shown.contains("n1"), "{shown}");
    let (done, why) = status(None, "milk");
    assert!(!done && why.contains("wants to know who asks"), "{why}");
    let (done, why) = status(Some("oscar"), "bread");
    assert!(!done && why.contains("refused this user, or the password"), "{why}");
    let (done, why) = status(Some("alice"), "milk");
    assert!(!done && why.contains("User 'alice' does not have 'cartwheel.admin'"), "{why}");

    let file = node.dir().join("security.toml");
    let before = std::fs::read_to_string(&file).expect("written");
    std::fs::write(&file, before.replace("to = [\"oscar\"]", "to = [\"nobody\"]")).expect("written");
    until("the mistake is logged", || {
        node.log().replace('\\', "").contains("grant.to: \"nobody\" is not known here")
    });
    assert!(status(Some("oscar"), "milk").0, "the old grants are kept");
    std::fs::write(&file, before.replace("to = [\"oscar\"]", "to = [\"alice\"]")).expect("written");
    until("alice may", || status(Some("alice"), "milk").0);
    assert!(!status(Some("oscar"), "milk").0);
}
