//! What stands above and beside the pictures of a flight.

use cartwheel_sim::report::page::Head;
use cartwheel_sim::trace::Testimony;

use super::situation::in_a_sentence;
use super::told::{plural, seconds};
use super::when::wall;
use super::{Flights, Flown, SHOWN_NS};

pub(super) fn head(
    flights: &Flights,
    all: &[Flown],
    testimony: &Testimony,
    (since, until): (Option<u64>, Option<u64>),
) -> Head {
    let mut nodes: Vec<String> = flights.recorded().into_values().collect();
    nodes.sort();
    let names = nodes.join(" ");
    let is_red = all.iter().any(Flown::differs);
    let begins = wall(flights.base_us);
    let until = until.map_or_else(|| "the end".to_owned(), seconds);
    let since = since.map_or_else(|| format!("the last {} before it", seconds(SHOWN_NS)), seconds);
    let facts = format!(
        "time 0 is {begins} · {} · shown: from {since} to {until} · {} events",
        plural(all.len(), "boot"),
        testimony.recording.steps()
    );
    let mut findings = Vec::new();
    let mut put = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            findings.push((title.to_owned(), lines));
        }
    };
    let differences = all.iter().filter_map(|flown| Some((flown, flown.outcome.difference.as_ref()?)));
    let differences = differences.map(|(flown, difference)| {
        let (name, boot) = (&flown.boot.origin.name, flown.boot.origin.boot);
        let index = difference.index.map_or_else(|| "its birth".into(), |index| format!("input {index}"));
        flights.named(&format!("{name} boot {boot}, {index}: {}", difference.input))
    });
    put("Outputs differ", differences.collect());
    put("What is missing", all.iter().flat_map(|flown| flown.outcome.notes.clone()).collect());
    put("Clocks", clocks(&nodes, testimony));
    if testimony.left_out > 0 {
        put(
            "Not shown",
            vec![format!("{} earlier events; --since, --until and --key choose", testimony.left_out)],
        );
    }
    let counters = nodes.iter().flat_map(|name| {
        let boots = || all.iter().filter(|flown| flown.boot.origin.name == *name);
        let executed = boots().map(|flown| flown.outcome.executed).sum();
        [(format!("inputs of {name}"), executed), (format!("boots of {name}"), boots().count() as u64)]
    });
    Head {
        title: format!("Flight of {names}"),
        about: "Recorded by the nodes themselves and re-executed in the core; clients are shown as their nodes heard and answered them."
            .into(),
        facts,
        verdict: if is_red { "red" } else { "green" }.into(),
        summary: in_a_sentence(all),
        findings,
        counters: counters.collect(),
        ..Head::default()
    }
}

fn clocks(nodes: &[String], testimony: &Testimony) -> Vec<String> {
    if testimony.is_contradictory {
        return vec!["some messages are shown as heard before they were sent: clocks have jumped".into()];
    }
    let shifted = nodes.iter().zip(&testimony.offsets_ns).filter(|(_, offset)| **offset > 0);
    let line = |(name, offset): (&String, &u64)| {
        let (us, ns) = (offset / 1_000, offset % 1_000);
        format!(
            "{name} is shown {us}.{ns:03} µs later than by its clock: it heard messages before they were sent"
        )
    };
    shifted.map(line).collect()
}
