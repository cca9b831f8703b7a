//! What the byte before a message says it is.

/// Something went wrong.
pub const ERROR_RESP: u8 = 0;
/// Are you there? No body.
pub const PING_REQ: u8 = 1;
/// Yes. No body.
pub const PING_RESP: u8 = 2;
/// Which id have I? No body.
pub const GET_CLIENT_ID_REQ: u8 = 3;
/// That one.
pub const GET_CLIENT_ID_RESP: u8 = 4;
/// My id is this.
pub const SET_CLIENT_ID_REQ: u8 = 5;
/// It is. No body.
pub const SET_CLIENT_ID_RESP: u8 = 6;
/// Who are you? No body.
pub const GET_SERVER_INFO_REQ: u8 = 7;
/// Node and version.
pub const GET_SERVER_INFO_RESP: u8 = 8;
/// Read a key.
pub const GET_REQ: u8 = 9;
/// What is there.
pub const GET_RESP: u8 = 10;
/// Write a key.
pub const PUT_REQ: u8 = 11;
/// It is written.
pub const PUT_RESP: u8 = 12;
/// Delete a key.
pub const DEL_REQ: u8 = 13;
/// It is deleted. No body.
pub const DEL_RESP: u8 = 14;
/// Which buckets are there?
pub const LIST_BUCKETS_REQ: u8 = 15;
/// Some of them.
pub const LIST_BUCKETS_RESP: u8 = 16;
/// Which keys are in a bucket?
pub const LIST_KEYS_REQ: u8 = 17;
/// Some of them.
pub const LIST_KEYS_RESP: u8 = 18;
/// Which properties has a bucket?
pub const GET_BUCKET_REQ: u8 = 19;
/// Those of a bucket, or of a bucket type.
pub const GET_BUCKET_RESP: u8 = 20;
/// Set properties of a bucket.
pub const SET_BUCKET_REQ: u8 = 21;
/// They are set; of a bucket type, too. No body.
pub const SET_BUCKET_RESP: u8 = 22;
/// Run map and reduce phases.
pub const MAP_RED_REQ: u8 = 23;
/// Some of what they give.
pub const MAP_RED_RESP: u8 = 24;
/// Which keys have an index entry?
pub const INDEX_REQ: u8 = 25;
/// Some of them.
pub const INDEX_RESP: u8 = 26;
/// Search.
pub const SEARCH_QUERY_REQ: u8 = 27;
/// Give a bucket the defaults again.
pub const RESET_BUCKET_REQ: u8 = 29;
/// It has them. No body.
pub const RESET_BUCKET_RESP: u8 = 30;
/// Which properties has a bucket type?
pub const GET_BUCKET_TYPE_REQ: u8 = 31;
/// Set properties of a bucket type.
pub const SET_BUCKET_TYPE_REQ: u8 = 32;
/// Which nodes keep a key?
pub const GET_BUCKET_KEY_PREFLIST_REQ: u8 = 33;
/// Those.
pub const GET_BUCKET_KEY_PREFLIST_RESP: u8 = 34;
/// Some of what an index query that wants objects finds.
pub const INDEX_BODY_RESP: u8 = 42;
/// Change a counter of the old kind.
pub const COUNTER_UPDATE_REQ: u8 = 50;
/// It is changed.
pub const COUNTER_UPDATE_RESP: u8 = 51;
/// Read a counter of the old kind.
pub const COUNTER_GET_REQ: u8 = 52;
/// Its value.
pub const COUNTER_GET_RESP: u8 = 53;
/// How can a query over everything be split?
pub const COVERAGE_REQ: u8 = 70;
/// Like that.
pub const COVERAGE_RESP: u8 = 71;
/// Read a data type.
pub const DT_FETCH_REQ: u8 = 80;
/// Its value.
pub const DT_FETCH_RESP: u8 = 81;
/// Change a data type.
pub const DT_UPDATE_REQ: u8 = 82;
/// It is changed.
pub const DT_UPDATE_RESP: u8 = 83;
/// This is who I am.
pub const AUTH_REQ: u8 = 253;
/// Welcome. No body.
pub const AUTH_RESP: u8 = 254;
/// Let us go on with TLS. No body, both ways.
pub const START_TLS: u8 = 255;
