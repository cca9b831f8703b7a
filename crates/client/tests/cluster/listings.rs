//! Keys, buckets and index entries, with real nodes.

use std::collections::BTreeSet;

use bytes::Bytes;
use cartwheel_client::Content;
use cartwheel_client::testing::TestCluster;

const PEOPLE: i64 = 50;

#[tokio::test]
async fn keys_buckets_and_entries_are_found_by_any_node() {
    let mut cluster = TestCluster::start(3).await.expect("a cluster");
    let client = cluster.client();
    let people = client.bucket("people");
    for age in 0..PEOPLE {
        let content = Content::text("x")
            .with_index_int("age", age)
            .with_index_bin("kind", ["odd", "even"][usize::from(age % 2 == 0)]);
        people.put(format!("p{age:02}"), content).await.expect("written");
    }
    client.bucket("carts").put("alice", "milk").await.expect("written");

    let keys = people.keys().all().await.expect("listed");
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "each once");
    assert_eq!(keys.len(), 50);
    let buckets: BTreeSet<Bytes> =
        client.bucket_type("default").buckets().all().await.expect("listed").into_iter().collect();
    assert_eq!(buckets, BTreeSet::from(["carts".into(), "people".into()]));

    let odd = people.query_bin("kind", "odd").entries().all().await.expect("found");
    assert!(odd.len() == 25 && odd.iter().all(|entry| entry.term.as_deref() == Some(b"odd")));
    let query = people.query_int_range("age", 10..=29).terms().page_size(7);
    let page = query.page(None).await.expect("found");
    assert!(page.entries.len() == 7 && page.continuation.is_some());
    let ages = |entries: &[cartwheel_client::IndexEntry]| {
        let term = |entry: &cartwheel_client::IndexEntry| {
            let term = entry.term.clone().expect("a term");
            String::from_utf8(term.to_vec()).expect("a number").parse::<i64>().expect("a number")
        };
        entries.iter().map(term).collect::<Vec<_>>()
    };
    assert_eq!(ages(&page.entries), (10..17).collect::<Vec<_>>());
    let all = query.entries().all().await.expect("found");
    assert_eq!(ages(&all), (10..=29).collect::<Vec<_>>(), "page after page, in order");

    // A node that is down is covered by the others.
    cluster.kill_node(2).await;
    let some = people.query_keys("p10", "p19").entries().all().await.expect("found");
    assert_eq!(some.len(), 10);
}
