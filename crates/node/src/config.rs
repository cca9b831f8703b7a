//! The configuration file of one node: TOML, every key known, every error one line that names the file, the key,
//! what is wrong and what is allowed.

mod quorum;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cartwheel_core::id::NodeId;
use cartwheel_core::ring::Ring;
use cartwheel_core::{Config, Quorum};
use serde::{Deserialize, Serialize};

pub use quorum::QuorumSetting;

/// What a configuration file says. `cartwheel dev` writes such files, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// The cluster's name. Nodes of other clusters are refused.
    pub cluster: String,
    /// This node's name, one of the members'.
    pub node: String,
    /// Where its data is kept; relative to the file.
    pub data: PathBuf,
    /// Where clients are answered.
    pub http: SocketAddr,
    /// Where peers are listened to.
    pub peer: SocketAddr,
    /// Partitions of the ring: a power of two, the same on all nodes, for ever.
    #[serde(default = "default_partitions")]
    pub partitions: u32,
    /// N: how many nodes keep a key.
    #[serde(default = "default_n")]
    pub n: u8,
    /// R, where a read names none.
    #[serde(default)]
    pub r: QuorumSetting,
    /// W, where a write names none.
    #[serde(default)]
    pub w: QuorumSetting,
    /// How long a client request may take when it names no timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_timeout_ms: Option<u64>,
    /// How long a replica may stay silent before another node stands in for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_timeout_ms: Option<u64>,
    /// How long a coordinator may take to accept a forwarded put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_timeout_ms: Option<u64>,
    /// How often a suspected peer is pinged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_interval_ms: Option<u64>,
    /// How often hints are looked for and delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint_interval_ms: Option<u64>,
    /// How often this node compares one partition with one other home of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anti_entropy_interval_ms: Option<u64>,
    /// How much is kept for one other node, in bytes of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint_bytes_max: Option<u64>,
    /// A version's past is cut down to so many entries when it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past_entries_max: Option<u32>,
    /// A peer that left so many requests in a row unanswered is suspected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect_after: Option<u32>,
    /// Client requests at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_max: Option<u32>,
    /// Client connections at once.
    #[serde(default = "default_connections_max")]
    pub connections_max: u32,
    /// Longest body of a client request.
    #[serde(default = "default_body_bytes_max")]
    pub body_bytes_max: u32,
    /// Messages that wait for one peer; beyond that the oldest are dropped.
    #[serde(default = "default_peer_queue_max")]
    pub peer_queue_max: u32,
    /// How the log is written.
    #[serde(default)]
    pub log: LogFormat,
    /// All nodes of the cluster, this one included.
    #[serde(rename = "member")]
    pub members: Vec<Member>,
}

/// One node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it listens to peers.
    pub peer: SocketAddr,
}

/// How a node writes its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

const fn default_partitions() -> u32 {
    64
}
const fn default_n() -> u8 {
    3
}
const fn default_connections_max() -> u32 {
    10_000
}
const fn default_body_bytes_max() -> u32 {
    8 << 20
}
const fn default_peer_queue_max() -> u32 {
    10_000
}

/// A configuration that makes sense.
#[derive(Clone, Debug)]
pub struct Settings {
    /// As it was written, with `data` as a path from here.
    pub file: ConfigFile,
    /// For the core.
    pub core: Config,
}

/// What is wrong with a configuration file, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", file.display())]
pub struct SettingsError {
    /// The file.
    pub file: PathBuf,
    /// The key, what is wrong with it, and what is allowed.
    pub what: String,
}

impl Settings {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// One line about the first thing that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let fail = |what| SettingsError { file: path.to_owned(), what };
        let text = std::fs::read_to_string(path).map_err(|error| fail(format!("cannot be read: {error}")))?;
        let mut file = parse(&text).map_err(fail)?;
        file.data = path.parent().unwrap_or(Path::new("")).join(&file.data);
        Self::new(file).map_err(fail)
    }

    /// Checks what a configuration file says.
    ///
    /// # Errors
    ///
    /// The key, what is wrong with it, and what is allowed.
    pub fn new(file: ConfigFile) -> Result<Self, String> {
        file.check_names()?;
        file.check_quorums()?;
        file.check_limits()?;
        let members: Vec<NodeId> =
            file.members.iter().map(|member| NodeId::from_name(&member.name)).collect();
        let ring =
            Ring::new(&members, file.partitions, file.n).map_err(|error| format!("partitions: {error}"))?;
        let core = file.core(ring);
        core.validate().map_err(|error| error.to_string())?;
        Ok(Self { file, core })
    }
}

impl ConfigFile {
    /// What decides which node keeps what, in words.
    pub(crate) fn ring_in_words(&self) -> String {
        let mut names: Vec<&str> = self.members.iter().map(|member| member.name.as_str()).collect();
        names.sort_unstable();
        format!("{} partitions, n = {}, members {}", self.partitions, self.n, names.join(" "))
    }

    fn check_names(&self) -> Result<(), String> {
        for (key, name) in [("cluster", &self.cluster), ("node", &self.node)] {
            if name.is_empty() {
                return Err(format!("{key}: must not be empty"));
            }
        }
        let mut names: Vec<&str> = self.members.iter().map(|member| member.name.as_str()).collect();
        if !names.contains(&self.node.as_str()) {
            return Err(format!("node: {:?} is not among the members; allowed are {names:?}", self.node));
        }
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("member.name: {:?} is named twice; each may be there once", pair[0]));
        }
        let mut addresses: Vec<SocketAddr> = self.members.iter().map(|member| member.peer).collect();
        addresses.sort_unstable();
        let own = self.members.iter().find(|member| member.name == self.node).map(|member| member.peer);
        if own.is_some_and(|own| own.port() != self.peer.port()) {
            let own = own.unwrap_or(self.peer);
            return Err(format!(
                "peer: {} is not where the others call this node; allowed is port {}",
                self.peer,
                own.port()
            ));
        }
        match addresses.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("member.peer: {} is named twice; each node has its own", pair[0])),
            None => Ok(()),
        }
    }

    fn check_quorums(&self) -> Result<(), String> {
        for (key, QuorumSetting(quorum)) in [("r", self.r), ("w", self.w)] {
            if let Quorum::Count(count) = quorum
                && !(1..=self.n).contains(&count)
            {
                let n = self.n;
                return Err(format!(
                    "{key}: {count} is not allowed; allowed are 1..={n} (n), one, quorum, all"
                ));
            }
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), String> {
        // A whole message, siblings included, must fit into a peer frame; the store refuses what would not.
        const BODY_BYTES_LIMIT: u64 = 32 << 20;
        // Beyond an hour, a time in milliseconds was meant in another unit.
        const TIME_LIMIT_MS: u64 = 3_600_000;
        // Far below what a record or a context may have.
        const PAST_ENTRIES_LIMIT: u64 = 1_000;
        let count = |value: Option<u32>| value.map(u64::from);
        for (key, value, limit) in [
            ("connections_max", count(Some(self.connections_max)), 1 << 20),
            ("body_bytes_max", count(Some(self.body_bytes_max)), BODY_BYTES_LIMIT),
            ("peer_queue_max", count(Some(self.peer_queue_max)), 1 << 24),
            ("requests_max", count(self.requests_max), 1 << 24),
            ("suspect_after", count(self.suspect_after), 1 << 20),
            ("request_timeout_ms", self.request_timeout_ms, TIME_LIMIT_MS),
            ("replica_timeout_ms", self.replica_timeout_ms, TIME_LIMIT_MS),
            ("forward_timeout_ms", self.forward_timeout_ms, TIME_LIMIT_MS),
            ("probe_interval_ms", self.probe_interval_ms, TIME_LIMIT_MS),
            ("hint_interval_ms", self.hint_interval_ms, TIME_LIMIT_MS),
            ("anti_entropy_interval_ms", self.anti_entropy_interval_ms, TIME_LIMIT_MS),
            ("hint_bytes_max", self.hint_bytes_max, u64::MAX >> 1),
            ("past_entries_max", count(self.past_entries_max), PAST_ENTRIES_LIMIT),
        ] {
            if let Some(value) = value
                && !(1..=limit).contains(&value)
            {
                return Err(format!("{key}: {value} is not allowed; allowed are 1..={limit}"));
            }
        }
        Ok(())
    }

    fn core(&self, ring: Ring) -> Config {
        let mut core = Config::new(NodeId::from_name(&self.node), ring);
        (core.n, core.r, core.w) = (self.n, self.r.0, self.w.0);
        for (asked, setting) in [
            (self.request_timeout_ms, &mut core.request_timeout),
            (self.replica_timeout_ms, &mut core.replica_timeout),
            (self.forward_timeout_ms, &mut core.forward_timeout),
            (self.probe_interval_ms, &mut core.probe_interval),
            (self.hint_interval_ms, &mut core.hint_interval),
            (self.anti_entropy_interval_ms, &mut core.anti_entropy_interval),
        ] {
            *setting = asked.map_or(*setting, Duration::from_millis);
        }
        core.hint_bytes_max = self.hint_bytes_max.unwrap_or(core.hint_bytes_max);
        core.past_entries_max = self.past_entries_max.unwrap_or(core.past_entries_max);
        core.suspect_after = self.suspect_after.unwrap_or(core.suspect_after);
        core.requests_max = self.requests_max.unwrap_or(core.requests_max);
        core
    }
}

fn parse(text: &str) -> Result<ConfigFile, String> {
    let deserializer = toml::Deserializer::parse(text).map_err(|error| one_line(text, "", &error))?;
    serde_path_to_error::deserialize(deserializer)
        .map_err(|error| one_line(text, &error.path().to_string(), error.inner()))
}

/// `line 3: n: invalid value ..`. The path is `.` where no key is to blame but the file.
fn one_line(text: &str, path: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let line = line.filter(|_| error.span() != Some(0..text.len()) && !path.is_empty() && path != ".");
    let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let key = if matches!(path, "" | ".") { String::new() } else { format!("{path}: ") };
    let message = error.message().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    format!("{line}{key}{message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        cluster = "shop"
        node = "n1"
        data = "data"
        http = "127.0.0.1:8098"
        peer = "127.0.0.1:8099"
        n = 1
        w = "all"
        r = 1
        [[member]]
        name = "n1"
        peer = "127.0.0.1:8099"
    "#;

    fn why(text: &str) -> String {
        match parse(text).and_then(Settings::new) {
            Ok(settings) => panic!("accepted: {settings:?}"),
            Err(why) => why,
        }
    }

    #[test]
    fn a_good_file_is_taken_as_it_stands() {
        let settings = parse(GOOD).and_then(Settings::new).expect("valid");
        assert_eq!((settings.core.w, settings.core.r), (Quorum::All, Quorum::Count(1)));
        assert_eq!(settings.core.ring.members(), [NodeId::from_name("n1")]);
        let written = toml::to_string(&settings.file).expect("serializable");
        assert_eq!(parse(&written), Ok(settings.file), "what dev writes, serve reads");
    }

    #[test]
    fn every_error_is_one_line_with_the_key_and_what_is_allowed() {
        let cases = [
            (
                GOOD.replace("w = \"all\"", "ww = 1"),
                "ww: unknown field `ww`, expected one of `cluster`, `node`",
            ),
            (
                GOOD.replace("w = \"all\"", "w = \"some\""),
                "w: invalid value: string \"some\", expected an integer",
            ),
            (GOOD.replace("n = 1", "n = 300"), "n: invalid value: integer `300`, expected u8"),
            (GOOD.replace("n = 1", "n = 2"), "n = 2: allowed are 1..=1"),
            (
                GOOD.replace("node = \"n1\"", "node = \"n9\""),
                "node: \"n9\" is not among the members; allowed are",
            ),
            (GOOD.replace("data = \"data\"", ""), "missing field `data`"),
            (
                GOOD.replace("n = 1", "partitions = 100\nn = 1"),
                "partitions: 100; allowed: a power of two from 8 to 65536",
            ),
            (
                GOOD.replace("n = 1", "body_bytes_max = 0\nn = 1"),
                "body_bytes_max: 0 is not allowed; allowed are 1..=",
            ),
            (GOOD.replace("r = 1", "r = 2"), "r: 2 is not allowed; allowed are 1..=1 (n), one, quorum, all"),
            (
                GOOD.replace("r = 1", "hint_interval_ms = 0"),
                "hint_interval_ms: 0 is not allowed; allowed are 1..=",
            ),
            (GOOD.replace("8098", "port"), "http: invalid socket address syntax"),
            (
                format!("{GOOD}\n[[member]]\nname = \"n1\"\npeer = \"127.0.0.1:1\""),
                "member.name: \"n1\" is named twice",
            ),
            (GOOD.replace("n = 1", "n = = 1"), ""),
        ];
        for (text, expected) in cases {
            let why = why(&text);
            assert!(why.contains(expected), "{why:?} should say {expected:?}");
            assert_eq!(why.lines().count(), 1, "{why:?}");
        }
    }
}
