//! What a node is told at its birth.

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use cartwheel_core::id::{NodeId, StoreId};
use cartwheel_core::membership::Contact;
use cartwheel_core::replica::HintTotal;
use cartwheel_core::version::Policy;
use cartwheel_core::{Boot, Config};

use super::cluster::props::{number, one_quorum};
use super::{code, of_code, required, small};
use crate::error::DecodeError;
use crate::schema::birth as schema;

/// Codes count from 1, in this order, for ever. The museum's policy is no node's.
const POLICIES: [Policy; 3] = [Policy::KeepSiblings, Policy::LastWriteWins, Policy::OneValue];

fn ns(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl From<&Config> for schema::Config {
    fn from(config: &Config) -> Self {
        let share = |(node, share)| {
            let node: &NodeId = node;
            schema::NodeShare { node: node.0, share: Some(share) }
        };
        Self {
            node: config.node.0,
            name: config.contact.name.clone(),
            address: config.contact.address.clone(),
            founders: config.founders.iter().map(|founder| founder.0).collect(),
            ring: Some((&config.ring).into()),
            shares: config.shares.iter().map(|(node, of)| share((node, of.into()))).collect(),
            n: config.n.into(),
            r: number(config.r),
            w: number(config.w),
            policy: code(&POLICIES, config.policy),
            request_timeout: ns(config.request_timeout),
            replica_timeout: ns(config.replica_timeout),
            forward_timeout: ns(config.forward_timeout),
            suspect_after: config.suspect_after,
            swim_interval: ns(config.swim_interval),
            probe_interval: ns(config.probe_interval),
            hint_interval: ns(config.hint_interval),
            hint_batch_max: config.hint_batch_max,
            hint_bytes_max: config.hint_bytes_max,
            anti_entropy_interval: ns(config.anti_entropy_interval),
            gossip_interval: ns(config.gossip_interval),
            start_wait: ns(config.start_wait),
            handoff_interval: ns(config.handoff_interval),
            handoff_batch_max: config.handoff_batch_max,
            reap_after: config.reap_after.map(ns),
            background_latency_target: config.background_latency_target.map(ns),
            background_window: ns(config.background_window),
            background_rate_min: config.background_rate_min,
            background_rate_max: config.background_rate_max,
            past_entries_max: config.past_entries_max,
            requests_max: config.requests_max,
            storage_inflight_max: config.storage_inflight_max,
            request_memory_max: config.request_memory_max,
        }
    }
}

impl TryFrom<schema::Config> for Config {
    type Error = DecodeError;
    fn try_from(config: schema::Config) -> Result<Self, DecodeError> {
        let span = Duration::from_nanos;
        let share = |shared: schema::NodeShare| {
            Ok((NodeId(shared.node), required("share.share", shared.share)?.try_into()?))
        };
        // Every field by name: one that the core adds is missed here first.
        Ok(Self {
            node: NodeId(config.node),
            contact: Contact { name: config.name, address: config.address },
            founders: config.founders.into_iter().map(NodeId).collect(),
            ring: required("config.ring", config.ring)?.try_into()?,
            shares: config.shares.into_iter().map(share).collect::<Result<_, DecodeError>>()?,
            n: small("config.n", config.n)?,
            r: one_quorum("config.r", config.r)?,
            w: one_quorum("config.w", config.w)?,
            policy: of_code("policy", &POLICIES, config.policy)?,
            request_timeout: span(config.request_timeout),
            replica_timeout: span(config.replica_timeout),
            forward_timeout: span(config.forward_timeout),
            suspect_after: config.suspect_after,
            swim_interval: span(config.swim_interval),
            probe_interval: span(config.probe_interval),
            hint_interval: span(config.hint_interval),
            hint_batch_max: config.hint_batch_max,
            hint_bytes_max: config.hint_bytes_max,
            anti_entropy_interval: span(config.anti_entropy_interval),
            gossip_interval: span(config.gossip_interval),
            start_wait: span(config.start_wait),
            handoff_interval: span(config.handoff_interval),
            handoff_batch_max: config.handoff_batch_max,
            reap_after: config.reap_after.map(span),
            background_latency_target: config.background_latency_target.map(span),
            background_window: span(config.background_window),
            background_rate_min: config.background_rate_min,
            background_rate_max: config.background_rate_max,
            past_entries_max: config.past_entries_max,
            requests_max: config.requests_max,
            storage_inflight_max: config.storage_inflight_max,
            request_memory_max: config.request_memory_max,
            flaw: None,
        })
    }
}

impl From<&Boot> for schema::Boot {
    fn from(boot: &Boot) -> Self {
        let owed = |(home, total): &(NodeId, HintTotal)| schema::HintTotal {
            home: home.0,
            keys: total.keys,
            bytes: total.bytes,
        };
        Self {
            store: boot.store.0,
            number: boot.number,
            continuous_since: boot.continuous_since,
            owed: boot.owed.iter().map(owed).collect(),
            cluster: boot.cluster.as_deref().map(Into::into),
            seed: Bytes::copy_from_slice(&boot.seed),
        }
    }
}

impl TryFrom<schema::Boot> for Boot {
    type Error = DecodeError;
    fn try_from(boot: schema::Boot) -> Result<Self, DecodeError> {
        let owed = |total: schema::HintTotal| {
            (NodeId(total.home), HintTotal { keys: total.keys, bytes: total.bytes })
        };
        let refused = |_| DecodeError::OutOfRange { field: "bytes of a seed", got: boot.seed.len() as u64 };
        Ok(Self {
            store: StoreId(boot.store),
            number: boot.number,
            continuous_since: boot.continuous_since,
            owed: boot.owed.into_iter().map(owed).collect(),
            cluster: boot.cluster.map(|cluster| cluster.try_into().map(Arc::new)).transpose()?,
            seed: boot.seed.as_ref().try_into().map_err(refused)?,
        })
    }
}
