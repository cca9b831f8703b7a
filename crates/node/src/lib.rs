//! The production node: tokio carries out what the core decides.
//!
//! One task owns the core's `Node` (`server`); what happens comes to it through bounded channels: clients' requests
//! from the HTTP and protocol-buffers connections (`http`, `pb`), messages from the incoming peer connections (`listener`), completions from
//! the store's threads. What it wants done goes out to the store, to the queues of the outgoing peer connections
//! (`peers`, `peer`), and to the clients that wait. Nothing else is shared between tasks, but the list of nodes that
//! the cluster knows. What the core is handed goes to the flight recorder, too (`flight`), which never holds it up.

mod cluster;
mod config;
mod contact;
mod counters;
pub mod degraded;
mod doors;
mod endpoint;
mod events;
mod flight;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod handshake;
mod http;
mod listener;
mod listing;
mod metrics;
mod pb;
mod peer;
mod peers;
mod reload;
mod report;
mod runtime;
mod sabotage;
mod security;
mod server;
mod start;
mod stop;
mod strangers;
mod tls;
mod types;

pub use cluster::{
    AdminAnswer, BalanceReport, ChangeKind, ChangeReport, ClusterReport, CommitRequest, MemberReport,
    MoveReport, PlanReport, Refused, RingReport, TransferReport,
};
pub use config::{ClientTls, ConfigFile, LogFormat, Member, PeerTls, QuorumSetting, Settings, SettingsError};
pub use counters::Counters;
pub use endpoint::Endpoint;
pub use flight::{FlightReport, FlightValues};
pub use report::{
    About, BackgroundReport, BackupReport, BackupRequest, HintReport, PartitionReport, PeerReport, Report,
};
#[doc(hidden)]
pub use sabotage::Sabotage;
pub use security::{
    Grant, GrantReport, PasswordHash, Role, RoleReport, SecurityReport, SecurityRequest, SourceReport,
    hash_password,
};
pub use start::{RunError, Running, StartError, check_files, salvage, set_aside, start};
pub use strangers::StrangersReport;
pub use tls::{CallerTls, CertificateReport, Duplex, Stream, is_provable};
pub use types::{TypeReport, TypeRequest};
