//! `cartwheel replay --flight`: what real nodes recorded, run again.

mod held;
mod page;
mod situation;
mod told;
mod when;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cartwheel_core::id::NodeId;
use cartwheel_core::time::{Instant, Now};
use cartwheel_core::{Key, Node};
use cartwheel_flight::{BootRecording, Found, Outcome, find, re_execute};
use cartwheel_sim::trace::{Shown, Testimony, Witness};

use self::held::Held;
use self::situation::Situation;
pub use self::when::When;
use crate::output::{say, tell_progress};
use crate::record::{Trace, write_file};

/// How far back a page or a trace goes where nobody says.
const SHOWN_NS: u64 = 30_000_000_000;
/// And how many events it has at most.
const STEPS_MAX: usize = 200_000;
/// What began so long before the first thing that is shown may still be answered then.
const BEFORE_NS: u64 = 10_000_000_000;
/// How often it is noted what a node owes.
const SAMPLED_EVERY_NS: u64 = 50_000_000;

/// What somebody wants to see.
pub struct Asked<'a> {
    pub dirs: &'a [PathBuf],
    pub since: Option<When>,
    pub until: Option<When>,
    pub key: Option<&'a str>,
    pub node: Option<&'a str>,
    pub json: bool,
    pub report: Option<&'a Path>,
    pub trace: Option<Trace<'a>>,
}

/// All recordings that were found, on one line of time.
struct Flights {
    boots: Vec<BootRecording>,
    /// Where the line begins: by the clocks of the nodes, in microseconds since 1970.
    base_us: u64,
    /// The nodes that recorded, and others that they know of.
    names: BTreeMap<NodeId, String>,
}

/// One boot, run again.
pub struct Flown {
    pub boot: BootRecording,
    /// When it begins, in nanoseconds on the line of time.
    pub begins_ns: u64,
    pub ends_ns: u64,
    pub outcome: Outcome,
}

impl Flown {
    /// Whether the node did something else, or broke down where it had not.
    pub fn differs(&self) -> bool {
        let broke_down = self.outcome.panicked.is_some() && !self.outcome.is_cut_short;
        self.outcome.difference.is_some() || broke_down
    }
}

impl Flights {
    fn new(found: Found) -> Self {
        let base_us = found.boots.iter().map(|boot| boot.since.wall.0).min().unwrap_or(0);
        let mut names = BTreeMap::new();
        for boot in &found.boots {
            if let Some(birth) = &boot.birth {
                let known = birth.boot.cluster.iter().flat_map(|cluster| cluster.members.iter());
                names.extend(known.map(|(node, member)| (*node, member.contact.value.name.clone())));
            }
        }
        names.extend(found.boots.iter().map(|boot| (boot.origin.node, boot.origin.name.clone())));
        names.retain(|_, name| !name.is_empty());
        Self { boots: found.boots, base_us, names }
    }

    fn begins_ns(&self, boot: &BootRecording) -> u64 {
        boot.since.wall.0.saturating_sub(self.base_us).saturating_mul(1_000)
    }

    /// Clocks jump; within a boot, time is what passed since its beginning.
    fn at_ns(&self, boot: &BootRecording, now: Now) -> u64 {
        let passed = now.monotonic.0.saturating_sub(boot.since.monotonic.0);
        self.begins_ns(boot).saturating_add(passed)
    }

    /// A moment on the line of time, by the clock of a boot; `None`: it began later.
    fn instant(&self, boot: &BootRecording, at_ns: u64) -> Option<Instant> {
        let passed = at_ns.checked_sub(self.begins_ns(boot))?;
        Some(Instant(boot.since.monotonic.0.saturating_add(passed)))
    }

    /// Names in the place of numbers that nobody knows.
    fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (node, name)| text.replace(&node.to_string(), name))
    }
}

/// Shows what is asked for.
pub fn replay(asked: &Asked<'_>) -> Result<ExitCode, String> {
    let found = find(asked.dirs).map_err(|error| error.to_string())?;
    found.unreadable.iter().for_each(|line| tell_progress(&format!("note          {line}")));
    let flights = Flights::new(found);
    let keys = asked.key.map(keys_called).unwrap_or_default();
    let until = asked.until.map(|when| when.on_line(flights.base_us)).transpose()?;
    let since = asked.since.map(|when| when.on_line(flights.base_us)).transpose()?;
    // Whoever runs on after that would be shown as down.
    let ends_ns = flights.ends_ns();
    if until.is_some_and(|until| until > ends_ns) {
        return Err(format!(
            "--until: the recordings end at {}; allowed is up to that",
            told::seconds(ends_ns)
        ));
    }
    let mut witness = asked.is_drawn().then(|| flights.witness(since, until, keys.clone()));
    let mut held: BTreeMap<NodeId, Held> = BTreeMap::new();
    let mut last: BTreeMap<NodeId, (Flown, Option<Node>)> = BTreeMap::new();
    let mut all = Vec::new();
    for boot in &flights.boots {
        let stop = until.map(|until| flights.instant(boot, until));
        if stop.is_some_and(|stop| stop.is_none()) {
            continue;
        }
        let held = held.entry(boot.origin.node).or_insert_with(|| Held::new(keys.clone()));
        let (flown, node) = flights.fly(boot, stop.flatten(), held, witness.as_mut());
        if let Some((before, _)) = last.insert(boot.origin.node, (flown, node)) {
            all.push(before);
        }
    }
    let nodes: Vec<Option<Node>> = last
        .into_values()
        .map(|(flown, node)| {
            all.push(flown);
            node
        })
        .collect();
    all.sort_by(|one, other| {
        let order = |flown: &Flown| (flown.boot.origin.name.clone(), flown.begins_ns);
        order(one).cmp(&order(other))
    });
    let is_looked_at = asked.until.is_some() || asked.key.is_some() || asked.node.is_some();
    let at_ns = until.unwrap_or_else(|| all.iter().map(|flown| flown.ends_ns).max().unwrap_or(0));
    let situation =
        Situation::new(&flights, &all, nodes.into_iter().flatten().collect(), &held, at_ns, asked)?;
    if asked.json {
        let json = serde_json::to_string_pretty(&situation).map_err(|error| error.to_string())?;
        say(&flights.named(&json));
    } else {
        say(&flights.named(&told::boots(&flights, &all)));
        if is_looked_at {
            say(&flights.named(&format!("\n{situation}")));
        }
    }
    if let Some(witness) = witness {
        flights.draw(asked, &all, &witness.finish(), since, until)?;
    }
    Ok(ExitCode::from(u8::from(all.iter().any(Flown::differs))))
}

impl Asked<'_> {
    fn is_drawn(&self) -> bool {
        self.report.is_some() || self.trace.is_some()
    }
}

impl Flights {
    fn witness(&self, since: Option<u64>, until: Option<u64>, keys: Vec<Key>) -> Witness {
        let until_ns = until.unwrap_or(u64::MAX);
        let from_ns =
            since.unwrap_or_else(|| until.unwrap_or_else(|| self.ends_ns()).saturating_sub(SHOWN_NS));
        let nodes: Vec<(NodeId, String)> = self.recorded().into_iter().collect();
        let mut nodes = nodes;
        nodes.sort_by(|(_, one), (_, other)| one.cmp(other));
        Witness::new(&nodes, Shown { from_ns, until_ns, keys, steps_max: STEPS_MAX })
    }

    /// The nodes that recorded.
    fn recorded(&self) -> BTreeMap<NodeId, String> {
        self.boots.iter().map(|boot| (boot.origin.node, boot.origin.name.clone())).collect()
    }

    /// About when the last recording ends: the last segments say when they began, and are read for the rest.
    fn ends_ns(&self) -> u64 {
        let last = |boot: &BootRecording| {
            let segment = boot.segments.last().and_then(|path| cartwheel_flight::Segment::open(path).ok())?;
            let heard = segment.filter_map(|item| match item {
                cartwheel_flight::Item::Heard(_, heard) => Some(heard.now),
                _ => None,
            });
            heard.last().map(|now| self.at_ns(boot, now))
        };
        // The last boot of each node.
        let latest: BTreeMap<NodeId, &BootRecording> =
            self.boots.iter().map(|boot| (boot.origin.node, boot)).collect();
        latest.into_values().filter_map(last).max().unwrap_or(0)
    }

    fn fly(
        &self,
        boot: &BootRecording,
        until: Option<Instant>,
        held: &mut Held,
        mut witness: Option<&mut Witness>,
    ) -> (Flown, Option<Node>) {
        let (origin, begins_ns) = (&boot.origin, self.begins_ns(boot));
        let node = origin.node;
        held.starts();
        if let Some(witness) = witness.as_deref_mut() {
            witness.starts(begins_ns, node, format!("starts, boot {} of its disk", origin.boot));
        }
        let (mut ends_ns, mut sampled_ns) = (begins_ns, None);
        let (outcome, core) = re_execute(boot, until, &mut |moment| {
            let at_ns = self.at_ns(boot, moment.now);
            ends_ns = at_ns;
            moment.input.into_iter().for_each(|input| held.hears(input));
            moment.outputs.iter().for_each(|output| held.wants(output));
            if let Some(witness) = witness.as_deref_mut().filter(|witness| witness.may_show(at_ns, BEFORE_NS))
            {
                moment.input.into_iter().for_each(|input| witness.hears(at_ns, node, input));
                moment.outputs.iter().for_each(|output| witness.wants(at_ns, node, output));
                if sampled_ns.is_none_or(|sampled| at_ns >= sampled + SAMPLED_EVERY_NS) {
                    sampled_ns = Some(at_ns);
                    let hints = moment.node.map(|node| node.status().hints()).unwrap_or_default();
                    let keys: u64 = hints.iter().map(|(_, total)| total.keys).sum();
                    witness.owes(at_ns, node, u32::try_from(keys).unwrap_or(u32::MAX));
                }
            }
            ControlFlow::Continue(())
        });
        if let Some(witness) = witness {
            witness.ends(ends_ns, node, "its recording ends".into());
        }
        (Flown { boot: boot.clone(), begins_ns, ends_ns, outcome }, core)
    }

    fn draw(
        &self,
        asked: &Asked<'_>,
        all: &[Flown],
        testimony: &Testimony,
        since: Option<u64>,
        until: Option<u64>,
    ) -> Result<(), String> {
        if let Some(path) = asked.report {
            let head = page::head(self, all, testimony, (since, until));
            let title = head.title.clone();
            let write = |out: &mut dyn std::io::Write| {
                cartwheel_sim::report::page::write_under(&title, &head, &testimony.recording, out)
            };
            write_file(path, write)?;
            let steps = testimony.recording.steps();
            tell_progress(&format!("report        {steps} events in {}", path.display()));
        }
        asked.trace.map_or(Ok(()), |trace| trace.write(&testimony.recording))
    }
}

/// The keys that may be meant: `carts/cart-1`, with the type of its bucket before it or without.
fn keys_called(asked: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    if let Some((bucket, key)) = asked.split_once('/') {
        keys.push(Key::new(bucket.as_bytes(), key.as_bytes()));
        if let Some((bucket_type, (bucket, key))) = key.split_once('/').map(|rest| (bucket, rest)) {
            keys.push(Key::typed(bucket_type.as_bytes(), bucket.as_bytes(), key.as_bytes()));
        }
    }
    keys
}
