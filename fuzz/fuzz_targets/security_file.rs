//! See `cartwheel_node::fuzzing::security_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cartwheel_node::fuzzing::security_file(bytes));
