//! What a seed decides: how large the cluster is, how good its network, who shops how long, and which faults strike when.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use crate::random::Random;

/// A run, before it begins.
#[derive(Debug)]
pub struct Plan {
    /// The seed that it follows from.
    pub seed: u64,
    /// Nodes of the cluster; each key has three homes.
    pub nodes: usize,
    /// Clients that fill carts.
    pub clients: usize,
    /// Carts that they fill.
    pub carts: usize,
    /// How long they do.
    pub load: Duration,
    /// How long a packet takes while nothing else is said.
    pub latency: Range<Duration>,
    /// What befalls the cluster meanwhile.
    pub faults: Vec<Fault>,
}

/// One fault.
#[derive(Debug)]
pub struct Fault {
    /// When it strikes.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
    /// What it does.
    pub kind: Kind,
}

/// What a fault does. Nodes are counted from 0.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The process is killed, and started again.
    Kill(usize),
    /// All are killed at once, and started again.
    KillAll,
    /// The process is told to stop, and started again.
    Stop(usize),
    /// The process does nothing for a while.
    Pause(usize),
    /// Nothing passes between these nodes and the others, in either direction.
    Partition(Vec<usize>),
    /// Nothing goes from one node to another one.
    OneWay {
        /// Who is not heard,
        from: usize,
        /// by whom.
        to: usize,
    },
    /// A node hears nobody, clients included.
    Deaf(usize),
    /// A node is heard by nobody, clients included.
    Mute(usize),
    /// Packets take as long as this.
    Slow(Range<Duration>),
    /// So many of a thousand packets are lost, and sent again.
    Lossy(u32),
}

/// Microseconds as a range of what a packet takes.
fn latency(us: Range<u64>) -> Range<Duration> {
    Duration::from_micros(us.start)..Duration::from_micros(us.end)
}

impl Plan {
    /// The plan of `seed`.
    pub fn of(seed: u64) -> Self {
        let random = &mut Random::new(seed, 0);
        let nodes = random.within(3..6);
        let load = random.time(3_000..7_000);
        let most = load.as_millis() as usize;
        let faults = (0..random.within(2..7)).map(|_| Fault {
            at: random.time(100..most),
            lasts: random.time(200..3_000),
            kind: Kind::draw(random, nodes),
        });
        let mut faults: Vec<Fault> = faults.collect();
        faults.sort_by_key(|fault| fault.at);
        let latency = if random.below(2) == 0 { latency(200..2_000) } else { latency(1_000..10_000) };
        let (clients, carts) = (random.within(3..9), random.within(1..5));
        Self { seed, nodes, clients, carts, load, latency, faults }
    }
}

impl Kind {
    fn draw(random: &mut Random, nodes: usize) -> Self {
        let node = random.below(nodes);
        let other = (node + random.within(1..nodes)) % nodes;
        match random.below(13) {
            0..=2 => Self::Kill(node),
            3 => Self::KillAll,
            4 | 5 => Self::Stop(node),
            6 => Self::Pause(node),
            7 => Self::Partition(vec![node]),
            8 => Self::Partition(vec![node, other]),
            9 => Self::OneWay { from: node, to: other },
            10 => {
                if random.below(2) == 0 {
                    Self::Deaf(node)
                } else {
                    Self::Mute(node)
                }
            }
            11 => Self::Slow(latency(20_000..120_000)),
            _ => Self::Lossy(random.within(5..100) as u32),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |node: &usize| format!("n{}", node + 1);
        match self {
            Self::Kill(node) => write!(f, "{} is killed", name(node)),
            Self::KillAll => f.write_str("all are killed"),
            Self::Stop(node) => write!(f, "{} is told to stop", name(node)),
            Self::Pause(node) => write!(f, "{} pauses", name(node)),
            Self::Partition(side) => {
                write!(f, "{} cut off", side.iter().map(name).collect::<Vec<_>>().join("+"))
            }
            Self::OneWay { from, to } => write!(f, "{} does not reach {}", name(from), name(to)),
            Self::Deaf(node) => write!(f, "{} is deaf", name(node)),
            Self::Mute(node) => write!(f, "{} is mute", name(node)),
            Self::Slow(_) => f.write_str("the network is slow"),
            Self::Lossy(rate) => write!(f, "{rate} of 1,000 packets are lost"),
        }
    }
}
