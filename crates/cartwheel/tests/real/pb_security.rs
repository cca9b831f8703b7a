//! Users and TLS at the protocol-buffers port, in Riak's order and words.

use std::io::Write;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::frame::{self, Frame};
use cartwheel_riak::pb::message::{RpbAuthReq, RpbDelReq, RpbGetResp, RpbPutResp};
use tempfile::TempDir;

use crate::cluster::{Node, free_address, until};
use crate::https::{Authority, Client as Tls, client_tls_of};
use crate::pb::{Client, error_of, get, lone, put};
use crate::security::{USERS, hash};

/// A node with users.
fn guarded(dir: &TempDir, authority: &Authority) -> (Node, SocketAddr) {
    let mut node = Node::new(dir, "n1");
    node.configure("test", &[("n1", node.peer)]);
    authority.certify("n1", node.dir());
    let pb = free_address();
    node.configure_also(
        &format!("pb = \"{pb}\"\nsecurity = \"security.toml\""),
        &client_tls_of(authority, &node),
    );
    std::fs::write(node.dir().join("security.toml"), USERS.replace("HASH", &hash("milk"))).expect("written");
    node.spawn();
    until("it answers", || std::net::TcpStream::connect(pb).is_ok());
    (node, pb)
}

/// As a client of Riak's does it: STARTTLS, then TLS on the same socket.
fn private(pb: SocketAddr, tls: &Tls) -> Client {
    let mut plain = std::net::TcpStream::connect(pb).expect("connected");
    plain.set_read_timeout(Some(crate::cluster::PATIENCE)).expect("set");
    plain.write_all(&[0, 0, 0, 1, code::START_TLS]).expect("sent");
    let mut answer = [0; 5];
    std::io::Read::read_exact(&mut plain, &mut answer).expect("answered");
    assert_eq!(answer, [0, 0, 0, 1, code::START_TLS]);
    Client::over(tls.over(plain, pb.ip()))
}

fn log_in(client: &mut Client, user: &str, password: &str) -> Result<u8, String> {
    let [user, password] = [user, password].map(|text| Bytes::copy_from_slice(text.as_bytes()));
    client.send(&RpbAuthReq { user, password }).expect("sent");
    let frame = client.receive().expect("an answer").expect("it has not hung up");
    error_of(&frame).map_or(Ok(frame.code), Err)
}

#[test]
fn tls_comes_first_then_a_name_then_what_it_may() {
    let dir = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(&dir.path().join("ca"));
    let bobs = authority.certify_user("bob");
    let (node, pb) = guarded(&dir, &authority);
    let anybody = Tls::new(&authority, None);

    let mut plain = Client::connect(pb);
    for _ in 0..2 {
        let refused = plain.ask_bare(code::PING_REQ);
        assert_eq!(refused, Err("Security is enabled, please STARTTLS first".to_owned()));
    }
    assert_eq!(
        log_in(&mut plain, "alice", "milk"),
        Err("Security is enabled, please STARTTLS first".to_owned())
    );

    let mut alice = private(pb, &anybody);
    let refused = alice.ask_bare(code::PING_REQ);
    assert_eq!(refused, Err("Security is enabled, please authenticate first".to_owned()));
    assert_eq!(log_in(&mut alice, "alice", "bread"), Err("Authentication failed".to_owned()));
    assert_eq!(log_in(&mut alice, "alice", "milk"), Ok(code::AUTH_RESP));
    assert_eq!(alice.ask_bare(code::PING_REQ), Ok(code::PING_RESP));
    alice.put("carts", "k", "bread");
    let delete = RpbDelReq { bucket: "carts".into(), key: "k".into(), ..RpbDelReq::default() };
    let denied = "Permission denied: User 'alice' does not have 'riak_kv.delete' on default/carts";
    assert_eq!(alice.ask::<RpbGetResp>(&delete), Err(denied.to_owned()));
    assert_eq!(alice.get("carts", "k").content[0].value, "bread", "the connection goes on");

    // A certificate says who its owner is, and nobody else is.
    let mut bob = private(pb, &Tls::new(&authority, Some(&bobs)));
    assert_eq!(log_in(&mut bob, "bob", ""), Ok(code::AUTH_RESP));
    assert_eq!(bob.get("carts", "k").content[0].value, "bread");
    let elsewhere = bob.ask::<RpbPutResp>(&put("cards", "k", "v"));
    let denied = "Permission denied: User 'bob' does not have 'riak_kv.put' on default/cards";
    assert_eq!(elsewhere, Err(denied.to_owned()));
    let log = node.log();
    assert!(!log.contains("milk") && !log.contains("bread"), "no password is logged:\n{log}");
}

#[test]
fn who_guesses_is_shown_out_and_so_is_who_speaks_before_tls_is_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(&dir.path().join("ca"));
    let (node, pb) = guarded(&dir, &authority);
    let anybody = Tls::new(&authority, None);
    let mut guesser = private(pb, &anybody);
    for (user, password) in [("alice", "bread"), ("mallory", "milk"), ("bob", "")] {
        assert_eq!(log_in(&mut guesser, user, password), Err("Authentication failed".to_owned()));
    }
    assert!(guesser.has_hung_up());
    for logged in
        ["wrong password of user \"alice\"", "unknown user \"mallory\"", "no certificate, which user \"bob\""]
    {
        until(&format!("{logged:?} is logged"), || node.log().replace('\\', "").contains(logged));
    }

    // Whoever is between a client and the node could put words into the client's mouth.
    let mut smuggled = BytesMut::from(&[0, 0, 0, 1, code::START_TLS][..]);
    frame::put(&mut smuggled, &put("carts", "k", "v"));
    let mut between = Client::connect(pb);
    between.stream.write_all(&smuggled).expect("sent");
    assert_eq!(
        between.receive().expect("an answer"),
        Some(Frame { code: code::START_TLS, body: Bytes::new() })
    );
    assert!(between.has_hung_up());

    // Strangers have less to say.
    let mut long = private(pb, &anybody);
    long.stream.write_all(&(1_u32 << 20).to_be_bytes()).expect("sent");
    assert!(error_of(&long.receive().expect("an answer").expect("a reason")).is_some());
}

#[test]
fn without_users_there_is_no_tls_and_nobody_to_be() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_node, pb) = lone(&dir, "");
    let mut client = Client::connect(pb);
    let refused = client.ask_bare(code::START_TLS);
    assert_eq!(refused, Err("Security not enabled; STARTTLS not allowed.".to_owned()));
    assert_eq!(log_in(&mut client, "alice", "milk"), Err("Unknown message code: 253".to_owned()));
    assert_eq!(client.ask::<RpbGetResp>(&get("b", "k")), Ok(RpbGetResp::default()));
}

#[test]
fn a_connection_ends_when_its_user_has_another_password() {
    let dir = tempfile::tempdir().expect("a directory");
    let authority = Authority::new(&dir.path().join("ca"));
    let bobs = authority.certify_user("bob");
    let (node, pb) = guarded(&dir, &authority);
    let mut alice = private(pb, &Tls::new(&authority, None));
    assert_eq!(log_in(&mut alice, "alice", "milk"), Ok(code::AUTH_RESP));
    let mut bob = private(pb, &Tls::new(&authority, Some(&bobs)));
    assert_eq!(log_in(&mut bob, "bob", ""), Ok(code::AUTH_RESP));
    assert_eq!(alice.ask_bare(code::PING_REQ), Ok(code::PING_RESP));

    std::fs::write(node.dir().join("security.toml"), USERS.replace("HASH", &hash("bread"))).expect("written");
    let mut told = Ok(code::PING_RESP);
    until("she is asked who she is", || {
        told = alice.ask_bare(code::PING_REQ);
        told.is_err()
    });
    assert_eq!(told, Err("Security is enabled, please authenticate first".to_owned()));
    assert!(alice.has_hung_up());
    let reason = "user \"alice\" has another password by now than it came in with";
    until("it is logged", || node.log().replace('\\', "").contains(reason));
    assert_eq!(bob.ask_bare(code::PING_REQ), Ok(code::PING_RESP), "nothing of his has changed");
    let mut alice = private(pb, &Tls::new(&authority, None));
    assert_eq!(log_in(&mut alice, "alice", "bread"), Ok(code::AUTH_RESP));
}
