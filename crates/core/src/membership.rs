//! Who is there, who owns what, and how all nodes come to agree on it (the paper's section 4.8).

mod cluster;
mod doorstep;
mod gossip;
#[cfg(test)]
mod laws;
mod liveness;
mod member;
mod members;
mod metadata;
mod others;
mod plan;
mod props;
mod register;
mod swim;
mod types;
mod watch;

pub use cluster::{Cluster, ClusterDigest};
pub(crate) use doorstep::Doorstep;
pub(crate) use gossip::{Gossip, Standing, Underway, admin_reply};
pub(crate) use liveness::{Liveness, on_probe_timer};
pub use member::{Contact, LastBoot, Member, MemberStatus, Progress, Share};
pub use members::Members;
pub use metadata::{
    METADATA_BYTES_MAX, METADATA_ENTRIES_MAX, METADATA_NAME_BYTES_MAX, Metadata, MetadataError, Opaque,
};
pub use others::{OTHER_NAME_BYTES_MAX, OTHERS_BYTES_MAX, OTHERS_BYTES_OF_ALL_MAX, OTHERS_MAX, Others};
pub use plan::{Change, Departure, Plan, PlanError};
pub use props::{
    Bucket, HLL_PRECISION_DEFAULT, HLL_PRECISIONS, PROPS_BUCKETS_MAX, PROPS_NAME_BYTES_MAX, Props,
    PropsError, Rules,
};
pub use register::Register;
pub use swim::SwimIgnored;
pub(crate) use swim::SwimTimer;
pub use types::{BucketType, Datatype, TYPES_MAX, TypeError};
pub(crate) use watch::Watch;
