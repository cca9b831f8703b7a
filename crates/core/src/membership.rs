//! Who is there. For now membership is static and liveness is each node's own opinion.

mod liveness;
#[cfg_attr(not(test), expect(dead_code, reason = "wired with gossip"))]
mod swim;

pub(crate) use liveness::{Liveness, on_probe_timer};
