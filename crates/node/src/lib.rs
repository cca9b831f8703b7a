//! The production node: tokio carries out what the core decides.
//!
//! One task owns the core's `Node` (`server`); what happens comes to it through bounded channels: clients' requests
//! from the HTTP connections (`http`), messages from the incoming peer connections (`listener`), completions from
//! the store's threads. What it wants done goes out to the store, to the queues of the outgoing peer connections
//! (`peer`), and to the clients that wait. Nothing else is shared between tasks.

mod config;
mod counters;
mod frame;
mod handshake;
mod http;
mod listener;
mod peer;
mod report;
mod runtime;
mod server;
mod start;
mod stop;

pub use config::{ConfigFile, LogFormat, Member, QuorumSetting, Settings, SettingsError};
pub use counters::Counters;
pub use report::{About, HintReport, PeerReport, Report};
pub use start::{RunError, Running, StartError, start};
