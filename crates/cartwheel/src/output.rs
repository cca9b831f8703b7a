//! Talking to people: results go to standard output, complaints to standard error.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// Exit status for bad input and refused starts.
pub const BAD_INPUT: u8 = 2;

/// Prints a result. A reader that has gone away (`| head`) is not an error.
pub fn say(what: &impl Display) {
    let _gone = writeln!(std::io::stdout().lock(), "{what}");
}

/// One clear line about bad input, and its exit status.
pub fn complain(what: &impl Display) -> ExitCode {
    let _gone = writeln!(std::io::stderr().lock(), "cartwheel: {what}");
    ExitCode::from(BAD_INPUT)
}

/// One clear line about what could not be done, and its exit status.
pub fn fail(what: &impl Display) -> ExitCode {
    let _gone = writeln!(std::io::stderr().lock(), "cartwheel: {what}");
    ExitCode::FAILURE
}

/// Where a long piece of work stands.
pub fn tell_progress(what: &impl Display) {
    let _gone = writeln!(std::io::stderr().lock(), "{what}");
}
