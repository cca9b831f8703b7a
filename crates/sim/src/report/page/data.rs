//! What the page's scripts read: rows without names, and tables of the texts, because there may be a hundred thousand.

use std::collections::BTreeMap;
use std::io;

use cartwheel_core::Key;
use cartwheel_core::id::RequestId;
use serde::Serialize;

use crate::report::Report;
use crate::scenario::Scenario;
use crate::trace::{Carried, Fate, Lane, Recording, Step, Talk, Waited, request_name};

/// Everything on the page.
#[derive(Serialize)]
struct Data<'a> {
    title: &'a str,
    about: &'a str,
    facts: &'a str,
    verdict: &'a str,
    summary: &'a str,
    findings: &'a [(String, Vec<String>)],
    kept: &'a [String],
    expectations: &'a [(String, bool)],
    counters: &'a [(String, u64)],
    begin: u64,
    end: u64,
    /// -1: faults never ceased.
    peace: i64,
    lanes: Vec<String>,
    /// Clients above, nodes below.
    #[serde(rename = "drawOrder")]
    draw_order: Vec<u32>,
    keys: Vec<String>,
    talks: [&'static str; 7],
    faults: Vec<FaultRow>,
    downs: Vec<(u32, u64, i64)>,
    samples: Vec<(u64, u32, u32)>,
    requests: Vec<RequestRow>,
    names: Vec<String>,
    kinds: Vec<String>,
    whats: Vec<String>,
    messages: Vec<MessageRow>,
    steps: Vec<StepRow>,
    texts: Vec<String>,
}

#[derive(Serialize)]
struct FaultRow {
    text: String,
    at: u64,
    until: u64,
    /// The lanes of the nodes that it names.
    nodes: Vec<u32>,
}

#[derive(Serialize)]
struct RequestRow {
    key: i64,
    began: u64,
    ended: i64,
    ok: bool,
}

/// From, to, kind, conversation, keys, text, sent, heard (-1: never), fate, request (-1: none).
type MessageRow = (u32, u32, u32, u32, Keys, u32, u64, i64, u32, i64);

/// Time, lane, what, message (-1: none), keys, text, siblings (-1: nothing was stored).
type StepRow = (u64, u32, u32, i64, Keys, u32, i64);

/// One key, or -1 for none; or several.
#[derive(Serialize)]
#[serde(untagged)]
enum Keys {
    One(i64),
    Several(Vec<i64>),
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    texts: Vec<String>,
    places: BTreeMap<String, u32>,
}

impl Texts {
    fn place(&mut self, text: &str) -> u32 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.places.insert(text.to_owned(), place);
        place
    }
}

/// Numbers what rows name.
struct Tables {
    lanes: Vec<Lane>,
    keys: BTreeMap<Key, i64>,
    requests: BTreeMap<RequestId, i64>,
    kinds: Texts,
    whats: Texts,
    texts: Texts,
}

impl Tables {
    fn new(recording: &Recording) -> Self {
        let named = recording.messages.iter().flat_map(|message| &message.keys);
        let named = named.chain(recording.steps.iter().flat_map(|step| &step.keys));
        let mut keys: Vec<&Key> = named.collect();
        keys.sort_unstable();
        keys.dedup();
        // As people count: cart-2 before cart-10.
        keys.sort_by_cached_key(|key| (key.bucket().to_vec(), key.key().len(), key.key().to_vec()));
        Self {
            lanes: recording.lanes(),
            keys: keys.into_iter().cloned().zip(0..).collect(),
            requests: recording.requests.iter().map(|waited| waited.request).zip(0..).collect(),
            kinds: Texts::default(),
            whats: Texts::default(),
            texts: Texts::default(),
        }
    }

    fn lane(&self, lane: Lane) -> u32 {
        self.lanes.iter().position(|other| *other == lane).unwrap_or_default() as u32
    }

    fn key(&self, key: &Key) -> i64 {
        self.keys.get(key).copied().unwrap_or(-1)
    }

    fn keys(&self, keys: &[Key]) -> Keys {
        match keys {
            [] => Keys::One(-1),
            [key] => Keys::One(self.key(key)),
            keys => Keys::Several(keys.iter().map(|key| self.key(key)).collect()),
        }
    }

    fn message(&mut self, message: &Carried) -> MessageRow {
        let (heard, fate) = match message.fate {
            Fate::UnderWay(_) => (-1, 0),
            Fate::Lost => (-1, 1),
            Fate::Heard(at) => (at as i64, 2),
            Fate::Unheard(at) => (at as i64, 3),
        };
        let talk = Talk::ALL.iter().position(|talk| *talk == message.talk).unwrap_or_default() as u32;
        let request = message.request.and_then(|request| self.requests.get(&request)).copied().unwrap_or(-1);
        let copy = if message.copy_of.is_some() { " (a second copy)" } else { "" };
        let text = self.texts.place(&format!("{}{copy}", message.text));
        let (from, to) = (self.lane(message.from), self.lane(message.to));
        let kind = self.kinds.place(message.kind);
        let keys = self.keys(&message.keys);
        (from, to, kind, talk, keys, text, message.sent_ns, heard, fate, request)
    }

    fn step(&mut self, recording: &Recording, step: &Step) -> StepRow {
        let text = self.texts.place(recording.text(step));
        let what = self.whats.place(step.what.name());
        let message = step.message.map_or(-1, |message| message as i64);
        let siblings = step.held.map_or(-1, |held| i64::from(held.siblings));
        (step.at_ns, self.lane(step.lane), what, message, self.keys(&step.keys), text, siblings)
    }

    fn request(&self, waited: &Waited) -> RequestRow {
        RequestRow {
            key: self.key(&waited.key),
            began: waited.began_ns,
            ended: waited.ended_ns().map_or(-1, |at| at as i64),
            ok: waited.succeeded(),
        }
    }
}

/// What stands above and beside the pictures.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The title.
    pub title: String,
    /// A paragraph below it.
    pub about: String,
    /// A line of facts.
    pub facts: String,
    /// `green` or `red`.
    pub verdict: String,
    /// The verdict in a sentence, without its full stop.
    pub summary: String,
    /// What went wrong or is worth knowing, under a title each.
    pub findings: Vec<(String, Vec<String>)>,
    /// Promises that were kept.
    pub kept: Vec<String>,
    /// What was expected, and whether it holds.
    pub expectations: Vec<(String, bool)>,
    /// What was counted.
    pub counters: Vec<(String, u64)>,
}

impl Head {
    /// Of a simulated run.
    pub(super) fn of(scenario: &Scenario, report: &Report, recording: &Recording) -> Self {
        let flaw = report.flaw.as_ref().map(|flaw| format!("flaw {flaw} · ")).unwrap_or_default();
        let shown = recording.steps.iter().filter(|step| !step.what.is_noise()).count();
        let (seed, digest) = (report.seed, &report.trace_digest);
        let end = crate::replay::seconds(recording.end_ns);
        Self {
            title: report.scenario.clone(),
            about: scenario.about.trim().to_owned(),
            facts: format!(
                "seed {seed} · {flaw}{end} simulated · {shown} events shown · trace digest {digest}"
            ),
            verdict: report.verdict.clone(),
            summary: report.summary(),
            findings: findings(report),
            kept: kept(report),
            expectations: report.expectations.iter().map(|found| (found.what.clone(), found.holds)).collect(),
            counters: report.counters.iter().map(|(counter, count)| (counter.name(), *count)).collect(),
        }
    }
}

/// The data as JSON that may stand in a script element.
pub(super) fn json(head: &Head, recording: &Recording) -> io::Result<String> {
    let mut tables = Tables::new(recording);
    let messages = recording.messages.iter().map(|message| tables.message(message)).collect();
    let shown = recording.steps.iter().filter(|step| !step.what.is_noise());
    let steps = shown.map(|step| tables.step(recording, step)).collect();
    let mut keys: Vec<(i64, String)> =
        tables.keys.iter().map(|(key, place)| (*place, key.to_string())).collect();
    keys.sort_unstable();
    let order = |is_first: fn(&Lane) -> bool| {
        let lanes = tables.lanes.iter().zip(0..).filter(move |(lane, _)| is_first(lane));
        lanes.map(|(_, place)| place).collect::<Vec<u32>>()
    };
    let clients = order(|lane| matches!(lane, Lane::Client(_)));
    let nodes = order(|lane| matches!(lane, Lane::Node(_)));
    let fault = |band: &crate::trace::Band| FaultRow {
        text: band.text.clone(),
        at: band.at_ns,
        until: band.until_ns,
        nodes: band.nodes.iter().map(|number| tables.lane(Lane::Node(number - 1))).collect(),
    };
    let data = Data {
        title: &head.title,
        about: &head.about,
        facts: &head.facts,
        verdict: &head.verdict,
        summary: &head.summary,
        findings: &head.findings,
        kept: &head.kept,
        expectations: &head.expectations,
        counters: &head.counters,
        begin: recording.begin_ns,
        end: recording.end_ns,
        peace: recording.peace_ns.map_or(-1, |at| at as i64),
        lanes: tables.lanes.iter().map(|lane| recording.lane_name(*lane)).collect(),
        draw_order: clients.into_iter().chain(nodes).collect(),
        keys: keys.into_iter().map(|(_, key)| key).collect(),
        talks: Talk::ALL.map(Talk::name),
        faults: recording.faults.iter().map(fault).collect(),
        downs: recording
            .downs
            .iter()
            .map(|down| {
                let until = down.until_ns.map_or(-1, |at| at as i64);
                (tables.lane(Lane::Node(down.node)), down.from_ns, until)
            })
            .collect(),
        samples: recording
            .samples
            .iter()
            .map(|sample| (sample.at_ns, sample.hints.iter().sum(), sample.siblings_max))
            .collect(),
        requests: recording.requests.iter().map(|waited| tables.request(waited)).collect(),
        names: recording.requests.iter().map(|waited| request_name(waited.request)).collect(),
        messages,
        steps,
        kinds: tables.kinds.texts.clone(),
        whats: tables.whats.texts.clone(),
        texts: tables.texts.texts.clone(),
    };
    // `</script>` in a text must not end the element.
    Ok(serde_json::to_string(&data)?.replace("</", "<\\/").replace("<!--", "<\\u0021--"))
}

/// What went wrong, under a title each.
fn findings(report: &Report) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut put = |title: String, said: Vec<String>| {
        if !said.is_empty() {
            found.push((title, said));
        }
    };
    put(format!("Acknowledged writes lost: {}", report.lost_writes), report.lost.clone());
    for (promise, broken) in report.promises.iter().filter(|(_, broken)| broken.count > 0) {
        put(format!("{promise}: broken {} times", broken.count), broken.examples.clone());
    }
    let differs = |diverged: &cartwheel_check::Diverged| {
        let holds = |copy: &cartwheel_check::Copy| {
            let versions: Vec<String> = copy.versions.iter().map(ToString::to_string).collect();
            format!("{} has [{}]", copy.node, versions.join(" "))
        };
        let copies: Vec<String> = diverged.copies.iter().map(holds).collect();
        format!("{}: {}", diverged.key, copies.join(", "))
    };
    put("Replicas differ".into(), report.diverged.iter().map(differs).collect());
    put("Unfinished".into(), report.unfinished.clone());
    found
}

fn kept(report: &Report) -> Vec<String> {
    let kept = report.promises.iter().filter(|(_, broken)| broken.count == 0);
    kept.map(|(promise, _)| promise.to_string()).collect()
}
