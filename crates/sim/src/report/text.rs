//! The report for people.

use std::fmt;

use super::{Counter, Quantiles, Report, Requests, percent};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flaw = self.flaw.as_ref().map(|flaw| format!(", flaw {flaw}")).unwrap_or_default();
        writeln!(f, "scenario      {}, seed {}{flaw}", self.scenario, self.seed)?;
        writeln!(f, "simulated     {}, {} events", seconds(self.simulated_ns), self.events)?;
        writeln!(f, "requests      {}", requests("gets", &self.gets))?;
        writeln!(f, "              {}", requests("puts", &self.puts))?;
        writeln!(f, "availability  {}", percent(self.availability))?;
        writeln!(f, "latency       {}", latency("get", self.gets.latency))?;
        writeln!(f, "              {}", latency("put", self.puts.latency))?;
        let count = |counter| self.count(counter);
        let siblings = count(Counter::SiblingReads);
        writeln!(f, "siblings      {siblings} reads met several versions, at most {}", self.siblings_max)?;
        let (stored, delivered) = (count(Counter::HintsStored), count(Counter::HintsDelivered));
        let refused = count(Counter::HintsRefused);
        let refused = if refused > 0 { format!(", {refused} refused") } else { String::new() };
        writeln!(
            f,
            "hints         {stored} stored, {delivered} delivered{refused}, {} left",
            self.hints_left
        )?;
        writeln!(
            f,
            "repairs       {} read repairs, {} anti-entropy repairs, {} sloppy writes, {} forwards, {} suspicions",
            count(Counter::ReadRepairs),
            count(Counter::AntiEntropyRepairs),
            count(Counter::SloppyWrites),
            count(Counter::Forwards),
            count(Counter::Suspicions)
        )?;
        writeln!(f, "faults        {}", self.faults())?;
        let kept = self.promises.iter().filter(|(_, broken)| broken.count == 0);
        let kept: Vec<String> = kept.map(|(promise, _)| promise.to_string()).collect();
        writeln!(f, "oracles       {} of {} hold: {}", kept.len(), self.promises.len(), kept.join(" "))?;
        let is_said = |what: &str| kept.iter().any(|promise| what.starts_with(&format!("{promise} broken")));
        for expectation in self.expectations.iter().filter(|expectation| !is_said(&expectation.what)) {
            let holds = if expectation.holds { "holds" } else { "FAILS" };
            writeln!(f, "expectation   {holds}  {}", expectation.what)?;
        }
        self.findings(f)?;
        writeln!(f, "verdict       {}: {}", self.verdict, self.summary())?;
        let result = if self.expectations_hold { "as expected" } else { "NOT as expected" };
        writeln!(f, "result        {result}")?;
        write!(f, "trace digest  {}", self.trace_digest)
    }
}

impl Report {
    fn faults(&self) -> String {
        let injected: Vec<String> = Counter::FAULTS
            .iter()
            .filter(|counter| self.count(**counter) > 0)
            .map(|counter| format!("{} {}", self.count(*counter), counter.name().replace('_', " ")))
            .collect();
        if injected.is_empty() { "none".into() } else { injected.join(", ") }
    }

    fn findings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for why in self.lost.iter().take(3) {
            writeln!(f, "lost          {why}.")?;
        }
        if self.lost_writes > 3 {
            writeln!(
                f,
                "              ... and {} more (--json names up to {})",
                self.lost_writes - 3,
                Self::EXAMPLES_MAX
            )?;
        }
        for diverged in self.diverged.iter().take(3) {
            let copies: Vec<String> = diverged
                .copies
                .iter()
                .map(|copy| {
                    let ids: Vec<String> = copy.versions.iter().map(ToString::to_string).collect();
                    format!("{} has [{}]", copy.node, ids.join(" "))
                })
                .collect();
            writeln!(f, "diverged      {}: {}", diverged.key, copies.join(", "))?;
        }
        for unfinished in self.unfinished.iter().take(8) {
            writeln!(f, "unfinished    {unfinished}")?;
        }
        for (promise, broken) in &self.promises {
            for example in broken.examples.iter().take(3) {
                writeln!(f, "{:13} {example}", promise.to_string())?;
            }
        }
        Ok(())
    }

    /// The verdict in a sentence.
    pub fn summary(&self) -> String {
        let mut said = vec![if self.lost_writes == 0 {
            format!("all {} acknowledged writes are there", self.acked_writes)
        } else {
            format!("{} of {} acknowledged writes were lost", self.lost_writes, self.acked_writes)
        }];
        said.push(if self.diverged_keys == 0 {
            "all replicas agree".into()
        } else {
            format!("{} keys differ between replicas", self.diverged_keys)
        });
        if !self.unfinished.is_empty() {
            said.push(format!("{} things were still under way", self.unfinished.len()));
        }
        if self.hints_left > 0 {
            said.push(format!("{} hints were never delivered", self.hints_left));
        }
        for (promise, broken) in self.promises.iter().filter(|(_, broken)| broken.count > 0) {
            said.push(format!("{promise} was broken {} times", broken.count));
        }
        said.join(", ")
    }
}

fn requests(kind: &str, requests: &Requests) -> String {
    format!("{} {kind} ({} failed)", requests.attempted, requests.failed.total())
}

fn latency(kind: &str, latency: Quantiles) -> String {
    let Quantiles { p50_us, p99_us, p999_us, .. } = latency;
    format!("{kind} p50 {} p99 {} p99.9 {}", ms(p50_us), ms(p99_us), ms(p999_us))
}

fn ms(us: u64) -> String {
    format!("{}.{:02} ms", us / 1_000, us % 1_000 / 10)
}

fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}
