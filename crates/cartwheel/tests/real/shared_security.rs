//! Users and grants that the cluster keeps, said with `cartwheel admin security`.

use std::net::SocketAddr;

use crate::cluster::{Node, cartwheel, until};
use crate::http;
use crate::https::{Authority, Client, client_tls_of};

/// Three nodes that answer over TLS, too.
fn cluster(dir: &tempfile::TempDir, authority: &Authority) -> Vec<(Node, SocketAddr)> {
    let nodes: Vec<Node> = ["n1", "n2", "n3"].map(|name| Node::new(dir, name)).into();
    let members: Vec<(String, SocketAddr)> =
        nodes.iter().map(|node| (node.name.clone(), node.peer)).collect();
    let members: Vec<(&str, SocketAddr)> =
        members.iter().map(|(name, peer)| (name.as_str(), *peer)).collect();
    let mut nodes: Vec<(Node, SocketAddr)> =
        nodes.into_iter().map(|node| (node, crate::cluster::free_address())).collect();
    for (node, https) in &mut nodes {
        node.configure("test", &members);
        authority.certify(&node.name, node.dir());
        node.configure_also(&format!("https = \"{https}\""), &client_tls_of(authority, node));
        node.spawn();
    }
    nodes.iter_mut().for_each(|(node, _)| node.wait_until_ready());
    nodes
}

/// `cartwheel admin security ...` over TLS, as `oscar`.
fn as_oscar(https: SocketAddr, authority: &Authority, words: &[&str]) -> (bool, String) {
    let url = format!("https://{https}");
    let mut command = cartwheel();
    command.args(["admin", "security"]).args(words).args(["--node", &url, "--user", "oscar", "--ca"]);
    let done = command.arg(authority.ca()).env("CARTWHEEL_PASSWORD", "anchovy").output().expect("the binary");
    (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
}

/// Says something of security, and what was answered.
fn tell(node: &Node, words: &[&str]) -> String {
    let (done, said) = node.admin(&[&["security"], words].concat());
    assert!(done, "{words:?}: {said}");
    said
}

/// Alice and Bob may shop; Oscar is known.
fn let_shoppers_in(n1: &Node) {
    let tell = |words: &[&str]| tell(n1, words);
    assert_eq!(tell(&["status"]), "Disabled\n");
    tell(&["add-group", "shoppers"]);
    tell(&["add-user", "alice", "password=milk", "groups=shoppers"]);
    tell(&["add-user", "bob", "groups=shoppers"]);
    tell(&["add-user", "oscar", "password=anchovy"]);
    tell(&["add-source", "all", "127.0.0.0/8", "password"]);
    tell(&["add-source", "bob", "127.0.0.1/32", "certificate"]);
    tell(&["grant", "riak_kv.get,riak_kv.put", "on", "default", "carts", "to", "shoppers"]);
    let table = tell(&["print-grants", "alice"]);
    assert!(
        table.contains("Inherited permissions (user/alice)") && table.contains("riak_kv.get, riak_kv.put"),
        "{table}"
    );
    assert!(!tell(&["print-users"]).contains("pbkdf2"));
    let (done, said) = n1.admin(&["security", "grant", "riak_kv.fly", "on", "any", "to", "alice"]);
    assert!(!done && said.contains("Permission not recognized: riak_kv.fly"), "{said}");
    let (done, said) = n1.admin(&["security", "add-user", "alice"]);
    assert!(!done && said.contains("This name is already in use"), "{said}");
}

#[test]
fn users_are_known_everywhere_over_restarts_and_nobody_is_locked_out_unawares() {
    let dir = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(&dir.path().join("ca"));
    let bobs = authority.certify_user("bob");
    let mut nodes = cluster(&dir, &authority);
    let (n1, https) = (&nodes[0].0, nodes[2].1);
    let_shoppers_in(n1);
    tell(n1, &["grant", "cartwheel.admin", "on", "any", "to", "oscar"]);
    let warned = tell(n1, &["enable"]);
    assert!(
        warned.contains("plain HTTP is refused") && warned.contains("who may administer the cluster: oscar"),
        "{warned}"
    );
    for (node, _) in &nodes {
        until("everybody asks", || http::get(node.http, "/ping").is_ok_and(|reply| reply.status == 426));
    }
    let (anybody, bob) = (Client::new(&authority, None), Client::new(&authority, Some(&bobs)));
    let ask = |client: &Client, method: &str, path: &str, credentials: Option<&str>| {
        client.send(https, method, path, credentials, "bread").expect("answered").status
    };
    let path = "/buckets/carts/keys/k";
    assert_eq!(ask(&anybody, "PUT", path, Some("alice:milk")), 204);
    assert_eq!(ask(&bob, "GET", path, None), 200);
    assert_eq!(ask(&anybody, "DELETE", path, Some("alice:milk")), 403);
    assert_eq!(ask(&anybody, "GET", path, Some("alice:bread")), 401);
    assert_eq!(ask(&anybody, "GET", "/types/default/props", Some("alice:milk")), 403);

    let (done, said) = as_oscar(
        nodes[1].1,
        &authority,
        &["revoke", "riak_kv.put", "on", "default", "carts", "from", "shoppers"],
    );
    assert!(done, "{said}");
    until("it is revoked", || ask(&anybody, "PUT", path, Some("alice:milk")) == 403);

    nodes[2].0.kill();
    nodes[2].0.spawn();
    until("the node asks from its first answer on", || {
        http::get(nodes[2].0.http, "/ping").is_ok_and(|reply| {
            assert_eq!(reply.status, 426);
            true
        })
    });
    until("its disk knows alice", || ask(&anybody, "GET", path, Some("alice:milk")) == 200);

    let (done, said) = as_oscar(https, &authority, &["del-user", "oscar"]);
    assert!(done, "{said}");
    until("oscar is gone", || !as_oscar(nodes[0].1, &authority, &["status"]).0);
    // The way back: a file of one node lets everybody in there.
    let n1 = &mut nodes[0].0;
    n1.terminate();
    n1.configure_also("security = \"security.toml\"", "");
    std::fs::write(n1.dir().join("security.toml"), "enabled = false\n").expect("written");
    n1.spawn();
    until("n1 asks nobody", || http::get(n1.http, "/ping").is_ok_and(|reply| reply.status == 200));
    let (done, said) = n1.admin(&["security", "status"]);
    assert!(done && said.starts_with("Enabled\n") && said.contains("its own file comes first"), "{said}");
    until("n1 takes part again", || n1.admin(&["security", "disable"]).0);
    for (node, _) in &nodes {
        until("nobody asks", || http::get(node.http, "/ping").is_ok_and(|reply| reply.status == 200));
    }
}
