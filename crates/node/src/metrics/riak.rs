//! `GET /stats`: what Riak's dashboards read, under Riak's names, as far as there is such a thing here.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{Metrics, Operation};
use crate::cluster::ClusterReport;
use crate::report::Report;

/// Riak's statistics without a total are of the last minute, here in steps.
const STEP: Duration = Duration::from_secs(10);
const STEPS: usize = 6;

/// What clients asked in the last minute, and since the start.
#[derive(Debug, Default)]
pub struct Requests {
    gets: Window,
    puts: Window,
    siblings: Window,
    get_bytes: Window,
}

impl Requests {
    /// A request succeeded, and took so long; it showed so many versions, of so many bytes together.
    pub fn succeeded(&mut self, operation: Operation, took: Duration, versions: u64, bytes: u64) {
        let now = Instant::now();
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        match operation {
            Operation::Get => {
                self.gets.record(now, us);
                self.siblings.record(now, versions);
                self.get_bytes.record(now, bytes);
            }
            // To Riak a delete is a put.
            Operation::Put | Operation::Delete | Operation::Update => self.puts.record(now, us),
            // Riak counts those apart, and says nothing of how long they took.
            Operation::List => {}
        }
    }
}

/// The last minute of something.
#[derive(Debug)]
struct Window {
    /// The oldest first; the last one is being filled, since `began`.
    steps: Vec<Histogram<u64>>,
    began: Instant,
    total: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { steps: vec![histogram()], began: Instant::now(), total: 0 }
    }
}

/// With two significant digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 1 << 40, 2).expect("the bounds are valid")
}

impl Window {
    fn record(&mut self, now: Instant, value: u64) {
        self.move_on(now);
        self.total += 1;
        if let Some(step) = self.steps.last_mut() {
            step.saturating_record(value);
        }
    }

    fn move_on(&mut self, now: Instant) {
        while now.duration_since(self.began) >= STEP {
            if now.duration_since(self.began) >= STEP * STEPS as u32 {
                // Nothing of what there is counts any more.
                *self = Self { total: self.total, steps: vec![histogram()], began: now };
                return;
            }
            self.began += STEP;
            self.steps.push(histogram());
            if self.steps.len() > STEPS {
                self.steps.remove(0);
            }
        }
    }

    /// `NAME_mean` and the percentiles that Riak gives.
    fn tell(&mut self, now: Instant, name: &str, stats: &mut Map<String, Value>) -> u64 {
        self.move_on(now);
        let mut minute = histogram();
        // They have the same bounds.
        self.steps.iter().for_each(|step| _ = minute.add(step));
        let mut tell = |what: &str, value: u64| drop(stats.insert(format!("{name}_{what}"), json!(value)));
        tell("mean", minute.mean() as u64);
        for (what, quantile) in [("median", 0.5), ("95", 0.95), ("99", 0.99), ("100", 1.0)] {
            tell(what, if minute.is_empty() { 0 } else { minute.value_at_quantile(quantile) });
        }
        minute.len()
    }
}

/// The whole page.
pub(crate) fn stats(metrics: &Metrics, report: &Report, cluster: &ClusterReport) -> Value {
    let mut stats = Map::new();
    let now = Instant::now();
    {
        let mut requests = metrics.riak();
        let Requests { gets, puts, siblings, get_bytes } = &mut *requests;
        let in_minute = gets.tell(now, "node_get_fsm_time", &mut stats);
        stats.insert("node_gets".into(), json!(in_minute));
        stats.insert("node_gets_total".into(), json!(gets.total));
        let in_minute = puts.tell(now, "node_put_fsm_time", &mut stats);
        stats.insert("node_puts".into(), json!(in_minute));
        stats.insert("node_puts_total".into(), json!(puts.total));
        siblings.tell(now, "node_get_fsm_siblings", &mut stats);
        get_bytes.tell(now, "node_get_fsm_objsize", &mut stats);
    }
    let members: Vec<&String> = cluster
        .members
        .iter()
        .filter(|member| matches!(member.status.as_str(), "member" | "leaving"))
        .map(|member| &member.name)
        .collect();
    let connected: Vec<&&String> = members
        .iter()
        .filter(|name| ***name != report.about.node && !report.suspected.contains(name))
        .collect();
    let counters = &report.counters;
    let hints: u64 = report.hints.iter().map(|hint| hint.keys).sum();
    let rest = json!({
        "nodename": report.about.node,
        "connected_nodes": connected,
        "ring_members": members,
        "ring_num_partitions": cluster.ring.owners.len(),
        "ring_creation_size": cluster.ring.owners.len(),
        "read_repairs_total": counters.read_repairs,
        "coord_redirs_total": counters.forwards,
        "node_get_fsm_active": report.requests_running,
        "pbc_active": metrics.pb_connections.get(),
        "pbc_connects_total": metrics.pb_connects.get(),
        "riak_core_handoffs_open": report.handoff_open,
        "hinted_handoff_keys": hints,
        // Riak's Python client reads digits, and decides by them what it may ask for.
        "riak_kv_version": RIAK_VERSION,
        "riak_api_version": RIAK_VERSION,
        "cartwheel_version": env!("CARGO_PKG_VERSION"),
        "sys_system_architecture": std::env::consts::ARCH,
        "cpu_nprocs": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    });
    if let Value::Object(rest) = rest {
        stats.extend(rest);
    }
    Value::Object(stats)
}

/// The release of Riak whose behaviour is ours.
pub(crate) const RIAK_VERSION: &str = "3.2.3";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_forgotten_step_by_step_and_the_total_is_not() {
        let begin = Instant::now();
        let mut window = Window { began: begin, ..Window::default() };
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        window.record(at(0), 100);
        window.record(at(35), 300);
        let mut tell = |seconds: u64| {
            let mut stats = Map::new();
            let count = window.tell(at(seconds), "x", &mut stats);
            (count, stats["x_100"].as_u64(), stats["x_median"].as_u64(), window.total)
        };
        let close = |found: Option<u64>, wanted: u64| {
            found.is_some_and(|found| found.abs_diff(wanted) <= wanted / 50)
        };
        let (count, most, median, total) = tell(59);
        assert!(count == 2 && close(most, 300) && close(median, 100) && total == 2);
        let (count, most, median, total) = tell(61);
        assert!(count == 1 && close(most, 300) && close(median, 300) && total == 2);
        assert_eq!(tell(120), (0, Some(0), Some(0), 2));
    }
}
