//! Planted bugs of the driver, each one named deviation at the very line that prevents it: what the suite under madsim must
//! find to be worth anything.
//!
//! A run-time value that only tests set, as the core's `Flaw` is: the shipped node has no way to name one.

use std::fmt;
use std::str::FromStr;

/// One planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sabotage {
    /// A message that goes to a peer alone, not in a batch, is written and not flushed: it leaves with the next batch.
    LoneFrameUnflushed,
    /// A peer that refuses a connection is not called again.
    RefusedPeerForgotten,
    /// When a connection to a peer is made anew, calls are numbered from the oldest that runs: answers go to whoever
    /// has its number now.
    CallsRenumbered,
    /// What is owed to other nodes is not looked for at a start.
    HintScanSkipped,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::LoneFrameUnflushed, Self::RefusedPeerForgotten, Self::CallsRenumbered, Self::HintScanSkipped];

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoneFrameUnflushed => "lone-frame-unflushed",
            Self::RefusedPeerForgotten => "refused-peer-forgotten",
            Self::CallsRenumbered => "calls-renumbered",
            Self::HintScanSkipped => "hint-scan-skipped",
        }
    }
}

impl fmt::Display for Sabotage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Sabotage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|sabotage| sabotage.name() == text);
        found.ok_or_else(|| format!("{text:?} is not a planted bug; allowed: {names}"))
    }
}
