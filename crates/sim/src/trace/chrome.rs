//! The trace event format of Chrome, which Perfetto (<https://ui.perfetto.dev>) and `chrome://tracing` read: a process
//! for each node and one for the clients, arrows for messages, spans for clients' requests, instants for faults.
//!
//! A node does things at moments, and arrows need slices to begin and end in: everything that a node does at one
//! moment is one slice of at most a microsecond.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::recording::{Fate, Lane, Recording, Step, Waited, What};
use super::words::request_name;

/// Nodes are the processes from 1 on. Process 0 means something of its own to those who read this.
const WORLD_PID: u32 = 1_000_001;
const CLIENTS_PID: u32 = 1_000_000;
const SLICE_NS: u64 = 1_000;

pub(super) fn write(recording: &Recording, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{{\"displayTimeUnit\": \"ms\", \"traceEvents\": [")?;
    let mut events = Events { out, is_first: true };
    names(recording, &mut events)?;
    slices(recording, &mut events)?;
    arrows(recording, &mut events)?;
    recording.requests.iter().try_for_each(|waited| request(recording, waited, &mut events))?;
    faults(recording, &mut events)?;
    counters(recording, &mut events)?;
    writeln!(out, "\n]}}")
}

struct Events<'a> {
    out: &'a mut dyn Write,
    is_first: bool,
}

impl Events<'_> {
    fn put(&mut self, event: &Value) -> io::Result<()> {
        let separator = if std::mem::take(&mut self.is_first) { "" } else { ",\n" };
        write!(self.out, "{separator}{event}")
    }
}

fn pid(lane: Lane) -> u32 {
    match lane {
        Lane::World => WORLD_PID,
        Lane::Node(node) => node + 1,
        Lane::Client(_) => CLIENTS_PID,
    }
}

/// Each client is a thread of the clients; a node has one.
fn tid(lane: Lane) -> u32 {
    if let Lane::Client(client) = lane { client + 1 } else { 1 }
}

/// Microseconds, to the nanosecond.
fn us(ns: u64) -> f64 {
    ns as f64 / 1_000.0
}

fn names(recording: &Recording, events: &mut Events<'_>) -> io::Result<()> {
    let about =
        |pid: u32, what: &str, args: Value| json!({"ph": "M", "pid": pid, "name": what, "args": args});
    let nodes = (0..recording.nodes).map(|node| (node + 1, recording.lane_name(Lane::Node(node))));
    let others = [(WORLD_PID, "world".to_owned()), (CLIENTS_PID, "clients".to_owned())];
    for ((pid, name), place) in others.into_iter().chain(nodes).zip(0..) {
        events.put(&about(pid, "process_name", json!({"name": name})))?;
        events.put(&about(pid, "process_sort_index", json!({"sort_index": place})))?;
    }
    for client in (0..recording.clients).map(Lane::Client) {
        let name = recording.lane_name(client);
        let (pid, tid) = (pid(client), tid(client));
        events.put(
            &json!({"ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": {"name": name}}),
        )?;
    }
    Ok(())
}

/// One slice for all that happens in one place at one moment.
fn slices(recording: &Recording, events: &mut Events<'_>) -> io::Result<()> {
    for lane in recording.lanes().into_iter().filter(|lane| *lane != Lane::World) {
        let steps: Vec<&Step> =
            recording.steps.iter().filter(|step| step.lane == lane && !step.what.is_noise()).collect();
        let moments: Vec<&[&Step]> = steps.chunk_by(|one, other| one.at_ns == other.at_ns).collect();
        for (index, moment) in moments.iter().enumerate() {
            let at_ns = moment[0].at_ns;
            let next_ns = moments.get(index + 1).map_or(u64::MAX, |next| next[0].at_ns);
            let said: Vec<String> = moment.iter().map(|step| in_words(recording, step)).collect();
            events.put(&json!({
                "ph": "X", "pid": pid(lane), "tid": tid(lane), "cat": "step",
                "ts": us(at_ns), "dur": us(SLICE_NS.min(next_ns - at_ns)),
                "name": title(recording, moment[0]), "args": {"steps": said},
            }))?;
        }
    }
    Ok(())
}

fn title(recording: &Recording, step: &Step) -> String {
    match step.message.map(|index| &recording.messages[index]) {
        Some(message) if step.what == What::Receive => format!("{} from {}", message.kind, message.from),
        Some(message) => format!("{} to {}", message.kind, message.to),
        None => step.what.name().to_owned(),
    }
}

fn in_words(recording: &Recording, step: &Step) -> String {
    let keys: Vec<String> = step.keys.iter().map(ToString::to_string).collect();
    let title = if step.message.is_some() {
        format!("{} {}", step.what.name(), title(recording, step))
    } else {
        step.what.name().to_owned()
    };
    [title, keys.join(" "), recording.text(step).to_owned()].join(" ").trim_end().to_owned()
}

/// From the slice in which a message was sent to the one in which it was heard.
fn arrows(recording: &Recording, events: &mut Events<'_>) -> io::Result<()> {
    for (id, message) in recording.messages.iter().enumerate() {
        let Fate::Heard(heard_ns) = message.fate else { continue };
        let end = |ph: &str, lane: Lane, at_ns: u64| {
            json!({
                "ph": ph, "bp": "e", "id": id, "cat": message.talk.name(), "name": message.kind,
                "pid": pid(lane), "tid": tid(lane), "ts": us(at_ns),
            })
        };
        events.put(&end("s", message.from, message.sent_ns))?;
        events.put(&end("f", message.to, heard_ns))?;
    }
    Ok(())
}

/// A span for the request, and one in it for each attempt. Asynchronous, because they may overlap.
fn request(recording: &Recording, waited: &Waited, events: &mut Events<'_>) -> io::Result<()> {
    let Waited { request, client, key, kind, began_ns, attempts } = waited;
    let id = request_name(*request);
    let end = |ph: &str, name: &str, at_ns: u64, args: Value| {
        json!({
            "ph": ph, "cat": "request", "id": id, "name": name, "ts": us(at_ns), "args": args,
            "pid": CLIENTS_PID, "tid": client + 1,
        })
    };
    let ended_ns = waited.ended_ns().unwrap_or(recording.end_ns);
    let name = format!("{kind} {key}");
    let how = if waited.succeeded() { "ok" } else { "failed" };
    let args = json!({"request": id, "result": how, "attempts": attempts.len()});
    events.put(&end("b", &name, *began_ns, args))?;
    for attempt in attempts {
        let name = format!("at {}", Lane::Node(attempt.node));
        events.put(&end("b", &name, attempt.began_ns, json!({"outcome": attempt.outcome})))?;
        events.put(&end("e", &name, attempt.ended_ns.unwrap_or(recording.end_ns), json!({})))?;
    }
    events.put(&end("e", &name, ended_ns, json!({})))
}

/// An instant for each, over all processes, and a span for how long it lasts; a span for each time that a node is down.
fn faults(recording: &Recording, events: &mut Events<'_>) -> io::Result<()> {
    let instant = |name: &str, at_ns: u64| json!({"ph": "i", "s": "g", "cat": "fault", "name": name, "ts": us(at_ns), "pid": WORLD_PID, "tid": 1});
    let span = |ph: &str, name: &str, pid: u32, id: String, at_ns: u64| json!({"ph": ph, "cat": "fault", "id": id, "name": name, "ts": us(at_ns), "pid": pid, "tid": 1});
    for (number, fault) in recording.faults.iter().enumerate() {
        events.put(&instant(&fault.text, fault.at_ns))?;
        if fault.until_ns > fault.at_ns {
            let id = format!("fault {number}");
            events.put(&span("b", &fault.text, WORLD_PID, id.clone(), fault.at_ns))?;
            events.put(&span("e", &fault.text, WORLD_PID, id, fault.until_ns))?;
        }
    }
    if let Some(peace_ns) = recording.peace_ns {
        events.put(&instant("faults cease", peace_ns))?;
    }
    for (number, down) in recording.downs.iter().enumerate() {
        let (id, pid) = (format!("down {number}"), pid(Lane::Node(down.node)));
        events.put(&span("b", "down", pid, id.clone(), down.from_ns))?;
        events.put(&span("e", "down", pid, id, down.until_ns.unwrap_or(recording.end_ns)))?;
    }
    Ok(())
}

fn counters(recording: &Recording, events: &mut Events<'_>) -> io::Result<()> {
    for sample in &recording.samples {
        let ts = us(sample.at_ns);
        let siblings = json!({"most": sample.siblings_max});
        events.put(
            &json!({"ph": "C", "pid": WORLD_PID, "name": "siblings of one key", "ts": ts, "args": siblings}),
        )?;
        for (node, hints) in sample.hints.iter().enumerate() {
            events.put(
                &json!({"ph": "C", "pid": node + 1, "name": "hints", "ts": ts, "args": {"held": hints}}),
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use crate::trace::Format;
    use crate::{run_recorded, swarm};

    fn traced(seed: u64) -> Vec<Value> {
        let (_, recording) = run_recorded(&swarm::scenario(seed), seed);
        let mut file = Vec::new();
        recording.write(Format::Chrome, &mut file).unwrap();
        let whole: Value = serde_json::from_slice(&file).unwrap();
        whole["traceEvents"].as_array().unwrap().clone()
    }

    fn of<'a>(events: &'a [Value], phase: &'a str) -> impl Iterator<Item = &'a Value> {
        events.iter().filter(move |event| event["ph"] == phase)
    }

    /// Where and when.
    fn place(event: &Value) -> (u64, u64, u64) {
        let ns = (event["ts"].as_f64().unwrap() * 1_000.0).round() as u64;
        (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap(), ns)
    }

    #[test]
    fn arrows_pair_up_and_begin_and_end_in_slices() {
        let events = traced(3);
        let slices: BTreeMap<_, f64> =
            of(&events, "X").map(|event| (place(event), event["dur"].as_f64().unwrap())).collect();
        assert_eq!(slices.len(), of(&events, "X").count(), "one slice to a place and moment");
        let ends = |phase| of(&events, phase).map(|event| (event["id"].as_u64().unwrap(), event)).collect();
        let (starts, finishes): (BTreeMap<u64, &Value>, BTreeMap<u64, &Value>) = (ends("s"), ends("f"));
        assert!(starts.len() > 1_000 && starts.keys().eq(finishes.keys()));
        for (id, start) in starts {
            let finish = finishes[&id];
            assert!(place(start).2 <= place(finish).2 && start["name"] == finish["name"], "{start} {finish}");
            for end in [start, finish] {
                assert!(slices.contains_key(&place(end)), "in no slice: {end}");
            }
        }
    }

    #[test]
    fn slices_do_not_overlap() {
        let mut last: BTreeMap<(u64, u64), f64> = BTreeMap::new();
        for slice in of(&traced(3), "X") {
            let (pid, tid, _) = place(slice);
            let (ts, dur) = (slice["ts"].as_f64().unwrap(), slice["dur"].as_f64().unwrap());
            let free = last.insert((pid, tid), ts + dur).unwrap_or(0.0);
            assert!(free <= ts + 0.000_5, "{slice}");
        }
    }

    #[test]
    fn spans_end_and_faults_are_instants() {
        let events = traced(3);
        let mut open: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
        for event in &events {
            let stack = open.entry(format!("{} {}", event["cat"], event["id"])).or_default();
            match event["ph"].as_str().unwrap() {
                "b" => stack.push(event),
                "e" => {
                    let begun = stack.pop().unwrap_or_else(|| panic!("never begun: {event}"));
                    assert!(
                        begun["name"] == event["name"] && place(begun).2 <= place(event).2,
                        "{begun} {event}"
                    );
                }
                _ => {}
            }
        }
        assert!(open.values().all(Vec::is_empty), "a span does not end");
        let requests = of(&events, "b").filter(|event| event["cat"] == "request").count();
        assert!(requests > 100 && of(&events, "i").count() > 1, "{requests}");
        assert!(of(&events, "C").count() > 10);
    }
}
