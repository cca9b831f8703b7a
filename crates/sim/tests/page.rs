//! The page in a real browser: it loads without errors, draws, filters, steps and hovers, by its own `#selftest`.

use std::path::{Path, PathBuf};
use std::process::Command;

use cartwheel_core::flaw::Flaw;
use cartwheel_sim::report::page;
use cartwheel_sim::{Scenario, run_recorded};

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Simulated worlds are small: whole runs are drawn in a moment even without a graphics card.
const DRAW_MS_MAX: u64 = 5_000;

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).flat_map(|place| BROWSERS.map(|name| place.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// What the page of a run looks like to a browser, after it has tried itself.
fn tried(file: &str, seed: u64, flaw: Option<Flaw>) -> Option<String> {
    let Some(browser) = browser() else {
        #[allow(clippy::print_stderr, reason = "a test that tests nothing must say so")]
        {
            eprintln!("SKIPPED: no browser on PATH (one of {BROWSERS:?}); the page was not tried");
        }
        return None;
    };
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sim-scenarios");
    let scenario = Scenario { flaw, ..Scenario::load(&scenarios.join(file)).unwrap() };
    let (report, recording) = run_recorded(&scenario, seed);
    let work = tempfile::tempdir().unwrap();
    let place = work.path().join("report.html");
    let mut written = Vec::new();
    page::write(&scenario, &report, &recording, &mut written).unwrap();
    std::fs::write(&place, written).unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", work.path().join("browser").display()))
        .arg(format!("file://{}#selftest", place.display()))
        .output()
        .unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn expect_ok(page: &str) {
    let found = page.split("id=\"selftest\">").nth(1).and_then(|rest| rest.split('<').next());
    assert!(page.contains("<title>selftest ok"), "{}", found.unwrap_or("the page did not try itself"));
}

fn draw_ms(page: &str) -> u64 {
    let after = page.split("data-draw-ms=\"").nth(1).expect("the page says how long it drew");
    after.split('"').next().unwrap().parse().unwrap()
}

#[test]
fn the_page_of_a_failure_shows_and_explains_it() {
    let flaw = Some(Flaw::AmnesiaReusesActor);
    let Some(page) = tried("museum/amnesia-reuses-actor.toml", 1, flaw) else { return };
    expect_ok(&page);
    assert!(page.contains("Acknowledged writes lost: 1") && page.contains("DotUnique"));
}

#[test]
fn the_page_of_a_hundred_thousand_events_is_usable() {
    let Some(page) = tried("shopping-cart.toml", 42, None) else { return };
    expect_ok(&page);
    assert!(draw_ms(&page) < DRAW_MS_MAX, "{} ms", draw_ms(&page));
}
