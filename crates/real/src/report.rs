//! What a run on real nodes tells.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use cartwheel_check::Verdict;
use cartwheel_sim::Scenario;
use cartwheel_sim::report::Requests;
use serde::Serialize;

use crate::clients::State;
use crate::finish::Told;

/// What was done to the nodes, and what they did by themselves.
#[derive(Debug, Default)]
pub struct Happened {
    faults: BTreeMap<&'static str, u64>,
    left_out: BTreeMap<&'static str, Left>,
    /// Nodes that ended without being told to.
    pub ended: Vec<String>,
}

/// Faults of one kind that could not be inflicted.
#[derive(Clone, Debug, Serialize)]
pub struct Left {
    /// How many.
    pub times: u64,
    /// Why.
    pub why: &'static str,
}

impl Happened {
    /// A fault struck.
    pub fn struck(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    /// A fault could not strike.
    pub fn left_out(&mut self, name: &'static str, why: &'static str) {
        self.left_out.entry(name).or_insert(Left { times: 0, why }).times += 1;
    }
}

/// What a run tells.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// The seed of clients and faults.
    pub seed: u64,
    /// How many nodes there were.
    pub nodes: u32,
    /// How long clients and faults went on, in milliseconds.
    pub lasted_ms: u64,
    /// How long the cluster took to come to rest, in milliseconds.
    pub rested_ms: u64,
    /// Faults that struck, by the names that scenario files use.
    pub faults: BTreeMap<&'static str, u64>,
    /// Faults that could not strike.
    pub left_out: BTreeMap<&'static str, Left>,
    /// How gets went.
    pub gets: Requests,
    /// How puts and deletes went.
    pub puts: Requests,
    /// What the nodes have counted, over all their lives, at least.
    pub counters: BTreeMap<String, u64>,
    /// Nodes that ended without being told to.
    pub ended: Vec<String>,
    /// What was still under way when patience ended.
    pub unsettled: Option<String>,
    /// Answers that no node should give.
    pub odd: Vec<String>,
    /// What the scenario wants to have happened at least so often, and did not.
    pub unmet: Vec<String>,
    /// The judge's verdict.
    pub verdict: Verdict,
    /// The part of all requests that succeeded.
    pub availability: f64,
    /// Whether that is what the scenario expects, at least.
    pub is_available: bool,
}

impl Report {
    pub(crate) fn new(
        told: Told<'_>,
        [lasted, rested]: [Duration; 2],
        clients: &State,
        unsettled: Option<String>,
        verdict: Verdict,
    ) -> Self {
        let Told { scenario, seed, happened, witness } = told;
        let (odd, clients) = (clients.odd.clone(), &clients.clients);
        let counters = witness.counters();
        let unmet = unmet(scenario, &happened, &counters);
        let (gets, puts) = clients.requests();
        let attempted = (gets.attempted + puts.attempted).max(1) as f64;
        let availability = (gets.succeeded + puts.succeeded) as f64 / attempted;
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            scenario: scenario.name.clone(),
            seed,
            nodes: scenario.cluster.nodes,
            lasted_ms: ms(lasted),
            rested_ms: ms(rested),
            faults: happened.faults,
            left_out: happened.left_out,
            gets,
            puts,
            counters,
            ended: happened.ended,
            unsettled,
            odd,
            unmet,
            verdict,
            availability,
            is_available: availability >= scenario.expect.availability_min.value(),
        }
    }

    /// Whether nothing is wrong.
    pub fn is_green(&self) -> bool {
        self.verdict.is_green()
            && self.unsettled.is_none()
            && self.odd.is_empty()
            && self.ended.is_empty()
            && self.unmet.is_empty()
            && self.is_available
    }

    fn findings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        let verdict = &self.verdict;
        let lost: Vec<String> = verdict.lost.iter().map(|lost| lost.why.clone()).collect();
        for (name, found) in [
            ("lost", &lost),
            ("resurrected", &verdict.resurrected),
            ("false sibling", &verdict.false_siblings),
            ("done", &verdict.refused_but_done),
            ("ended", &self.ended),
            ("odd answer", &self.odd),
            ("not reached", &self.unmet),
        ] {
            for what in found.iter().take(SHOWN) {
                writeln!(f, "{name:13} {what}")?;
            }
            if found.len() > SHOWN {
                writeln!(f, "              ... and {} more (--json names them)", found.len() - SHOWN)?;
            }
        }
        if let Some(unsettled) = &self.unsettled {
            writeln!(f, "unsettled     {unsettled}; what is there was not read")?;
        }
        Ok(())
    }
}

/// What the scenario wants to have happened, as far as it can be seen from outside.
fn unmet(scenario: &Scenario, happened: &Happened, counters: &BTreeMap<String, u64>) -> Vec<String> {
    let mut unmet = Vec::new();
    for (counter, wanted) in &scenario.expect.happened {
        let name = counter.name();
        let fault = FAULTS.iter().find(|(counted, _)| *counted == name).map(|(_, fault)| *fault);
        // What could not be done to real nodes is left out, and said to be.
        let seen = match fault {
            Some(fault) if happened.left_out.contains_key(fault) => continue,
            Some(fault) => happened.faults.get(fault).copied().unwrap_or(0),
            None => match counters.get(&name) {
                Some(seen) => *seen,
                None => continue,
            },
        };
        if seen < *wanted {
            unmet.push(format!("{name} {seen}, wanted at least {wanted}"));
        }
    }
    unmet
}

/// How faults are counted in scenarios, and called.
const FAULTS: [(&str, &str); 17] = [
    ("crashes", "crash"),
    ("restarts", "restart"),
    ("partitions", "partition"),
    ("one_way_cuts", "one_way"),
    ("partial_partitions", "partial_partition"),
    ("flappings", "flapping"),
    ("pauses", "pause"),
    ("crash_loops", "crash_loop"),
    ("rolling_restarts", "rolling_restart"),
    ("clock_jumps", "clock_jump"),
    ("full_disks", "disk_full"),
    ("disk_wipes", "wipe_disk"),
    ("disk_restores", "restore_disk"),
    ("slow_nodes", "slow_node"),
    ("late_links", "late_link"),
    ("joins", "join"),
    ("leaves", "leave"),
];

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "scenario      {}, seed {}, on {} real nodes", self.scenario, self.seed, self.nodes)?;
        let (lasted, rested) = (seconds(self.lasted_ms), seconds(self.rested_ms));
        writeln!(f, "lasted        {lasted}, then came to rest in {rested}")?;
        for (name, requests) in [("gets", &self.gets), ("puts", &self.puts)] {
            let Requests { attempted, succeeded, .. } = requests;
            writeln!(f, "{name:13} {succeeded} of {attempted} succeeded")?;
        }
        writeln!(f, "availability  {:.3} %", 100.0 * self.availability)?;
        let faults: Vec<String> =
            self.faults.iter().map(|(name, times)| format!("{times} {}", name.replace('_', " "))).collect();
        writeln!(
            f,
            "faults        {}",
            if faults.is_empty() { "none".to_owned() } else { faults.join(", ") }
        )?;
        for (name, Left { times, why }) in &self.left_out {
            writeln!(f, "left out      {times} {}: {why}", name.replace('_', " "))?;
        }
        let counted: Vec<String> = self
            .counters
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(name, count)| format!("{count} {}", name.replace('_', " ")))
            .collect();
        writeln!(f, "nodes count   {}", counted.join(", "))?;
        if self.verdict.explained > 0 {
            let explained = self.verdict.explained;
            writeln!(
                f,
                "shown again   {explained} old versions, whose requests were done twice: nothing is lost by that"
            )?;
        }
        self.findings(f)?;
        let acked = self.verdict.acked_writes;
        let verdict = if self.is_green() { "green" } else { "RED" };
        let lost = self.verdict.lost.len();
        let said = match (&self.unsettled, lost) {
            (Some(_), _) => format!("{acked} writes were acknowledged, and the cluster did not come to rest"),
            (None, 0) => format!("all {acked} acknowledged writes are there, all homes hold the same"),
            (None, _) => format!("{lost} of {acked} acknowledged writes were lost"),
        };
        write!(f, "verdict       {verdict}: {said}")
    }
}
