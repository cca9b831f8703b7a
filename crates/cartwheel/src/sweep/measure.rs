//! What a sweep writes down of each run: everything that is a number in its report.

use std::fmt::Debug;

use cartwheel_sim::report::{Counter, Promise, Quantiles, Report, Requests};

use super::frame::{Cell, Column, Kind};

/// One column, and what stands in it for a report.
pub struct Measure {
    pub column: Column,
    of: Box<dyn Fn(&Report) -> Cell + Sync>,
}

impl Measure {
    fn new(name: impl Into<String>, kind: Kind, of: impl Fn(&Report) -> Cell + Sync + 'static) -> Self {
        Self { column: Column::new(name, kind), of: Box::new(of) }
    }

    fn count(name: impl Into<String>, of: impl Fn(&Report) -> u64 + Sync + 'static) -> Self {
        Self::new(name, Kind::Int, move |report| Cell::count(of(report)))
    }

    pub fn cell(&self, report: &Report) -> Cell {
        (self.of)(report)
    }
}

/// All of them, in the order of their columns.
pub fn measures() -> Vec<Measure> {
    let mut all = vec![
        Measure::new("verdict", Kind::Text, |report| Cell::Text(report.verdict.clone())),
        Measure::new("as_expected", Kind::Bool, |report| Cell::Bool(report.expectations_hold)),
        Measure::new("simulated_s", Kind::Float, |report| Cell::Float(report.simulated_ns as f64 / 1e9)),
        Measure::count("events", |report| report.events),
        Measure::count("messages_sent", |report| report.messages_sent),
        Measure::count("bytes_received", |report| report.bytes_received),
        Measure::count("operations", |report| report.gets.attempted + report.puts.attempted),
        Measure::count("operations_succeeded", |report| report.gets.succeeded + report.puts.succeeded),
        Measure::new("availability", Kind::Float, |report| Cell::Float(report.availability)),
    ];
    requests(&mut all, "get", |report| &report.gets);
    requests(&mut all, "put", |report| &report.puts);
    all.extend([
        Measure::count("acknowledged_writes", |report| report.acked_writes),
        Measure::count("lost_writes", |report| report.lost_writes),
        Measure::count("siblings_max", |report| report.siblings_max.into()),
        Measure::count("diverged_keys", |report| report.diverged_keys),
        Measure::count("hints_left", |report| report.hints_left),
        Measure::count("unfinished", |report| report.unfinished.len() as u64),
    ]);
    all.extend(
        Counter::ALL
            .iter()
            .map(|&counter| Measure::count(counter.name(), move |report: &Report| report.count(counter))),
    );
    all.extend(Promise::ALL.map(|promise| {
        let name = format!("{}_broken", snake(&promise));
        // A promise that is not made in a run is not kept there either.
        Measure::new(name, Kind::Int, move |report| {
            report.promises.get(&promise).map_or(Cell::Null, |broken| Cell::count(broken.count))
        })
    }));
    all.push(Measure::new("trace_digest", Kind::Text, |report| Cell::Text(report.trace_digest.clone())));
    all
}

/// One of them, in microseconds.
type Quantile = fn(&Quantiles) -> u64;

fn requests(all: &mut Vec<Measure>, kind: &str, of: fn(&Report) -> &Requests) {
    all.push(Measure::count(format!("{kind}s"), move |report| of(report).attempted));
    all.push(Measure::count(format!("{kind}s_succeeded"), move |report| of(report).succeeded));
    for (index, (reason, _)) in Requests::default().failed.by_reason().into_iter().enumerate() {
        let name = format!("{kind}s_failed_{reason}");
        all.push(Measure::count(name, move |report| of(report).failed.by_reason()[index].1));
    }
    let quantiles: [(&str, Quantile); 5] = [
        ("p50", |latency| latency.p50_us),
        ("p95", |latency| latency.p95_us),
        ("p99", |latency| latency.p99_us),
        ("p999", |latency| latency.p999_us),
        ("max", |latency| latency.max_us),
    ];
    for (name, quantile) in quantiles {
        all.push(Measure::new(format!("{kind}_{name}_us"), Kind::Int, move |report| {
            let requests = of(report);
            if requests.succeeded == 0 { Cell::Null } else { Cell::count(quantile(&requests.latency)) }
        }));
    }
}

/// A name such as `DotUnique` as a column has it.
fn snake(name: &impl Debug) -> String {
    let mut snake = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn columns_are_called_differently_in_snake_case() {
        let names: Vec<String> = measures().into_iter().map(|measure| measure.column.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let is_snake = |name: &str| {
            name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        };
        assert!(names.iter().all(|name| is_snake(name)), "{names:?}");
        for expected in ["get_p999_us", "puts_failed_quorum_unmet", "stale_reads", "dot_unique_broken"] {
            assert!(names.iter().any(|name| name == expected), "{expected}");
        }
    }
}
