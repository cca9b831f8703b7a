//! Stories of bucket types, and of what all nodes keep for their drivers.

use cartwheel_core::id::CallId;
use cartwheel_core::membership::{Opaque, Props};
use cartwheel_core::{AdminOp, ClientError, ClientOp, Event, Key, Quorum, ReadOptions};

use crate::LONG;
use crate::lab::Lab;

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
