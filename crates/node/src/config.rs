//! The configuration file of one node: TOML, every key known, every error one line that names the file, the key,
//! what is wrong and what is allowed.

mod checks;
mod environment;
mod quorum;
mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cartwheel_core::Config;
use cartwheel_core::id::NodeId;
use cartwheel_core::membership::Share;
use cartwheel_core::ring::{Claimant, Ring};
use cartwheel_core::version::Policy;
use serde::{Deserialize, Serialize};

use crate::contact::Addresses;
use crate::endpoint::Endpoint;
use crate::flight::FlightValues;
use crate::sabotage::Sabotage;

pub use quorum::QuorumSetting;
pub use tls::{ClientTls, PeerTls};

/// What a configuration file says. `cartwheel dev` writes such files, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// The cluster's name. Nodes of other clusters are refused.
    pub cluster: String,
    /// This node's name. One that is not among the members is a newcomer, which the members have to let in.
    pub node: String,
    /// Where its data is kept; relative to the file.
    pub data: PathBuf,
    /// Where copies of its data go; relative to the file.
    #[serde(default = "default_backups")]
    pub backups: PathBuf,
    /// Where clients are answered.
    pub http: SocketAddr,
    /// Where they are answered over TLS, with what [`client_tls`](Self::client_tls) says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https: Option<SocketAddr>,
    /// Where they are answered in protocol buffers, TLS included; usually port 8087. Without it they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pb: Option<SocketAddr>,
    /// Where peers are listened to.
    pub peer: SocketAddr,
    /// Where peers call this node, if that is not where it listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advertise: Option<Endpoint>,
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
    /// How often this node tells another one what it knows of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gossip_interval_ms: Option<u64>,
    /// How often this node probes another one for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swim_interval_ms: Option<u64>,
    /// How long a node that starts on a disk that it knows waits for a peer before it takes part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_wait_ms: Option<u64>,
    /// How often this node looks for data that belongs elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff_interval_ms: Option<u64>,
    /// Records in flight to their homes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff_batch_max: Option<u32>,
    /// How long a tombstone must have been everywhere before it is reaped; 0 keeps tombstones for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reap_after_ms: Option<u64>,
    /// How much is kept for one other node, in bytes of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint_bytes_max: Option<u64>,
    /// Background work yields when the 99th percentile of what client requests wait for at a replica exceeds this; 0
    /// lets it go on regardless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_latency_target_ms: Option<u64>,
    /// The trailing time over which that percentile is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_window_ms: Option<u64>,
    /// Background work that is always allowed, in records per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_rate_min: Option<u32>,
    /// The most background work that is ever done, in records per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_rate_max: Option<u32>,
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
    /// Longest head of a client request, in bytes.
    #[serde(default = "default_header_bytes_max")]
    pub header_bytes_max: u32,
    /// How long the head of a client request may take, from the start of the connection or the end of the answer before.
    #[serde(default = "default_header_timeout_ms")]
    pub header_timeout_ms: u64,
    /// How long the body of a client request may take.
    #[serde(default = "default_body_timeout_ms")]
    pub body_timeout_ms: u64,
    /// Longest body of a client request.
    #[serde(default = "default_body_bytes_max")]
    pub body_bytes_max: u32,
    /// The bodies of all client requests under way, together.
    #[serde(default = "default_bodies_bytes_max")]
    pub bodies_bytes_max: u32,
    /// Messages that wait for one peer; beyond that the oldest are dropped.
    #[serde(default = "default_peer_queue_max")]
    pub peer_queue_max: u32,
    /// So much of the disk is left free: with less, writes are refused and go to other nodes, until there is room again.
    #[serde(default = "default_disk_reserve_bytes")]
    pub disk_reserve_bytes: u64,
    /// How much the flight recorder keeps, in bytes; 0: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flight_bytes_max: Option<u64>,
    /// What it keeps of values.
    #[serde(default)]
    pub flight_values: FlightValues,
    /// How the log is written.
    #[serde(default)]
    pub log: LogFormat,
    /// Untyped buckets are as Riak's are: they show one of several concurrent versions, which **loses acknowledged writes**.
    /// Buckets of created types keep all versions, as Riak's do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub riak_defaults: bool,
    /// Users and what they may do, a file of its own; relative to this one. Without it everybody may do everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<PathBuf>,
    /// TLS between peers. Without it they speak in the clear, and believe whoever knows the cluster's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<PeerTls>,
    /// TLS for clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_tls: Option<ClientTls>,
    /// Those that found the cluster, the same on all of them; to a newcomer, those of the cluster that it asks first.
    #[serde(rename = "member")]
    pub members: Vec<Member>,
}

/// One node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where it is called by peers.
    pub peer: Endpoint,
    /// How much it keeps, relative to the others; 1 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u16>,
    /// Nodes of one zone fail together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

impl Member {
    /// A member of weight 1 in no zone.
    pub fn new(name: String, peer: impl Into<Endpoint>) -> Self {
        Self { name, peer: peer.into(), weight: None, zone: None }
    }

    pub(crate) fn id(&self) -> NodeId {
        NodeId::from_name(&self.name)
    }

    fn share(&self) -> Share {
        Share { weight: self.weight.unwrap_or(1), zone: self.zone.clone().unwrap_or_default() }
    }
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

fn default_backups() -> PathBuf {
    PathBuf::from("backups")
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
const fn default_disk_reserve_bytes() -> u64 {
    64 << 20
}
const fn default_header_bytes_max() -> u32 {
    64 << 10
}
const fn default_header_timeout_ms() -> u64 {
    60_000
}
const fn default_body_timeout_ms() -> u64 {
    30_000
}
const fn default_bodies_bytes_max() -> u32 {
    256 << 20
}
const fn default_peer_queue_max() -> u32 {
    10_000
}

/// A configuration that makes sense.
#[derive(Clone, Debug)]
pub struct Settings {
    /// As it was written, with all paths as they are seen from here.
    pub file: ConfigFile,
    /// For the core.
    pub core: Config,
    /// A planted bug, which no file can ask for.
    #[doc(hidden)]
    pub sabotage: Option<Sabotage>,
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
        Self::load_with(path, [])
    }

    /// Reads a configuration file, and takes settings from an environment: `CARTWHEEL_SET_HTTP` wins over `http`, and
    /// `CARTWHEEL_SET_TLS__CA` over `ca` in the table `tls`.
    ///
    /// # Errors
    ///
    /// One line about the first thing that is wrong, and whether the file or the environment says it.
    pub fn load_with(
        path: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let fail = |what| SettingsError { file: path.to_owned(), what };
        let text = std::fs::read_to_string(path).map_err(|error| fail(format!("cannot be read: {error}")))?;
        let file = environment::with(&text, environment).map_err(fail)?;
        Self::new(file.resolve(path.parent().unwrap_or(Path::new("")))).map_err(fail)
    }

    /// Checks what a configuration file says.
    ///
    /// # Errors
    ///
    /// The key, what is wrong with it, and what is allowed.
    pub fn new(file: ConfigFile) -> Result<Self, String> {
        file.check()?;
        let ring = file.ring()?;
        let core = file.core(ring)?;
        core.validate().map_err(|error| error.to_string())?;
        Ok(Self { file, core, sabotage: None })
    }
}

impl ConfigFile {
    /// A node with the defaults for everything that can be left out.
    pub fn new(
        cluster: String,
        node: String,
        http: SocketAddr,
        peer: SocketAddr,
        members: Vec<Member>,
    ) -> Self {
        Self {
            cluster,
            node,
            data: PathBuf::from("data"),
            backups: default_backups(),
            http,
            https: None,
            pb: None,
            peer,
            advertise: None,
            partitions: default_partitions(),
            n: default_n(),
            r: QuorumSetting::default(),
            w: QuorumSetting::default(),
            request_timeout_ms: None,
            replica_timeout_ms: None,
            forward_timeout_ms: None,
            probe_interval_ms: None,
            hint_interval_ms: None,
            anti_entropy_interval_ms: None,
            gossip_interval_ms: None,
            swim_interval_ms: None,
            start_wait_ms: None,
            handoff_interval_ms: None,
            handoff_batch_max: None,
            reap_after_ms: None,
            hint_bytes_max: None,
            background_latency_target_ms: None,
            background_window_ms: None,
            background_rate_min: None,
            background_rate_max: None,
            past_entries_max: None,
            suspect_after: None,
            requests_max: None,
            connections_max: default_connections_max(),
            header_bytes_max: default_header_bytes_max(),
            header_timeout_ms: default_header_timeout_ms(),
            body_timeout_ms: default_body_timeout_ms(),
            body_bytes_max: default_body_bytes_max(),
            bodies_bytes_max: default_bodies_bytes_max(),
            peer_queue_max: default_peer_queue_max(),
            disk_reserve_bytes: default_disk_reserve_bytes(),
            flight_bytes_max: None,
            flight_values: FlightValues::Whole,
            log: LogFormat::Text,
            riak_defaults: false,
            security: None,
            tls: None,
            client_tls: None,
            members,
        }
    }

    /// What is fixed for ever when a cluster is founded, in words.
    pub(crate) fn shape_in_words(&self) -> String {
        format!("{} partitions, n = {}", self.partitions, self.n)
    }

    /// Whether this node is one of the founders, rather than a newcomer.
    pub fn is_founder(&self) -> bool {
        self.members.iter().any(|member| member.name == self.node)
    }

    /// Where others reach this node.
    pub(crate) fn addresses(&self) -> Result<Addresses, String> {
        let named = self.members.iter().find(|member| member.name == self.node);
        let peer = self.advertise.clone().or(named.map(|member| member.peer.clone()));
        let peer = peer.unwrap_or_else(|| self.peer.into());
        if peer.ip().is_some_and(|ip| ip.is_unspecified()) {
            return Err(format!("peer: {peer} is nowhere that others can call; say where with advertise"));
        }
        let seen_from_outside = |address: SocketAddr| {
            if address.ip().is_unspecified() { peer.at(address.port()) } else { address.into() }
        };
        let (http, https) = (Some(seen_from_outside(self.http)), self.https.map(seen_from_outside));
        Ok(Addresses { peer, http, https })
    }

    /// The ring that the members found.
    fn ring(&self) -> Result<Ring, String> {
        let members: Vec<NodeId> = self.members.iter().map(Member::id).collect();
        Ring::new(&members, self.partitions, self.n).map_err(|error| format!("partitions: {error}"))?;
        let claimants: Vec<Claimant> =
            self.members.iter().map(|member| member.share().claimant(member.id())).collect();
        Ok(Ring::founded(&claimants, self.partitions, self.n))
    }

    fn core(&self, ring: Ring) -> Result<Config, String> {
        let mut core = Config::new(NodeId::from_name(&self.node), ring);
        core.founders = self.members.iter().map(Member::id).collect();
        core.shares =
            self.members.iter().map(|member| (member.id(), member.share())).collect::<BTreeMap<_, _>>();
        core.contact = self.addresses()?.contact(&self.node);
        (core.n, core.r, core.w) = (self.n, self.r.0, self.w.0);
        if self.riak_defaults {
            core.policy = Policy::OneValue;
        }
        for (asked, setting) in [
            (self.request_timeout_ms, &mut core.request_timeout),
            (self.replica_timeout_ms, &mut core.replica_timeout),
            (self.forward_timeout_ms, &mut core.forward_timeout),
            (self.probe_interval_ms, &mut core.probe_interval),
            (self.hint_interval_ms, &mut core.hint_interval),
            (self.anti_entropy_interval_ms, &mut core.anti_entropy_interval),
            (self.gossip_interval_ms, &mut core.gossip_interval),
            (self.swim_interval_ms, &mut core.swim_interval),
            (self.start_wait_ms, &mut core.start_wait),
            (self.handoff_interval_ms, &mut core.handoff_interval),
            (self.background_window_ms, &mut core.background_window),
        ] {
            *setting = asked.map_or(*setting, Duration::from_millis);
        }
        for (asked, setting) in [
            (self.reap_after_ms, &mut core.reap_after),
            (self.background_latency_target_ms, &mut core.background_latency_target),
        ] {
            *setting = match asked {
                None => *setting,
                Some(0) => None,
                Some(ms) => Some(Duration::from_millis(ms)),
            };
        }
        core.background_rate_min = self.background_rate_min.unwrap_or(core.background_rate_min);
        core.background_rate_max = self.background_rate_max.unwrap_or(core.background_rate_max);
        core.handoff_batch_max = self.handoff_batch_max.unwrap_or(core.handoff_batch_max);
        core.hint_bytes_max = self.hint_bytes_max.unwrap_or(core.hint_bytes_max);
        core.past_entries_max = self.past_entries_max.unwrap_or(core.past_entries_max);
        core.suspect_after = self.suspect_after.unwrap_or(core.suspect_after);
        core.requests_max = self.requests_max.unwrap_or(core.requests_max);
        Ok(core)
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
    format!("{line}{}", keyed(path, error))
}

/// `n: invalid value ..`
fn keyed(path: &str, error: &toml::de::Error) -> String {
    let key = if matches!(path, "" | ".") { String::new() } else { format!("{path}: ") };
    let message = error.message().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    format!("{key}{message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    use cartwheel_core::Quorum;

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
    fn a_node_that_is_not_named_is_a_newcomer() {
        let text = GOOD.replace("node = \"n1\"", "node = \"n9\"").replace("8098", "9098");
        let text = text.replacen("8099", "9099", 1).replace("n = 1", "n = 3");
        let settings = parse(&text).and_then(Settings::new).expect("valid");
        assert!(!settings.file.is_founder());
        assert_eq!(settings.core.contact.address, "peer=127.0.0.1:9099,http=127.0.0.1:9098");
        assert_eq!(settings.core.founders, [NodeId::from_name("n1")]);
    }

    #[test]
    fn members_weights_and_zones_make_the_ring() {
        let text = format!(
            "{GOOD}\nweight = 3\nzone = \"east\"\n[[member]]\nname = \"n2\"\npeer = \"127.0.0.1:1\"\nzone = \"west\""
        );
        let settings = parse(&text).and_then(Settings::new).expect("valid");
        let owns = |name| {
            let owners = settings.core.ring.owners().iter();
            owners.filter(|owner| **owner == NodeId::from_name(name)).count()
        };
        assert_eq!((owns("n1"), owns("n2")), (48, 16));
        assert_eq!(settings.core.shares[&NodeId::from_name("n2")].zone, "west");
        let written = toml::to_string(&settings.file).expect("serializable");
        assert_eq!(parse(&written), Ok(settings.file));
    }

    #[test]
    fn paths_are_relative_to_the_file_and_written_as_they_were() {
        let text = GOOD.replace("n = 1", "https = \"127.0.0.1:8443\"\nsecurity = \"users.toml\"\nn = 1")
            + "[tls]\nca = \"../ca.pem\"\ncertificate = \"n1.pem\"\nkey = \"/keys/n1.key\"\n"
            + "[client_tls]\ncertificate = \"n1.pem\"\nkey = \"n1.key\"\nclient_ca = \"ca.pem\"";
        let file = parse(&text).expect("valid");
        let seen = file.clone().resolve(Path::new("/etc/n1"));
        assert_eq!(seen.security.as_deref(), Some(Path::new("/etc/n1/users.toml")));
        let tls = seen.tls.as_ref().expect("there");
        assert_eq!([&tls.ca, &tls.key], [Path::new("/etc/n1/../ca.pem"), Path::new("/keys/n1.key")]);
        let client_tls = seen.client_tls.as_ref().expect("there");
        assert_eq!(client_tls.client_ca.as_deref(), Some(Path::new("/etc/n1/ca.pem")));
        assert_eq!(seen.relative_to(Path::new("/etc/n1")), file);
        assert_eq!(parse(&toml::to_string(&file).expect("serializable")), Ok(file));
    }

    #[test]
    fn zero_turns_off_and_nothing_leaves_the_default() {
        let with = |line: &str| {
            let text = GOOD.replace("n = 1", &format!("{line}\nn = 1"));
            let core = parse(&text).and_then(Settings::new).expect("valid").core;
            (core.reap_after, core.background_latency_target)
        };
        let (reap, target) = (Some(Duration::from_secs(10)), Some(Duration::from_millis(50)));
        assert_eq!(with("reap_after_ms = 0"), (None, target));
        assert_eq!(with("reap_after_ms = 20000"), (Some(Duration::from_secs(20)), target));
        assert_eq!(with("background_latency_target_ms = 0"), (reap, None));
        assert_eq!(with(""), (reap, target));
    }

    fn assert_refused(cases: &[(String, &str)]) {
        for (text, expected) in cases {
            let why = why(text);
            assert!(why.contains(*expected), "{why:?} should say {expected:?}");
            assert_eq!(why.lines().count(), 1, "{why:?}");
        }
    }

    #[test]
    fn what_strangers_meet_is_checked_like_the_rest() {
        assert_refused(&[
            (
                GOOD.replace("n = 1", "https = \"127.0.0.1:8443\"\nn = 1"),
                "https: needs a [client_tls] with certificate and key",
            ),
            (
                format!("{GOOD}\n[client_tls]\ncertificate = \"a\"\nkey = \"b\""),
                "client_tls: nobody is answered with it; say where with https or pb",
            ),
            (
                format!("{GOOD}\n[tls]\nca = \"a\"\ncertificate = \"b\"\nkey = \"c\"")
                    .replace("\"n1\"", "\"n 1\""),
                "member.name: no certificate can be for \"n 1\"; with [tls] allowed are DNS names",
            ),
            (format!("{GOOD}\n[tls]\nca = \"a\"\nkey = \"c\""), "missing field `certificate`"),
            (
                GOOD.replace("n = 1", "header_bytes_max = 100\nn = 1"),
                "header_bytes_max: 100 is not allowed; allowed are 8192..=1048576",
            ),
            (
                GOOD.replace("n = 1", "bodies_bytes_max = 1000\nn = 1"),
                "bodies_bytes_max: 1000 is not allowed; allowed are 8388608 (body_bytes_max)..=",
            ),
        ]);
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
                GOOD.replace("n = 1", "pb = \"127.0.0.1:8098\"\nn = 1"),
                "pb: 127.0.0.1:8098 is http's already; each needs its own",
            ),
            (
                GOOD.replace("n = 1", "reap_after_ms = 5\nn = 1"),
                "reap_after_ms: 5 is not allowed; allowed are 0 (never)",
            ),
            (
                GOOD.replace("n = 1", "background_rate_min = 9\nbackground_rate_max = 8\nn = 1"),
                "background_rate_min = 9: allowed are 1..=8 (background_rate_max)",
            ),
            (
                GOOD.replace("n = 1", "background_rate_max = 0\nn = 1"),
                "background_rate_max: 0 is not allowed; allowed are 1..=",
            ),
            (
                GOOD.replace("n = 1", "swim_interval_ms = 9\nn = 1"),
                "swim_interval_ms: 9 is not allowed; allowed are 10..=",
            ),
            (format!("{GOOD}\nweight = 0"), "member.weight: 0 is not allowed; allowed are 1..=65535"),
            (GOOD.replace("node = \"n1\"", "node = \"n9\""), "peer: 127.0.0.1:8099 is the member \"n1\"'s"),
            (
                GOOD.replace("n = 1", "advertise = \"10.0.0.1:8099\"\nn = 1"),
                "advertise: 10.0.0.1:8099 is not where the members call this node; allowed is 127.0.0.1:8099",
            ),
            (
                GOOD.replace("node = \"n1\"", "node = \"n9\"")
                    .replace("peer = \"127.0.0.1:8099\"\n        n", "peer = \"0.0.0.0:1\"\n        n"),
                "peer: 0.0.0.0:1 is nowhere that others can call; say where with advertise",
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
        assert_refused(&cases);
    }
}
