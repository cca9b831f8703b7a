//! The findings of a campaign as a JUnit report, which every CI system shows.

use std::path::Path;
use std::time::Duration;

use cartwheel_sim::fuzz::Campaign;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// Whether the file can be written. It is there afterwards.
pub fn check(path: &Path) -> Result<(), String> {
    let opened = std::fs::File::options().create(true).append(true).open(path);
    opened.map(drop).map_err(|error| format!("{}: cannot write it: {error}", path.display()))
}

/// Writes it to `path`. `replay` says how a seed is seen to fail again.
pub fn write(
    path: &Path,
    campaign: &Campaign,
    took: Duration,
    replay: impl Fn(u64) -> String,
) -> Result<(), String> {
    let mut suite = TestSuite::new("cartwheel fuzz");
    let mut whole = TestCase::new(format!("{} seeds", campaign.seeds), TestCaseStatus::success());
    whole.set_time(took);
    suite.add_test_case(whole);
    for failure in &campaign.failures {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(failure.explanation().unwrap_or_else(|| failure.verdict.clone()));
        status.set_description(format!("{failure}\nreplay: {}", replay(failure.seed)));
        suite.add_test_case(TestCase::new(format!("seed {}", failure.seed), status));
    }
    let mut report = Report::new("cartwheel fuzz");
    report.add_test_suite(suite);
    let text = report.to_string().map_err(|error| error.to_string())?;
    std::fs::write(path, text).map_err(|error| format!("{}: cannot write it: {error}", path.display()))
}
