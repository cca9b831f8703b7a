//! The cluster's state as this node knew it last: a file of its own, replaced as a whole like the
//! [state files](crate::state_file), so that after a crash it is the old one or the new one.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 1 |
//! | 4 | crc32c of the format byte and the payload, little-endian |
//! | rest | payload: the state in protobuf ([`cartwheel_wire::encode_cluster`]) |
//!
//! A node whose file is damaged starts like one on a new disk: it asks the others before it takes part. So damage is
//! told and passed over; it must not keep the node from starting.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cartwheel_core::membership::Cluster;
use cartwheel_wire::{decode_cluster, encode_cluster};

use crate::error::OpenError;
use crate::state_file::{replace, sync_directory};

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 5;

fn path(dir: &Path) -> PathBuf {
    dir.join("cluster")
}

/// The state kept in the data directory `dir`; `None` if there is none, or only a damaged one.
pub fn read(dir: &Path) -> Result<Option<Cluster>, OpenError> {
    let path = path(dir);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::io("read", path)(error)),
    };
    match bytes.first() {
        Some(&found) if found > FORMAT => {
            Err(OpenError::NewerFormat { path, found: found.into(), known: FORMAT.into() })
        }
        _ => Ok(parse(&bytes)
            .inspect_err(|reason| {
                let path = path.display();
                tracing::error!(%path, reason, "the cluster's state is damaged; the node asks the others for it");
            })
            .ok()),
    }
}

fn parse(bytes: &[u8]) -> Result<Cluster, String> {
    let (header, payload) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or("it is cut short")?;
    let [format, crc @ ..] = *header;
    if format != FORMAT || u32::from_le_bytes(crc) != checksum(payload) {
        return Err("it fails its checksum".into());
    }
    decode_cluster(payload).map_err(|error| error.to_string())
}

/// Replaces the state in `dir`, durably.
pub fn write(dir: &Path, cluster: &Cluster) -> io::Result<()> {
    let payload = encode_cluster(cluster).map_err(io::Error::other)?;
    let bytes = [&[FORMAT][..], &checksum(&payload).to_le_bytes(), &payload].concat();
    replace(&path(dir), &bytes)
}

/// Removes the state from `dir`, durably: what is here is no longer the store that kept it.
pub fn remove(dir: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path(dir)) {
        Ok(()) => sync_directory(dir).map_err(OpenError::io("sync", dir)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(OpenError::io("remove", path(dir))(error)),
    }
}

fn checksum(payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&[FORMAT]), payload)
}
