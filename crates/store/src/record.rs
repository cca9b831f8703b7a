//! What a record looks like on disk:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 1 |
//! | 4 | crc32c of the format byte, the disk key and the payload, little-endian |
//! | rest | payload: the record in protobuf ([`cartwheel_wire::encode_record`]) |
//!
//! The key is part of the checksum, so that a record under the wrong key is found out as well.

use bytes::Bytes;
use cartwheel_core::replica::Record;
use cartwheel_wire::{DecodeError, EncodeError, decode_record, encode_record};
use thiserror::Error;

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 5;

/// What is wrong with a stored record.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum Damage {
    #[error("it is cut short: {0} bytes")]
    Short(usize),
    #[error("it has format {0}; known is {FORMAT}")]
    Format(u8),
    #[error("it fails its checksum")]
    Checksum,
    #[error("its checksum is right, its content is not: {0}")]
    Content(#[from] DecodeError),
}

/// `record` as it is stored under `disk_key`.
pub fn seal(disk_key: &[u8], record: &Record) -> Result<Vec<u8>, EncodeError> {
    let payload = encode_record(record)?;
    let mut sealed = Vec::with_capacity(HEADER_BYTES + payload.len());
    sealed.push(FORMAT);
    sealed.extend_from_slice(&checksum(disk_key, &payload).to_le_bytes());
    sealed.extend_from_slice(&payload);
    Ok(sealed)
}

/// The record that is stored under `disk_key` as `sealed`.
pub fn unseal(disk_key: &[u8], sealed: &[u8]) -> Result<Record, Damage> {
    let (header, payload) = sealed.split_first_chunk::<HEADER_BYTES>().ok_or(Damage::Short(sealed.len()))?;
    let [format, crc @ ..] = *header;
    if format != FORMAT {
        return Err(Damage::Format(format));
    }
    if u32::from_le_bytes(crc) != checksum(disk_key, payload) {
        return Err(Damage::Checksum);
    }
    Ok(decode_record(Bytes::copy_from_slice(payload))?)
}

fn checksum(disk_key: &[u8], payload: &[u8]) -> u32 {
    let header = crc32c::crc32c_append(crc32c::crc32c(&[FORMAT]), disk_key);
    crc32c::crc32c_append(header, payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_frozen() {
        let record = Record::default();
        let sealed = seal(b"k", &record).expect("small");
        assert_eq!(sealed, GOLDEN);
        assert_eq!(unseal(b"k", &sealed), Ok(record));
    }

    const GOLDEN: [u8; 7] = [1, 0x52, 0x97, 0x2d, 0xdb, 0x0a, 0];

    #[test]
    fn every_changed_bit_is_found() {
        let sealed = seal(b"k", &Record::default()).expect("small");
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(b"k", &flipped).is_err(), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(unseal(b"k", &sealed[..len]).is_err(), "cut to {len} bytes");
        }
        assert_eq!(unseal(b"l", &sealed), Err(Damage::Checksum));
    }
}
