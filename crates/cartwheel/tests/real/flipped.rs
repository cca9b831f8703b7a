//! A byte on a disk changes: found, reported, repaired from the others, and never served.

use std::fs;
use std::path::PathBuf;

use crate::cluster::{Cluster, Node, until};
use crate::http::{get, put};

const KEYS: usize = 160;
/// More than the engine keeps in memory, so that there are tables on the disk.
const VALUE_BYTES: usize = 256 << 10;

fn path(key: usize) -> String {
    format!("/buckets/carts/keys/cart-{key}")
}

fn value(key: usize) -> String {
    format!("{key:06}").repeat(VALUE_BYTES / 6)
}

/// The engine's largest table.
fn table(node: &Node) -> PathBuf {
    let mut open = vec![node.data().join("engine")];
    let mut files = Vec::new();
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).expect("a directory").flatten() {
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files.retain(|path| path.parent().and_then(|dir| dir.file_name()).is_some_and(|name| name == "tables"));
    files.into_iter().max_by_key(|path| path.metadata().expect("a file").len()).expect("a table")
}

#[test]
fn a_flipped_byte_is_found_and_repaired_from_the_others_and_never_served() {
    let mut cluster = Cluster::of_three();
    for key in 0..KEYS {
        let written = put(cluster.http(key % 3), &format!("{}?w=all", path(key)), None, &value(key));
        assert_eq!(written.expect("answered").status, 204);
    }
    cluster.nodes[1].terminate();
    let table = table(&cluster.nodes[1]);
    let mut bytes = fs::read(&table).expect("a table");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x01;
    fs::write(&table, bytes).expect("written");

    cluster.nodes[1].start();
    let said = cluster.nodes[1].log();
    assert!(
        said.contains("its data is damaged: ") && said.contains("gaps; the damaged engine is kept as"),
        "{said}"
    );
    until("n2 holds everything again", || {
        let status = cluster.nodes[1].status();
        status["serves"] == true && status["recovering"] == 0 && status["fetches"] == 0
    });
    cluster.wait_until_drained();
    assert!(cluster.nodes[1].data().join("engine.damaged-1").is_dir());
    cluster.nodes[0].kill();
    cluster.nodes[2].kill();
    for key in 0..KEYS {
        let own = get(cluster.http(1), &format!("{}?r=1", path(key))).expect("answered");
        assert_eq!(own.values(), [value(key)], "{}", path(key));
    }
}
