//! Strangers at the clients' port, and clients that ask too much.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cluster::{Node, PATIENCE, until};
use crate::http::{get, put, send};

const CONFIG: &str = "connections_max = 200\nheader_bytes_max = 8192\nheader_timeout_ms = 2000\n\
                      body_timeout_ms = 1000\nbody_bytes_max = 1000000\nbodies_bytes_max = 1000000";

/// A cluster of one.
fn lone(dir: &tempfile::TempDir, config: &str) -> Node {
    let mut node = Node::new(dir, "n1");
    node.configure("test", &[("n1", node.peer)]);
    node.configure_also(config, "");
    node.start();
    node
}

/// What the node says to `bytes`, until it hangs up.
fn say(node: &Node, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(node.http).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    // It may have hung up before all was written, and may have said why or not.
    drop(stream.write_all(bytes));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn half_open_connections_by_the_thousand_stop_no_client_and_cost_little() {
    let dir = tempfile::tempdir().expect("a directory");
    // Their time is far from up when they have to go.
    let node = lone(&dir, "connections_max = 200\nheader_timeout_ms = 3600000");
    // What the store takes for its first writes is not the strangers'.
    for number in 0..50 {
        put(node.http, &format!("/buckets/a/keys/{number}"), None, "milk").expect("answered");
    }
    let before = node.memory();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let mut held = Vec::new();
            for number in 0..4_000 {
                // Half of them begin a request that never ends; some are cut off while they do.
                if let Ok(mut stream) = TcpStream::connect(node.http) {
                    if number % 2 == 0 {
                        drop(stream.write_all(b"GET /ping HTTP/1.1\r\nX-Slow: "));
                    }
                    held.push(stream);
                }
            }
            done.store(true, Ordering::Relaxed);
            held
        });
        let mut served = 0;
        while !done.load(Ordering::Relaxed) {
            // In a flood a connection may be lost before its request is read. A client asks again.
            let path = format!("/buckets/b/keys/{served}");
            until("a write goes through", || {
                put(node.http, &path, None, "milk").is_ok_and(|reply| reply.status == 204)
            });
            served += 1;
        }
        let held = flood.join().expect("no panic");
        assert_eq!(held.len(), 4_000);
        assert!(served > 0);
        until("a client is served while all are held", || {
            get(node.http, "/ping").is_ok_and(|reply| reply.status == 200)
        });
    });
    assert!(node.memory() < before + (100 << 20), "{} bytes, {before} before", node.memory());
    let refused = node.status()["strangers"]["clients_refused"].as_u64().expect("a number");
    assert!(refused >= 3_700, "{refused} were shown out");
    let lines = node.log().lines().filter(|line| line.contains("others needed the room")).count();
    assert!((1..=500).contains(&lines), "{lines} lines for {refused} strangers");
}

#[test]
fn slow_and_oversized_requests_are_cut_off_and_random_bytes_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = lone(&dir, CONFIG);
    let put = "PUT /buckets/b/keys/k HTTP/1.1\r\nHost: n1\r\nContent-Type: text/plain\r\n";

    assert_eq!(say(&node, b"GET /ping HTTP/1.1\r\nX-Slow: "), "", "a head that never ends");
    until("it is logged", || node.log().contains("no whole request in time"));
    let slow = say(&node, format!("{put}Content-Length: 10\r\n\r\nmilk").as_bytes());
    assert!(slow.starts_with("HTTP/1.1 408"), "a body that never ends: {slow}");
    let long = say(&node, format!("{put}X-Riak-Meta-A: {}\r\n\r\n", "a".repeat(20_000)).as_bytes());
    assert!(long.starts_with("HTTP/1.1 431"), "a head that is too long: {long}");
    let large = say(&node, format!("{put}Content-Length: 1073741824\r\n\r\n").as_bytes());
    assert!(large.starts_with("HTTP/1.1 413"), "a body that is too long: {large}");
    let chunk = format!("{put}Transfer-Encoding: chunked\r\n\r\n200000\r\n{}", "a".repeat(0x20_0000));
    let chunked = say(&node, chunk.as_bytes());
    assert!(
        chunked.is_empty() || chunked.starts_with("HTTP/1.1 413"),
        "and one that does not say so: {chunked}"
    );
    let random: Vec<u8> = (0..200_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect();
    say(&node, &random);
    until("they are logged", || node.log().contains("no HTTP that is understood"));
    assert_eq!(get(node.http, "/ping").expect("answered").status, 200);
}

#[test]
fn bodies_share_a_bound() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = lone(&dir, &CONFIG.replace("body_timeout_ms = 1000", "body_timeout_ms = 60000"));
    // Nearly all of the room is taken by a body that does not come to its end. Should one be refused because another
    // request was there at the wrong moment, the next is not.
    let head = "PUT /buckets/b/keys/k HTTP/1.1\r\nHost: n1\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n";
    let mut slow = Vec::new();
    let body = "b".repeat(20);
    until("there is no room for another", || {
        let mut one = TcpStream::connect(node.http).expect("connected");
        drop(one.write_all(head.as_bytes()).and_then(|()| one.write_all(&[b'a'; 999_990])));
        slow.push(one);
        put(node.http, "/buckets/b/keys/l", None, &body).is_ok_and(|reply| {
            reply.status == 503 && reply.body.contains("bodies_bytes_max is 1000000 bytes")
        })
    });
    drop(slow);
    until("there is room again", || {
        put(node.http, "/buckets/b/keys/l", None, &body).is_ok_and(|reply| reply.status == 204)
    });
}

/// Two bytes are enough to send a value, and tens are taken when it is read.
#[test]
fn what_the_values_of_a_json_body_take_is_paid_for_before_they_are_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = lone(&dir, CONFIG);
    let set = |values: usize| {
        let body = format!("{{\"props\":{{\"mine\":[0{}]}}}}", ",0".repeat(values));
        let json = [("Content-Type", "application/json")];
        send(node.http, "PUT", "/buckets/b/props", &json, &body).expect("answered")
    };
    assert_eq!(set(100).status, 204);
    let refused = set(100_000);
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.contains("bodies_bytes_max is 1000000 bytes"), "{refused:?}");
}

#[test]
fn who_reads_nothing_of_its_answer_is_cut_off_whether_it_comes_whole_or_in_pieces() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = lone(&dir, "body_timeout_ms = 1000");
    // Far more than the sockets hold between the two: many answers of one value, and one of many long keys.
    let written = put(node.http, "/buckets/b/keys/k", None, &"v".repeat(900_000)).expect("answered");
    assert_eq!(written.status, 204);
    for number in 0..600 {
        let key = format!("{number:05}{}", "k".repeat(29_995));
        let written = put(node.http, &format!("/buckets/many/keys/{key}"), None, "milk").expect("answered");
        assert_eq!(written.status, 204);
    }
    let refused = || node.status()["strangers"]["clients_refused"].as_u64().expect("a number");
    let before = refused();
    let mut deaf = TcpStream::connect(node.http).expect("connected");
    // What is sent ahead waits until the answer before has gone.
    let requests = "GET /buckets/b/keys/k HTTP/1.1\r\nHost: n1\r\n\r\n".repeat(40);
    deaf.write_all(requests.as_bytes()).expect("sent");
    until("who wants whole answers is cut off", || refused() == before + 1);
    let mut deaf = TcpStream::connect(node.http).expect("connected");
    let list = "GET /buckets/many/keys?keys=stream HTTP/1.1\r\nHost: n1\r\n\r\n";
    deaf.write_all(list.as_bytes()).expect("sent");
    until("who wants a stream is cut off", || refused() == before + 2);
    let reason = "reads nothing of its answer for 1000 ms";
    assert_eq!(node.log().matches(reason).count(), 2, "{}", node.log());
}
