//! Clean slates between tests.

use cartwheel_client::testing::TestCluster;

#[tokio::test]
async fn a_wiped_cluster_has_never_seen_anything() {
    let mut cluster = TestCluster::start(3).await.expect("a cluster");
    let carts = cluster.client().bucket("carts");
    carts.put("alice", "milk").await.expect("written");
    carts.delete("alice").await.expect("deleted");
    carts.put("bob", "bread").await.expect("written");
    cluster.stop_node(2).await;
    cluster.wipe().await.expect("wiped");
    for key in ["alice", "bob"] {
        let shown = carts.get(key).r(3).await.expect("all nodes answer");
        assert!(!shown.is_found() && shown.context.is_none(), "{shown:?}");
    }
    carts.put("bob", "eggs").await.expect("written");
    assert_eq!(carts.get("bob").await.expect("read").siblings.len(), 1);
}
