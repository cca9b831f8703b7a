//! What `cartwheel dev` puts on the disk: for each node a directory with its configuration, its log and its data.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use cartwheel_node::{ConfigFile, Member, Settings};

use super::tls;

/// Ports from one node to the next.
const PORT_STEP: u16 = 10;
/// From a node's protocol-buffers port to its HTTP port: 8087 and 8098, as Riak has them.
const PB_OFFSET: u16 = 11;
/// Where the first node answers when nobody says where.
const HTTP_PORT_DEFAULT: u16 = 8098;
/// Nodes of a cluster when nobody says how many.
const NODES_DEFAULT: u16 = 3;
/// Most nodes on one machine.
const NODES_MAX: u16 = 64;

pub struct Layout {
    pub nodes: Vec<Node>,
}

pub struct Node {
    pub name: String,
    pub http: SocketAddr,
    /// Where it answers over TLS, in a cluster with TLS.
    pub https: Option<SocketAddr>,
    /// Where it answers in protocol buffers.
    pub pb: SocketAddr,
    peer: SocketAddr,
    pub config: PathBuf,
    pub log: PathBuf,
}

impl Layout {
    /// Writes what is missing. Settings that were edited in an existing cluster stay; its addresses follow the port
    /// asked for, if one is. How many nodes there are cannot be changed like this: see [`add`].
    pub fn prepare(
        dir: &Path,
        nodes: Option<u16>,
        http_port: Option<u16>,
        with_tls: bool,
    ) -> Result<Self, String> {
        let (existing, with_tls) = (existing(dir), with_tls || tls::is_there(dir));
        if let Some(nodes) = nodes.filter(|nodes| existing != 0 && existing != *nodes) {
            return Err(format!(
                "--data {}: holds {existing} nodes, not {nodes}; leave out --nodes, add nodes with `cartwheel dev add`, \
                 or use another directory",
                dir.display()
            ));
        }
        let nodes = if existing == 0 { nodes.unwrap_or(NODES_DEFAULT) } else { existing };
        let http_port = match http_port {
            Some(port) => port,
            None if existing == 0 => HTTP_PORT_DEFAULT,
            None => Settings::load(&config_of(dir, 1)).map_err(|error| error.to_string())?.file.http.port(),
        };
        let nodes =
            (0..nodes).map(|index| Node::new(dir, index, http_port)).collect::<Result<Vec<_>, _>>()?;
        let mut layout = Self { nodes };
        // Nothing is written while a node runs: it would not be found where its configuration says it is.
        if let Some(node) = layout.nodes.iter().find(|node| node.is_running()) {
            return Err(format!(
                "--data {}: {} is running; end the nodes there first, or use another directory",
                dir.display(),
                node.name
            ));
        }
        if with_tls {
            for node in &mut layout.nodes {
                tls::certify(dir, node)?;
            }
        }
        for node in &layout.nodes {
            layout.write_config(node)?;
        }
        Ok(layout)
    }

    fn write_config(&self, node: &Node) -> Result<(), String> {
        let fail = |error: std::io::Error| format!("{}: {error}", node.config.display());
        let config = match node.config.exists() {
            false => {
                let members = self.nodes.iter().map(|node| Member::new(node.name.clone(), node.peer));
                node.new_config(members.collect())
            }
            true => {
                let config = Settings::load(&node.config).map_err(|error| error.to_string())?.file;
                // As it is in the file, which is what its paths are relative to.
                let mut config = config.relative_to(node.dir());
                // Who founded the cluster stays; nodes that were added are none of them.
                for member in &mut config.members {
                    let known = self.nodes.iter().find(|node| node.name == member.name);
                    if let Some(node) = known {
                        member.peer = node.peer.into();
                    }
                }
                ConfigFile { http: node.http, pb: Some(node.pb), peer: node.peer, ..config }
            }
        };
        let config = if node.https.is_some() { tls::configured(config, node) } else { config };
        let text = toml::to_string(&config).map_err(|error| error.to_string())?;
        fs::create_dir_all(node.dir()).map_err(fail)?;
        match fs::read_to_string(&node.config) {
            Ok(before) if before == text => Ok(()),
            _ => fs::write(&node.config, text).map_err(fail),
        }
    }
}

impl Node {
    fn new(dir: &Path, index: u16, http_port: u16) -> Result<Self, String> {
        let port = index.checked_mul(PORT_STEP).and_then(|offset| http_port.checked_add(offset));
        let ports = port.and_then(|http| Some((http.checked_sub(PB_OFFSET)?, http, http.checked_add(1)?)));
        let (pb, http, peer) = ports.ok_or_else(|| {
            format!(
                "--http-port {http_port}: allowed is what is at least {} and leaves room for node {} (steps of {PORT_STEP})",
                PB_OFFSET + 1,
                index + 1
            )
        })?;
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let config = config_of(dir, index + 1);
        Ok(Self {
            name: format!("n{}", index + 1),
            http: local(http),
            https: None,
            pb: local(pb),
            peer: local(peer),
            log: config.with_file_name("node.log"),
            config,
        })
    }

    fn new_config(&self, members: Vec<Member>) -> ConfigFile {
        let n = u8::try_from(members.len()).unwrap_or(u8::MAX).min(3);
        let file = ConfigFile::new("dev".to_owned(), self.name.clone(), self.http, self.peer, members);
        ConfigFile { n, pb: Some(self.pb), connections_max: 1_000, ..file }
    }

    /// Whether some process, perhaps of an earlier `dev`, has its data open.
    fn is_running(&self) -> bool {
        fs::File::open(self.dir().join("data/LOCK")).is_ok_and(|lock| lock.try_lock().is_err())
    }

    pub fn dir(&self) -> &Path {
        self.config.parent().unwrap_or(Path::new(""))
    }

    /// What starts it, as a person would type it.
    pub fn command(&self) -> String {
        let program = std::env::current_exe().unwrap_or_else(|_| "cartwheel".into());
        format!("{} serve --config {}", program.display(), self.config.display())
    }

    /// The last line of its log.
    pub fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        log.lines().next_back().unwrap_or("its log is empty").to_owned()
    }
}

/// How many nodes are in `dir`.
fn existing(dir: &Path) -> u16 {
    (1..=NODES_MAX)
        .take_while(|number| config_of(dir, *number).exists())
        .count()
        .try_into()
        .unwrap_or(NODES_MAX)
}

/// Writes the configuration of one more node for the cluster in `dir`: a newcomer, whom the cluster has to let in.
pub fn add(dir: &Path) -> Result<(Node, SocketAddr), String> {
    let existing = existing(dir);
    let first = config_of(dir, 1);
    if existing == 0 || existing == NODES_MAX {
        let dir = dir.display();
        return Err(format!(
            "--data {dir}: holds {existing} nodes; allowed are 1..={} to add one",
            NODES_MAX - 1
        ));
    }
    let file = Settings::load(&first).map_err(|error| error.to_string())?.file;
    let mut node = Node::new(dir, existing, file.http.port())?;
    let http = file.http;
    let added = ConfigFile {
        node: node.name.clone(),
        data: PathBuf::from("data"),
        http: node.http,
        pb: Some(node.pb),
        peer: node.peer,
        ..file.relative_to(first.parent().unwrap_or(Path::new("")))
    };
    let added = if tls::is_there(dir) {
        tls::certify(dir, &mut node)?;
        tls::configured(added, &node)
    } else {
        added
    };
    let fail = |error: std::io::Error| format!("{}: {error}", node.config.display());
    let text = toml::to_string(&added).map_err(|error| error.to_string())?;
    fs::create_dir_all(node.dir()).map_err(fail)?;
    fs::write(&node.config, text).map_err(fail)?;
    Ok((node, http))
}

fn config_of(dir: &Path, number: u16) -> PathBuf {
    dir.join(format!("n{number}")).join("node.toml")
}
