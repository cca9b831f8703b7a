//! The museum: real bugs of Dynamo-family systems, each one named deviation at the very line that prevents it.
//!
//! A run-time value that only the simulator sets; the shipped node has no way to name one.

use core::fmt;
use core::str::FromStr;

/// One planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// A coordinator whose copy of a key is gone restarts the key's count under the same actor; peers drop the
    /// new write as already seen (basho/riak_kv#679).
    AmnesiaReusesActor,
}

impl Flaw {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::AmnesiaReusesActor];

    /// The name on the command line and in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AmnesiaReusesActor => "amnesia-reuses-actor",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No flaw has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFlaw;

impl FromStr for Flaw {
    type Err = UnknownFlaw;
    fn from_str(name: &str) -> Result<Self, UnknownFlaw> {
        Self::ALL.iter().copied().find(|flaw| flaw.name() == name).ok_or(UnknownFlaw)
    }
}
