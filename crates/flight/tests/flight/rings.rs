//! Bounded room, and what is left in it.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use cartwheel_flight::{Limits, Outcome, Recorder, Segment, Values, find, re_execute};
use cartwheel_sim::swarm;

use crate::simulated::{ROOMY, fly};

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
    files.sort_unstable();
    files
}

fn outcomes(dir: &Path) -> Vec<(u64, Outcome)> {
    let found = find(&[dir.to_owned()]).expect("a recording");
    let again = |boot| re_execute(boot, None, &mut |_| ControlFlow::Continue(())).0;
    found.boots.iter().map(|boot| (boot.first, again(boot))).collect()
}

#[test]
fn the_oldest_is_deleted_and_what_has_lost_its_beginning_can_still_be_read() {
    const ROOM: u64 = 16 << 10;
    let scenario = swarm::scenario(5);
    let flown = fly(&scenario, 5, Values::Whole, Limits { bytes_max: ROOM, free_min: 0 }, &mut |_, _| None);
    let (mut cut, mut whole, mut read) = (0, 0, 0);
    for node in files(flown.dir.path()) {
        let dir = node.join("flight");
        let bytes: u64 = files(&dir).iter().map(|file| fs::metadata(file).expect("a file").len()).sum();
        assert!(bytes <= ROOM, "{}: {bytes} bytes", dir.display());
        for (first, outcome) in outcomes(&dir) {
            read += outcome.read;
            if first == 0 && outcome.is_equal() {
                whole += 1;
            } else {
                cut += 1;
                assert_eq!((outcome.executed, outcome.difference), (0, None));
                assert!(outcome.notes[0].contains("its beginning was deleted"), "{:?}", outcome.notes);
            }
        }
    }
    assert!(cut > 0 && whole > 0, "{cut} were cut, {whole} are whole");
    assert!(read > 1_000 && read < flown.heard, "{read} of {}", flown.heard);
}

#[test]
fn what_is_missing_in_the_middle_ends_the_re_execution_and_not_the_reading() {
    let scenario = swarm::scenario(4);
    let flown =
        fly(&scenario, 4, Values::Whole, Limits { bytes_max: 384 << 10, free_min: 0 }, &mut |_, _| None);
    let dir = flown.dir.path().join("n1/flight");
    let segments = files(&dir);
    let place = |file: &PathBuf| Segment::open(file).expect("a segment").head.place;
    let is_middle = |pair: &&[PathBuf]| place(&pair[0]) > 0 && place(&pair[1]) == place(&pair[0]) + 1;
    let middle = &segments.windows(2).find(is_middle).expect("a boot of several segments")[0];
    let before: u64 = outcomes(&dir).iter().map(|(_, outcome)| outcome.read).sum();
    fs::remove_file(middle).expect("removed");
    let after = outcomes(&dir);
    let notes: Vec<&String> = after.iter().flat_map(|(_, outcome)| &outcome.notes).collect();
    let [note] = notes[..] else { panic!("{notes:?}") };
    assert!(note.contains("are missing"), "{note}");
    let hurt = after.iter().find(|(_, outcome)| !outcome.notes.is_empty()).map(|(_, outcome)| outcome);
    let hurt = hurt.expect("it has a note");
    assert!(hurt.difference.is_none() && 0 < hurt.executed && hurt.executed < hurt.read, "{hurt:?}");
    let read: u64 = after.iter().map(|(_, outcome)| outcome.read).sum();
    assert!(read < before);
}

#[test]
fn segments_are_numbered_through_all_starts() {
    let flown = fly(&swarm::scenario(1), 1, Values::Whole, ROOMY, &mut |_, _| None);
    for node in files(flown.dir.path()) {
        let names: Vec<String> = files(&node.join("flight"))
            .iter()
            .map(|file| file.file_name().unwrap().display().to_string())
            .collect();
        let expected: Vec<String> = (0..names.len()).map(|number| format!("{number:06}.rec")).collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn a_recorder_leaves_the_last_of_the_disk_to_the_store() {
    let flown = fly(&swarm::scenario(5), 5, Values::Whole, ROOMY, &mut |_, _| None);
    let dir = flown.dir.path().join("n1/flight");
    assert!(files(&dir).len() > 2);
    let found = find(std::slice::from_ref(&dir)).expect("a recording");
    let boot = &found.boots[0];
    let (origin, birth) = (boot.origin.clone(), boot.birth.clone().expect("from its beginning"));
    let greedy = Limits { bytes_max: 1 << 40, free_min: u64::MAX };
    let refused = Recorder::begin(&dir, greedy, origin, birth, (&[], None)).expect_err("no disk has so much");
    assert!(refused.to_string().contains("bytes are left on the disk"), "{refused}");
    assert_eq!(files(&dir).len(), 1, "what could be given away was");
}
