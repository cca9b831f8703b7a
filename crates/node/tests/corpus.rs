//! The fuzzers' corpus (`fuzz/corpus`), through the functions that the fuzzers call: as it is, cut at each byte, and
//! with each bit turned.

use std::fs;
use std::path::{Path, PathBuf};

use cartwheel_node::fuzzing::TARGETS;

/// Of longer files only so much is mutilated.
const MUTILATED_BYTES: usize = 400;

fn corpus(target: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    files
}

#[test]
fn nothing_in_the_corpus_and_nothing_near_it_brings_anything_down() {
    for (target, run) in TARGETS {
        let files = corpus(target);
        assert!(!files.is_empty(), "{target} has a corpus");
        for file in files {
            let bytes = fs::read(&file).expect("readable");
            run(&bytes);
            let near = bytes.len().min(MUTILATED_BYTES);
            (0..near).for_each(|end| run(&bytes[..end]));
            for bit in 0..near * 8 {
                let mut turned = bytes.clone();
                turned[bit / 8] ^= 1 << (bit % 8);
                run(&turned);
            }
        }
    }
}
