//! Everything that can be wrong with a request, and what the client is told: Riak's words, because clients match on them.

use bytes::Bytes;
use cartwheel_core::{ClientError, Invalid, QuorumKind, Unfit};

use super::erlang::binary;
use super::frame::FrameError;
use super::message::RpbErrorResp;
use crate::content::Undecodable;
use crate::index_entry::NoIndexEntry;

/// Why a request is not carried out. Its text is what the client reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A code that means nothing, or nothing here.
    #[error("Unknown message code: {0}")]
    UnknownCode(u8),
    /// A body that is not what its code says.
    #[error("Error processing incoming message: {code} is not followed by its message: {why}")]
    Undecodable {
        /// The code.
        code: u8,
        /// Why not.
        why: String,
    },
    /// What is no frame.
    #[error("Error processing incoming message: {0}")]
    Frame(#[from] FrameError),
    /// A bucket without a name.
    #[error("Bucket cannot be zero-length")]
    EmptyBucket,
    /// A key without a name.
    #[error("Key cannot be zero-length")]
    EmptyKey,
    /// A bucket type without a name.
    #[error("Type cannot be zero-length")]
    EmptyType,
    /// Names beyond the bound of what peers and disks take.
    #[error(
        "bucket type, bucket and key are too long: at most {} bytes together",
        cartwheel_wire::limits::KEY_BYTES_MAX
    )]
    KeyTooLong,
    /// A quorum above N.
    #[error("{{n_val_violation,{n}}}")]
    QuorumBeyondN {
        /// N.
        n: u8,
    },
    /// An N that this cluster cannot give.
    #[error("n_val {asked}: allowed are 1..={n}")]
    Replicas {
        /// What was asked for.
        asked: u32,
        /// The largest.
        n: u8,
    },
    /// A timeout that had passed before the request came.
    #[error("timeout")]
    TimedOut,
    /// A vclock that this cluster did not make.
    #[error("Error processing incoming message: vclock cannot be decoded: {0}")]
    Vclock(String),
    /// A request's name that is none.
    #[error("request_id: {bytes} bytes; allowed are 16")]
    RequestId {
        /// How long it is.
        bytes: usize,
    },
    /// What is no index entry.
    #[error("{}", precommit(.0))]
    IndexEntry(#[from] NoIndexEntry),
    /// A data type in buckets of a type that there is not.
    #[error("Error no bucket type `{}`", binary(.0))]
    NoDataTypeOf(Vec<u8>),
    /// A data type in buckets of a type that has none.
    #[error("`undefined` is not a supported type")]
    NoDataType,
    /// An operation of another data type; with Riak's two blanks.
    #[error("Operation type is `{asked}` but  bucket type is `{kind}`.")]
    OtherDataType {
        /// The operation's.
        asked: &'static str,
        /// The bucket's.
        kind: &'static str,
    },
    /// A counter of the old kind, in a bucket that does not keep siblings.
    #[error("\"Counters require bucket property 'allow_mult=true'\"")]
    CountersNeedSiblings,
    /// An index entry that nothing is long enough to keep.
    #[error("index entry of {0} is too long to be kept under this key")]
    IndexTooLong(String),
    /// What this server does not do.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// A value beyond the server's bound.
    #[error("value too large: body_bytes_max is {limit} bytes")]
    ValueTooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// Beyond what the server keeps of all requests together.
    #[error(
        "the requests under way are too large together: bodies_bytes_max is {limit} bytes; try again later"
    )]
    Overloaded {
        /// The bound, in bytes.
        limit: usize,
    },
    /// The core refused or failed.
    #[error("{}", failed(.0))]
    Failed(#[from] ClientError),
    /// Something is stored that this software cannot read.
    #[error("{0}")]
    Stored(#[from] Undecodable),
    /// TLS must come first.
    #[error("Security is enabled, please STARTTLS first")]
    Insecure,
    /// TLS has nothing to do here.
    #[error("Security not enabled; STARTTLS not allowed.")]
    NoSecurity,
    /// The client has not said who it is.
    #[error("Security is enabled, please authenticate first")]
    Unauthenticated,
    /// It has, and has not proven it. Which of its claims was wrong is nobody's business but the log's.
    #[error("Authentication failed")]
    AuthenticationFailed,
    /// Its password was not looked at, because too many wait for that.
    #[error("too many passwords wait for their check; try again later")]
    Crowded,
    /// A request came while a stream of answers was under way.
    #[error("Cannot send another request while one is in progress")]
    Busy,
    /// Whatever else, in the words that the client is to read.
    #[error("{0}")]
    Other(String),
}

impl Refusal {
    /// The message that says so.
    pub fn message(&self) -> RpbErrorResp {
        RpbErrorResp { errmsg: Bytes::from(self.to_string()), errcode: 0 }
    }

    /// Whether the server hangs up after it has said so, as Riak does after what makes it crash.
    pub fn closes(&self) -> bool {
        matches!(
            self,
            Self::Undecodable { .. }
                | Self::Frame(_)
                | Self::Vclock(_)
                | Self::Overloaded { .. }
                | Self::Busy
                | Self::Crowded
        )
    }
}

fn precommit(entry: &NoIndexEntry) -> String {
    let why = match entry {
        NoIndexEntry::Field(field) => format!("{{unknown_field_type,{}}}", binary(field)),
        NoIndexEntry::Value { field, value } => {
            format!("{{field_parsing_failed,{{{},{}}}}}", binary(field), binary(value))
        }
    };
    format!("{{precommit_fail,[{why}]}}")
}

fn failed(error: &ClientError) -> String {
    match error {
        ClientError::Invalid(Invalid::Quorum { asked, n }) if asked > n => {
            Refusal::QuorumBeyondN { n: *n }.to_string()
        }
        ClientError::Timeout { .. } => "timeout".to_owned(),
        ClientError::QuorumUnmet { quorum, needed, got } => {
            // Every copy that is acknowledged is a durable one, and DW is the quorum of writes that Riak misses by name.
            let name = match quorum {
                QuorumKind::R => "r",
                QuorumKind::Pr => "pr",
                QuorumKind::W => "dw",
                QuorumKind::Pw => "pw",
            };
            format!("{{{name}_val_unsatisfied,{needed},{got}}}")
        }
        ClientError::Unfit(Unfit::Found) => "match_found".to_owned(),
        ClientError::Unfit(Unfit::NotFound) => "notfound".to_owned(),
        ClientError::Unfit(Unfit::Modified) => "modified".to_owned(),
        ClientError::Overloaded { .. } => "overload".to_owned(),
        ClientError::NoType => "no_type".to_owned(),
        ClientError::Refused(refusal) => crate::datatype::refused(refusal),
        ClientError::Invalid(Invalid::OneValue) => Refusal::CountersNeedSiblings.to_string(),
        ClientError::Invalid(_) | ClientError::NotAMember | ClientError::StorageFailed => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(error: ClientError) -> String {
        Refusal::from(error).to_string()
    }

    #[test]
    fn failures_are_terms_with_their_numbers() {
        let unmet = |quorum| said(ClientError::QuorumUnmet { quorum, needed: 2, got: 1 });
        let kinds = [QuorumKind::R, QuorumKind::Pr, QuorumKind::W, QuorumKind::Pw];
        assert_eq!(
            kinds.map(unmet),
            [
                "{r_val_unsatisfied,2,1}",
                "{pr_val_unsatisfied,2,1}",
                "{dw_val_unsatisfied,2,1}",
                "{pw_val_unsatisfied,2,1}",
            ]
        );
        assert_eq!(said(ClientError::Invalid(Invalid::Quorum { asked: 5, n: 3 })), "{n_val_violation,3}");
        assert_eq!(said(ClientError::Timeout { needed: 2, got: 1 }), "timeout");
    }

    #[test]
    fn an_index_entry_fails_as_a_hook_would() {
        let bad = NoIndexEntry::Field(b"bad".to_vec());
        assert_eq!(Refusal::from(bad).to_string(), "{precommit_fail,[{unknown_field_type,<<\"bad\">>}]}");
    }

    #[test]
    fn only_what_cannot_be_understood_ends_a_connection() {
        assert!(Refusal::Frame(FrameError::Empty).closes());
        assert!(Refusal::Vclock("short".to_owned()).closes());
        assert!(Refusal::Busy.closes());
        assert!(!Refusal::UnknownCode(99).closes());
        assert!(!Refusal::AuthenticationFailed.closes());
    }
}
