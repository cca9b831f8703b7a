//! Whatever becomes of a file: what is read of it was written, and what is lost is said.

use std::path::Path;

use bytes::Bytes;
use cartwheel_core::time::{Instant, Now, WallTime};
use cartwheel_flight::format::{MAGIC, frame};
use cartwheel_flight::{Entries, Head, Heard, Item, Segment, Values};
use quickcheck::{Arbitrary, Gen};

use crate::arbitrary::{AnyBoot, AnyConfig, AnyInput};
use crate::simulated::origin;

#[derive(Clone, Debug)]
struct AnyHeard(Heard);

impl Arbitrary for AnyHeard {
    fn arbitrary(g: &mut Gen) -> Self {
        let now = Now {
            monotonic: Instant(Arbitrary::arbitrary(g)),
            // Clocks jump, and go back.
            wall: WallTime(Arbitrary::arbitrary(g)),
        };
        Self(Heard { now, input: AnyInput::arbitrary(g).0, digest: Arbitrary::arbitrary(g) })
    }
}

const FIRST: u64 = 7;

fn since() -> Now {
    Now { monotonic: Instant(1_000), wall: WallTime(1_700_000_000_000_000) }
}

/// A segment with two inputs to a frame.
fn segment(heard: &[AnyHeard]) -> Vec<u8> {
    let origin = origin(0, cartwheel_core::id::StoreId(3), 9, Values::Whole);
    let head = Head { origin, place: 0, first: FIRST, since: since(), birth: None };
    let mut file = [MAGIC.as_slice(), &frame(&head.encode())].concat();
    let mut entries = Entries::default();
    for (pair, index) in heard.chunks(2).zip((FIRST..).step_by(2)) {
        for (heard, index) in pair.iter().zip(index..) {
            entries.add(since(), index, &heard.0);
        }
        let (plain, count) = entries.take().expect("some");
        assert_eq!(count, pair.len() as u64);
        file.extend(frame(plain));
    }
    file
}

/// What was heard, each with its number, and what was wrong with the file.
type Found = (Vec<(u64, Heard)>, Vec<String>);

/// What is read of it, and what is said to be lost.
fn read(file: &[u8]) -> Result<Found, String> {
    let segment = Segment::of(Path::new("000000.rec"), Bytes::copy_from_slice(file));
    let (mut heard, mut lost) = (Vec::new(), Vec::new());
    for item in segment.map_err(|error| error.to_string())? {
        match item {
            Item::Heard(index, one) => heard.push((index, *one)),
            Item::Damage(line) | Item::Torn(line) => lost.push(line),
        }
    }
    Ok((heard, lost))
}

fn numbered(heard: &[AnyHeard]) -> Vec<(u64, Heard)> {
    (FIRST..).zip(heard.iter().map(|heard| heard.0.clone())).collect()
}

#[test]
fn what_is_written_is_read() {
    fn holds(heard: Vec<AnyHeard>) -> bool {
        read(&segment(&heard)) == Ok((numbered(&heard), Vec::new()))
    }
    quickcheck::quickcheck(holds as fn(Vec<AnyHeard>) -> bool);
}

#[test]
fn every_prefix_reads_to_a_prefix() {
    fn holds(heard: Vec<AnyHeard>) -> bool {
        let heard = &heard[..heard.len().min(12)];
        let (file, all) = (segment(heard), numbered(heard));
        let mut best = 0;
        (0..file.len()).all(|cut| match read(&file[..cut]) {
            Ok((some, lost)) => {
                let whole_frames = lost.is_empty();
                let grows = some.len() >= best;
                best = some.len();
                let says = whole_frames || lost.len() == 1 && lost[0].lines().count() == 1;
                all.starts_with(&some) && says && grows
            }
            Err(error) => cut < file.len() && error.lines().count() == 1 && best == 0,
        })
    }
    quickcheck::QuickCheck::new().tests(30).quickcheck(holds as fn(Vec<AnyHeard>) -> bool);
}

#[test]
fn a_changed_byte_is_noticed_and_takes_its_frame_only() {
    fn holds(heard: Vec<AnyHeard>, at: usize, by: u8) -> bool {
        let (mut file, all) = (segment(&heard), numbered(&heard));
        let at = at % file.len();
        file[at] ^= by.max(1);
        match read(&file) {
            // What is read is what was written; two in a frame, unless its length was the byte.
            Ok((some, lost)) => !lost.is_empty() && some.iter().all(|one| all.contains(one)),
            Err(error) => error.lines().count() == 1,
        }
    }
    quickcheck::QuickCheck::new().tests(300).quickcheck(holds as fn(Vec<AnyHeard>, usize, u8) -> bool);
}

#[test]
fn a_damaged_middle_costs_one_line_and_one_frame() {
    let mut g = Gen::new(20);
    let heard: Vec<AnyHeard> = (0..9).map(|_| AnyHeard::arbitrary(&mut g)).collect();
    let before = segment(&heard[..4]).len();
    let mut file = segment(&heard);
    // A byte of the payload of the third frame of entries.
    file[before + 9] ^= 1;
    let (some, lost) = read(&file).expect("its head is whole");
    let all = numbered(&heard);
    assert_eq!(some, [&all[..4], &all[6..]].concat());
    let [line] = &lost[..] else { panic!("{lost:?}") };
    assert!(
        line.contains("000000.rec") && line.contains(&format!("from byte {before} on are damaged")),
        "{line}"
    );
}

#[test]
fn what_is_no_recording_is_told_so() {
    for (file, expected) in [
        (&b"not a recording"[..], "no flight recording of format 1"),
        (b"CWFLGHT\x02 of the future", "no flight recording of format 1"),
        (b"CWFL", "its head is torn or damaged"),
        (b"", "its head is torn or damaged"),
    ] {
        let why = read(file).expect_err("no recording");
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn births_are_read_as_they_were_written() {
    fn holds(config: AnyConfig, boot: AnyBoot, digest: u32) -> bool {
        let origin = origin(0, boot.0.store, boot.0.number, Values::Hashes);
        let birth = cartwheel_flight::Birth { config: config.0, boot: boot.0, now: since(), digest };
        let head = Head { origin, place: 3, first: FIRST, since: since(), birth: Some(birth) };
        let read = Head::decode(head.encode().into()).expect("what was written");
        format!("{read:?}") == format!("{head:?}")
    }
    quickcheck::quickcheck(holds as fn(AnyConfig, AnyBoot, u32) -> bool);
}
