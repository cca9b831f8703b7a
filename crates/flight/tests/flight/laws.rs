//! What was recorded does the same again.

use std::ops::ControlFlow;

use cartwheel_core::storage::StorageCompletion;
use cartwheel_core::version::{Siblings, Value};
use cartwheel_core::{ClientOp, Input, ReadOptions};
use cartwheel_flight::{BootRecording, Outcome, Values, find, re_execute, stand_in};
use cartwheel_sim::swarm;

use crate::simulated::{Flown, ROOMY, fly};

const SEEDS: std::ops::Range<u64> = 1..5;

fn again(boot: &BootRecording) -> Outcome {
    re_execute(boot, None, &mut |_| ControlFlow::Continue(())).0
}

fn boots(flown: &Flown) -> Vec<BootRecording> {
    let found = find(&[flown.dir.path().to_owned()]).expect("a recording");
    assert_eq!(found.unreadable, [""; 0]);
    found.boots
}

fn all_equal(values: Values) {
    let mut boots_seen = 0;
    for seed in SEEDS {
        let flown = fly(&swarm::scenario(seed), seed, values, ROOMY, &mut |_, _| None);
        let mut executed = 0;
        for boot in boots(&flown) {
            let outcome = again(&boot);
            assert!(outcome.is_equal() && outcome.notes.is_empty(), "swarm seed {seed}: {outcome:?}");
            executed += outcome.executed;
            boots_seen += 1;
        }
        assert_eq!(executed, flown.heard, "swarm seed {seed}: every input was kept");
    }
    assert!(boots_seen > 20, "only {boots_seen} boots");
}

#[test]
fn every_boot_of_a_swarm_re_executes_with_equal_outputs() {
    all_equal(Values::Whole);
}

#[test]
fn so_it_does_where_only_hashes_are_kept_of_values() {
    all_equal(Values::Hashes);
}

#[test]
fn where_only_hashes_are_kept_no_value_is() {
    let mut written = Vec::new();
    let flown = fly(&swarm::scenario(2), 2, Values::Hashes, ROOMY, &mut |_, input| {
        if let Input::Client(request) = input
            && let ClientOp::Put { value: Value::Data(data), .. } = &request.op
        {
            written.push(data.clone());
        }
        None
    });
    assert!(written.len() > 20, "{}", written.len());
    let mut seen = 0;
    let mut check = |siblings: &Siblings| {
        for version in siblings.versions() {
            if let Value::Data(data) = &version.value {
                seen += 1;
                assert!(!written.contains(data), "a value was kept");
                assert!(
                    written.iter().any(|value| stand_in(value) == data),
                    "nothing that stands in for one"
                );
            }
        }
    };
    for boot in boots(&flown) {
        re_execute(&boot, None, &mut |moment| {
            if let Some(Input::Storage(StorageCompletion::Applied { result: Ok(Ok(change)), .. })) =
                moment.input
            {
                check(&change.siblings);
            }
            ControlFlow::Continue(())
        });
    }
    assert!(seen > 20, "{seen}");
}

quickcheck::quickcheck! {
    fn a_stand_in_has_the_length_of_its_value(value: Vec<u8>) -> bool {
        stand_in(&value).len() == value.len()
    }
}

#[test]
fn another_input_than_was_heard_is_named() {
    // A put is written down as a get.
    let (mut changed, mut count) = (None, 0);
    let flown = fly(&swarm::scenario(3), 3, Values::Whole, ROOMY, &mut |_, input| {
        let Input::Client(request) = input else { return None };
        let ClientOp::Put { .. } = request.op else { return None };
        count += 1;
        if count != 40 {
            return None;
        }
        let mut request = request.clone();
        request.op = ClientOp::Get(ReadOptions::default());
        changed = Some(request.call);
        Some(Input::Client(request))
    });
    let changed = changed.expect("forty puts");
    let (mut equal, mut named) = (0, Vec::new());
    for boot in boots(&flown) {
        // Its number, by reading what is there.
        let mut index = None;
        let mut number = 0;
        let reading = BootRecording { birth: None, ..boot.clone() };
        re_execute(&reading, None, &mut |moment| {
            if matches!(moment.input, Some(Input::Client(request)) if request.call == changed) {
                index = Some(number);
            }
            number += 1;
            ControlFlow::Continue(())
        });
        let outcome = again(&boot);
        assert_eq!(outcome.difference.as_ref().map(|difference| difference.index), index.map(Some));
        match outcome.difference {
            Some(difference) => named.push(difference.input),
            None => equal += 1,
        }
    }
    assert!(equal > 0 && named.len() == 1 && named[0].contains("Get"), "{named:?}");
}

#[test]
fn other_settings_than_it_had_are_noticed() {
    let flown = fly(&swarm::scenario(4), 4, Values::Whole, ROOMY, &mut |_, _| None);
    let mut boot = boots(&flown).swap_remove(0);
    assert!(again(&boot).is_equal());
    let birth = boot.birth.as_mut().expect("from its beginning");
    birth.config.gossip_interval *= 2;
    let outcome = again(&boot);
    let difference = outcome.difference.as_ref().expect("it gossips less often");
    assert!(!outcome.is_equal() && difference.outputs.len() < 100);
}
