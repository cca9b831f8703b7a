use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// One logical write of one client, unique in its history. Retries keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WriteId(pub u64);

impl fmt::Display for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "w{}", self.0)
    }
}

/// What a client was told of its write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Success: it must never be lost.
    Acked,
    /// It was certainly not done.
    Refused,
    /// A timeout, a broken connection, an unmet quorum: it may or may not survive.
    Unknown,
}

/// One write as its client knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The write.
    pub id: WriteId,
    /// Who wrote.
    pub client: u32,
    /// The key, as text.
    pub key: String,
    /// The versions that the client had been shown and wrote over: its context, as ground truth.
    pub seen: BTreeSet<WriteId>,
    /// Whether it deleted the key: its version may vanish again, once nothing that it superseded is left anywhere.
    #[serde(default)]
    pub deletes: bool,
    /// What it did, for people: `adds item 17`.
    pub what: String,
    /// What it was told.
    pub outcome: Outcome,
    /// When it was told, in nanoseconds since the start of the history.
    pub ended_ns: u64,
    /// The nodes whose acknowledgements met the quorum, where they are known.
    pub acked_by: Vec<String>,
}

/// All writes of a run, and how many of all requests succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    writes: BTreeMap<WriteId, Operation>,
}

impl History {
    /// Adds a finished write. Panics if its id was recorded before: ground truth names each write once.
    pub fn record(&mut self, operation: Operation) {
        let id = operation.id;
        let before = self.writes.insert(id, operation);
        assert!(before.is_none(), "{id} was recorded twice");
    }

    /// The write `id`, if it finished.
    pub fn write(&self, id: WriteId) -> Option<&Operation> {
        self.writes.get(&id)
    }

    /// All writes, in the order of their ids.
    pub fn writes(&self) -> impl Iterator<Item = &Operation> {
        self.writes.values()
    }

    /// The acknowledged ones.
    pub fn acked(&self) -> impl Iterator<Item = &Operation> {
        self.writes().filter(|write| write.outcome == Outcome::Acked)
    }
}

/// The versions of one key that one replica shows at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The replica.
    pub node: String,
    /// The writes whose versions it holds.
    pub versions: BTreeSet<WriteId>,
}

/// What all replicas of each key show at the end, after faults have ceased and the cluster had time to converge.
pub type Copies = BTreeMap<String, Vec<Copy>>;
