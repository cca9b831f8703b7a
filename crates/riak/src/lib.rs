//! Riak's wire formats to and from the core's client types. Pure: bytes and headers in, core requests out, and the
//! other way round; sockets, tasks and clocks are the driver's.
//!
//! [`content`] is what a stored value carries, whatever API wrote it; [`index`] what it is found by; [`props`] are properties of buckets, whatever API sets them; [`http`] is the HTTP API, [`pb`] the protocol-buffers
//! API. The texts and the layout follow answers recorded from Riak KV 3.2.3 (`tests/golden/`), because client libraries match on them.

pub mod content;
pub mod datatype;
pub mod estimate;
pub mod http;
pub mod index;
pub mod index_entry;
pub mod pb;
pub mod props;
pub mod vtag;
