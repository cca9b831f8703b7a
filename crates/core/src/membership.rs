//! Who is there, who owns what, and how all nodes come to agree on it (the paper's section 4.8).

mod cluster;
mod doorstep;
mod gossip;
#[cfg(test)]
mod laws;
mod liveness;
mod member;
mod members;
mod plan;
mod props;
mod register;
mod swim;
mod watch;

pub use cluster::{Cluster, ClusterDigest};
pub(crate) use doorstep::Doorstep;
pub(crate) use gossip::{Gossip, Standing, Underway, admin_reply};
pub(crate) use liveness::{Liveness, on_probe_timer};
pub use member::{Contact, LastBoot, Member, MemberStatus, Progress, Share};
pub use members::Members;
pub use plan::{Change, Departure, Plan, PlanError};
pub use props::{Bucket, PROPS_BUCKETS_MAX, PROPS_NAME_BYTES_MAX, Props, PropsError, Rules};
pub use register::Register;
pub use swim::SwimIgnored;
pub(crate) use swim::SwimTimer;
pub(crate) use watch::Watch;
