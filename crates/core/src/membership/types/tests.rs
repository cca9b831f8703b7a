use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use quickcheck::{Arbitrary, Gen, quickcheck};

use super::*;
use crate::boundary::Quorum;
use crate::config::Config;
use crate::membership::{METADATA_ENTRIES_MAX, MetadataError, OTHERS_BYTES_MAX, Opaque, Others, Rules};
use crate::ring::Ring;
use crate::version::Policy;

/// What an operator does.
#[derive(Clone, Debug)]
enum Step {
    Create(Props),
    Activate,
    Update(Props),
    /// Of a bucket of the type.
    Set(Props),
    /// What is kept for drivers.
    Keep(Option<u8>),
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 7 {
            0 | 1 => Self::Create(Props::arbitrary(g)),
            2 | 3 => Self::Activate,
            4 => Self::Update(Props::arbitrary(g)),
            5 => Self::Set(Props::arbitrary(g)),
            _ => Self::Keep(Option::arbitrary(g)),
        }
    }
}

/// Two nodes; `u8` says which type, or entry.
type History = Vec<(bool, u8, Step)>;

fn cluster() -> Cluster {
    let founders: Vec<NodeId> = (1..=3).map(NodeId).collect();
    Cluster::founded(&founders, Ring::new(&founders, 8, 3).unwrap(), 3, &BTreeMap::new())
}

fn defaults() -> Rules {
    Config::new(NodeId(1), cluster().ring).rules()
}

fn bucket(of_type: &[u8]) -> Bucket {
    Bucket { bucket_type: of_type.to_vec(), name: b"b".to_vec() }
}

/// What makes no sense is refused, and changes nothing.
fn take(cluster: &mut Cluster, by: NodeId, name: Vec<u8>, step: Step) {
    let before = cluster.clone();
    let taken = match step {
        Step::Create(props) => cluster.create_type(by, name, props).is_ok(),
        Step::Activate => cluster.activate_type(&name).is_ok(),
        Step::Update(props) => cluster.set_type_props(by, &name, props).is_ok(),
        Step::Set(props) => cluster.set_props(by, bucket(&name), props).is_ok(),
        Step::Keep(value) => {
            let value = value.map(|value| Opaque(vec![value]));
            cluster.set_metadata(by, vec![(name, value)]).is_ok()
        }
    };
    assert!(taken || *cluster == before, "what is refused changes nothing");
}

fn two_sides(history: History) -> [Cluster; 2] {
    let mut sides = [cluster(), cluster()];
    for (side, name, step) in history {
        let by = NodeId(1 + u64::from(side));
        take(&mut sides[usize::from(side)], by, vec![name % 3], step);
    }
    sides
}

fn merged(a: &Cluster, b: &Cluster) -> Cluster {
    let mut merged = a.clone();
    merged.merge(b);
    merged
}

quickcheck! {
    fn two_sides_come_to_the_same(history: History) -> bool {
        let [a, b] = two_sides(history);
        let both = merged(&a, &b);
        both == merged(&b, &a)
            && both.digest() == merged(&b, &a).digest()
            && merged(&both, &a) == both
            && merged(&both, &b) == both
    }

    fn what_is_active_anywhere_is_active_everywhere_and_as_somebody_left_it(history: History) -> bool {
        let [a, b] = two_sides(history);
        let both = merged(&a, &b);
        (0..3).all(|name: u8| {
            let name = [name];
            let left = |side: &Cluster| side.types.get(&name[..]).map(|found| found.props.clone());
            both.has_type(&name) == (a.has_type(&name) || b.has_type(&name))
                && [left(&a), left(&b)].contains(&left(&both))
        })
    }

    fn on_one_side_a_type_stays_what_it_was_when_clients_found_it(history: History) -> bool {
        let mut side = cluster();
        history.into_iter().all(|(_, name, step)| {
            let fixed = |side: &Cluster| -> Vec<_> {
                let active = side.types.iter().filter(|(_, found)| found.is_active);
                let fixed = |found: &BucketType| {
                    let props = &found.props.value;
                    (props.datatype, props.write_once == Some(true))
                };
                active.map(|(name, found)| (name.clone(), fixed(found))).collect()
            };
            let before = fixed(&side);
            take(&mut side, NodeId(1), vec![name % 3], step);
            before.iter().all(|of_one| fixed(&side).contains(of_one))
        })
    }

    fn no_version_of_a_data_type_is_ever_given_up(history: History) -> bool {
        let mut side = cluster();
        for (_, name, step) in history {
            take(&mut side, NodeId(1), vec![name % 3], step);
        }
        (0..3).all(|name: u8| {
            let rules = side.rules_of(&bucket(&[name]), &Rules { policy: Policy::OneValue, ..defaults() });
            rules.datatype.is_none() || rules.policy == Policy::KeepSiblings
        })
    }

    fn what_a_bucket_says_comes_before_its_type_and_that_before_the_node(of_type: Props, own: Props) -> bool {
        let mut cluster = cluster();
        let name = b"t".to_vec();
        let Ok(()) = cluster.create_type(NodeId(1), name.clone(), of_type) else { return true };
        cluster.activate_type(&name).unwrap();
        let of_type = cluster.rules_of(&bucket(&name), &defaults());
        let Ok(()) = cluster.set_props(NodeId(1), bucket(&name), own) else { return true };
        let own = cluster.props_of(&bucket(&name));
        let rules = cluster.rules_of(&bucket(&name), &defaults());
        rules.r == own.r.unwrap_or(of_type.r)
            && rules.n == own.n_val.unwrap_or(of_type.n)
            && rules.pw == own.pw.unwrap_or(of_type.pw)
            && rules == cluster.rules(&Key::typed(&name, b"b", b"k"), &defaults())
            && cluster.rules_of(&bucket(b"t2"), &defaults()).r == defaults().r
    }

    fn a_name_for_the_state_tells_types_and_entries_apart(a: History, b: History) -> bool {
        let [a, b] = [a, b].map(|history| {
            let mut side = cluster();
            history.into_iter().for_each(|(_, name, step)| take(&mut side, NodeId(1), vec![name % 3], step));
            side
        });
        (a.digest() == b.digest()) == (a == b)
    }
}

fn created(props: Props) -> Cluster {
    let mut cluster = cluster();
    cluster.create_type(NodeId(1), b"t".to_vec(), props).expect("makes sense");
    cluster.activate_type(b"t").expect("is there");
    cluster
}

fn unfit(result: &Result<(), TypeError>) -> Option<&'static str> {
    match result {
        Err(TypeError::Props(PropsError::Unfit { name, .. })) => Some(*name),
        _ => None,
    }
}

#[test]
fn a_type_is_created_then_activated_and_then_only_changed() {
    let mut cluster = cluster();
    let (me, name) = (NodeId(1), b"t".to_vec());
    let one = Props { n_val: Some(1), ..Props::default() };
    assert_eq!(cluster.activate_type(&name), Err(TypeError::Undefined));
    assert_eq!(cluster.set_type_props(me, &name, one.clone()), Err(TypeError::NotActive));
    assert_eq!(cluster.set_props(me, bucket(&name), one.clone()), Err(PropsError::NoType));
    assert_eq!(cluster.create_type(me, name.clone(), Props::default()), Ok(()));
    assert!(!cluster.has_type(&name), "clients do not find it yet");
    assert_eq!(cluster.set_type_props(me, &name, one.clone()), Err(TypeError::NotActive));
    assert_eq!(cluster.create_type(me, name.clone(), one.clone()), Ok(()), "created anew");
    assert_eq!(cluster.activate_type(&name), Ok(()));
    assert_eq!(cluster.activate_type(&name), Ok(()), "it is");
    assert!(cluster.has_type(&name));
    assert_eq!(cluster.create_type(me, name.clone(), one.clone()), Err(TypeError::AlreadyActive));
    assert_eq!(cluster.rules_of(&bucket(&name), &defaults()).n, 1);
    let two = Props { n_val: Some(2), ..Props::default() };
    assert_eq!(cluster.set_type_props(me, &name, two), Ok(()));
    assert_eq!(cluster.rules_of(&bucket(&name), &defaults()).n, 2);
    for default in [
        cluster.create_type(me, b"default".to_vec(), one.clone()),
        cluster.activate_type(b"default"),
        cluster.set_type_props(me, b"default", one),
    ] {
        assert_eq!(default, Err(TypeError::Default));
    }
}

#[test]
fn a_created_type_keeps_siblings_whatever_the_node_does_with_untyped_buckets() {
    let node = Rules { policy: Policy::OneValue, ..defaults() };
    let of = |cluster: &Cluster, name: &[u8]| cluster.rules_of(&bucket(name), &node).policy;
    let plain = created(Props::default());
    assert_eq!(of(&plain, b"t"), Policy::KeepSiblings);
    assert_eq!(of(&plain, b"default"), Policy::OneValue);
    assert_eq!(of(&plain, b"not heard of yet"), Policy::KeepSiblings, "it may turn out to");
    let one = created(Props { allow_mult: Some(false), ..Props::default() });
    assert_eq!(of(&one, b"t"), Policy::OneValue);
    let once = created(Props { write_once: Some(true), ..Props::default() });
    assert_eq!(
        of(&once, b"t"),
        Policy::OneValue,
        "of values that are written once one is as good as another"
    );
}

#[test]
fn a_data_type_stays_and_keeps_siblings() {
    let me = NodeId(1);
    let mut maps = created(Props { datatype: Some(Datatype::Map), ..Props::default() });
    let change = |props| maps.clone().set_type_props(me, b"t", props);
    let set = Props { datatype: Some(Datatype::Set), ..Props::default() };
    assert_eq!(change(set.clone()), Err(PropsError::Datatype(Datatype::Set).into()));
    assert_eq!(unfit(&change(Props { allow_mult: Some(false), ..Props::default() })), Some("allow_mult"));
    assert_eq!(
        unfit(&change(Props { last_write_wins: Some(true), ..Props::default() })),
        Some("last_write_wins")
    );
    assert_eq!(unfit(&change(Props { write_once: Some(true), ..Props::default() })), Some("write_once"));
    let own = Props { allow_mult: Some(false), ..Props::default() };
    assert!(matches!(
        maps.set_props(me, bucket(b"t"), own),
        Err(PropsError::Unfit { name: "allow_mult", .. })
    ));
    assert_eq!(maps.set_props(me, bucket(b"default"), set.clone()), Ok(()), "where it means nothing");
    assert_eq!(maps.rules_of(&bucket(b"default"), &defaults()).datatype, None);
    assert_eq!(unfit(&created(Props::default()).set_type_props(me, b"t", set)), Some("datatype"));
    let both = Props { datatype: Some(Datatype::Set), allow_mult: Some(false), ..Props::default() };
    assert_eq!(unfit(&cluster().create_type(me, b"t".to_vec(), both)), Some("allow_mult"));
}

#[test]
fn an_estimate_becomes_coarser_never_finer() {
    let hll = |hll_precision| Props { datatype: Some(Datatype::Hll), hll_precision, ..Props::default() };
    assert_eq!(created(hll(None)).rules_of(&bucket(b"t"), &defaults()).hll_precision, 14);
    for wrong in [3, 17] {
        let refused = cluster().create_type(NodeId(1), b"t".to_vec(), hll(Some(wrong)));
        assert_eq!(refused, Err(PropsError::Precision(wrong).into()));
    }
    let mut hlls = created(hll(Some(12)));
    let set = |bits| Props { hll_precision: Some(bits), ..Props::default() };
    assert_eq!(hlls.set_type_props(NodeId(1), b"t", set(13)), Err(PropsError::Precision(13).into()));
    assert_eq!(hlls.set_type_props(NodeId(1), b"t", set(7)), Ok(()));
    assert_eq!(hlls.set_props(NodeId(1), bucket(b"t"), set(8)), Err(PropsError::Precision(8)));
}

#[test]
fn what_is_only_kept_has_its_room() {
    let of = |bytes: usize| {
        let others: Others = [(b"n".to_vec(), vec![b'1'; bytes - 1])].into_iter().collect();
        Props { others, r: Some(Quorum::One), ..Props::default() }
    };
    let mut cluster = cluster();
    let (me, name) =
        (NodeId(1), |number: usize| Bucket { name: number.to_le_bytes().to_vec(), ..bucket(b"default") });
    let beyond = cluster.set_props(me, name(0), of(OTHERS_BYTES_MAX + 1));
    assert!(matches!(beyond, Err(PropsError::Others { limit: OTHERS_BYTES_MAX, .. })), "{beyond:?}");
    for number in 0..OTHERS_BYTES_OF_ALL_MAX / OTHERS_BYTES_MAX {
        assert_eq!(cluster.set_props(me, name(number), of(OTHERS_BYTES_MAX)), Ok(()));
    }
    let full = cluster.create_type(me, b"t".to_vec(), of(2));
    assert!(matches!(full, Err(TypeError::Props(PropsError::Others { limit: OTHERS_BYTES_OF_ALL_MAX, .. }))));
    assert_eq!(cluster.set_props(me, name(0), of(2)), Ok(()));
    assert_eq!(cluster.create_type(me, b"t".to_vec(), of(2)), Ok(()));
}

#[test]
fn a_cluster_has_room_for_so_many_types_and_entries() {
    let mut cluster = cluster();
    let name = |number: usize| number.to_le_bytes().to_vec();
    for number in 0..TYPES_MAX {
        assert_eq!(cluster.create_type(NodeId(1), name(number), Props::default()), Ok(()));
    }
    let full = Err(TypeError::TooMany { limit: TYPES_MAX });
    assert_eq!(cluster.create_type(NodeId(1), name(TYPES_MAX), Props::default()), full);
    let entry = |number| vec![(name(number), Some(Opaque(vec![1])))];
    let all = (0..METADATA_ENTRIES_MAX).flat_map(entry).collect();
    assert_eq!(cluster.set_metadata(NodeId(1), all), Ok(()));
    let full = Err(MetadataError::TooMany { limit: METADATA_ENTRIES_MAX });
    assert_eq!(cluster.set_metadata(NodeId(1), entry(METADATA_ENTRIES_MAX)), full);
    assert_eq!(cluster.set_metadata(NodeId(1), vec![(name(0), None)]), Ok(()));
    assert_eq!(cluster.metadata_of(&name(0)), None);
    assert_eq!(cluster.metadata_of(&name(1)), Some(&[1][..]));
}
