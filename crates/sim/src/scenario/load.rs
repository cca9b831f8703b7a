//! Reading a scenario file: every mistake gets one line that says where, what, and what is allowed.

use std::fmt;
use std::path::Path;

use cartwheel_core::flaw::Flaw;
use cartwheel_core::ring::Ring;
use cartwheel_core::{Invalid, Quorum, id::NodeId};
use toml::de::DeValue;

use super::{Fault, Scenario, Span};
use crate::latency::Latency;
use crate::shrink::Symptom;

/// Most nodes of a scenario.
const NODES_MAX: u32 = 1_000;

/// What is wrong with a scenario file, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ScenarioError {
    file: String,
    line: Option<usize>,
    key: String,
    message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Scenario {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ScenarioError {
            file: file.clone(),
            line: None,
            key: String::new(),
            message: format!("cannot read it: {error}"),
        })?;
        Self::parse(&file, &text)
    }

    /// Reads and checks the text of `file`.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let broken = |key: String, error: &toml::de::Error| ScenarioError {
            file: file.to_string(),
            line: error.span().filter(|span| span.start > 0).map(|span| line_of(span.start)),
            key,
            message: one_line(error.message()),
        };
        let document = toml::Deserializer::parse(text).map_err(|error| broken(String::new(), &error))?;
        let scenario: Self = serde_path_to_error::deserialize(document).map_err(|error| {
            let path = error.path().to_string();
            // A key that is itself unknown has no name yet: `?`.
            let key = path.trim_end_matches(".?").trim_start_matches('.').to_string();
            broken(key, error.inner())
        })?;
        scenario.check().map_err(|(key, message)| ScenarioError {
            file: file.to_string(),
            line: position(text, &key).map(line_of),
            key,
            message,
        })?;
        Ok(scenario)
    }

    /// Reads and checks what `file` says by now: its table was changed, so no line of it can be named.
    pub fn of_table(file: &str, table: toml::Table) -> Result<Self, ScenarioError> {
        let wrong = |key, message| ScenarioError { file: file.to_string(), line: None, key, message };
        let scenario: Self =
            serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
                let key = error.path().to_string();
                let key = key.trim_end_matches(".?").trim_start_matches('.').to_string();
                wrong(key, one_line(error.inner().message()))
            })?;
        scenario.check().map_err(|(key, message)| wrong(key, message))?;
        Ok(scenario)
    }

    /// What the types cannot express.
    pub(crate) fn check(&self) -> Result<(), (String, String)> {
        self.check_cluster()?;
        self.check_latencies()?;
        self.workload.check()?;
        self.check_visits()?;
        self.check_faults()?;
        self.check_museum()?;
        positive("duration", self.duration)?;
        positive("settle", self.settle)
    }

    fn check_cluster(&self) -> Result<(), (String, String)> {
        let cluster = &self.cluster;
        let wrong = |key: &str, message: String| Err((format!("cluster.{key}"), message));
        if !(1..=NODES_MAX).contains(&cluster.nodes) {
            return wrong("nodes", format!("{}; allowed: 1 to {NODES_MAX}", cluster.nodes));
        }
        if cluster.n == 0 || u32::from(cluster.n) > cluster.nodes {
            return wrong("n", format!("{}; allowed: 1 to {} (cluster.nodes)", cluster.n, cluster.nodes));
        }
        for (key, quorum) in [("r", cluster.r), ("w", cluster.w)] {
            if let Err(Invalid::Quorum { asked, n }) = quorum.0.resolve(Quorum::Majority, cluster.n) {
                return wrong(key, format!("{asked}; allowed: 1 to {n} (cluster.n), one, quorum, all"));
            }
        }
        if let Err(error) = Ring::new(&[NodeId(1)], cluster.partitions, 1) {
            return wrong("partitions", error.to_string());
        }
        if cluster.suspect_after == 0 {
            return wrong("suspect_after", "0; allowed: 1 or more".into());
        }
        if cluster.nodes + cluster.spares > NODES_MAX {
            return wrong(
                "spares",
                format!("{}; allowed: 0 to {}", cluster.spares, NODES_MAX - cluster.nodes),
            );
        }
        if cluster.swim_interval.ns() < 10_000_000 {
            return wrong("swim_interval", format!("{}; allowed: 10ms or more", cluster.swim_interval));
        }
        positive("cluster.gossip_interval", cluster.gossip_interval)?;
        positive("cluster.request_timeout", cluster.request_timeout)?;
        positive("cluster.replica_timeout", cluster.replica_timeout)?;
        if cluster.hint_bytes_max == 0 {
            return wrong("hint_bytes_max", "0; allowed: 1 or more".into());
        }
        if let Some(target) = cluster.background_latency_target.0 {
            positive("cluster.background_latency_target", target)?;
        }
        positive("cluster.background_window", cluster.background_window)?;
        let (min, max) = (cluster.background_rate_min, cluster.background_rate_max);
        if min == 0 || min > max {
            let allowed = format!("{min}; allowed: 1 to {max} (cluster.background_rate_max)");
            return wrong("background_rate_min", allowed);
        }
        positive("cluster.anti_entropy_interval", cluster.anti_entropy_interval)?;
        positive("cluster.hint_interval", cluster.hint_interval)
    }

    fn check_latencies(&self) -> Result<(), (String, String)> {
        let named: [(&str, &Latency); 5] = [
            ("network.latency", &self.network.latency),
            ("network.reordering_delay", &self.network.reordering_delay),
            ("disk.read", &self.disk.read),
            ("disk.write", &self.disk.write),
            ("disk.sync", &self.disk.sync),
        ];
        for (name, latency) in named {
            if let Some((key, message)) = latency.problem() {
                return Err((format!("{name}.{key}"), message));
            }
        }
        Ok(())
    }

    fn check_museum(&self) -> Result<(), (String, String)> {
        let Some(museum) = &self.museum else { return Ok(()) };
        if museum.flaw.parse::<Flaw>().is_err() {
            let all = Flaw::ALL.iter().map(Flaw::to_string).collect::<Vec<_>>().join(", ");
            return Err(("museum.flaw".into(), format!("{}; allowed: {all}", museum.flaw)));
        }
        let known = Symptom::oracles();
        match museum.oracles.iter().find(|oracle| !known.contains(*oracle)) {
            Some(oracle) => {
                let all = known.into_iter().collect::<Vec<_>>().join(", ");
                Err(("museum.oracles".into(), format!("{oracle}; allowed: {all}")))
            }
            None => Ok(()),
        }
    }

    fn check_visits(&self) -> Result<(), (String, String)> {
        let (workload, nodes) = (&self.workload, self.cluster.nodes);
        let (kind, named) = (workload.kind.name(), workload.kind.keys_name());
        for (index, visit) in self.visit.iter().enumerate() {
            let wrong = |key: &str, message: String| Err((format!("visit[{index}]{key}"), message));
            let (client, clients) = (visit.client, workload.clients);
            if !(1..=clients).contains(&client) {
                let message = format!("{client}; allowed: 1 to {clients} (workload.{kind}.clients)");
                return wrong(".client", message);
            }
            if visit.cart >= workload.keys {
                let last = workload.keys - 1;
                let message = format!("{}; allowed: 0 to {last} (workload.{kind}.{named} - 1)", visit.cart);
                return wrong(".cart", message);
            }
            if !(1..=workload.keys).contains(&visit.reads) {
                let message =
                    format!("{}; allowed: 1 to {} (workload.{kind}.{named})", visit.reads, workload.keys);
                return wrong(".reads", message);
            }
            if let Some(node) = visit.nodes().find(|node| !(1..=nodes).contains(node)) {
                return wrong("", format!("node {node}; allowed: 1 to {nodes} (cluster.nodes)"));
            }
            let needed = if visit.does.reads_first() { visit.read } else { visit.write };
            if needed.is_none() {
                let message = "allowed: with a `read`, or, when it does `add_blindly` or `update`, a `write`";
                return wrong("", message.into());
            }
        }
        Ok(())
    }

    fn check_faults(&self) -> Result<(), (String, String)> {
        let nodes = self.cluster.nodes + self.cluster.spares;
        for (index, fault) in self.fault.iter().enumerate() {
            if let Some(node) = fault.nodes().into_iter().find(|node| !(1..=nodes).contains(node)) {
                return Err((
                    format!("fault[{index}]"),
                    format!("node {node}; allowed: 1 to {nodes} (cluster.nodes + cluster.spares)"),
                ));
            }
            let (kept, buckets) = (self.workload.keys, self.workload.buckets);
            let (kind, named) = (self.workload.kind.name(), self.workload.kind.keys_name());
            if let Fault::SetProps { bucket, .. } = fault
                && *bucket >= buckets
            {
                let message =
                    format!("bucket {bucket}; allowed: 0 to {} (workload.{kind}.buckets - 1)", buckets - 1);
                return Err((format!("fault[{index}].set_props"), message));
            }
            if let Fault::WipeKey { carts, .. } | Fault::CorruptRecord { carts, .. } = fault
                && let Some(cart) = carts.iter().find(|cart| **cart >= kept)
            {
                let message =
                    format!("cart {cart}; allowed: 0 to {} (workload.{kind}.{named} - 1)", kept - 1);
                let fault =
                    if matches!(fault, Fault::WipeKey { .. }) { "wipe_key" } else { "corrupt_record" };
                return Err((format!("fault[{index}].{fault}"), message));
            }
            if let Fault::LateLink { percent, .. } = fault
                && !(1..=100).contains(percent)
            {
                let message = format!("{percent}; allowed: 1 to 100");
                return Err((format!("fault[{index}].late_link.percent"), message));
            }
            if let Fault::SlowNode { factor: 0, .. } = fault {
                return Err((format!("fault[{index}].slow_node.factor"), "0; allowed: 1 or more".into()));
            }
            if let Fault::ReadErrors { one_in: 0, .. } | Fault::WriteErrors { one_in: 0, .. } = fault {
                return Err((format!("fault[{index}]"), "one_in 0; allowed: 1 or more".into()));
            }
            if fault.every().is_some_and(|every| every.ns() < 1_000_000) {
                return Err((format!("fault[{index}]"), "every below 1ms; allowed: 1ms or more".into()));
            }
            if fault.at() > self.duration {
                let message = format!("at {}; allowed: up to {} (duration)", fault.at(), self.duration);
                return Err((format!("fault[{index}]"), message));
            }
        }
        let Some(nemesis) = &self.nemesis else { return Ok(()) };
        let weights = nemesis.weights();
        if weights.iter().all(|(_, _, weight)| *weight == 0) {
            let names = weights.map(|(_, name, _)| name).join(", ");
            return Err(("nemesis".into(), format!("no fault has a weight; allowed: {names} above 0")));
        }
        positive("nemesis.every", nemesis.every)?;
        positive("nemesis.lasts", nemesis.lasts)
    }
}

fn positive(key: &str, span: Span) -> Result<(), (String, String)> {
    if span.is_zero() { Err((key.into(), "0s; allowed: more than that".into())) } else { Ok(()) }
}

/// Where in `text` the value of `key` (as in `fault[1].crash.node`) stands, or what is written down around it.
fn position(text: &str, key: &str) -> Option<usize> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut found = None;
    for part in key.split('.') {
        let (name, index) = part.trim_end_matches(']').split_once('[').unwrap_or((part, ""));
        let Some(mut value) = table.get(name) else { break };
        if let (DeValue::Array(items), Ok(index)) = (value.get_ref(), index.parse::<usize>()) {
            value = items.get(index).unwrap_or(value);
        }
        found = Some(value.span().start);
        let DeValue::Table(inner) = value.get_ref() else { break };
        table = inner;
    }
    found
}

/// What serde says, in the words of people who write TOML.
fn one_line(message: &str) -> String {
    if message.starts_with("wanted exactly 1 element, more than 1") {
        return "several kinds; allowed: one of them".into();
    }
    let mut words: Vec<&str> = Vec::new();
    let mut rest = message.split_whitespace().peekable();
    while let Some(word) = rest.next() {
        words.push(match word {
            "f64" => "a number",
            "u8" | "u32" | "u64" => "a whole number of 0 or more",
            "i64" => "a whole number",
            "struct" if rest.peek() == Some(&"variant") => {
                rest.nth(1);
                "a table with its keys"
            }
            "struct" => {
                rest.next();
                "a table"
            }
            other => other,
        });
    }
    words.join(" ")
}

/// A scenario is also read from memory, by tests and by the shrinker.
impl std::str::FromStr for Scenario {
    type Err = ScenarioError;
    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        Self::parse("scenario", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
name = "test"
about = "A test."
duration = "10s"
settle = "5s"
[cluster]
nodes = 3
[workload.cart]
clients = 2
carts = 1
think = { fixed = { value = "5ms" } }
"#;

    fn complaint(from: &str, to: &str) -> String {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD);
        Scenario::parse("a.toml", &text).unwrap_err().to_string()
    }

    #[test]
    fn a_good_file_is_read_and_survives_a_round_trip() {
        let scenario: Scenario = GOOD.parse().unwrap();
        assert_eq!(toml::to_string(&scenario).unwrap().parse(), Ok(scenario));
    }

    #[test]
    fn each_mistake_gets_one_line_that_says_where_and_what_is_allowed() {
        let negative = complaint("5ms", "-5ms");
        assert_eq!(
            negative,
            "a.toml:11: workload.cart.think.fixed.value: invalid value: string \"-5ms\", expected a duration of 0 or more \
             with its unit, such as \"250us\", \"5ms\" or \"1m 30s\""
        );
        let typo = complaint("settle", "setle");
        assert!(typo.starts_with("a.toml:5: setle: unknown field `setle`, expected one of `name`"), "{typo}");
        let many = complaint("nodes = 3", "nodes = 2");
        assert_eq!(many, "a.toml:6: cluster.n: 3; allowed: 1 to 2 (cluster.nodes)");
        let count = complaint("nodes = 3", "nodes = -5");
        assert!(count.ends_with("integer `-5`, expected a whole number of 0 or more"), "{count}");
        let kind = complaint("fixed", "fixd");
        assert!(
            kind.contains("workload.cart.think") && kind.contains("unknown variant `fixd`, expected one of"),
            "{kind}"
        );
        let syntax = complaint("nodes = 3", "nodes 3");
        assert!(syntax.starts_with("a.toml:7: "), "{syntax}");
        let quorum = complaint("nodes = 3", "nodes = 3\nw = 4");
        assert!(quorum.contains("cluster.w") && quorum.contains("1 to 3"), "{quorum}");
        let loss = complaint("[workload", "[network]\nloss = 1.5\n[workload");
        assert!(loss.contains("network.loss") && loss.contains("0 to 1"), "{loss}");
        let node =
            complaint("[workload", "[[fault]]\ncrash = { at = \"1s\", lasts = \"1s\", node = 4 }\n[workload");
        assert_eq!(node, "a.toml:8: fault[0]: node 4; allowed: 1 to 3 (cluster.nodes + cluster.spares)");
        let second = "[[fault]]\ncrash = { at = \"1s\", lasts = \"1s\", node = 1 }\n\n[[fault]]\nclock_jump = { at = \"1s\", by_ms = 1, node = 4 }\n";
        let second = complaint("[workload", &format!("{second}[workload"));
        assert!(second.starts_with("a.toml:11: fault[1]: node 4"), "{second}");
        let visit = |visit: &str| complaint("[workload", &format!("[[visit]]\n{visit}\n[workload"));
        let client = visit("at = \"1s\"\nclient = 3\ncart = 0\nread = { node = 1 }");
        assert_eq!(client, "a.toml:10: visit[0].client: 3; allowed: 1 to 2 (workload.cart.clients)");
        let blind = visit("at = \"1s\"\nclient = 1\ncart = 0\ndoes = \"add_blindly\"\nread = { node = 1 }");
        assert!(blind.starts_with("a.toml:8: visit[0]: allowed: with a `read`"), "{blind}");
        for line in [negative, typo, many, kind, syntax, quorum, loss, node] {
            assert!(!line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn mistakes_in_workloads_are_told_in_the_words_of_their_kind() {
        let kind = |section: &str| {
            let start = GOOD.find("[workload.cart]").unwrap();
            let text = format!("{}[workload.{section}\n", &GOOD[..start]);
            Scenario::parse("a.toml", &text).unwrap_err().to_string()
        };
        let think = "think = { fixed = { value = \"5ms\" } }";
        assert_eq!(
            kind("registers]\nclients = 1\nkeys = 0\nrate = 1"),
            "a.toml:10: workload.registers.keys: 0; allowed: 1 to 1000000"
        );
        assert_eq!(
            kind("counters]\nclients = 1\nkeys = 1\nrate = 0"),
            "a.toml:11: workload.counters.rate: 0; allowed: 0.001 to 1000000 visits a second"
        );
        let neither = kind("counters]\nclients = 1\nkeys = 1");
        assert!(neither.ends_with("neither `think` nor `rate`; allowed: one of them"), "{neither}");
        let both = kind(&format!("counters]\nclients = 1\nkeys = 1\nrate = 5\n{think}"));
        assert!(both.ends_with("both `think` and `rate`; allowed: one of them"), "{both}");
        let foreign = kind("registers]\nclients = 1\nkeys = 1\nrate = 1\nmix = \"a\"");
        assert!(
            foreign.starts_with("a.toml:12: workload.registers.mix: unknown field `mix`, expected one of"),
            "{foreign}"
        );
        let mix = kind("ycsb]\nclients = 1\nkeys = 1\nrate = 1\nmix = \"g\"");
        assert!(
            mix.starts_with(
                "a.toml:12: workload.ycsb.mix: unknown variant `g`, expected one of `a`, `b`, `c`"
            ),
            "{mix}"
        );
        let zipf = "popularity = { zipfian = { theta = -1 } }";
        assert_eq!(
            kind(&format!("ycsb]\nclients = 1\nkeys = 1\nrate = 1\nmix = \"a\"\n{zipf}")),
            "a.toml:13: workload.ycsb.popularity.zipfian.theta: -1; allowed: 0 to 10"
        );
        let section = kind("queues]\nclients = 1");
        assert!(
            section.contains("unknown variant `queues`, expected one of `cart`, `registers`"),
            "{section}"
        );
    }
}
