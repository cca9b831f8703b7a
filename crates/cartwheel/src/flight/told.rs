//! How the boots went, for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::when::wall;
use super::{Flights, Flown};

/// More boots than that are told by node.
const BOOTS_TOLD_MAX: usize = 20;
/// Outputs that are shown of an input that differs.
const OUTPUTS_TOLD_MAX: usize = 8;
/// How long a line of words for programmers may get.
const CHARS_MAX: usize = 400;

/// What was recorded, how each boot or node went, and all of it in a line at the end.
pub(super) fn boots(flights: &Flights, all: &[Flown]) -> String {
    let mut text = String::new();
    let end_ns = all.iter().map(|flown| flown.ends_ns).max().unwrap_or(0);
    // Into a string: nothing to fail.
    _ = writeln!(text, "recorded      from {} on, {}", wall(flights.base_us), seconds(end_ns));
    let mut by_node: BTreeMap<&str, Vec<&Flown>> = BTreeMap::new();
    all.iter().for_each(|flown| by_node.entry(&flown.boot.origin.name).or_default().push(flown));
    for (name, boots) in &by_node {
        if all.len() > BOOTS_TOLD_MAX {
            _ = writeln!(text, "{name:<13} {} boots, {}", boots.len(), sum(boots));
        }
        for flown in boots {
            boot(&mut text, flown, all.len() <= BOOTS_TOLD_MAX);
        }
    }
    let boots: Vec<&Flown> = all.iter().collect();
    _ = write!(
        text,
        "in all        {} of {}, {}",
        plural(all.len(), "boot"),
        plural(by_node.len(), "node"),
        sum(&boots)
    );
    text
}

/// `12345 inputs re-executed, outputs equal`.
pub(super) fn sum(boots: &[&Flown]) -> String {
    let executed: u64 = boots.iter().map(|flown| flown.outcome.executed).sum();
    let read: u64 = boots.iter().map(|flown| flown.outcome.read).sum();
    let differ = boots.iter().filter(|flown| flown.differs()).count();
    let equal = match differ {
        0 => "outputs equal".to_owned(),
        differ => format!("{} DIFFER", plural(differ, "boot")),
    };
    let only_read = match read - executed.min(read) {
        0 => String::new(),
        only => format!(", and {only} only read"),
    };
    format!("{executed} inputs re-executed, {equal}{only_read}")
}

fn boot(text: &mut String, flown: &Flown, is_wanted: bool) {
    let Flown { boot, begins_ns, ends_ns, outcome } = flown;
    let has_more = flown.differs() || outcome.panicked.is_some() || !outcome.notes.is_empty();
    if is_wanted || has_more {
        let (from, to) = (seconds(*begins_ns), seconds(*ends_ns));
        let label = format!("{} boot {}", boot.origin.name, boot.origin.boot);
        _ = writeln!(text, "{label:<13} {from} to {to}, {}", sum(&[flown]));
    }
    outcome.notes.iter().for_each(|note| _ = writeln!(text, "              {note}"));
    if let Some(difference) = &outcome.difference {
        let index = difference.index.map_or_else(|| "its birth".to_owned(), |index| format!("input {index}"));
        let at = seconds(begins_ns + difference.now.monotonic.since(boot.since.monotonic).as_nanos() as u64);
        _ = writeln!(
            text,
            "              the first difference is at {index}, {at}: {}",
            short(&difference.input)
        );
        let count = difference.outputs.len();
        let said = if count == 0 { "nothing".into() } else { plural(count, "output") };
        _ = writeln!(
            text,
            "              what was wanted then is not recorded, but its digest is another; now it is {said}"
        );
        for output in difference.outputs.iter().take(OUTPUTS_TOLD_MAX) {
            _ = writeln!(text, "                {}", short(output));
        }
    }
    if let Some(index) = outcome.panicked {
        let what = if outcome.is_cut_short {
            "the core panics at it again, as it did when this recording ended"
        } else {
            "the core PANICS at it, as it did not when this was recorded"
        };
        _ = writeln!(text, "              input {index}: {what}");
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

pub(super) fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `2.310 s`.
pub(super) fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}
