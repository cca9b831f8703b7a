//! Bytes for the core's types: peer messages, disk records and keys, the cluster's state, the contexts that clients hand
//! back, and the inputs that the flight recorder keeps.
//!
//! Protobuf, because these bytes outlive versions: nodes of a cluster are upgraded one by one, and disks are read by
//! later releases. The rules of that evolution:
//!
//! - fields are only ever added; a reader ignores those it does not know;
//! - a *choice* that a reader does not know (a new kind of message, of result, of value) is refused with
//!   [`DecodeError::UnknownMessage`] or [`DecodeError::UnknownCode`]. In particular "it worked" is always said
//!   explicitly, so that a new kind of failure is never taken for an acknowledgement;
//! - the meaning of a field number is frozen (`tests/wire/golden.rs`).
//!
//! Nothing here trusts its input. Every length and count has a named limit in [`limits`], no bytes make a function
//! panic, and what is handed out obeys the invariants of the core's types. Values and key parts of a decoded
//! message are slices of the buffer it came in: a value that is kept keeps that buffer.

mod cluster;
mod context;
mod convert;
mod datatype;
mod error;
mod index;
mod input;
mod key;
pub mod limits;
mod message;
mod record;
mod schema;

pub use cluster::{decode_cluster, encode_cluster};
pub use context::{decode_context, encode_context};
pub use datatype::{decode_data_type, encode_data_type};
pub use error::{DecodeError, EncodeError};
pub use index::{IndexKey, decode_index_key, index_key_fits, index_prefix};
pub use input::{decode_boot, decode_config, decode_input, encode_boot, encode_config, encode_input};
pub use key::{decode_key, encode_key, key_fits};
pub use message::{decode_message, encode_message};
pub use record::{decode_record, encode_record};
