//! Data types and properties, with real nodes.

use std::collections::BTreeSet;

use bytes::Bytes;
use cartwheel_client::testing::TestCluster;
use cartwheel_client::{Bucket, Client, Error, FieldType, Props, Quorum};

async fn bucket(cluster: &TestCluster, datatype: &str) -> Bucket {
    let props = Props { datatype: Some(datatype.to_owned()), ..Props::default() };
    cluster.create_bucket_type(datatype, &props).await.expect("a type");
    cluster.client().bucket_type(datatype.to_owned()).bucket("carts")
}

fn set(elements: &[&'static str]) -> BTreeSet<Bytes> {
    elements.iter().copied().map(Bytes::from).collect()
}

#[tokio::test]
async fn counters_add_up_however_many_add() {
    const ADDERS: i64 = 6;
    let cluster = TestCluster::start(3).await.expect("a cluster");
    let visits = bucket(&cluster, "counter").await;
    assert_eq!(visits.counter("shop").fetch().await.expect("read"), None);
    let adders = (1..=ADDERS).map(|by| {
        // At all homes, as the last one shows what its coordinator holds.
        let mut counter = visits.counter("shop").w(Quorum::All);
        tokio::spawn(async move {
            for _ in 0..3 {
                counter.increment(by).store().await.expect("stored");
            }
        })
    });
    for adder in adders.collect::<Vec<_>>() {
        adder.await.expect("no panic");
    }
    let mut counter = visits.counter("shop").r(Quorum::All);
    let sum = 3 * ADDERS * (ADDERS + 1) / 2;
    assert_eq!(counter.fetch().await.expect("read"), Some(&sum));
    assert_eq!(counter.increment(-1).store().await.expect("stored"), Some(&(sum - 1)));
}

#[tokio::test]
async fn a_set_keeps_what_is_added_and_forgets_what_is_removed() {
    let cluster = TestCluster::start(3).await.expect("a cluster");
    let carts = bucket(&cluster, "set").await;
    let (mut phone, mut laptop) = (carts.set("alice"), carts.set("alice"));
    let stored = phone.add("milk").add("bread").store().await.expect("stored");
    assert_eq!(stored, Some(&set(&["bread", "milk"])));
    laptop.fetch().await.expect("read");
    phone.add("eggs").store().await.expect("stored");
    laptop.remove("milk").add("tea").store().await.expect("stored");
    assert_eq!(phone.fetch().await.expect("read"), Some(&set(&["bread", "eggs", "tea"])));

    // Where nothing is, nothing can be removed, and nothing else of that operation is done.
    let mut nobody = carts.set("nobody");
    let error = nobody.add("jam").remove("nope").store().await.expect_err("it is not there");
    assert!(matches!(error, Error::NotPresent(_)), "{error}");
    nobody.discard();
    assert_eq!(nobody.fetch().await.expect("read"), None);

    let mut made = carts.new_set();
    made.add("milk").store().await.expect("stored");
    let key = made.key().expect("the node has made it").clone();
    assert_eq!(carts.set(key).fetch().await.expect("read"), Some(&set(&["milk"])));
}

#[tokio::test]
async fn a_map_is_changed_deep_inside() {
    let cluster = TestCluster::start(3).await.expect("a cluster");
    let people = bucket(&cluster, "map").await;
    // What a change shows is what its coordinator holds: the next one's may be any home.
    let mut alice = people.map("alice").w(Quorum::All);
    let edit = alice.edit();
    edit.register("name").assign("Alice");
    edit.flag("member").enable();
    edit.counter("visits").increment(3);
    edit.set("cart").add("milk").add("bread");
    edit.map("address").register("city").assign("Berlin");
    alice.store().await.expect("stored");

    let mut again = people.map("alice");
    let seen = again.fetch().await.expect("read").expect("there");
    assert_eq!(seen.registers["name".as_bytes()], "Alice");
    assert_eq!((seen.counters["visits".as_bytes()], seen.flags["member".as_bytes()]), (3, true));
    assert_eq!(seen.sets["cart".as_bytes()], set(&["bread", "milk"]));
    assert_eq!(seen.maps["address".as_bytes()].registers["city".as_bytes()], "Berlin");

    again.edit().set("cart").remove("milk");
    again.edit().flag("member").disable();
    again.edit().remove(FieldType::Map, "address");
    let seen = again.store().await.expect("stored").expect("there");
    assert_eq!(seen.sets["cart".as_bytes()], set(&["bread"]));
    assert!(!seen.flags["member".as_bytes()] && seen.maps.is_empty());
}

#[tokio::test]
async fn sets_that_only_grow_and_estimates() {
    let cluster = TestCluster::start(3).await.expect("a cluster");
    let seen = bucket(&cluster, "gset").await;
    let mut seen = seen.gset("pages");
    assert_eq!(seen.add("a").add("b").store().await.expect("stored"), Some(&set(&["a", "b"])));
    let visitors = bucket(&cluster, "hll").await;
    let mut visitors = visitors.hll("today");
    for visitor in ["alice", "bob", "alice"] {
        visitors.add(visitor).store().await.expect("stored");
    }
    assert_eq!(visitors.value(), Some(&2));
    let mut wrong = cluster.client().bucket_type("gset").bucket("carts").counter("pages");
    let error = wrong.increment(1).store().await.expect_err("it is a set");
    assert!(matches!(error, Error::WrongType(_)), "{error}");
    let error = cluster.client().bucket_type("nope").bucket("b").get("k").await.expect_err("no such type");
    assert!(matches!(error, Error::NoSuchType(_)), "{error}");
}

#[tokio::test]
async fn properties_are_set_and_reset() {
    let cluster = TestCluster::start(3).await.expect("a cluster");
    // The other nodes hear of it a moment later.
    let client = Client::connect([cluster.addresses()[0].to_string()]).await.expect("it answers");
    let carts = client.bucket("carts");
    let before = carts.props().await.expect("read");
    assert_eq!(before.n_val, Some(3));
    let props = Props { r: Some(Quorum::All), w: Some(Quorum::Count(1)), ..Props::default() };
    carts.set_props(&props).await.expect("set");
    let after = carts.props().await.expect("read");
    assert_eq!((after.r, after.w, after.n_val), (Some(Quorum::All), Some(Quorum::Count(1)), Some(3)));
    carts.reset_props().await.expect("reset");
    assert_eq!(carts.props().await.expect("read"), before);
    let typed = Props { n_val: Some(2), ..Props::default() };
    cluster.create_bucket_type("pairs", &typed).await.expect("a type");
    let pairs = client.bucket_type("pairs");
    assert_eq!(pairs.props().await.expect("read").n_val, Some(2));
    pairs.set_props(&Props { allow_mult: Some(false), ..Props::default() }).await.expect("set");
    assert_eq!(pairs.bucket("b").props().await.expect("read").allow_mult, Some(false));
}
