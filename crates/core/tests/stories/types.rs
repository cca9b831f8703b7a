//! Stories of bucket types, and of what all nodes keep for their drivers.

use cartwheel_core::datatype::{Op, SetOp};
use cartwheel_core::id::CallId;
use cartwheel_core::membership::{Datatype, Opaque, Props};
use cartwheel_core::version::Value;
use cartwheel_core::{AdminOp, ClientError, ClientOp, Event, Key, Quorum, ReadOptions, WriteOptions};

use crate::lab::{Lab, key_in};
use crate::{LONG, SHORT};

fn create(lab: &mut Lab, node: u64) {
    lab.administer(node, AdminOp::CreateType { name: b"carts".to_vec(), props: Props::default() });
}

fn activate(lab: &mut Lab, node: u64) {
    lab.administer(node, AdminOp::ActivateType { name: b"carts".to_vec() });
}

fn get(lab: &mut Lab, node: u64) -> CallId {
    let key = Key::typed(b"carts", b"alice", b"today");
    lab.ask_for(node, 1, key, ClientOp::Get(ReadOptions::default()))
}

#[test]
fn keys_of_a_type_are_refused_until_it_is_active_and_then_for_ever_found() {
    let mut lab = Lab::new(5);
    let refused = Some(&Err(ClientError::NoType));
    let unknown = get(&mut lab, 1);
    assert_eq!(lab.reply(unknown), refused);
    create(&mut lab, 4);
    lab.pass(LONG);
    let inactive = get(&mut lab, 1);
    assert_eq!(lab.reply(inactive), refused, "created only");
    activate(&mut lab, 2);
    lab.pass(LONG);
    for node in 1..=5 {
        let found = get(&mut lab, node);
        assert!(lab.reply(found).unwrap().is_ok(), "n{node} has heard");
    }
    lab.restart(3);
    lab.pass(LONG);
    let found = get(&mut lab, 3);
    assert!(lab.reply(found).unwrap().is_ok(), "its disk knows");
}

#[test]
fn a_newcomer_learns_the_types() {
    let mut lab = Lab::new(5);
    create(&mut lab, 1);
    activate(&mut lab, 1);
    lab.newcomer(6);
    lab.pass(LONG);
    let knows = |lab: &Lab, node| lab.status(node).cluster().has_type(b"carts");
    assert!(knows(&lab, 6));
}

fn adds(lab: &mut Lab, key: &Key, element: &'static str) {
    let op = Op::Set(SetOp { adds: vec![element.into()], removes: vec![] });
    let update = ClientOp::Update { op, context: None, options: WriteOptions::default() };
    let added = lab.ask_key(1, key.clone(), update);
    assert!(lab.reply(added).unwrap().is_ok());
}

/// With what a read shows.
fn replaces(lab: &mut Lab, key: &Key, value: Value) {
    let read = lab.get_key(1, key.clone());
    let context = lab.reply(read).unwrap().as_ref().unwrap().context();
    let put = ClientOp::Put { context, value, options: WriteOptions::default() };
    let done = lab.ask_key(1, key.clone(), put);
    assert!(lab.reply(done).unwrap().is_ok());
}

/// However many coordinators have changed the set: a second delete finds a tombstone only, or a plain value that has
/// taken the place of the set.
#[test]
fn what_was_deleted_of_a_data_type_stays_so_when_it_is_replaced_and_deleted_again() {
    for value in [Value::Tombstone, Value::Data("plain".into())] {
        let mut lab = Lab::new(5);
        let props = Props { datatype: Some(Datatype::Set), ..Props::default() };
        lab.administer(1, AdminOp::CreateType { name: b"sets".to_vec(), props });
        lab.administer(1, AdminOp::ActivateType { name: b"sets".to_vec() });
        lab.pass(LONG);
        let key = key_in(b"sets", b"alice");
        adds(&mut lab, &key, "milk");
        lab.cut.insert(3);
        // Another actor counts after each restart.
        for _ in 0..12 {
            lab.pass(SHORT);
            lab.restart(1);
            adds(&mut lab, &key, "bread");
        }
        for value in [value.clone(), Value::Tombstone] {
            lab.pass(SHORT);
            lab.restart(1);
            replaces(&mut lab, &key, value);
        }
        lab.cut.clear();
        lab.pass(LONG);
        let read = lab.get_key(3, key.clone());
        assert_eq!(lab.values(read), ["deleted"], "{value:?} first");
    }
}

#[test]
fn a_driver_is_told_when_what_is_kept_for_it_has_changed() {
    let mut lab = Lab::new(5);
    let keep = |value: Option<Opaque>| AdminOp::SetMetadata { changes: vec![(b"user".to_vec(), value)] };
    let told = |lab: &Lab| lab.saw(|event| *event == Event::MetadataChanged);
    lab.administer(2, keep(Some(Opaque(b"alice".to_vec()))));
    lab.pass(LONG);
    assert_eq!(told(&lab), 5, "once at each node");
    for node in 1..=5 {
        assert_eq!(lab.status(node).cluster().metadata_of(b"user"), Some(&b"alice"[..]));
    }
    lab.administer(3, keep(Some(Opaque(b"alice".to_vec()))));
    lab.pass(LONG);
    assert_eq!(told(&lab), 5, "nothing new was said");
    lab.administer(3, keep(None));
    lab.pass(LONG);
    assert_eq!(told(&lab), 10);
    assert_eq!(lab.status(1).cluster().metadata_of(b"user"), None);
}

/// The driver let them in by what it knew, and on a new disk that is nothing.
#[test]
fn who_came_before_users_were_heard_of_is_turned_away_and_may_come_again() {
    let mut lab = Lab::new(5);
    let waits_at_a_new_disk = |lab: &mut Lab| {
        lab.cut.insert(3);
        lab.lose_disk(3);
        let early = lab.get(3, Quorum::Default);
        assert_eq!(lab.reply(early), None, "n3 has heard nobody");
        lab.cut.clear();
        lab.pass(LONG);
        early
    };
    let early = waits_at_a_new_disk(&mut lab);
    assert!(lab.reply(early).unwrap().is_ok(), "there are no users");
    let changes = vec![(b"user".to_vec(), Some(Opaque(b"alice".to_vec())))];
    lab.administer(2, AdminOp::SetMetadata { changes });
    lab.pass(LONG);
    let early = waits_at_a_new_disk(&mut lab);
    assert_eq!(lab.reply(early), Some(&Err(ClientError::NotAMember)));
    let later = lab.get(3, Quorum::Default);
    assert!(lab.reply(later).unwrap().is_ok());
}
