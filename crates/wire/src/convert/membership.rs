use std::sync::Arc;

use cartwheel_core::membership::ClusterDigest;
use cartwheel_core::message::MembershipMessage;
use prost::Message as _;

use super::{chosen, halves, whole};
use crate::cluster::decode_cluster;
use crate::error::DecodeError;
use crate::schema::cluster::Cluster;
use crate::schema::message::{self as schema, MembershipBody as Body};

impl From<&MembershipMessage> for schema::Membership {
    fn from(message: &MembershipMessage) -> Self {
        let body = match message {
            MembershipMessage::Digest { digest, ready } => {
                let (high, low) = halves(digest.0);
                Body::Digest(schema::ClusterDigest { high, low, ready: *ready })
            }
            MembershipMessage::State { cluster, ready } => {
                let cluster = Cluster::from(&**cluster).encode_to_vec().into();
                Body::State(schema::State { cluster, ready: *ready })
            }
        };
        Self { body: Some(body) }
    }
}

impl TryFrom<schema::Membership> for MembershipMessage {
    type Error = DecodeError;
    fn try_from(message: schema::Membership) -> Result<Self, DecodeError> {
        Ok(match chosen("membership.body", message.body)? {
            Body::Digest(schema::ClusterDigest { high, low, ready }) => {
                Self::Digest { digest: ClusterDigest(whole(high, low)), ready }
            }
            Body::State(state) => {
                let cluster = Arc::new(decode_cluster(&state.cluster)?);
                Self::State { cluster, ready: state.ready }
            }
        })
    }
}
