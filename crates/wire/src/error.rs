use cartwheel_core::version::Dot;
use thiserror::Error;

/// Why bytes were refused. Nothing was decoded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Not protobuf, or a known field of the wrong type.
    #[error("malformed: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// A named limit was passed.
    #[error("too many {what}: the limit is {max}")]
    TooMany {
        /// What there was too much of, with its unit.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A field that every version of the format writes is not there.
    #[error("{field} is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A choice that this version does not know, or none at all: the sender is newer.
    #[error("unknown or empty choice of {choice}")]
    UnknownMessage {
        /// The choice.
        choice: &'static str,
    },
    /// A code that this version does not know: the sender is newer.
    #[error("unknown {what} {code}")]
    UnknownCode {
        /// What the code stands for.
        what: &'static str,
        /// The code.
        code: u32,
    },
    /// A number that its type cannot hold.
    #[error("{field} is out of range: {got}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// The number.
        got: u64,
    },
    /// Counts begin at 1.
    #[error("a dot with counter 0")]
    ZeroCounter,
    /// A version whose writer claims to have seen it.
    #[error("the version {0} is in its own past")]
    OwnPast(Dot),
    /// A disk key that [`encode_key`](crate::encode_key) never writes.
    #[error("a malformed key: {0}")]
    Key(&'static str),
    /// A disk key under a token that its parts do not hash to.
    #[error("a key under token {stored:016x} that hashes to {expected:016x}")]
    Token {
        /// The token found.
        stored: u64,
        /// The token of the key's parts.
        expected: u64,
    },
    /// A context of another format.
    #[error("a context of format {found}; known is {known}")]
    ContextFormat {
        /// The format found.
        found: u8,
        /// The format known.
        known: u8,
    },
    /// A context that was cut short.
    #[error("a context of {len} bytes is cut short")]
    ContextShort {
        /// Its length in bytes.
        len: usize,
    },
    /// A context that was changed on the way.
    #[error("a context that fails its checksum")]
    ContextChecksum,
}

/// Why a record was not encoded: it could not be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too many {what}: {got}, the limit is {max}")]
pub struct EncodeError {
    /// What there is too much of, with its unit.
    pub what: &'static str,
    /// How much there is.
    pub got: usize,
    /// The limit.
    pub max: usize,
}
