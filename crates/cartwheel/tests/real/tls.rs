//! Peers that prove who they are, and strangers who cannot.

use std::net::SocketAddr;

use tempfile::TempDir;

use crate::cluster::{Node, free_address, until};
use crate::https::{Authority, Client, client_tls_of, tls_of};

/// Nodes of the cluster `test`, configured and certified, but not started; each with an address for clients over TLS.
fn certified(dir: &TempDir, authority: &Authority, names: &[&str]) -> Vec<(Node, SocketAddr)> {
    let nodes: Vec<Node> = names.iter().map(|name| Node::new(dir, name)).collect();
    let members: Vec<(&str, SocketAddr)> = nodes.iter().map(|node| (node.name.as_str(), node.peer)).collect();
    let configure = |node: &Node| {
        node.configure("test", &members);
        authority.certify(&node.name, node.dir());
        let https = free_address();
        let tables = tls_of(authority, &node.name) + &client_tls_of(authority, node);
        node.configure_also(&format!("https = \"{https}\""), &tables);
        https
    };
    let addresses: Vec<SocketAddr> = nodes.iter().map(configure).collect();
    nodes.into_iter().zip(addresses).collect()
}

/// A newcomer that would like to belong to the cluster of `node`.
fn newcomer(dir: &TempDir, cluster: &str, name: &str, node: &Node, tables: &str) -> Node {
    let stranger = Node::new(dir, name);
    stranger.configure(cluster, &[(node.name.as_str(), node.peer)]);
    let text = std::fs::read_to_string(stranger.config()).expect("written").replace("n = 1\n", "n = 3\n");
    std::fs::write(stranger.config(), text).expect("written");
    stranger.configure_also("", tables);
    stranger
}

#[test]
fn a_cluster_with_tls_serves_and_strangers_are_refused_with_the_reason_on_both_sides() {
    let dir = tempfile::tempdir().expect("a directory");
    let [ours, theirs] = ["ours", "theirs"].map(|name| Authority::new(&dir.path().join(name)));
    let mut cluster = certified(&dir, &ours, &["n1", "n2", "n3"]);
    cluster.iter_mut().for_each(|(node, _)| node.spawn());
    cluster.iter_mut().for_each(|(node, _)| node.wait_until_ready());
    let client = Client::new(&ours, None);
    let path = "/buckets/b/keys/k?w=all&timeout=20000";
    until("all three keep a write", || {
        client.send(cluster[0].1, "PUT", path, None, "milk").is_ok_and(|reply| reply.status == 204)
    });
    let read = client.send(cluster[2].1, "GET", "/buckets/b/keys/k", None, "").expect("answered");
    assert_eq!(read.values(), ["milk"]);

    let n1 = &cluster[0].0;
    // Everybody has a directory of its own, and in it what it shows.
    let show = |name: &str, make: &dyn Fn(&std::path::Path)| {
        let at = dir.path().join(name);
        std::fs::create_dir_all(&at).expect("a directory");
        make(&at);
    };
    show("alien", &|at| theirs.certify("alien", at));
    show("late", &|at| ours.certify_expired("late", at));
    show("liar", &|at| ours.certify("n9", at));
    show("bank", &|at| ours.certify("bank", at));
    let believing_ours = |shown: &str| tls_of(&ours, shown);
    let strangers = [
        (
            newcomer(&dir, "test", "alien", n1, &believing_ours("alien")),
            "certificate is of an authority that is not trusted here",
            "does not trust the authority of our certificate",
        ),
        (
            newcomer(&dir, "test", "late", n1, &believing_ours("late")),
            "certificate has expired",
            "our certificate has expired",
        ),
        (
            newcomer(&dir, "test", "liar", n1, &believing_ours("n9")),
            "a certificate that is not for \"liar\" called as \"liar\"",
            "a certificate that is not for \"liar\" called as \"liar\"",
        ),
        (
            newcomer(&dir, "bank", "bank", n1, &believing_ours("bank")),
            "cluster \"bank\" called cluster \"test\"",
            "cluster \"bank\" called cluster \"test\"",
        ),
        (newcomer(&dir, "test", "plain", n1, ""), "speaks no TLS", "speaks TLS; there is no [tls]"),
    ];
    for (mut stranger, here, there) in strangers {
        stranger.spawn();
        until(&format!("n1 and {} have said why they do not talk", stranger.name), || {
            said(n1, here) && said(&stranger, there)
        });
    }
    assert!(client.knock(n1.peer, "n1").is_err());
    until("n1 has said that it was shown no certificate", || said(n1, "has shown no certificate"));
    assert!(n1.status()["strangers"]["peers_refused"].as_u64().is_some_and(|refused| refused >= 6));
}

/// Whether a node has logged it, however its log quotes.
fn said(node: &Node, what: &str) -> bool {
    node.log().replace('\\', "").contains(what)
}

#[test]
fn certificates_are_replaced_while_the_node_runs() {
    let dir = tempfile::tempdir().expect("a directory");
    let [old, new] = ["old", "new"].map(|name| Authority::new(&dir.path().join(name)));
    let mut cluster = certified(&dir, &old, &["n1"]);
    let (n1, https) = &mut cluster[0];
    n1.start();
    let ping = |authority: &Authority| Client::new(authority, None).send(*https, "GET", "/ping", None, "");
    assert_eq!(ping(&old).expect("answered").status, 200);
    assert!(ping(&new).is_err());

    // A key that is not the certificate's: the old ones are kept.
    let other = dir.path().join("other");
    new.certify("n1", &other);
    std::fs::copy(other.join("n1.key"), n1.dir().join("n1.key")).expect("copied");
    until("the mistake is logged", || said(n1, "n1.key: is not the key of the certificate in"));
    assert_eq!(ping(&old).expect("answered").status, 200);

    std::fs::copy(other.join("n1.pem"), n1.dir().join("n1.pem")).expect("copied");
    until("the new certificate is shown", || ping(&new).is_ok_and(|reply| reply.status == 200));
    assert!(ping(&old).is_err());
    let shown_to = |status: &serde_json::Value, at: usize| status["certificates"][at]["shown_to"].clone();
    let status = n1.status();
    assert_eq!((shown_to(&status, 0), shown_to(&status, 1)), ("peers".into(), "clients".into()));
    assert!(status["certificates"][0]["days_left"].as_i64().is_some_and(|days| days > 300));
}

#[test]
fn a_start_without_a_good_certificate_says_which_file_and_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(&dir.path().join("ca"));
    let cluster = certified(&dir, &authority, &["n1"]);
    let (n1, _) = &cluster[0];
    std::fs::remove_file(n1.dir().join("n1.key")).expect("removed");
    let started = crate::cluster::cartwheel().arg("serve").arg("--config").arg(n1.config()).output();
    let started = started.expect("the binary");
    assert_eq!(started.status.code(), Some(2));
    let why = String::from_utf8_lossy(&started.stderr).into_owned();
    assert!(why.contains("tls: ") && why.contains("n1.key: cannot be read"), "{why}");
}
