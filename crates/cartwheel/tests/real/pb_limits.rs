//! Strangers at the protocol-buffers port, and clients that ask too much.

use std::io::Write;
use std::net::TcpStream;

use bytes::BytesMut;
use cartwheel_riak::pb::frame;
use cartwheel_riak::pb::message::{RpbLink, RpbPutResp};

use crate::cluster::until;
use crate::http;
use crate::pb::{Client, error_of, get, lone, put};

const CONFIG: &str = "connections_max = 200\nheader_bytes_max = 8192\nbody_timeout_ms = 1000\n\
                      body_bytes_max = 1000000\nbodies_bytes_max = 1500000";

#[test]
fn oversized_slow_and_senseless_messages_are_cut_off_and_others_served() {
    let dir = tempfile::tempdir().expect("a directory");
    let (node, pb) = lone(&dir, CONFIG);
    let before = node.memory();
    let mut large = Client::connect(pb);
    large.stream.write_all(&(1_u32 << 30).to_be_bytes()).expect("sent");
    let why = error_of(&large.receive().expect("an answer").expect("a reason")).expect("an error");
    assert_eq!(
        why,
        "Error processing incoming message: a message of 1073741824 bytes; at most 1008192 are allowed"
    );
    assert!(large.has_hung_up());
    assert!(node.memory() < before + (64 << 20), "nothing is kept ready for it");

    let mut nothing = Client::connect(pb);
    nothing.stream.write_all(&[0; 4]).expect("sent");
    assert!(nothing.has_hung_up(), "a frame without a code");

    // A frame that has begun and does not end.
    let mut slow = Client::connect(pb);
    slow.stream.write_all(&[0, 0, 0, 10, 9]).expect("sent");
    assert!(slow.has_hung_up());

    let mut client = Client::connect(pb);
    let value = "v".repeat(1_000_001);
    let refused = client.ask::<RpbPutResp>(&put("b", "k", &value));
    assert_eq!(refused, Err("value too large: body_bytes_max is 1000000 bytes".to_owned()));
    client.put("b", "k", &value[1..]);
    assert_eq!(client.get("b", "k").content[0].value.len(), 1_000_000, "a value as large as allowed");
    // What is sent without an end in sight is refused when it is too much.
    let mut many = Client::connect(pb);
    let mut bytes = BytesMut::new();
    frame::put(&mut bytes, &put("b", "k", &value[1..]));
    let mut hold = Client::connect(pb);
    hold.stream.write_all(&bytes[..900_000]).expect("sent");
    until("there is no room for another", || {
        drop(many.stream.write_all(&bytes));
        let frame = many.receive().ok().flatten();
        let full =
            frame.as_ref().and_then(error_of).is_some_and(|why| why.contains("bodies_bytes_max is 1500000"));
        if !full {
            many = Client::connect(pb);
            hold = Client::connect(pb);
            drop(hold.stream.write_all(&bytes[..900_000]));
        }
        full
    });
    drop(hold);
    until("there is room again", || {
        Client::connect(pb).ask::<RpbPutResp>(&put("b", "k", &value[1..])).is_ok()
    });
}

/// Two bytes are enough to send a link, and a hundred are taken when it is read.
#[test]
fn what_the_lists_of_a_message_take_is_paid_for_before_they_are_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let (node, pb) = lone(&dir, CONFIG);
    let with_links = |links| {
        let mut put = put("b", "k", "milk");
        put.content.links = vec![RpbLink::default(); links];
        put
    };
    let mut client = Client::connect(pb);
    client.ask::<RpbPutResp>(&with_links(1_000)).expect("written");
    let before = node.memory();
    let refused = client.ask::<RpbPutResp>(&with_links(400_000)).expect_err("far too much");
    assert!(refused.contains("bodies_bytes_max is 1500000"), "{refused}");
    assert!(node.memory() < before + (16 << 20), "{} bytes, {before} before", node.memory());
    Client::connect(pb).ask::<RpbPutResp>(&with_links(1_000)).expect("others are served");
}

#[test]
fn half_open_connections_by_the_thousand_stop_no_client() {
    let dir = tempfile::tempdir().expect("a directory");
    let (node, pb) = lone(&dir, "connections_max = 200");
    Client::connect(pb).put("b", "k", "milk");
    let before = node.memory();
    let mut held = Vec::new();
    for number in 0..2_000 {
        let mut stream = TcpStream::connect(pb).expect("connected");
        // Half of them begin a message that never ends; some are cut off while they do.
        if number % 2 == 0 {
            drop(stream.write_all(&[0, 0, 1, 0, 9]));
        }
        held.push(stream);
        if number % 100 == 0 {
            until("a client is served", || {
                let mut client = Client::connect(pb);
                client.send(&get("b", "k")).is_ok()
                    && matches!(client.receive(), Ok(Some(frame)) if error_of(&frame).is_none())
            });
        }
    }
    until("HTTP, too, whose room is the same", || http::get(node.http, "/ping").is_ok());
    assert!(node.memory() < before + (100 << 20), "{} bytes, {before} before", node.memory());
    let refused = node.status()["strangers"]["clients_refused"].as_u64().expect("a number");
    assert!(refused >= 1_700, "{refused} were shown out");
}

#[test]
fn who_does_not_read_is_given_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let (node, pb) = lone(&dir, "body_timeout_ms = 1000");
    let mut deaf = Client::connect(pb);
    deaf.put("b", "k", &"v".repeat(1_000_000));
    let connections = || {
        let stats = http::get(node.http, "/stats").expect("answered").body;
        serde_json::from_str::<serde_json::Value>(&stats).expect("JSON")["pbc_active"].clone()
    };
    assert_eq!(connections(), 1);
    // Far more than the sockets hold between the two.
    for _ in 0..100 {
        drop(deaf.send(&get("b", "k")));
    }
    until("it is given up", || connections() == 0);
    assert_eq!(Client::connect(pb).get("b", "k").content[0].value.len(), 1_000_000);
}
