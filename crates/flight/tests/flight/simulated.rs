//! Recordings of simulated nodes, whose disks fail, whose networks lose and whose clusters change.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;

use cartwheel_core::Input;
use cartwheel_core::id::{NodeId, StoreId};
use cartwheel_flight::{Birth, Kept, Limits, Origin, Recorder, Values};
use cartwheel_sim::{Lived, Scenario, run_heard};
use tempfile::TempDir;

pub const ROOMY: Limits = Limits { bytes_max: 1 << 40, free_min: 0 };

pub fn origin(node: u32, store: StoreId, boot: u64, values: Values) -> Origin {
    Origin {
        cluster: "swarm".into(),
        name: format!("n{}", node + 1),
        node: NodeId(u64::from(node) + 1),
        store,
        boot,
        values,
        software: "test".into(),
    }
}

/// A run whose nodes were recorded, each in a directory of its own.
pub struct Flown {
    pub dir: TempDir,
    /// Inputs of all nodes.
    pub heard: u64,
}

/// Runs `scenario` and records it. What is written of an input is what `write` makes of it.
pub fn fly(
    scenario: &Scenario,
    seed: u64,
    values: Values,
    limits: Limits,
    write: &mut dyn FnMut(u64, &Input) -> Option<Input>,
) -> Flown {
    let dir = tempfile::tempdir().expect("a directory");
    let mut recorders: BTreeMap<u32, (Recorder, u64)> = BTreeMap::new();
    let mut heard = 0;
    run_heard(scenario, seed, &mut |lived| match lived {
        Lived::Born { node, config, boot, now, outputs, next } => {
            // The one before writes what it still has.
            recorders.remove(&node);
            let origin = origin(node, boot.store, boot.number, values);
            let birth = Birth { config: config.clone(), boot: boot.clone(), now, digest: 0 };
            let recorder = Recorder::begin(&of(&dir, node), limits, origin, birth, (outputs, next));
            recorders.insert(node, (recorder.expect("a recorder"), 0));
        }
        Lived::Heard { node, now, input, outputs, next } => {
            let (recorder, noted) = recorders.get_mut(&node).expect("born");
            *noted += 1;
            recorder.hears(now, write(heard, input).as_ref().unwrap_or(input));
            recorder.wants(outputs, next);
            heard += 1;
            if heard % 100 == 0 {
                recorders.values_mut().for_each(|(recorder, noted)| write_out(recorder, *noted));
            }
        }
    });
    drop(recorders);
    Flown { dir, heard }
}

/// Frames and segments are the same in every run, because each batch is written before the next one comes.
fn write_out(recorder: &mut Recorder, noted: u64) {
    assert_eq!(recorder.flush(), Kept::Yes);
    while recorder.gauges().recorded.load(Ordering::Relaxed) < noted {
        assert_eq!(recorder.gauges().failed.get(), None);
        std::thread::yield_now();
    }
}

fn of(dir: &TempDir, node: u32) -> std::path::PathBuf {
    Path::new(dir.path()).join(format!("n{}/flight", node + 1))
}
