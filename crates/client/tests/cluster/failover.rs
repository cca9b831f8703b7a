//! Nodes that end while a client uses them.

use std::time::Duration;

use cartwheel_client::testing::TestCluster;
use cartwheel_client::{Client, Error, Fate};
use tokio::sync::mpsc;

const WRITES: usize = 60;

#[tokio::test]
async fn while_a_node_is_killed_every_write_is_acknowledged_and_kept() {
    let mut cluster = TestCluster::start(3).await.expect("a cluster");
    let carts = cluster.client().bucket("carts");
    let (written, mut progress) = mpsc::unbounded_channel();
    let writer = tokio::spawn(async move {
        for number in 0..WRITES {
            carts.put(format!("k{number}"), format!("{number}")).await.expect("acknowledged");
            written.send(number).expect("awaited");
        }
        carts
    });
    while progress.recv().await.expect("it goes on") < WRITES / 3 {}
    cluster.kill_node(1).await;
    let carts = writer.await.expect("every write is acknowledged");
    for number in 0..WRITES {
        let shown = carts.get(format!("k{number}")).await.expect("read");
        let value = shown.value().expect("no siblings").expect("kept");
        assert_eq!(value.to_text(), number.to_string());
    }
    cluster.start_node(1).await.expect("it starts again");
    let only = Client::connect([cluster.addresses()[1].to_string()]).await.expect("it answers");
    assert!(only.bucket("carts").get("k0").await.expect("read").is_found());
}

#[tokio::test]
async fn a_node_that_stops_in_order_is_hardly_noticed() {
    let mut cluster = TestCluster::start(3).await.expect("a cluster");
    let carts = cluster.client().bucket("carts");
    for round in 0..3 {
        carts.put("alice", "milk").await.expect("acknowledged");
        cluster.stop_node(round).await;
        carts.get("alice").await.expect("read");
        cluster.start_node(round).await.expect("it starts again");
    }
}

#[tokio::test]
async fn without_any_node_nothing_is_done_and_the_error_says_so() {
    let mut cluster = TestCluster::start(1).await.expect("a cluster");
    let impatient = Client::builder().backoff(Duration::from_millis(1));
    let client = impatient.connect([cluster.addresses()[0].to_string()]).await.expect("it answers");
    cluster.kill_node(0).await;
    // Not even a connection of the pool looks as if it could be used.
    let error = client.bucket("carts").put("alice", "milk").await.expect_err("nobody is there");
    assert!(matches!(&error, Error::Unreachable { .. }) && error.fate() == Fate::NotDone, "{error}");
}
