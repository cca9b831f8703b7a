use cartwheel_core::membership::Cluster;
use prost::Message as _;

use crate::error::{DecodeError, EncodeError};
use crate::limits::CLUSTER_BYTES_MAX;
use crate::schema::cluster as schema;

/// The cluster's state as bytes: for the disk, and within a peer message.
///
/// # Errors
///
/// A state past one of the [`limits`](crate::limits): it could not be read back, nor would peers listen to it.
pub fn encode_cluster(cluster: &Cluster) -> Result<Vec<u8>, EncodeError> {
    let bytes = schema::Cluster::from(cluster).encode_to_vec();
    // Whatever is past a limit is refused by the reader; there is no second list of limits to keep in step with it.
    match decode_cluster(&bytes) {
        Ok(_) => Ok(bytes),
        Err(DecodeError::TooMany { what, max }) => Err(EncodeError { what, got: bytes.len(), max }),
        Err(_) => Err(EncodeError { what: "bytes", got: bytes.len(), max: CLUSTER_BYTES_MAX }),
    }
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
