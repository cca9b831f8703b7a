//! Objects: all that belongs to them, siblings, updates.

use std::collections::BTreeSet;

use cartwheel_client::testing::TestCluster;
use cartwheel_client::{Content, Error, Fate, Link, Quorum, RequestId, Unmet};

#[tokio::test]
async fn an_object_comes_back_with_all_that_was_said_about_it() {
    let cluster = TestCluster::start(3).await.expect("a cluster");
    let carts = cluster.client().bucket("carts");
    let link = Link { bucket: "people".into(), key: "alice".into(), tag: "owner".into() };
    let content = Content::json(&["milk"])
        .expect("JSON")
        .with_meta("color", "red")
        .with_index_int("items", 1)
        .with_index_bin("shop", "north")
        .with_link(link.clone());
    let written = carts.put("alice", content).w(Quorum::All).return_body(true).await.expect("written");
    assert_eq!(written.key, "alice");
    let shown = carts.get("alice").r(Quorum::All).await.expect("read");
    assert_eq!(written.object.as_ref(), Some(&shown));
    let value = shown.value().expect("no siblings").expect("there");
    assert_eq!(value.parse_json::<Vec<String>>().expect("JSON"), ["milk"]);
    assert_eq!(value.meta("color").map(AsRef::as_ref), Some(&b"red"[..]));
    assert_eq!(value.indexes().count(), 2);
    assert_eq!(value.links().collect::<Vec<_>>(), [link]);
    assert!(value.vtag().is_some() && value.modified().is_some());

    let head = carts.get("alice").head().await.expect("read");
    assert!(head.value().expect("no siblings").expect("there").value().is_empty());
    let context = shown.context.expect("a context");
    assert!(carts.get("alice").if_modified(context).await.expect("read").is_unchanged);
    assert!(!carts.get("nobody").await.expect("read").is_found());
}

#[tokio::test]
async fn writers_that_have_not_seen_each_other_are_siblings_until_somebody_has_seen_both() {
    let cluster = TestCluster::start(3).await.expect("a cluster");
    let carts = cluster.client().bucket("carts");
    carts.put("alice", "milk").await.expect("written");
    let context = carts.get("alice").await.expect("read").context;
    carts.put("alice", "milk, bread").context(context.clone()).await.expect("written");
    carts.put("alice", "milk, eggs").context(context.clone()).await.expect("written");
    let shown = carts.get("alice").await.expect("read");
    let values: BTreeSet<String> = shown.values().map(ToString::to_string).collect();
    assert_eq!(values, BTreeSet::from(["milk, bread".to_owned(), "milk, eggs".to_owned()]));
    assert!(matches!(shown.value(), Err(Error::Siblings { count: 2 })));

    // A delete replaces what it has seen, and nothing else.
    carts.delete("alice").context(context).await.expect("deleted");
    assert_eq!(carts.get("alice").await.expect("read").values().count(), 2);
    let written = carts.update("alice", |values| Content::text(format!("{} carts", values.len())));
    let object = written.await.expect("written").object.expect("shown");
    assert_eq!(object.value().expect("one").expect("there").to_text(), "2 carts");
    carts.delete("alice").await.expect("deleted");
    assert!(!carts.get("alice").await.expect("read").is_found());
}

#[tokio::test]
async fn conditions_and_refusals_say_that_nothing_was_written() {
    let cluster = TestCluster::start(3).await.expect("a cluster");
    let carts = cluster.client().bucket("carts");
    carts.put("alice", "milk").await.expect("written");
    let found = carts.put("alice", "bread").if_none_match().await.expect_err("it is there");
    assert!(matches!(found, Error::Condition(Unmet::Found)), "{found}");
    let beyond = carts.get("alice").r(4).await.expect_err("N is 3");
    assert!(matches!(&beyond, Error::Refused(_)) && beyond.fate() == Fate::NotDone, "{beyond}");
    let nameless = carts.put("", "bread").await.expect_err("a key has a name");
    assert!(matches!(&nameless, Error::Refused(_)), "{nameless}");
}

#[tokio::test]
async fn a_write_that_is_sent_again_under_its_name_happens_once() {
    let cluster = TestCluster::start(3).await.expect("a cluster");
    let carts = cluster.client().bucket("carts");
    let id = RequestId::random();
    // To all nodes in turn: each of them is a home of the key, and coordinates its own.
    for _ in 0..6 {
        carts.put("alice", "milk").request_id(id).w(Quorum::All).await.expect("written");
    }
    assert_eq!(carts.get("alice").r(Quorum::All).await.expect("read").siblings.len(), 1);
    carts.put("alice", "milk").w(Quorum::All).await.expect("written");
    assert_eq!(carts.get("alice").r(Quorum::All).await.expect("read").siblings.len(), 2);
    let made = [carts.put_new("milk").request_id(id).await, carts.put_new("milk").request_id(id).await];
    let [first, second] = made.map(|written| written.expect("written").key);
    assert_eq!(first, second, "the same write makes the same key");
}

#[tokio::test]
async fn updates_that_cross_lose_nothing() {
    const WRITERS: usize = 8;
    const EACH: usize = 6;
    let cluster = TestCluster::start(3).await.expect("a cluster");
    let carts = cluster.client().bucket("carts");
    let writers = (0..WRITERS).map(|writer| {
        let carts = carts.clone();
        tokio::spawn(async move {
            for turn in 0..EACH {
                let item = format!("{writer}-{turn}");
                let add = |carts: Vec<BTreeSet<String>>| carts.into_iter().flatten().chain([item]).collect();
                carts.update_json("alice", add).await.expect("written");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no panic");
    }
    let union = |carts: Vec<BTreeSet<String>>| carts.into_iter().flatten().collect::<BTreeSet<_>>();
    let items = carts.update_json("alice", union).await.expect("written");
    assert_eq!(items.len(), WRITERS * EACH, "{items:?}");
    carts.get("alice").await.expect("read").value().expect("one value");
}

#[tokio::test]
async fn updates_that_are_begun_anew_see_each_other() {
    let cluster = TestCluster::start(3).await.expect("a cluster");
    let carts = cluster.client().bucket("carts");
    let add = |item: &'static str| {
        let carts = carts.clone();
        async move {
            let change = |values: &[Content]| {
                let all: Vec<String> = values.iter().map(ToString::to_string).collect();
                [all.join(" "), item.to_owned()].concat()
            };
            carts.update_if_unchanged("alice", change).await.expect("written");
        }
    };
    tokio::join!(add("a"), add("b"), add("c"));
    // What siblings are left, the test of `update` knows; none is lost here either.
    let text: String = carts.get("alice").await.expect("read").values().map(ToString::to_string).collect();
    assert!("abc".chars().all(|item| text.contains(item)), "{text}");
    carts.delete("alice").await.expect("deleted");
    add("d").await;
    assert_eq!(carts.get("alice").await.expect("read").value().expect("one").expect("there").to_text(), "d");
}
