//! ShiViz (<https://bestchai.bitbucket.io/shiviz/>): one host for each node and client, each event with the vector
//! clock that its host has then. A host's own entry rises by one with each of its events; whoever receives a message
//! first takes in the clock that it was sent with.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::recording::{Lane, Recording, Step, Talk, What};

/// What ShiViz must be told to read the file, under "Log parsing regular expression".
pub const SHIVIZ_PARSER: &str = r"(?<host>\S+) (?<clock>\{.*\})\n(?<time>\S+) s (?<event>.*)";

type Clock = BTreeMap<Lane, u64>;

pub(super) fn write(recording: &Recording, out: &mut dyn Write) -> io::Result<()> {
    let mut clocks: BTreeMap<Lane, Clock> = BTreeMap::new();
    // The clocks that messages were sent with, by the first copy.
    let mut sent: BTreeMap<usize, Clock> = BTreeMap::new();
    for step in recording.steps.iter().filter(|step| is_shown(recording, step)) {
        let clock = clocks.entry(step.lane).or_default();
        let message = step.message.map(|index| recording.messages[index].copy_of.unwrap_or(index));
        if let (What::Receive, Some(carried)) = (step.what, message.and_then(|message| sent.get(&message))) {
            for (lane, count) in carried {
                let known = clock.entry(*lane).or_default();
                *known = (*known).max(*count);
            }
        }
        *clock.entry(step.lane).or_default() += 1;
        if let (What::Send, Some(message)) = (step.what, message) {
            sent.insert(message, clock.clone());
        }
        let entries: Vec<String> = clock.iter().map(|(lane, count)| format!("\"{lane}\":{count}")).collect();
        writeln!(out, "{} {{{}}}", step.lane, entries.join(", "))?;
        let (seconds, ns) = (step.at_ns / 1_000_000_000, step.at_ns % 1_000_000_000);
        writeln!(out, "{seconds}.{ns:09} s {}", event(recording, step))?;
    }
    Ok(())
}

/// What arrives at a node that is down is no event of it. Gossip, probes and hash trees are left out, with what they
/// carry from host to host: they would bury everything else.
fn is_shown(recording: &Recording, step: &Step) -> bool {
    let talk = step.message.map(|index| recording.messages[index].talk);
    let is_background = matches!(talk, Some(Talk::Membership | Talk::Trees));
    !is_background && !step.what.is_noise() && step.what != What::Unheard
}

fn event(recording: &Recording, step: &Step) -> String {
    let mut words = vec![step.what.name().to_owned()];
    if let Some(message) = step.message.map(|index| &recording.messages[index]) {
        let whom = if step.what == What::Send {
            format!("to {}", message.to)
        } else {
            format!("from {}", message.from)
        };
        words.extend([message.kind.to_owned(), whom]);
    }
    words.extend(step.keys.iter().map(ToString::to_string));
    words.push(recording.text(step).replace(['\n', '\r'], " "));
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Format;
    use crate::{run_recorded, swarm};
    use regex::Regex;

    /// As ShiViz reads a file: host, clock, event.
    fn parsed(text: &str) -> Vec<(String, BTreeMap<String, u64>, String)> {
        let parser = Regex::new(SHIVIZ_PARSER).unwrap();
        let found: Vec<_> = parser
            .captures_iter(text)
            .map(|event| {
                let clock = serde_json::from_str(&event["clock"]).unwrap();
                (event["host"].to_owned(), clock, event["event"].to_owned())
            })
            .collect();
        let covered: usize = parser.find_iter(text).map(|event| event.as_str().lines().count()).sum();
        assert_eq!(covered, text.lines().count(), "every line belongs to an event");
        found
    }

    #[test]
    fn shiviz_reads_valid_vector_clocks() {
        let (_, recording) = run_recorded(&swarm::scenario(3), 3);
        let mut file = Vec::new();
        recording.write(Format::Shiviz, &mut file).unwrap();
        let events = parsed(&String::from_utf8(file).unwrap());
        let steps: Vec<&Step> = recording.steps.iter().filter(|step| is_shown(&recording, step)).collect();
        assert_eq!(events.len(), steps.len());
        let mut last: BTreeMap<&str, &BTreeMap<String, u64>> = BTreeMap::new();
        let mut sends: BTreeMap<usize, &BTreeMap<String, u64>> = BTreeMap::new();
        let mut receives = 0;
        for ((host, clock, event), step) in events.iter().zip(steps) {
            let before = last.insert(host, clock);
            let count = |clock: &BTreeMap<String, u64>, host: &str| clock.get(host).copied().unwrap_or(0);
            let own_before = before.map_or(0, |before| count(before, host));
            assert_eq!(clock[host], own_before + 1, "{host} {event}");
            let covers =
                |other: &BTreeMap<String, u64>| other.iter().all(|(host, at)| count(clock, host) >= *at);
            assert!(before.is_none_or(covers), "{host} forgets: {event}");
            let message = step.message.map(|index| recording.messages[index].copy_of.unwrap_or(index));
            match (step.what, message) {
                (What::Send, Some(message)) => drop(sends.insert(message, clock)),
                (What::Receive, Some(message)) => {
                    receives += 1;
                    assert!(covers(sends[&message]), "{host} does not dominate what it hears: {event}");
                }
                _ => {}
            }
        }
        assert!(receives > 1_000, "{receives}");
    }
}
