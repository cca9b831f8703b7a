//! Data types over protocol buffers, as a client of Riak's uses them.

use cartwheel_riak::pb::message::{
    CounterOp, DtFetchReq, DtFetchResp, DtOp, DtType, DtUpdateReq, DtUpdateResp, RpbCounterGetReq,
    RpbCounterGetResp, RpbCounterUpdateReq, RpbCounterUpdateResp, SetOp,
};

use crate::cluster::{Cluster, until};
use crate::http::send;
use crate::pb::{Client, three};

fn create_type(cluster: &Cluster, name: &str, datatype: &str) {
    let body = format!("{{\"name\":\"{name}\",\"props\":{{\"datatype\":\"{datatype}\"}}}}");
    let json = [("Content-Type", "application/json")];
    for (verb, body) in [("create", body), ("activate", format!("{{\"name\":\"{name}\"}}"))] {
        let path = format!("/cartwheel/types/{verb}");
        let reply = send(cluster.http(0), "POST", &path, &json, &body).expect("answered");
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

fn fetch(bucket_type: &'static str) -> DtFetchReq {
    DtFetchReq {
        bucket: "carts".into(),
        key: "anna".into(),
        bucket_type: bucket_type.into(),
        ..DtFetchReq::default()
    }
}

fn update(bucket_type: &'static str, op: DtOp) -> DtUpdateReq {
    DtUpdateReq {
        bucket: "carts".into(),
        key: Some("anna".into()),
        bucket_type: bucket_type.into(),
        op,
        ..DtUpdateReq::default()
    }
}

fn adds(element: &'static str) -> DtOp {
    let set_op = SetOp { adds: vec![element.into()], removes: Vec::new() };
    DtOp { set_op: Some(set_op), ..DtOp::default() }
}

fn removes(element: &'static str) -> DtOp {
    let set_op = SetOp { adds: Vec::new(), removes: vec![element.into()] };
    DtOp { set_op: Some(set_op), ..DtOp::default() }
}

#[test]
fn concurrent_changes_of_a_cart_all_count_though_a_node_dies() {
    let (mut cluster, pb) = three();
    create_type(&cluster, "sets", "set");
    let mut clients = pb.map(Client::connect);
    for client in &mut clients {
        until("the type is known everywhere", || client.ask::<DtFetchResp>(&fetch("sets")).is_ok());
    }
    let missing: DtFetchResp = clients[0].ask(&fetch("sets")).expect("answered");
    assert_eq!((missing.data_type(), missing.value), (DtType::Set, None));
    clients[0].ask::<DtUpdateResp>(&update("sets", adds("milk"))).expect("added");
    let seen: DtFetchResp = clients[1].ask(&fetch("sets")).expect("answered");
    assert!(seen.context.is_some(), "a set is changed with what was seen of it");

    // One device removes what it has seen, another adds the same anew, and a third adds something else.
    let remove = DtUpdateReq { context: seen.context, ..update("sets", removes("milk")) };
    clients[0].ask::<DtUpdateResp>(&update("sets", adds("milk"))).expect("added");
    clients[1].ask::<DtUpdateResp>(&remove).expect("removed");
    cluster.nodes[1].kill();
    let again = DtUpdateReq { return_body: Some(true), ..update("sets", adds("eggs")) };
    let shown: DtUpdateResp = clients[2].ask(&again).expect("added");
    assert!(shown.set_value.contains(&"eggs".into()), "{shown:?}");
    let end: DtFetchResp = clients[0].ask(&fetch("sets")).expect("answered");
    let value = end.value.expect("it is there").set_value;
    assert_eq!(value, ["eggs", "milk"], "the milk that was added anew had not been seen");
}

#[test]
fn counters_count_and_say_what_they_need() {
    let (cluster, pb) = three();
    create_type(&cluster, "counters", "counter");
    let mut client = Client::connect(pb[0]);
    let count = |increment| {
        let op = DtOp { counter_op: Some(CounterOp { increment }), ..DtOp::default() };
        DtUpdateReq { return_body: Some(true), ..update("counters", op) }
    };
    for (increment, value) in [(None, 1), (Some(5), 6), (Some(-8), -2)] {
        let shown: DtUpdateResp = client.ask(&count(increment)).expect("counted");
        assert_eq!((shown.counter_value, shown.context), (Some(value), None));
    }
    let other = client.ask::<DtUpdateResp>(&update("counters", adds("milk")));
    assert_eq!(other, Err("Operation type is `set` but  bucket type is `counter`.".to_owned()));
    let unknown = client.ask::<DtFetchResp>(&fetch("nosuch"));
    assert_eq!(unknown, Err("Error no bucket type `<<\"nosuch\">>`".to_owned()));

    let old = RpbCounterUpdateReq {
        bucket: "old".into(),
        key: "c".into(),
        amount: 4,
        returnvalue: Some(true),
        ..RpbCounterUpdateReq::default()
    };
    assert_eq!(client.ask(&old), Ok(RpbCounterUpdateResp { value: Some(4) }));
    let get = RpbCounterGetReq { bucket: "old".into(), key: "c".into(), ..RpbCounterGetReq::default() };
    assert_eq!(client.ask(&get), Ok(RpbCounterGetResp { value: Some(4) }));
    let one_value = [("Content-Type", "application/json")];
    let props = "{\"props\":{\"allow_mult\":false}}";
    let set = send(cluster.http(0), "PUT", "/buckets/old/props", &one_value, props).expect("answered");
    assert_eq!(set.status, 204);
    let refused = client.ask::<RpbCounterUpdateResp>(&old);
    assert_eq!(refused, Err("\"Counters require bucket property 'allow_mult=true'\"".to_owned()));
}
