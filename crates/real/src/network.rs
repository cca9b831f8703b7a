//! What lies between nodes: nothing but the loopback, or a network namespace for each, joined by a bridge.
//!
//! A link is cut in one direction by giving the sender a wrong hardware address for the receiver: what it sends is lost
//! without a word, as on a wire that is cut. That takes no firewall, and no module that a kernel may lack. A link that is
//! slow, late or lossy leads to us (`detour`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use cartwheel_sim::streams::Stream;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::task::AbortHandle;
use tokio_tun::Tun;

use crate::PlayError;
use crate::detour::{Detour, Link, Trouble, Troubles};

/// The ports of every node that has an address of its own.
const HTTP_PORT: u16 = 8098;
const PEER_PORT: u16 = 8099;
/// Where free ports are looked for on the loopback: below those that the system gives outgoing connections.
const PORTS: std::ops::Range<u16> = 14_000..18_000;
/// Nobody's hardware address.
const NOBODY: [u8; 6] = [0x02, 0x77, 0xff, 0xff, 0xff, 0xff];
/// Where frames go that take the detour: behind the device, whose own address is the bridge's.
const DETOUR: [u8; 6] = [0x02, 0x77, 0xfe, 0, 0, 0];
/// The first three bytes of the nodes' addresses.
const NET: [u8; 3] = [10, 77, 0];

/// What lies between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkKind {
    /// All on 127.0.0.1: links cannot be cut.
    Loopback,
    /// Each node in a network namespace of its own. Takes root, and `ip` (iproute2).
    Namespaces,
}

impl NetworkKind {
    /// Namespaces, where they can be made.
    pub fn detect() -> Self {
        let name = namespace("probe");
        if ip(None, &format!("netns add {name}\n")).is_err() {
            return Self::Loopback;
        }
        // All that a network is made of: a kernel may lack some of it.
        let parts = "link add br0 type bridge\nlink add v0 type veth peer name v1\nlink set v0 master br0\n";
        let made = ip(Some(&name), parts);
        // Made a moment ago; should it not go, the next run finds it.
        _ = ip(None, &format!("netns del {name}\n"));
        if made.is_ok() { Self::Namespaces } else { Self::Loopback }
    }
}

/// The network of one cluster. Its namespaces end with it.
#[derive(Debug)]
pub struct Network {
    kind: NetworkKind,
    nodes: u32,
    first_port: u16,
    troubles: Troubles,
    detour: Option<AbortHandle>,
}

impl Network {
    /// Makes it; from here on this thread is in it.
    pub fn create(kind: NetworkKind, nodes: u32) -> Result<Self, PlayError> {
        let mut network = Self { kind, nodes, first_port: 0, troubles: Troubles::default(), detour: None };
        match kind {
            NetworkKind::Loopback => network.first_port = free_ports(nodes)?,
            NetworkKind::Namespaces => network.join().map_err(PlayError::machine("making namespaces"))?,
        }
        Ok(network)
    }

    /// Where clients reach `node`, counted from 0, and where its peers do.
    pub fn addresses(&self, node: u32) -> (SocketAddr, SocketAddr) {
        match self.kind {
            NetworkKind::Namespaces => {
                let ip = address(node);
                (SocketAddr::from((ip, HTTP_PORT)), SocketAddr::from((ip, PEER_PORT)))
            }
            NetworkKind::Loopback => {
                let port = self.first_port + 2 * node as u16;
                let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
                (at(port), at(port + 1))
            }
        }
    }

    /// The namespace that `node` runs in, if it has one of its own.
    pub fn namespace(&self, node: u32) -> Option<String> {
        (self.kind == NetworkKind::Namespaces).then(|| namespace(&format!("n{}", node + 1)))
    }

    /// Whether links can be cut.
    pub fn can_cut(&self) -> bool {
        self.kind == NetworkKind::Namespaces
    }

    /// Whether links can be slow, late or lossy.
    pub fn can_detour(&self) -> bool {
        self.detour.is_some()
    }

    /// Opens the way through this process, if the machine has TAP devices. From the thread that made the network, and in
    /// the runtime.
    pub fn open_detour(&mut self, luck: Stream) -> Result<(), PlayError> {
        if self.kind == NetworkKind::Loopback {
            return Ok(());
        }
        let Ok(taps) = Tun::builder().name("detour").tap().build() else { return Ok(()) };
        let Some(tap) = taps.into_iter().next() else { return Ok(()) };
        let name = tap.name();
        let up = format!("link set {name} master br0\nlink set {name} up\n");
        ip(Some(&namespace("hub")), &up).map_err(PlayError::machine("opening a detour"))?;
        let troubles = self.troubles.clone();
        let detour = Detour { tap, troubles, luck, net: NET, own: DETOUR, hardware };
        self.detour = Some(tokio::spawn(detour.carry()).abort_handle());
        Ok(())
    }

    /// Gives directed links one trouble more.
    pub fn trouble(&mut self, links: &[Link], trouble: Trouble) -> io::Result<()> {
        self.change(links, |troubles| troubles.add(links, trouble))
    }

    /// Takes that trouble from them again.
    pub fn relieve(&mut self, links: &[Link], trouble: Trouble) -> io::Result<()> {
        self.change(links, |troubles| troubles.take(links, trouble))
    }

    /// Every link works.
    pub fn heal(&mut self) -> io::Result<()> {
        let links = self.troubles.take_all();
        set_neighbours(&links, |(_, to)| hardware(to))
    }

    /// Senders whose way is another one afterwards are told.
    fn change(&mut self, links: &[Link], change: impl FnOnce(&Troubles)) -> io::Result<()> {
        let way = |troubles: &Troubles, link: Link| match troubles.of(link) {
            none if none.is_empty() => hardware(link.1),
            some if some.contains(&Trouble::Cut) => NOBODY,
            _ => DETOUR,
        };
        let before: Vec<[u8; 6]> = links.iter().map(|link| way(&self.troubles, *link)).collect();
        change(&self.troubles);
        let changed =
            links.iter().zip(before).filter(|(link, before)| way(&self.troubles, **link) != *before);
        let changed: Vec<Link> = changed.map(|(link, _)| *link).collect();
        set_neighbours(&changed, |link| way(&self.troubles, link))
    }

    /// A bridge in a namespace of its own, where this process is as well, and a cable from it to each node.
    fn join(&self) -> io::Result<()> {
        forget_the_dead();
        let hub = namespace("hub");
        let nodes = || (0..self.nodes).map(|node| (node, namespace(&format!("n{}", node + 1))));
        let mut all = format!("netns add {hub}\n");
        for (node, name) in nodes() {
            all += &format!(
                "netns add {name}\nlink add v{node} netns {hub} type veth peer name eth0 netns {name}\n"
            );
        }
        ip(None, &all)?;
        let mut bridge = "link set lo up\nlink add br0 type bridge\nlink set br0 up\n".to_owned();
        bridge += &format!("addr add {}/24 dev br0\n", at(254));
        for node in 0..self.nodes {
            bridge += &format!("link set v{node} master br0 up\n");
        }
        ip(Some(&hub), &bridge)?;
        for (node, name) in nodes() {
            let mut end = format!(
                "link set lo up\nlink set eth0 address {}\naddr add {}/24 dev eth0\nlink set eth0 up\n",
                in_words(hardware(node)),
                address(node)
            );
            for other in (0..self.nodes).filter(|other| *other != node) {
                end += &neighbour(other, hardware(other));
            }
            ip(Some(&name), &end)?;
        }
        let hub = File::open(format!("/run/netns/{hub}"))?;
        move_into_link_name_space(hub.as_fd(), Some(LinkNameSpaceType::Network))?;
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.detour.take().inspect(AbortHandle::abort);
        if self.kind == NetworkKind::Namespaces {
            let names = (0..self.nodes).map(|node| format!("n{}", node + 1)).chain(["hub".to_owned()]);
            for name in names {
                // What was not made cannot be unmade.
                _ = ip(None, &format!("netns del {}\n", namespace(&name)));
            }
        }
    }
}

/// Deletes the namespaces of runs that were killed.
fn forget_the_dead() {
    let Ok(entries) = std::fs::read_dir("/run/netns") else { return };
    for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let pid = name.strip_prefix("cw-").and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists()) {
            // Another run may be at it, too.
            _ = ip(None, &format!("netns del {name}\n"));
        }
    }
}

fn namespace(name: &str) -> String {
    format!("cw-{}-{name}", std::process::id())
}

fn address(node: u32) -> Ipv4Addr {
    at(node as u8 + 1)
}

fn at(last: u8) -> Ipv4Addr {
    let [a, b, c] = NET;
    Ipv4Addr::new(a, b, c, last)
}

fn hardware(node: u32) -> [u8; 6] {
    [0x02, 0x77, 0, 0, 0, node as u8 + 1]
}

fn in_words(hardware: [u8; 6]) -> String {
    hardware.map(|byte| format!("{byte:02x}")).join(":")
}

fn neighbour(node: u32, hardware: [u8; 6]) -> String {
    format!("neigh replace {} lladdr {} dev eth0 nud permanent\n", address(node), in_words(hardware))
}

/// Tells each sender of `links` where its receiver is.
fn set_neighbours(links: &[Link], hardware: impl Fn(Link) -> [u8; 6]) -> io::Result<()> {
    let mut by_sender: BTreeMap<u32, String> = BTreeMap::new();
    for link @ (from, to) in links {
        *by_sender.entry(*from).or_default() += &neighbour(*to, hardware(*link));
    }
    for (from, commands) in by_sender {
        ip(Some(&namespace(&format!("n{}", from + 1))), &commands)?;
    }
    Ok(())
}

/// Has `ip` carry out commands, one in a line.
fn ip(namespace: Option<&str>, commands: &str) -> io::Result<()> {
    let mut ip = Command::new("ip");
    if let Some(namespace) = namespace {
        ip.args(["-n", namespace]);
    }
    ip.args(["-batch", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = ip.spawn()?;
    if let Some(mut stdin) = running.stdin.take() {
        stdin.write_all(commands.as_bytes())?;
    }
    let done = running.wait_with_output()?;
    if done.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&done.stderr);
    Err(io::Error::other(format!("ip: {}", why.lines().next().unwrap_or("failed"))))
}

/// The first of twice so many ports in a row that nobody listens on.
fn free_ports(nodes: u32) -> Result<u16, PlayError> {
    let count = 2 * nodes as u16;
    // Others on this machine start elsewhere.
    let start = (std::process::id() % 97) as u16 * 40;
    let is_free = |first: &u16| {
        (*first..first + count).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
    };
    let first = (PORTS.start + start..PORTS.end - count).step_by(usize::from(count)).find(is_free);
    first.ok_or_else(|| PlayError::Machine {
        what: format!("looking for {count} free ports in {PORTS:?}"),
        source: io::ErrorKind::AddrInUse.into(),
    })
}
