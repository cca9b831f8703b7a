//! A run as it was recorded: what happened where and when, which messages went between whom, and what clients waited for.

use std::fmt;

use cartwheel_core::Key;
use cartwheel_core::id::RequestId;

/// Everything that a recorder saw of one run.
#[derive(Debug, Default)]
pub struct Recording {
    /// Spare nodes included.
    pub(crate) nodes: u32,
    /// What nodes are called, where it is not n1, n2 and so on.
    pub(crate) names: Vec<String>,
    pub(crate) clients: u32,
    /// In the order in which it happened.
    pub(crate) steps: Vec<Step>,
    pub(crate) messages: Vec<Carried>,
    pub(crate) requests: Vec<Waited>,
    pub(crate) faults: Vec<Band>,
    pub(crate) downs: Vec<Down>,
    pub(crate) samples: Vec<Sample>,
    /// When faults ceased, if the run came so far.
    pub(crate) peace_ns: Option<u64>,
    /// When what is shown begins: 0 but where it is a part.
    pub(crate) begin_ns: u64,
    pub(crate) end_ns: u64,
}

impl Recording {
    /// How many steps it has.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Nodes, then clients, then the world, if anything happened in it.
    pub(crate) fn lanes(&self) -> Vec<Lane> {
        let nodes = (0..self.nodes).map(Lane::Node);
        let clients = (0..self.clients).map(Lane::Client);
        let world = self.steps.iter().any(|step| step.lane == Lane::World).then_some(Lane::World);
        nodes.chain(clients).chain(world).collect()
    }

    /// What a lane is called.
    pub(crate) fn lane_name(&self, lane: Lane) -> String {
        let name = |node: u32| self.names.get(node as usize);
        match lane {
            Lane::Node(node) => name(node).cloned(),
            Lane::Client(node) => name(node).map(|name| format!("clients of {name}")),
            Lane::World => None,
        }
        .unwrap_or_else(|| lane.to_string())
    }

    /// What a step says: its own words, or those of its message.
    pub(crate) fn text<'a>(&'a self, step: &'a Step) -> &'a str {
        match step.message {
            Some(message) if step.text.is_empty() => &self.messages[message].text,
            _ => &step.text,
        }
    }
}

/// Where something happens. Counted from 0, and named from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// Faults and operators' wishes, before they reach anybody.
    World,
    Node(u32),
    Client(u32),
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World => f.write_str("world"),
            Self::Node(node) => write!(f, "n{}", node + 1),
            Self::Client(client) => write!(f, "c{}", client + 1),
        }
    }
}

/// One thing that happened.
#[derive(Debug)]
pub(crate) struct Step {
    pub at_ns: u64,
    pub lane: Lane,
    pub what: What,
    /// The message that was sent, heard or not heard.
    pub message: Option<usize>,
    /// The keys that it is about.
    pub keys: Vec<Key>,
    pub request: Option<RequestId>,
    /// Empty where the message says it all.
    pub text: String,
    /// What the node holds of the key afterwards, and owes to others in all.
    pub held: Option<Held>,
}

/// What an update left behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub siblings: u32,
    pub hints: u32,
}

/// The kinds of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Send,
    Receive,
    /// A message arrived at a node that was down.
    Unheard,
    /// A client's connection broke before an answer came.
    Broken,
    /// The disk was told to change a record.
    Store,
    /// The core has something to tell.
    Note,
    Operator,
    Timer,
    /// The disk answered.
    Disk,
    Fault,
    /// Faults cease.
    Peace,
    Up,
    Down,
}

impl What {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
            Self::Unheard => "unheard",
            Self::Broken => "broken",
            Self::Store => "store",
            Self::Note => "note",
            Self::Operator => "operator",
            Self::Timer => "timer",
            Self::Disk => "disk",
            Self::Fault => "fault",
            Self::Peace => "peace",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// Whether it matters only to whoever replays the inputs of one node.
    pub fn is_noise(self) -> bool {
        matches!(self, Self::Timer | Self::Disk)
    }
}

/// One copy of a message on its way.
#[derive(Debug)]
pub(crate) struct Carried {
    pub from: Lane,
    pub to: Lane,
    pub kind: &'static str,
    pub talk: Talk,
    pub keys: Vec<Key>,
    pub request: Option<RequestId>,
    pub text: String,
    pub sent_ns: u64,
    pub fate: Fate,
    /// The network made this copy of an earlier one.
    pub copy_of: Option<usize>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It will arrive then; an answer to a client: nobody knows yet.
    UnderWay(Option<u64>),
    /// By chance or in a cut.
    Lost,
    Heard(u64),
    /// It arrived at a node that was down.
    Unheard(u64),
}

/// Conversations, as people tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Talk {
    Client,
    Replica,
    Forward,
    /// Two homes compare keys.
    AntiEntropy,
    /// Two homes compare hash trees.
    Trees,
    Reap,
    Membership,
}

impl Talk {
    pub const ALL: [Self; 7] = [
        Self::Client,
        Self::Replica,
        Self::Forward,
        Self::AntiEntropy,
        Self::Trees,
        Self::Reap,
        Self::Membership,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Replica => "replica",
            Self::Forward => "forward",
            Self::AntiEntropy => "anti-entropy",
            Self::Trees => "trees",
            Self::Reap => "reap",
            Self::Membership => "membership",
        }
    }
}

/// One request of one client, through all its attempts.
#[derive(Debug)]
pub(crate) struct Waited {
    pub request: RequestId,
    pub client: u32,
    pub key: Key,
    pub kind: &'static str,
    pub began_ns: u64,
    pub attempts: Vec<Attempt>,
}

impl Waited {
    /// When the last attempt ended; `None` while it is under way.
    pub fn ended_ns(&self) -> Option<u64> {
        self.attempts.last()?.ended_ns
    }

    pub fn succeeded(&self) -> bool {
        self.attempts.last().is_some_and(|attempt| attempt.succeeded)
    }
}

#[derive(Debug)]
pub(crate) struct Attempt {
    pub node: u32,
    pub began_ns: u64,
    pub ended_ns: Option<u64>,
    pub succeeded: bool,
    pub outcome: String,
}

/// A fault, and how long it lasted.
#[derive(Debug)]
pub(crate) struct Band {
    pub text: String,
    pub at_ns: u64,
    /// The same for what is over at once.
    pub until_ns: u64,
    /// Counted from 1.
    pub nodes: Vec<u32>,
}

/// A node was down.
#[derive(Debug)]
pub(crate) struct Down {
    pub node: u32,
    pub from_ns: u64,
    pub until_ns: Option<u64>,
}

/// What disks held, now and then.
#[derive(Debug)]
pub(crate) struct Sample {
    pub at_ns: u64,
    /// Of each node.
    pub hints: Vec<u32>,
    /// The most versions of one key on one disk.
    pub siblings_max: u32,
}
