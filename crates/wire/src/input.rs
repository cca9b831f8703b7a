//! What happens to a node, and what it is told at its birth: for the flight recorder. Unlike a peer's messages these bytes
//! come from a disk of our own, behind a checksum; they are refused when they make no sense, but lists are not limited.

use bytes::Bytes;
use cartwheel_core::{Boot, Config, Input};
use prost::Message as _;

use crate::error::DecodeError;
use crate::schema::{birth, input};

/// An input as bytes.
pub fn encode_input(input: &Input) -> Vec<u8> {
    input::Input::from(input).encode_to_vec()
}

/// The input in `bytes`. Its values are slices of `bytes`.
///
/// # Errors
///
/// Whatever is wrong with it, as [`DecodeError`] says.
pub fn decode_input(bytes: Bytes) -> Result<Input, DecodeError> {
    input::Input::decode(bytes)?.try_into()
}

/// A node's settings as bytes, but for the museum's [`flaw`](Config::flaw), which is no real node's.
pub fn encode_config(config: &Config) -> Vec<u8> {
    birth::Config::from(config).encode_to_vec()
}

/// The settings in `bytes`.
///
/// # Errors
///
/// Whatever is wrong with them, as [`DecodeError`] says.
pub fn decode_config(bytes: Bytes) -> Result<Config, DecodeError> {
    birth::Config::decode(bytes)?.try_into()
}

/// What a driver knew of a start, as bytes.
pub fn encode_boot(boot: &Boot) -> Vec<u8> {
    birth::Boot::from(boot).encode_to_vec()
}

/// What a driver knew of a start, of `bytes`.
///
/// # Errors
///
/// Whatever is wrong with it, as [`DecodeError`] says.
pub fn decode_boot(bytes: Bytes) -> Result<Boot, DecodeError> {
    birth::Boot::decode(bytes)?.try_into()
}
