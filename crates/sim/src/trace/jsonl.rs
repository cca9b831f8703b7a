//! JSON Lines: one object for each step, in order. `docs/inspecting.md` lists the fields.

use std::io::{self, Write};

use serde::Serialize;

use super::recording::{Fate, Recording, Step, What};
use super::words::request_name;

/// One line. What does not apply is left out.
#[derive(Serialize)]
struct Line<'a> {
    time_ns: u64,
    seq: usize,
    node: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    siblings: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hints: Option<u32>,
}

pub(super) fn write(recording: &Recording, out: &mut dyn Write) -> io::Result<()> {
    for (number, step) in recording.steps.iter().enumerate() {
        serde_json::to_writer(&mut *out, &line(recording, number, step))?;
        writeln!(out)?;
    }
    Ok(())
}

fn line<'a>(recording: &'a Recording, number: usize, step: &'a Step) -> Line<'a> {
    let message = step.message.map(|index| (index, &recording.messages[index]));
    let is_lost = |fate| step.what == What::Send && fate == Fate::Lost;
    let mut keys: Vec<String> = step.keys.iter().map(ToString::to_string).collect();
    Line {
        time_ns: step.at_ns,
        seq: number + 1,
        node: recording.lane_name(step.lane),
        kind: step.what.name(),
        message: message.map(|(index, carried)| carried.copy_of.unwrap_or(index)),
        from: message.map(|(_, carried)| recording.lane_name(carried.from)),
        to: message.map(|(_, carried)| recording.lane_name(carried.to)),
        says: message.map(|(_, carried)| carried.kind),
        lost: message.and_then(|(_, carried)| is_lost(carried.fate).then_some(true)),
        request: step.request.map(request_name),
        key: if keys.len() == 1 { keys.pop() } else { None },
        keys,
        text: recording.text(step),
        siblings: step.held.map(|held| held.siblings),
        hints: step.held.map(|held| held.hints),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use crate::trace::Format;
    use crate::{run, run_recorded, swarm};

    #[test]
    fn a_recorded_run_is_the_same_run() {
        for seed in 0..8 {
            let scenario = swarm::scenario(seed);
            let (report, _) = run_recorded(&scenario, seed);
            assert_eq!(report, run(&scenario, seed), "swarm seed {seed}");
        }
    }

    #[test]
    fn each_line_is_an_event_and_what_is_received_was_sent_before() {
        let (report, recording) = run_recorded(&swarm::scenario(3), 3);
        let mut file = Vec::new();
        recording.write(Format::JsonLines, &mut file).unwrap();
        let lines: Vec<Value> = String::from_utf8(file)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(lines.len() as u64 > report.events / 2, "{} lines", lines.len());
        let mut sent: BTreeMap<u64, &Value> = BTreeMap::new();
        let (mut last_ns, mut received) = (0, 0);
        for (line, number) in lines.iter().zip(1..) {
            assert_eq!(line["seq"], number);
            let at = line["time_ns"].as_u64().unwrap();
            assert!(at >= last_ns, "{line}");
            last_ns = at;
            let Some(message) = line["message"].as_u64() else { continue };
            match line["kind"].as_str().unwrap() {
                "send" => {
                    assert_eq!(line["node"], line["from"]);
                    assert!(sent.insert(message, line).is_none(), "sent twice: {line}");
                }
                "receive" | "unheard" => {
                    received += 1;
                    assert_eq!(line["node"], line["to"]);
                    let sent = sent.get(&message).unwrap_or_else(|| panic!("never sent: {line}"));
                    assert!(sent.get("lost").is_none() && sent["says"] == line["says"], "{sent} {line}");
                }
                other => panic!("{other} is no message"),
            }
        }
        assert!(received > 1_000, "{received}");
        let kinds = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
        assert!(kinds("fault") > 0 && kinds("store") > 0 && kinds("down") > 0 && kinds("peace") == 1);
        assert!(lines.iter().any(|line| line["request"].is_string() && line["key"].is_string()));
    }
}
