//! Stories of single values.

use alloc::vec::Vec;
use alloc::{format, vec};

use bytes::Bytes;

use super::{
    Counter, DEFERRED_MAX, DEPTH_MAX, DataType, Field, FieldKind, FieldOp, FieldValue, FlagOp, Kind, Map,
    MapOp, Mutation, Op, REQUESTS_MAX, Refusal, SetOp, State,
};
use crate::id::{NodeId, RequestId, StoreId};
use crate::version::{Actor, Context, Dot};

fn dot(node: u64, counter: u64) -> Dot {
    Dot { actor: Actor { node: NodeId(node), store: StoreId(1), boot: 1, mint: 1 }, counter }
}

fn apply(value: &mut DataType, op: Op, at: Dot) -> Result<(), Refusal> {
    let request = RequestId(u128::from(at.actor.node.0) << 64 | u128::from(at.counter));
    value.apply(&Mutation { op, context: None }, at, request)
}

fn shown(value: &DataType) -> Context {
    Context(value.clock().clone())
}

fn adds(element: &'static str) -> SetOp {
    SetOp { adds: vec![Bytes::from_static(element.as_bytes())], removes: vec![] }
}

fn removes(element: &'static str) -> SetOp {
    SetOp { adds: vec![], removes: vec![Bytes::from_static(element.as_bytes())] }
}

fn elements(value: &DataType) -> Vec<Bytes> {
    let State::Set(set) = value.state() else { panic!("a set") };
    set.elements().cloned().collect()
}

fn name(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn update(text: &'static str, op: FieldOp) -> Op {
    Op::Map(MapOp { removes: vec![], updates: vec![(name(text), op)] })
}

fn remove(text: &'static str, kind: FieldKind) -> Op {
    Op::Map(MapOp { removes: vec![Field { name: name(text), kind }], updates: vec![] })
}

fn fields(value: &DataType) -> &Map {
    let State::Map(map) = value.state() else { panic!("a map") };
    map
}

#[test]
fn a_remove_waits_for_what_its_client_had_been_shown() {
    let mut here = DataType::new(Kind::Set);
    let mut there = DataType::new(Kind::Set);
    apply(&mut there, Op::Set(adds("milk")), dot(1, 1)).unwrap();
    let op = Op::Set(removes("milk"));
    here.apply(&Mutation { op, context: Some(shown(&there)) }, dot(2, 1), RequestId(9)).unwrap();
    assert_eq!(here.deferred().len(), 1);
    let both = here.merge(&there);
    assert_eq!(elements(&both), Vec::<Bytes>::new());
    assert!(both.deferred().is_empty());
}

fn waits_for(value: &mut DataType, element: u64, awaited: Dot) -> Result<(), Refusal> {
    let op = Op::Set(SetOp { adds: vec![], removes: vec![Bytes::from(format!("{element}"))] });
    let context = Some(Context([awaited].into_iter().collect()));
    let counter = value.clock().counter(dot(1, 1).actor) + 1;
    value.apply(&Mutation { op, context }, dot(1, counter), RequestId(counter.into()))
}

#[test]
fn removes_wait_up_to_a_bound_and_what_waits_for_nothing_is_not_refused() {
    let max = DEFERRED_MAX as u64;
    let mut here = DataType::new(Kind::Set);
    (0..max).for_each(|n| waits_for(&mut here, n, dot(9, 1)).unwrap());
    let refused = waits_for(&mut here.clone(), max, dot(9, 1));
    assert_eq!(refused, Err(Refusal::TooManyDeferred { max: DEFERRED_MAX }));
    // One that waits already, and two sides that have come together with more than either could have.
    waits_for(&mut here, 1, dot(9, 1)).unwrap();
    let mut there = DataType::new(Kind::Set);
    waits_for(&mut there, max, dot(9, 1)).unwrap();
    let mut both = here.merge(&there);
    assert_eq!(both.deferred().len(), DEFERRED_MAX + 1);
    apply(&mut both, Op::Set(adds("milk")), dot(2, 1)).unwrap();
    assert_eq!(elements(&both), ["milk"]);
}

#[test]
fn a_remove_waits_only_for_what_is_missing_of_what_its_client_had_been_shown() {
    let mut set = DataType::new(Kind::Set);
    apply(&mut set, Op::Set(adds("milk")), dot(1, 1)).unwrap();
    // The first dots of two actors that have written something plain, and one more that has not come yet.
    let foreign = [dot(8, 1), dot(7, 2)];
    let seen: Vec<Dot> = vec![dot(1, 1), dot(8, 1), dot(7, 2)];
    let context = Some(Context(seen.into_iter().collect()));
    let mutation = Mutation { op: Op::Set(removes("milk")), context };
    set.apply_beside(&foreign, &mutation, dot(1, 2), RequestId(2)).unwrap();
    assert_eq!(set.deferred().0.keys().collect::<Vec<_>>(), [&vec![dot(7, 1)]]);
    // Once that is there as something plain, too, nothing is waited for.
    set.apply_beside(
        &[dot(7, 1)],
        &Mutation { op: Op::Set(adds("bread")), context: None },
        dot(1, 3),
        RequestId(3),
    )
    .unwrap();
    assert!(set.deferred().is_empty());
    assert_eq!(elements(&set), ["bread"]);
}

#[test]
fn what_is_not_there_cannot_be_removed_by_one_who_has_seen_nothing() {
    let mut set = DataType::new(Kind::Set);
    assert_eq!(apply(&mut set, Op::Set(removes("milk")), dot(1, 1)), Err(Refusal::NoElement(name("milk"))));
    let mut map = DataType::new(Kind::Map);
    let field = Field { name: name("n"), kind: FieldKind::Counter };
    let refused = apply(&mut map, remove("n", FieldKind::Counter), dot(1, 1));
    assert_eq!(refused, Err(Refusal::NoField(field)));
    // One who has seen something may have seen it gone.
    let context = Some(Context::EMPTY);
    let op = Op::Set(removes("milk"));
    assert_eq!(set.apply(&Mutation { op, context }, dot(1, 1), RequestId(1)), Ok(()));
}

#[test]
fn a_field_that_is_removed_loses_what_was_seen_of_it_and_keeps_the_rest() {
    let mut here = DataType::new(Kind::Map);
    apply(&mut here, update("cart", FieldOp::Set(adds("milk"))), dot(1, 1)).unwrap();
    let mut there = here.clone();
    apply(&mut there, update("cart", FieldOp::Set(adds("bread"))), dot(2, 1)).unwrap();
    apply(&mut here, remove("cart", FieldKind::Set), dot(1, 2)).unwrap();
    assert!(fields(&here).0.is_empty());
    let both = here.merge(&there);
    let entry = &fields(&both).0[&Field { name: name("cart"), kind: FieldKind::Set }];
    let FieldValue::Set(cart) = &entry.value else { panic!("a set") };
    assert_eq!(cart.elements().collect::<Vec<_>>(), ["bread"]);
}

#[test]
fn a_set_without_elements_is_there_and_a_counter_taken_out_starts_anew() {
    let mut map = DataType::new(Kind::Map);
    apply(&mut map, update("cart", FieldOp::Set(adds("milk"))), dot(1, 1)).unwrap();
    apply(&mut map, update("cart", FieldOp::Set(removes("milk"))), dot(1, 2)).unwrap();
    assert_eq!(fields(&map).0.len(), 1);
    apply(&mut map, update("n", FieldOp::Counter(5)), dot(1, 3)).unwrap();
    let old = map.clone();
    apply(&mut map, remove("n", FieldKind::Counter), dot(1, 4)).unwrap();
    apply(&mut map, update("n", FieldOp::Counter(2)), dot(1, 5)).unwrap();
    let value = map.merge(&old);
    let FieldValue::Counter(counter) = &fields(&value).0.values().last().unwrap().value else {
        panic!("a counter")
    };
    assert_eq!(counter.value(), 2);
}

#[test]
fn a_counter_that_an_operation_names_twice_is_added_to_twice_and_once_however_often_the_client_tries() {
    let twice = |by: [i64; 2]| MapOp {
        removes: vec![],
        updates: by.map(|by| (name("n"), FieldOp::Counter(by))).to_vec(),
    };
    let nested = |by| (name("m"), FieldOp::Map(twice(by)));
    let mut op = twice([1, 2]);
    op.updates.extend([nested([5, -7]), nested([10, 20])]);
    let mutation = Mutation { op: Op::Map(op), context: None };
    let value_of = |map: &Map| {
        let counters = map.0.values().filter_map(|entry| match &entry.value {
            FieldValue::Counter(counter) => Some(counter.value()),
            _ => None,
        });
        counters.last().unwrap()
    };
    let values = |value: &DataType| match &fields(value).0.values().next().unwrap().value {
        FieldValue::Map(inner) => (value_of(fields(value)), value_of(inner)),
        other => panic!("a map, not {other:?}"),
    };
    let mut here = DataType::new(Kind::Map);
    here.apply(&mutation, dot(2, 1), RequestId(1)).unwrap();
    assert_eq!(values(&here), (3, 28));
    // The request again, at the same coordinator and at one that has heard of it.
    here.apply(&mutation, dot(2, 2), RequestId(1)).unwrap();
    here.apply(&mutation, dot(3, 1), RequestId(1)).unwrap();
    assert_eq!(values(&here), (3, 28));
    // At one that has not, and then whoever is not the least takes all of it back.
    let mut there = DataType::new(Kind::Map);
    there.apply(&mutation, dot(1, 1), RequestId(1)).unwrap();
    let mut both = here.merge(&there);
    assert_eq!(values(&both), (3, 28));
    let more = Mutation { op: Op::Map(twice([100, 100])), context: None };
    both.apply(&more, dot(2, 3), RequestId(2)).unwrap();
    assert_eq!(values(&both), (203, 28));
}

#[test]
fn of_an_enable_and_a_disable_that_did_not_know_of_each_other_the_enable_wins() {
    let mut here = DataType::new(Kind::Map);
    apply(&mut here, update("f", FieldOp::Flag(FlagOp::Enable)), dot(1, 1)).unwrap();
    let mut there = here.clone();
    apply(&mut here, update("f", FieldOp::Flag(FlagOp::Disable)), dot(1, 2)).unwrap();
    let is_on = |value: &DataType| {
        let FieldValue::Flag(flag) = &fields(value).0.values().next().unwrap().value else {
            panic!("a flag")
        };
        flag.is_on()
    };
    assert!(!is_on(&here));
    assert!(!is_on(&here.merge(&there)));
    apply(&mut there, update("f", FieldOp::Flag(FlagOp::Enable)), dot(2, 1)).unwrap();
    assert!(is_on(&here.merge(&there)));
}

#[test]
fn of_concurrent_assignments_the_same_one_is_shown_everywhere_until_the_next() {
    let [mut here, mut there] = [DataType::new(Kind::Map), DataType::new(Kind::Map)];
    apply(&mut here, update("r", FieldOp::Register(name("one"))), dot(1, 1)).unwrap();
    apply(&mut there, update("r", FieldOp::Register(name("two"))), dot(2, 1)).unwrap();
    let value = |value: &DataType| {
        let FieldValue::Register(register) = &fields(value).0.values().next().unwrap().value else {
            panic!("a register")
        };
        register.value().cloned().unwrap()
    };
    let mut both = here.merge(&there);
    assert_eq!(value(&both), "two");
    assert_eq!(value(&there.merge(&here)), "two");
    apply(&mut both, update("r", FieldOp::Register(name("three"))), dot(1, 2)).unwrap();
    assert_eq!(value(&both.merge(&there).merge(&here)), "three");
}

#[test]
fn maps_are_not_nested_without_end() {
    let mut op = FieldOp::Counter(1);
    for _ in 1..DEPTH_MAX {
        op = FieldOp::Map(MapOp { removes: vec![], updates: vec![(name("m"), op)] });
    }
    let mut map = DataType::new(Kind::Map);
    assert_eq!(apply(&mut map, update("m", op.clone()), dot(1, 1)), Ok(()));
    assert_eq!(fields(&map).depth(), DEPTH_MAX);
    let deeper = FieldOp::Map(MapOp { removes: vec![], updates: vec![(name("m"), op)] });
    let refused = apply(&mut map, update("m", deeper), dot(1, 2));
    assert_eq!(refused, Err(Refusal::TooDeep { max: DEPTH_MAX }));
}

fn counted(counter: &mut Counter, node: u64, count: u64, request: u128) {
    counter.increment(dot(node, count), RequestId(request), 1);
}

#[test]
fn what_is_remembered_of_requests_is_bounded_unless_somebody_has_still_to_take_one_back() {
    let mut counter = Counter::default();
    counted(&mut counter, 1, 1, 1);
    let mut elsewhere = Counter::default();
    counted(&mut elsewhere, 2, 1, 1);
    counter.0.append(&mut elsewhere.0);
    let first = counter.0[&dot(1, 1).actor].recent[0].request;
    let remembers_first =
        |counter: &Counter| counter.0[&dot(1, 1).actor].recent.iter().any(|recent| recent.request == first);
    assert_eq!(counter.value(), 1);
    for n in 2..=REQUESTS_MAX as u64 + 10 {
        counted(&mut counter, 1, n, n.into());
    }
    let own = |counter: &Counter| counter.0[&dot(1, 1).actor].recent.len();
    assert_eq!(own(&counter), REQUESTS_MAX);
    assert!(remembers_first(&counter));
    assert_eq!(counter.value(), i128::from(REQUESTS_MAX as u64) + 10);
    // The other takes its own back when it next writes; after that the first may forget.
    counted(&mut counter, 2, 2, 1_000);
    counted(&mut counter, 1, 1_000, 1_001);
    assert!(!remembers_first(&counter));
    assert_eq!(counter.value(), i128::from(REQUESTS_MAX as u64) + 12);
}
