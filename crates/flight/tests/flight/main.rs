//! The flight recorder, seen from outside.
#![allow(clippy::needless_pass_by_value, reason = "quickcheck hands values over")]

#[expect(dead_code, reason = "shared with the tests of the encoding, which need all of it")]
#[path = "../../../wire/tests/wire/arbitrary.rs"]
mod arbitrary;
mod format;
mod laws;
mod rings;
mod simulated;
