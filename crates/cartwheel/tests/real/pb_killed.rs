//! Pipelined requests, and nodes that die while they are under way.

use std::collections::BTreeSet;

use cartwheel_riak::pb::code;
use cartwheel_riak::pb::message::RpbGetClientIdResp;

use crate::cluster::until;
use crate::pb::{Client, error_of, get, lone, put, three};

const PUTS: usize = 400;

fn key(number: usize) -> String {
    format!("k{number}")
}

/// Sends so many puts ahead of their answers.
fn send_all(client: &mut Client) {
    for number in 0..PUTS {
        if client.send(&put("b", &key(number), &format!("v{number}"))).is_err() {
            return;
        }
    }
}

#[test]
fn what_is_sent_ahead_is_answered_in_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut node, pb) = lone(&dir, "");
    let mut client = Client::connect(pb);
    send_all(&mut client);
    for number in 0..PUTS {
        client.send(&get("b", &key(number))).expect("sent");
    }
    client
        .send_frame(&cartwheel_riak::pb::frame::Frame {
            code: code::GET_CLIENT_ID_REQ,
            body: [].as_slice().into(),
        })
        .expect("sent");
    for _ in 0..PUTS {
        client.expect::<cartwheel_riak::pb::message::RpbPutResp>().expect("written");
    }
    for number in 0..PUTS {
        let read: cartwheel_riak::pb::message::RpbGetResp = client.expect().expect("read");
        assert_eq!(read.content[0].value, format!("v{number}"));
    }
    assert_eq!(client.expect::<RpbGetClientIdResp>().expect("told").client_id, [0; 4].as_slice());
    // A connection that a client keeps for later does not keep the node.
    assert!(node.terminate().success());
    assert!(client.has_hung_up());
    assert!(!node.log().contains("clients are still connected"), "{}", node.log());
}

#[test]
fn another_node_that_is_killed_is_stood_in_for() {
    let (mut cluster, pb) = three();
    let mut client = Client::connect(pb[0]);
    send_all(&mut client);
    for number in 0..PUTS {
        if number == PUTS / 10 {
            cluster.nodes[1].kill();
        }
        let frame = client.receive().expect("an answer").expect("it has not hung up");
        assert_eq!((frame.code, error_of(&frame)), (code::PUT_RESP, None), "put {number}");
    }
    let mut reader = Client::connect(pb[2]);
    for number in 0..PUTS {
        assert_eq!(reader.get("b", &key(number)).content[0].value, format!("v{number}"));
    }
}

#[test]
fn a_killed_node_has_lost_nothing_that_it_had_acknowledged() {
    let (mut cluster, pb) = three();
    let mut client = Client::connect(pb[0]);
    let mut acknowledged = BTreeSet::new();
    send_all(&mut client);
    while let Ok(Some(frame)) = client.receive() {
        assert_eq!(error_of(&frame), None);
        acknowledged.insert(acknowledged.len());
        if acknowledged.len() == PUTS / 4 {
            cluster.nodes[0].kill();
        }
    }
    assert!((PUTS / 4..=PUTS).contains(&acknowledged.len()), "{} acknowledged", acknowledged.len());
    let mut reader = Client::connect(pb[1]);
    for number in &acknowledged {
        assert_eq!(reader.get("b", &key(*number)).content[0].value, format!("v{number}"), "put {number}");
    }
    cluster.nodes[0].start();
    until("it answers again", || std::net::TcpStream::connect(pb[0]).is_ok());
    let mut reader = Client::connect(pb[0]);
    assert!(acknowledged.iter().all(|number| reader.get("b", &key(*number)).content.len() == 1));
}
