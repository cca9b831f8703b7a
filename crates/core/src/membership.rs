//! Who is there. For now membership is static and liveness is each node's own opinion.

mod liveness;

pub(crate) use liveness::{Liveness, on_probe_timer};
