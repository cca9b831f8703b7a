//! Everything that can be wrong with a request, and what the client is told.

use http::StatusCode;

use crate::props::Trouble;

/// Why a request is not carried out. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The path names nothing.
    #[error("The requested document was not found on this server.")]
    NoSuchPage,
    /// A method that nobody knows.
    #[error("The server does not support the \"{0}\" method.")]
    UnknownMethod(String),
    /// A method that makes no sense for this path.
    #[error("method not allowed; allowed are {allow}")]
    MethodNotAllowed {
        /// Those that do.
        allow: &'static str,
    },
    /// The client accepts no form in which the answer could be given.
    #[error("not acceptable")]
    NotAcceptable,
    /// A path below a key: Riak walks links there.
    #[error(
        "Invalid link walk query submitted. Valid link walk query format is: \
         /riak/some_bucket/some_key/<bucket>,<riaktag>,0|1/..."
    )]
    LinkWalk,
    /// Names beyond the bound of what peers and disks take.
    #[error(
        "bucket type, bucket and key are too long: at most {} bytes together\n",
        cartwheel_wire::limits::KEY_BYTES_MAX
    )]
    KeyTooLong,
    /// A quorum that is neither a number nor a word.
    #[error(
        "{name} query parameter must be an integer or one of the following words: 'one', 'quorum' or 'all'\n"
    )]
    QuorumWord {
        /// The parameter.
        name: &'static str,
    },
    /// A quorum above N.
    #[error("Specified w/dw/pw/node_confirms values invalid for bucket n value of {n}\n")]
    QuorumBeyondN {
        /// N.
        n: u8,
    },
    /// A quorum of zero.
    #[error("{name}=0: a quorum must be at least 1\n")]
    QuorumZero {
        /// The parameter.
        name: &'static str,
    },
    /// An N that this cluster cannot give.
    #[error("n_val={asked}: allowed are 1..={n}\n")]
    Replicas {
        /// What was asked for.
        asked: String,
        /// The largest.
        n: u8,
    },
    /// Whose password is not looked at, because too many wait for that.
    #[error("too many passwords wait for their check; try again later\n")]
    Crowded,
    /// A timeout that is no number.
    #[error("Bad timeout value \"{0}\"\n")]
    Timeout(String),
    /// A timeout that had passed before the request came.
    #[error("request timed out\n")]
    TimedOut,
    /// A parameter that is neither true nor false.
    #[error("{name} query parameter must be true or false\n")]
    Boolean {
        /// The parameter.
        name: &'static str,
    },
    /// A parameter that promises what this server cannot do yet.
    #[error("{name}={value} is not supported yet\n")]
    Unsupported {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// A condition that this server cannot check yet.
    #[error("requests with the condition {header} are not supported yet\n")]
    Condition {
        /// The header that carries it.
        header: &'static str,
    },
    /// A write without a media type.
    #[error("Missing Content-Type request header")]
    NoContentType,
    /// A media type without a slash.
    #[error("\"{0}\" is not a valid media type for the Content-type header.\n")]
    MediaType(String),
    /// A malformed Link header.
    #[error("Invalid Link header. Links must be of the form\n</buckets/BUCKET/keys/KEY>; riaktag=\"TAG\"\n")]
    Link,
    /// An index of no known type.
    #[error("Unknown field type for field: '{0}'.\n")]
    IndexField(String),
    /// An index value that does not fit the index's type.
    #[error("Could not parse field '{field}', value '{value}'.\n")]
    IndexValue {
        /// The index.
        field: String,
        /// The value.
        value: String,
    },
    /// An index entry that nothing is long enough to keep.
    #[error("Index entry of field '{0}' is too long to be kept under this key.\n")]
    IndexTooLong(String),
    /// A question about an index that makes no sense.
    #[error("Invalid query: {0}\n")]
    IndexQuery(String),
    /// An expression that terms cannot be held against.
    #[error("{0}")]
    TermRegex(String),
    /// A parameter that is not what it should be.
    #[error("Invalid {name:?}. {value:?} is not {allowed}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        allowed: &'static str,
    },
    /// A list that is too long to be sent whole.
    #[error("the list is longer than {limit} bytes: ask for it as a stream\n")]
    ListTooLong {
        /// The bound, in bytes.
        limit: usize,
    },
    /// An X-Riak-Vclock header that this cluster did not make.
    #[error("X-Riak-Vclock header cannot be decoded: {0}\n")]
    Context(String),
    /// A malformed request id.
    #[error("X-Cartwheel-Request-Id header must be 32 hexadecimal digits\n")]
    RequestId,
    /// A body beyond the server's bound.
    #[error("body too large: body_bytes_max is {limit} bytes\n")]
    BodyTooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// A bucket type that was not created, or not activated.
    #[error("Unknown bucket type: {0}")]
    UnknownType(String),
    /// Properties that are not JSON.
    #[error("allowed is application/json")]
    NotJson,
    /// A body that is not an object of properties.
    #[error("bucket PUT must be a JSON object of the form:\n{{\"props\":{{...bucket properties...}}}}")]
    PropsForm,
    /// A property that is not what it should be, or that this server does not keep.
    #[error("{}", .0.json())]
    Property(Trouble),
    /// Beyond what the server keeps of all bodies together.
    #[error(
        "the bodies of all requests together are too large: bodies_bytes_max is {limit} bytes; try again later\n"
    )]
    BodiesTooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// Security is on, and this is not the address for it.
    #[error("Security is enabled and Riak does not accept credentials over HTTP. Try HTTPS instead.")]
    Insecure,
    /// The client has not said who it is, or has not proven it. Which of the two is nobody's business but the log's.
    #[error("Unauthorized")]
    Unauthenticated,
    /// The client may not do this; in Riak's words.
    #[error("{0}")]
    Forbidden(String),
    /// The body did not arrive in time, or not whole.
    #[error("request body did not arrive: {0}\n")]
    Body(String),
}

impl Refusal {
    /// The status that says so.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchPage | Self::UnknownType(_) => StatusCode::NOT_FOUND,
            Self::UnknownMethod(_) | Self::Condition { .. } => StatusCode::NOT_IMPLEMENTED,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TimedOut | Self::BodiesTooLarge { .. } | Self::ListTooLong { .. } | Self::Crowded => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Insecure => StatusCode::UPGRADE_REQUIRED,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::MediaType(_) | Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body(_) => StatusCode::REQUEST_TIMEOUT,
            Self::LinkWalk
            | Self::KeyTooLong
            | Self::QuorumWord { .. }
            | Self::QuorumBeyondN { .. }
            | Self::QuorumZero { .. }
            | Self::Replicas { .. }
            | Self::Timeout(_)
            | Self::Boolean { .. }
            | Self::Unsupported { .. }
            | Self::NoContentType
            | Self::Link
            | Self::IndexField(_)
            | Self::IndexValue { .. }
            | Self::IndexTooLong(_)
            | Self::IndexQuery(_)
            | Self::TermRegex(_)
            | Self::Parameter { .. }
            | Self::Context(_)
            | Self::PropsForm
            | Self::Property(_)
            | Self::RequestId => StatusCode::BAD_REQUEST,
        }
    }
}
