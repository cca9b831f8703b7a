//! What the client does when nodes fail in ways that real nodes hardly can be made to: an answer that is lost, silence,
//! refusals. The node here is a script.

mod scripted;

use std::time::Duration;

use bytes::Bytes;
use cartwheel_client::{Client, Error, Fate};
use cartwheel_riak::pb::code;
use cartwheel_riak::pb::message::{
    DtFetchResp, DtUpdateReq, DtUpdateResp, RpbIndexReq, RpbIndexResp, RpbListKeysResp, RpbPutReq, RpbPutResp,
};
use prost::Message;

use self::scripted::{Reply, Scripted};

fn client(nodes: &[&Scripted]) -> Client {
    let builder = Client::builder().backoff(Duration::from_millis(2)).attempt_timeout(Duration::from_secs(5));
    builder.build(nodes.iter().map(|node| node.address())).expect("settings that make sense")
}

fn written() -> Reply {
    Reply::message(&RpbPutResp::default())
}

fn put_ids(node: &Scripted) -> Vec<Bytes> {
    let puts = node.asked(code::PUT_REQ);
    let id = |body| RpbPutReq::decode(body).expect("a put").request_id.expect("a name");
    puts.into_iter().map(id).collect()
}

fn update_ids(node: &Scripted) -> Vec<Option<Bytes>> {
    let updates = node.asked(code::DT_UPDATE_REQ);
    updates.into_iter().map(|body| DtUpdateReq::decode(body).expect("an update").request_id).collect()
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_goes_to_the_same_node_again_under_its_name() {
    let lossy = |asked: usize| if asked == 0 { Reply::HangUp } else { written() };
    let nodes = [
        Scripted::start(move |asked, _| lossy(asked)).await,
        Scripted::start(move |asked, _| lossy(asked)).await,
    ];
    client(&[&nodes[0], &nodes[1]]).bucket("b").put("k", "v").await.expect("written");
    let ids: Vec<_> = nodes.iter().map(put_ids).collect();
    let [ids, others] = if ids[0].is_empty() { [&ids[1], &ids[0]] } else { [&ids[0], &ids[1]] };
    assert!(others.is_empty(), "one node has it, and remembers");
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
    assert_eq!(ids[0].len(), 16);
}

#[tokio::test]
async fn when_the_node_that_may_have_it_is_gone_a_put_goes_to_another_one_and_a_counter_does_not() {
    for is_counter in [false, true] {
        let gone = Scripted::start(|_, _| Reply::HangUpForEver).await;
        let there = Scripted::start(|_, _| written()).await;
        let client = client(&[&gone, &there]);
        // The first one's turn.
        let bucket = client.bucket_type("t").bucket("b");
        if is_counter {
            let mut counter = bucket.counter("k");
            let error = counter.increment(1).store().await.expect_err("nobody knows");
            assert_eq!(error.fate(), Fate::Unknown, "{error}");
            assert!(update_ids(&there).is_empty(), "it would count twice");
        } else {
            bucket.put("k", "v").await.expect("written");
            assert_eq!(put_ids(&gone), put_ids(&there));
        }
    }
}

#[tokio::test]
async fn an_update_in_doubt_is_sent_under_its_old_name_before_anything_else() {
    let node = Scripted::start(|asked, _| match asked {
        0 => Reply::error("timeout"),
        sum => Reply::message(&DtUpdateResp {
            counter_value: Some(i64::try_from(sum).expect("small")),
            ..DtUpdateResp::default()
        }),
    });
    let node = node.await;
    let once = Client::builder().attempts(1).build([node.address()]).expect("settings");
    let mut counter = once.bucket_type("counters").bucket("b").counter("k");
    let error = counter.increment(5).store().await.expect_err("timed out");
    assert!(matches!(error, Error::TimedOut { fate: Fate::Unknown, .. }), "{error}");
    counter.increment(2).store().await.expect("stored");
    let updates: Vec<_> = node
        .asked(code::DT_UPDATE_REQ)
        .into_iter()
        .map(|body| DtUpdateReq::decode(body).expect("update"))
        .collect();
    let by = |update: &DtUpdateReq| update.op.counter_op.as_ref().and_then(|op| op.increment);
    assert_eq!(updates.iter().map(by).collect::<Vec<_>>(), [Some(5), Some(5), Some(2)]);
    let ids: Vec<_> = updates.iter().map(|update| update.request_id.clone()).collect();
    assert!(ids[0] == ids[1] && ids[1] != ids[2], "{ids:?}");
    assert_eq!(counter.value(), Some(&2));
}

#[tokio::test]
async fn an_update_in_doubt_stays_so_until_a_node_says_that_it_is_done() {
    let node = Scripted::start(|asked, _| match asked {
        0 => Reply::error("timeout"),
        // Nothing was done, by this attempt.
        1 => Reply::error("overload"),
        2 => Reply::error("no such bucket type"),
        _ => Reply::message(&DtUpdateResp { counter_value: Some(1), ..DtUpdateResp::default() }),
    });
    let node = node.await;
    let once = Client::builder().attempts(1).build([node.address()]).expect("settings");
    let mut counter = once.bucket_type("counters").bucket("b").counter("k");
    counter.increment(1);
    for _ in 0..3 {
        let error = counter.store().await.expect_err("nobody knows");
        assert_eq!(error.fate(), Fate::Unknown, "{error}");
    }
    assert_eq!(counter.store().await.expect("stored"), Some(&1));
    let ids = update_ids(&node);
    assert!(ids.len() == 4 && ids.iter().all(|id| id.is_some() && *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn where_names_mean_nothing_what_adds_up_is_not_sent_again() {
    let node = Scripted::start(|_, _| Reply::HangUp).await;
    let client = Client::builder().named_writes(false).backoff(Duration::from_millis(1));
    let client = client.build([node.address()]).expect("settings");
    let mut counter = client.bucket_type("counters").bucket("b").counter("k");
    let error = counter.increment(1).store().await.expect_err("nobody knows");
    assert_eq!(error.fate(), Fate::Unknown, "{error}");
    assert_eq!(update_ids(&node), [None]);
    counter.increment(5).store().await.expect_err("nobody knows");
    let by = |body| DtUpdateReq::decode(body).expect("an update").op.counter_op.and_then(|op| op.increment);
    let sent = node.asked(code::DT_UPDATE_REQ).into_iter().map(by);
    assert_eq!(
        sent.collect::<Vec<_>>(),
        [Some(1), Some(5)],
        "what may have been done is not done again later, either"
    );
    client.bucket("b").put_new("v").await.expect_err("nobody knows");
    assert_eq!(node.asked(code::PUT_REQ).len(), 1, "each attempt would make a key of its own");
}

#[tokio::test]
async fn a_refusal_that_another_node_may_not_have_is_taken_there() {
    let busy = Scripted::start(|_, _| Reply::error("overload")).await;
    let idle = Scripted::start(|_, _| written()).await;
    let client = client(&[&busy, &idle]);
    for _ in 0..4 {
        client.bucket("b").put("k", "v").await.expect("written");
    }
    let outvoted = Scripted::start(|_, _| Reply::error("{n_val_violation,3}")).await;
    let error = self::client(&[&outvoted]).bucket("b").put("k", "v").w(9).await.expect_err("refused");
    assert!(matches!(error, Error::Refused(_)), "{error}");
    assert_eq!(outvoted.asked(code::PUT_REQ).len(), 1, "it would be refused again");
}

#[tokio::test]
async fn silence_is_left_behind_and_in_the_end_the_time_is_up() {
    let silent = Scripted::start(|_, _| Reply::Silence).await;
    let awake = Scripted::start(|_, _| written()).await;
    let builder = || Client::builder().attempt_timeout(Duration::from_millis(50));
    let both = builder().build([silent.address(), awake.address()]).expect("settings");
    for _ in 0..3 {
        both.bucket("b").put("k", "v").await.expect("written");
    }
    let patient = builder().timeout(Duration::from_millis(120)).build([silent.address()]).expect("settings");
    let error = patient.bucket("b").put("k", "v").await.expect_err("silence");
    assert!(matches!(error, Error::TimedOut { fate: Fate::Unknown, .. }), "{error}");
    let error = patient.bucket("b").get("k").await.expect_err("silence");
    assert_eq!(error.fate(), Fate::NotDone, "reads change nothing");
}

#[tokio::test]
async fn one_may_wait_for_ever() {
    let node =
        Scripted::start(|asked, _| if asked == 0 { Reply::error("overload") } else { written() }).await;
    let builder = Client::builder().timeout(Duration::MAX).attempt_timeout(Duration::MAX);
    let builder = builder.connect_timeout(Duration::MAX).idle_timeout(Duration::MAX);
    let client = builder.build([node.address()]).expect("settings");
    client.bucket("b").put("k", "v").await.expect("written");
    client.bucket("b").put("k", "v").timeout(Duration::MAX).await.expect("written");
    let busy = Scripted::start(|_, _| Reply::error("overload")).await;
    let builder = Client::builder().backoff(Duration::MAX).attempts(2);
    let error = builder.build([busy.address()]).expect("settings").bucket("b").put("k", "v").await;
    assert!(
        matches!(error, Err(Error::Overloaded(_))),
        "it would be longer than the time that there is: {error:?}"
    );
}

#[tokio::test]
async fn connections_are_few_and_used_again() {
    let node = Scripted::start(|_, _| written()).await;
    let client = Client::builder().connections_max(3).build([node.address()]).expect("settings");
    let puts: Vec<_> = (0..20)
        .map(|_| {
            let bucket = client.bucket("b");
            tokio::spawn(async move { bucket.put("k", "v").await.expect("written") })
        })
        .collect();
    for put in puts {
        put.await.expect("no panic");
    }
    assert_eq!(node.asked(code::PUT_REQ).len(), 20);
    assert!((1..=3).contains(&node.calls()), "{} connections", node.calls());
    assert_eq!(client.idle_connections(), [node.calls()]);
}

#[tokio::test]
async fn a_connection_that_was_hung_up_on_while_idle_is_not_used() {
    let node = Scripted::start(|_, _| Reply::ThenHangUp(Box::new(written()))).await;
    let client = Client::builder().attempts(1).build([node.address()]).expect("settings");
    for _ in 0..5 {
        client.bucket("b").put("k", "v").await.expect("written at the first attempt");
        node.until_hung_up().await;
    }
}

#[tokio::test]
async fn keys_come_part_by_part_and_an_error_ends_them() {
    let part = |key: &'static [u8], done: Option<bool>| {
        Reply::message(&RpbListKeysResp { keys: vec![Bytes::from_static(key)], done })
    };
    let node = Scripted::start(move |asked, _| match asked {
        0 => Reply::Many(vec![part(b"a", None), part(b"b", Some(true))]),
        _ => Reply::Many(vec![part(b"a", None), Reply::error("timeout")]),
    });
    let node = node.await;
    let bucket = client(&[&node]).bucket("b");
    assert_eq!(bucket.keys().all().await.expect("all"), ["a", "b"]);
    let mut keys = bucket.keys();
    assert_eq!(keys.next().await.expect("one").expect("a key"), "a");
    assert!(matches!(keys.next().await, Some(Err(Error::TimedOut { after: None, .. }))));
}

#[tokio::test]
async fn an_index_is_read_page_after_page() {
    let node = Scripted::start(|_, body| {
        let asked = RpbIndexReq::decode(body).expect("a query");
        assert_eq!((asked.max_results, asked.index.as_ref()), (Some(2), &b"age_int"[..]));
        let (keys, continuation): (&[&str], _) = match asked.continuation.as_deref() {
            None => (&["a", "b"], Some(Bytes::from_static(b"further"))),
            Some(_) => (&["c"], None),
        };
        let keys = keys.iter().map(|key| Bytes::from_static(key.as_bytes())).collect();
        Reply::message(&RpbIndexResp { keys, continuation, ..RpbIndexResp::default() })
    });
    let node = node.await;
    let query = client(&[&node]).bucket("people").query_int_range("age", 20..=30).page_size(2);
    let page = query.page(None).await.expect("a page");
    assert_eq!(page.entries.len(), 2);
    let last = query.page(page.continuation).await.expect("a page");
    assert_eq!((last.entries.len(), last.continuation), (1, None));
    let all = query.entries().all().await.expect("all");
    assert_eq!(all.iter().map(|entry| entry.key.as_ref()).collect::<Vec<_>>(), [b"a", b"b", b"c"]);
}

#[tokio::test]
async fn what_is_removed_is_what_was_seen() {
    let node = Scripted::start(|asked, _| match asked {
        0 => Reply::message(&DtFetchResp {
            context: Some(Bytes::from_static(b"seen")),
            data_type: 2,
            value: None,
        }),
        _ => Reply::message(&DtUpdateResp::default()),
    });
    let node = node.await;
    let mut set = client(&[&node]).bucket_type("sets").bucket("carts").set("alice");
    set.remove("milk").add("bread").store().await.expect("stored");
    let update = node.asked(code::DT_UPDATE_REQ).remove(0);
    let update = DtUpdateReq::decode(update).expect("an update");
    assert_eq!(update.context.as_deref(), Some(&b"seen"[..]), "it was read before");
    let op = update.op.set_op.expect("of a set");
    assert_eq!((op.adds, op.removes), (vec!["bread".into()], vec!["milk".into()]));
}
