//! What clients do: which kind of visits, to which keys, how often.

mod file;

use serde::{Deserialize, Serialize};

use super::units::Probability;
use crate::latency::Latency;

/// Most clients, and most keys.
const COUNT_MAX: u32 = 1_000_000;

/// The clients of a scenario, whatever they do. A file says it in a section of their kind, such as `[workload.cart]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "file::File", into = "file::File")]
pub struct WorkloadSpec {
    /// What a visit does.
    pub kind: KindSpec,
    /// How many, each with one request at a time.
    pub clients: u32,
    /// How many keys they share.
    pub keys: u32,
    /// In how many buckets those are, in turn.
    pub buckets: u32,
    /// When clients make their visits.
    pub arrivals: ArrivalSpec,
    /// Which keys they go to; where a file does not say it, what is usual for the kind.
    pub popularity: Option<PopularitySpec>,
    /// A visit deletes the key with the context that it read.
    pub delete: Probability,
    /// A request accepts no stand-ins (`sloppy` off).
    pub strict: Probability,
    /// A request demands a majority of homes (`pr`, `pw`), and a get does not take "not found" for an answer.
    pub primary: Probability,
    /// A request that fails is tried again so often, each time at the next node, with the same request id.
    pub retries: u32,
    /// A client crashes in the middle of a request, and repeats it, with the same id, when it is back.
    pub crash: Probability,
    /// How long it is away.
    pub restart_after: Latency,
}

/// What a visit does.
#[derive(Clone, Debug, PartialEq)]
pub enum KindSpec {
    /// Shopping carts (the paper's section 4.4): read the cart, reconcile its versions by union, add or remove an
    /// item, write it back with the context.
    Cart {
        /// A visit removes an item instead of adding one.
        remove: Probability,
        /// A visit adds an item without having read the cart (one click in a shop window): its write is concurrent
        /// with everything.
        blind: Probability,
    },
    /// Registers: each put writes a value of its own, and has read nothing.
    Registers {
        /// A visit reads instead.
        read: Probability,
    },
    /// Counters: read, take the union of the increments that the versions hold, add one, write back with the context.
    Counters {
        /// A visit only reads.
        read: Probability,
    },
    /// Data types: each visit changes one, blindly, by a request that counts once however often it is tried; or reads it
    /// and removes something with the context.
    DataTypes {
        /// Which.
        of: TypeSpec,
        /// A visit only reads.
        read: Probability,
        /// A visit reads, and removes something of that.
        remove: Probability,
    },
    /// The core workloads of YCSB.
    Ycsb {
        /// Which one.
        mix: Mix,
        /// A scan reads up to so many keys.
        scan_max: u32,
    },
}

/// Data types that a workload changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeSpec {
    /// Counters that go up.
    Counter,
    /// Sets of few elements.
    Set,
    /// Maps of a counter, a set, a register and a map with a set.
    Map,
}

/// The core workloads of YCSB, by their letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mix {
    /// Half reads, half updates.
    A,
    /// 95 % reads, 5 % updates.
    B,
    /// Reads only.
    C,
    /// 95 % reads of what is new, 5 % inserts.
    D,
    /// 95 % scans, 5 % inserts. There are no scans here: one is that many gets of keys in a row.
    E,
    /// Half reads, half read-modify-writes.
    F,
}

/// When clients make their visits.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrivalSpec {
    /// Each thinks after each visit.
    Closed {
        /// For how long.
        think: Latency,
    },
    /// Visits come as they come, whether or not those before are over.
    Open {
        /// So many a second, of all clients together.
        rate: f64,
    },
}

/// Which keys are asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PopularitySpec {
    /// All alike.
    Uniform,
    /// The i-th most popular key is 1 / i^theta as popular as the first. The seed says which keys those are.
    Zipfian {
        /// 0: all alike; YCSB's 0.99.
        #[serde(default = "PopularitySpec::default_theta")]
        theta: f64,
    },
    /// A few keys get most of the visits, the others the rest.
    Hotspot {
        /// This part of the keys, the first ones.
        keys: Probability,
        /// This part of the visits.
        operations: Probability,
    },
    /// As `zipfian`, by age: the key that was inserted last comes first.
    Latest {
        /// As of `zipfian`.
        #[serde(default = "PopularitySpec::default_theta")]
        theta: f64,
    },
}

impl PopularitySpec {
    fn default_theta() -> f64 {
        0.99
    }

    fn problem(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Zipfian { theta } if !(0.0..=10.0).contains(theta) => {
                Some(("zipfian.theta", format!("{theta}; allowed: 0 to 10")))
            }
            Self::Latest { theta } if !(0.0..=10.0).contains(theta) => {
                Some(("latest.theta", format!("{theta}; allowed: 0 to 10")))
            }
            Self::Hotspot { keys, .. } if keys.value() <= 0.0 => {
                Some(("hotspot.keys", "0; allowed: above 0, up to 1".into()))
            }
            _ => None,
        }
    }
}

impl KindSpec {
    /// Its name in files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cart { .. } => "cart",
            Self::Registers { .. } => "registers",
            Self::Counters { .. } => "counters",
            Self::DataTypes { .. } => "data_types",
            Self::Ycsb { .. } => "ycsb",
        }
    }

    /// What its keys are called in files.
    pub fn keys_name(&self) -> &'static str {
        if let Self::Cart { .. } = self { "carts" } else { "keys" }
    }

    /// The name of its bucket `number`.
    pub fn bucket(&self, number: u32) -> String {
        let name = match self {
            Self::Cart { .. } => "carts",
            Self::Registers { .. } => "registers",
            Self::Counters { .. } => "counters",
            Self::DataTypes { .. } => "types",
            Self::Ycsb { .. } => "records",
        };
        if number == 0 { name.to_owned() } else { format!("{name}-{number}") }
    }

    /// What one key is called.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Cart { .. } => "cart",
            Self::Registers { .. } => "register",
            Self::Counters { .. } => "counter",
            Self::DataTypes { .. } => "value",
            Self::Ycsb { .. } => "record",
        }
    }

    fn usual_popularity(&self) -> PopularitySpec {
        let theta = PopularitySpec::default_theta();
        match self {
            Self::Ycsb { mix: Mix::D, .. } => PopularitySpec::Latest { theta },
            Self::Ycsb { .. } => PopularitySpec::Zipfian { theta },
            _ => PopularitySpec::Uniform,
        }
    }
}

impl WorkloadSpec {
    /// How popular which keys are.
    pub fn popularity(&self) -> PopularitySpec {
        self.popularity.clone().unwrap_or_else(|| self.kind.usual_popularity())
    }

    /// What is wrong with it: the key, and what is allowed.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let section = format!("workload.{}", self.kind.name());
        let wrong = |key: &str, message: String| Err((format!("{section}.{key}"), message));
        let named = self.kind.keys_name();
        for (key, value) in [("clients", self.clients), (named, self.keys)] {
            if !(1..=COUNT_MAX).contains(&value) {
                return wrong(key, format!("{value}; allowed: 1 to {COUNT_MAX}"));
            }
        }
        if !(1..=self.keys).contains(&self.buckets) {
            let message = format!("{}; allowed: 1 to {} ({section}.{named})", self.buckets, self.keys);
            return wrong("buckets", message);
        }
        match &self.arrivals {
            ArrivalSpec::Closed { think } => {
                if let Some((key, message)) = think.problem() {
                    return wrong(&format!("think.{key}"), message);
                }
            }
            ArrivalSpec::Open { rate } if !(0.001..=1e6).contains(rate) => {
                return wrong("rate", format!("{rate}; allowed: 0.001 to 1000000 visits a second"));
            }
            ArrivalSpec::Open { .. } => {}
        }
        if let Some((key, message)) = self.restart_after.problem() {
            return wrong(&format!("restart_after.{key}"), message);
        }
        if let Some((key, message)) = self.popularity.as_ref().and_then(PopularitySpec::problem) {
            return wrong(&format!("popularity.{key}"), message);
        }
        match self.kind {
            KindSpec::DataTypes { .. } if self.delete.value() > 0.0 => {
                wrong("delete", format!("{}; allowed: 0, of data types", self.delete.value()))
            }
            KindSpec::Ycsb { scan_max: 0, .. } => wrong("scan_max", "0; allowed: 1 or more".into()),
            _ => Ok(()),
        }
    }
}
