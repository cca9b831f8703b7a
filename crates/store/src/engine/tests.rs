//! What a damaged file does, close to the engine.

use std::fs;
use std::path::PathBuf;

use cartwheel_core::anti_entropy::TreeNode;
use cartwheel_core::id::RequestId;
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Dot, Value, Version, VersionVector};
use tempfile::TempDir;

use super::*;
use crate::open::Store;
use crate::record::seal;

const PARTITIONS: u32 = 8;
const KEYS: u64 = 4_000;

fn record(n: u64) -> Record {
    let actor = Actor { node: NodeId(1), store: StoreId(1), boot: 1, mint: n };
    // Bytes that do not compress, so that the records spread over many blocks.
    let value =
        (0..64_u64).flat_map(|word| (n * 64 + word).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    let siblings = Siblings::from_versions(vec![Version {
        dot: Dot { actor, counter: 1 },
        past: VersionVector::EMPTY,
        request: RequestId(n.into()),
        written_at: WallTime(0),
        value: Value::Data(value.collect::<Vec<u8>>().into()),
    }]);
    Record { siblings, ..Record::default() }
}

fn fill(engine: &Engine) {
    for n in 0..KEYS {
        let (key, now) = (Key::new(b"carts", n.to_string().as_bytes()), record(n));
        let disk_key = encode_key(&key);
        let sealed = Some(seal(&disk_key, &now).expect("small"));
        let change = RecordChange {
            key: &key,
            disk_key: &disk_key,
            before: None,
            is_damaged: false,
            now: Some(&now),
            sealed,
        };
        engine.commit([change].into_iter()).expect("committed");
    }
    engine.records.rotate_memtable_and_wait().expect("flushed");
    engine.sync().expect("synced");
}

fn largest_file(dir: PathBuf) -> Option<(u64, PathBuf)> {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    let size = |path: PathBuf| Some((path.metadata().expect("metadata").len(), path));
    entries.filter_map(|path| if path.is_dir() { largest_file(path) } else { size(path) }).max()
}

#[test]
fn a_damaged_block_costs_the_tree_of_its_partition_and_nothing_else() {
    let dir = TempDir::new().expect("a directory");
    let identity = Identity { cluster: "shop".into(), node: "alpha".into() };
    let opened = Store::open(dir.path(), &identity).expect("a fresh directory");
    fill(&opened.engine);
    drop(opened);

    let (size, table) = largest_file(directory(dir.path()).join("keyspaces")).expect("a table");
    assert!(size > KEYS * 256, "the records are in {}", table.display());
    let mut bytes = fs::read(&table).expect("readable");
    bytes[usize::try_from(size / 3).expect("small")] ^= 1;
    fs::write(&table, bytes).expect("written");

    let opened = Store::open(dir.path(), &identity).expect("a block within a table is not looked at");
    opened.engine.plant_trees(PARTITIONS);
    let root = |partition| opened.engine.tree_hashes(Partition(partition), &[TreeNode::ROOT]);
    let unknown = (0..PARTITIONS).filter(|partition| root(*partition).is_err()).count();
    assert!((1..=2).contains(&unknown), "{unknown} of {PARTITIONS} partitions are unknown");
}
