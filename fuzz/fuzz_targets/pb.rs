//! See `cartwheel_node::fuzzing::pb`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartwheel_node::fuzzing::pb(bytes));
