//! A cluster as the Riak node was set up whose answers were recorded (`crates/riak/tests/golden`).

use crate::cluster::Cluster;
use crate::http::send;

/// Its bucket types, and their properties.
const TYPES: [(&str, &str); 7] = [
    ("plain", ""),
    ("counters", "\"datatype\":\"counter\""),
    ("sets", "\"datatype\":\"set\""),
    ("maps", "\"datatype\":\"map\""),
    ("hlls", "\"datatype\":\"hll\""),
    ("gsets", "\"datatype\":\"gset\""),
    ("write_once", "\"write_once\":true"),
];

/// Three nodes, each with `lines` in its configuration; the first knows all types.
pub fn cluster(lines: impl Fn(usize) -> String) -> Cluster {
    let cluster = Cluster::of_three_each(|index| format!("riak_defaults = true\n{}", lines(index)));
    let json = [("Content-Type", "application/json")];
    let tell = |path: &str, body: &str| {
        let reply = send(cluster.http(0), "POST", path, &json, body).expect("answered");
        assert!(matches!(reply.status, 200 | 204), "{path}: {reply:?}");
    };
    for (name, props) in TYPES {
        tell("/cartwheel/types/create", &format!("{{\"name\":\"{name}\",\"props\":{{{props}}}}}"));
        tell("/cartwheel/types/activate", &format!("{{\"name\":\"{name}\"}}"));
    }
    cluster
}
