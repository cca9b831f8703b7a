//! See `cartwheel_node::fuzzing::peer_frames`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartwheel_node::fuzzing::peer_frames(bytes));
