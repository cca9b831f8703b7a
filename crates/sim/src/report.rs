//! What a run tells.

pub mod page;
mod requests;
mod text;

use std::collections::BTreeMap;

use cartwheel_check::{Diverged, Verdict};
use serde::{Deserialize, Serialize};

pub use self::requests::{Failures, Quantiles, Requests};
pub use crate::oracle::{Broken, Promise};

use crate::oracle::Findings;
use crate::scenario::ExpectSpec;
use crate::timeline::Moment;

/// Things that are counted, by the names that scenario files use.
#[derive(
    strum::VariantArray, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// A node durably kept a write for another one.
    HintsStored,
    /// A hint was not kept, because as much was kept for that home as may be.
    HintsRefused,
    /// Such a write was handed over.
    HintsDelivered,
    /// A write quorum was met with the help of a stand-in.
    SloppyWrites,
    /// A read sent a replica what it lacked.
    ReadRepairs,
    /// An exchange found a key that two homes held differently.
    AntiEntropyRepairs,
    /// A read met concurrent versions.
    SiblingReads,
    /// A node began to suspect another one.
    Suspicions,
    /// A put was sent on to a coordinator.
    Forwards,
    /// A repeated request was answered from memory.
    RequestsRepeated,
    /// A node began to hold its background work back, because the foreground suffered.
    BackgroundThrottles,
    /// A node lost power.
    Crashes,
    /// A crash lost updates that were applied and not yet synced.
    UnsyncedUpdatesLost,
    /// Nodes were cut into two sides.
    Partitions,
    /// A link was cut in one direction.
    OneWayCuts,
    /// Pairs of nodes were cut off from each other.
    PartialPartitions,
    /// Answers on a link were dropped.
    AckDrops,
    /// A node became slow.
    SlowNodes,
    /// A link began to deliver late.
    LateLinks,
    /// A node came back with an empty disk.
    DiskWipes,
    /// A node was stopped cleanly and started again.
    Restarts,
    /// A node came back with an old copy of its disk.
    DiskRestores,
    /// A key vanished from a disk.
    KeyWipes,
    /// Bytes of a record rotted on a disk.
    CorruptRecords,
    /// A wall clock jumped.
    ClockJumps,
    /// A process stood still for a while.
    Pauses,
    /// A machine slept for a while.
    Suspends,
    /// A node began to crash again and again.
    CrashLoops,
    /// A partition began to come and go.
    Flappings,
    /// An operator began to restart all members in turn.
    RollingRestarts,
    /// A disk began to lie about syncs.
    LyingSyncs,
    /// A crash lost an update that the disk had said to have synced.
    SyncedUpdatesLost,
    /// A disk failed to read.
    ReadErrors,
    /// A disk failed to write, because it was full among others.
    WriteErrors,
    /// A disk became full.
    FullDisks,
    /// A message got lost.
    MessagesLost,
    /// A message arrived twice.
    MessagesDuplicated,
    /// A hint went on to the homes that its key has now.
    HintsRedirected,
    /// Another state of the ring came into force at a node.
    RingChanges,
    /// A node had followed a commit that lost against another one.
    RingsSuperseded,
    /// A new home had fetched a partition.
    PartitionsReceived,
    /// A home whose disk was lost had fetched a partition.
    PartitionsRecovered,
    /// A record was given to its homes and dropped.
    RecordsHandedOver,
    /// A node noticed that a record fails its checksum.
    RecordsDamaged,
    /// A node made such a record anew of what the other homes hold.
    RecordsMended,
    /// A node noticed that its disk was an old copy.
    Amnesias,
    /// A tombstone was reaped.
    TombstonesReaped,
    /// An operator let a node in.
    Joins,
    /// An operator let a node leave.
    Leaves,
    /// An operator put a node in the place of another.
    Replacements,
    /// An operator declared a node dead.
    Removals,
    /// An operator had properties of a bucket set.
    PropsSet,
    /// A message was held back.
    MessagesDelayed,
    /// A request made several dots, at several coordinators or in several lives of one.
    RequestsDoneTwice,
    /// A superseded version was shown again at the end, because a past was pruned or a request done twice.
    FalseSiblingsExplained,
    /// A cart, or another key, was deleted.
    Deletes,
    /// A get was answered without a write that had been acknowledged before it began, or anything that had seen it.
    StaleReads,
    /// A client crashed in the middle of a request.
    ClientCrashes,
    /// A visit began later than it should have, because its client was still busy with the one before.
    LateVisits,
    /// A put was made by a client that had read nothing.
    BlindPuts,
    /// A put was made in the knowledge of an earlier visit.
    Updates,
    /// Several keys in a row were read.
    Scans,
    /// An operator had a bucket type created, activated or changed.
    TypesSet,
    /// All keys of a bucket, or all buckets, were listed.
    Listings,
    /// They could not be.
    ListingsFailed,
}

impl Counter {
    /// All of them: the rare paths that a run may reach.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;
    /// The counters that count faults.
    pub const FAULTS: [Self; 34] = [
        Self::Crashes,
        Self::UnsyncedUpdatesLost,
        Self::Partitions,
        Self::OneWayCuts,
        Self::PartialPartitions,
        Self::AckDrops,
        Self::SlowNodes,
        Self::LateLinks,
        Self::DiskWipes,
        Self::KeyWipes,
        Self::CorruptRecords,
        Self::ClockJumps,
        Self::MessagesLost,
        Self::MessagesDuplicated,
        Self::Joins,
        Self::Leaves,
        Self::Replacements,
        Self::Removals,
        Self::PropsSet,
        Self::MessagesDelayed,
        Self::Restarts,
        Self::DiskRestores,
        Self::Pauses,
        Self::Suspends,
        Self::CrashLoops,
        Self::Flappings,
        Self::RollingRestarts,
        Self::LyingSyncs,
        Self::SyncedUpdatesLost,
        Self::ClientCrashes,
        Self::ReadErrors,
        Self::WriteErrors,
        Self::FullDisks,
        Self::TypesSet,
    ];

    /// Its name in files and reports.
    pub fn name(self) -> String {
        let debug = format!("{self:?}");
        let mut name = String::new();
        for letter in debug.chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.extend(letter.to_lowercase());
        }
        name
    }
}

/// One expectation of the scenario file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// What was expected, and what was found.
    pub what: String,
    /// Whether it holds.
    pub holds: bool,
}

/// Everything a run tells. `--json` prints it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The museum piece that was planted.
    pub flaw: Option<String>,
    /// `green` when nothing is wrong.
    pub verdict: String,
    /// Names everything that happened.
    pub trace_digest: String,
    /// Simulated time, in nanoseconds.
    pub simulated_ns: u64,
    /// Events that the simulator executed.
    pub events: u64,
    /// Messages that nodes sent to each other, with those that got lost.
    pub messages_sent: u64,
    /// What nodes received from each other, in bytes: all that messages are made of, without frames.
    pub bytes_received: u64,
    /// Reads.
    pub gets: Requests,
    /// Writes.
    pub puts: Requests,
    /// Part of all requests that succeeded.
    pub availability: f64,
    /// The most versions that one read met.
    pub siblings_max: u32,
    /// Everything else that was counted.
    pub counters: BTreeMap<Counter, u64>,
    /// Hints that were never delivered.
    pub hints_left: u64,
    /// What was still under way when the time to converge was up.
    pub unfinished: Vec<String>,
    /// Writes that were acknowledged.
    pub acked_writes: u64,
    /// Acknowledged writes that are gone.
    pub lost_writes: u64,
    /// How each of them was lost, in a sentence; at most [`Report::EXAMPLES_MAX`].
    pub lost: Vec<String>,
    /// Keys whose replicas differ at the end; at most [`Report::EXAMPLES_MAX`].
    pub diverged: Vec<Diverged>,
    /// How many keys those are in all.
    pub diverged_keys: u64,
    /// Every promise that was watched, and how it was broken.
    pub promises: BTreeMap<Promise, Broken>,
    /// How it went over time, in steps of a quarter of a simulated second.
    pub timeline: Vec<Moment>,
    /// What the file expects.
    pub expectations: Vec<Expectation>,
    /// Whether all of that holds.
    pub expectations_hold: bool,
}

/// What the simulator measured, before it is judged.
#[derive(Debug)]
pub(crate) struct Measured {
    pub scenario: String,
    pub seed: u64,
    pub flaw: Option<String>,
    pub trace_digest: u128,
    pub simulated_ns: u64,
    pub events: u64,
    pub messages_sent: u64,
    pub bytes_received: u64,
    pub gets: Requests,
    pub puts: Requests,
    pub siblings_max: u32,
    pub counters: BTreeMap<Counter, u64>,
    pub hints_left: u64,
    pub unfinished: Vec<String>,
    pub findings: Findings,
    pub timeline: Vec<Moment>,
}

impl Report {
    /// Most examples of one kind that a report names.
    pub const EXAMPLES_MAX: usize = 20;

    pub(crate) fn new(measured: Measured, verdict: Verdict, expect: &ExpectSpec) -> Self {
        let attempted = measured.gets.attempted + measured.puts.attempted;
        let succeeded = measured.gets.succeeded + measured.puts.succeeded;
        let availability = if attempted == 0 { 1.0 } else { succeeded as f64 / attempted as f64 };
        let promises = measured.findings.into_inner();
        let broken = promises.values().any(|broken| broken.count > 0);
        let agreed = verdict.lost.is_empty() && verdict.diverged.is_empty();
        let green = agreed && measured.hints_left == 0 && measured.unfinished.is_empty() && !broken;
        let mut report = Self {
            scenario: measured.scenario,
            seed: measured.seed,
            flaw: measured.flaw,
            verdict: if green { "green" } else { "red" }.to_string(),
            trace_digest: format!("{:032x}", measured.trace_digest),
            simulated_ns: measured.simulated_ns,
            events: measured.events,
            messages_sent: measured.messages_sent,
            bytes_received: measured.bytes_received,
            gets: measured.gets,
            puts: measured.puts,
            availability,
            siblings_max: measured.siblings_max,
            counters: measured.counters,
            hints_left: measured.hints_left,
            unfinished: measured.unfinished,
            acked_writes: verdict.acked_writes,
            lost_writes: verdict.lost.len() as u64,
            lost: verdict.lost.into_iter().take(Self::EXAMPLES_MAX).map(|lost| lost.why).collect(),
            diverged_keys: verdict.diverged.len() as u64,
            diverged: verdict.diverged.into_iter().take(Self::EXAMPLES_MAX).collect(),
            promises,
            timeline: measured.timeline,
            expectations: Vec::new(),
            expectations_hold: false,
        };
        report.expectations = report.compare(expect);
        report.expectations_hold = report.expectations.iter().all(|expectation| expectation.holds);
        report
    }

    /// What went wrong, in a sentence: the first loss, or else what else there is.
    pub fn explanation(&self) -> Option<String> {
        let diverged =
            || self.diverged.first().map(|diverged| format!("replicas of {} differ", diverged.key));
        self.lost.first().cloned().or_else(|| self.broken_promise()).or_else(diverged)
    }

    /// Everything that went wrong and that the report names, in sentences.
    pub fn explanations(&self) -> Vec<String> {
        let lost = self.lost.iter().map(|why| format!("{why}."));
        let diverged = self.diverged.iter().map(|diverged| format!("Replicas of {} differ.", diverged.key));
        let unfinished = self.unfinished.iter().map(|what| format!("Unfinished: {what}."));
        let broken = self.promises.iter().flat_map(|(promise, broken)| {
            broken.examples.iter().map(move |example| format!("{promise}: {example}"))
        });
        lost.chain(diverged).chain(broken).chain(unfinished).collect()
    }

    /// The first promise that was broken, and how.
    fn broken_promise(&self) -> Option<String> {
        let example =
            |(promise, broken): (&Promise, &Broken)| Some(format!("{promise}: {}", broken.examples.first()?));
        self.promises.iter().find_map(example)
    }

    /// How often `counter` counted.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counters.get(&counter).copied().unwrap_or(0)
    }

    fn compare(&self, expect: &ExpectSpec) -> Vec<Expectation> {
        let lost_max =
            expect.lost_writes_max.unwrap_or(if expect.lost_writes_min > 0 { u64::MAX } else { 0 });
        let mut found = vec![at_most("acknowledged writes lost", self.lost_writes, lost_max)];
        if expect.lost_writes_min > 0 {
            found.push(at_least("acknowledged writes lost", self.lost_writes, expect.lost_writes_min));
        }
        found.push(at_most("keys diverged", self.diverged_keys, expect.diverged_keys_max));
        found.push(at_most("hints left", self.hints_left, 0));
        found.push(at_most("things unfinished", self.unfinished.len() as u64, 0));
        for (promise, broken) in &self.promises {
            found.push(at_most(&format!("{promise} broken"), broken.count, 0));
        }
        let availability_min = expect.availability_min.value();
        found.push(Expectation {
            what: format!(
                "availability: {}, at least {}",
                percent(self.availability),
                percent(availability_min)
            ),
            holds: self.availability >= availability_min,
        });
        for (counter, min) in &expect.happened {
            found.push(at_least(&counter.name(), self.count(*counter), *min));
        }
        found.retain(|expectation| !expectation.what.is_empty());
        found
    }
}

fn at_most(what: &str, found: u64, max: u64) -> Expectation {
    if max == u64::MAX {
        return Expectation { what: String::new(), holds: true };
    }
    Expectation { what: format!("{what}: {found}, at most {max}"), holds: found <= max }
}

fn at_least(what: &str, found: u64, min: u64) -> Expectation {
    Expectation { what: format!("{what}: {found}, at least {min}"), holds: found >= min }
}

/// A part of one, in percent with three decimals.
pub(crate) fn percent(part: f64) -> String {
    format!("{:.3} %", part * 100.0)
}
