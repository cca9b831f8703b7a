use cartwheel_core::membership::Cluster;
use prost::Message as _;

use crate::error::DecodeError;
use crate::limits::CLUSTER_BYTES_MAX;
use crate::schema::cluster as schema;

/// The cluster's state as bytes: for the disk, and within a peer message.
///
/// # Errors
///
/// What is wrong with a state past one of the [`limits`](crate::limits): it could not be read back, nor would peers
/// listen to it.
pub fn encode_cluster(cluster: &Cluster) -> Result<Vec<u8>, DecodeError> {
    let bytes = schema::Cluster::from(cluster).encode_to_vec();
    // The reader knows the limits; there is no second list of them to keep in step.
    decode_cluster(&bytes).map(|_| bytes)
}

/// The cluster's state in `bytes`.
///
/// # Errors
///
/// Whatever is wrong with it, as [`DecodeError`] says.
pub fn decode_cluster(bytes: &[u8]) -> Result<Cluster, DecodeError> {
    if bytes.len() > CLUSTER_BYTES_MAX {
        return Err(DecodeError::TooMany { what: "bytes of a cluster state", max: CLUSTER_BYTES_MAX });
    }
    schema::Cluster::decode(bytes)?.try_into()
}
