//! What is under `deploy/` fits the node.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cluster::{Cluster, cartwheel};
use crate::http::get;

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(file)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `cartwheel config check`, as the node named `node` would be started: what it says.
fn check(file: &Path, node: &str, advertise: Option<&str>) -> String {
    let mut check = cartwheel();
    check.args(["config", "check"]).arg(file).env("CARTWHEEL_SET_NODE", node);
    if let Some(advertise) = advertise {
        check.env("CARTWHEEL_SET_ADVERTISE", advertise);
    }
    let checked = check.output().expect("the binary");
    assert!(checked.status.success(), "{checked:?}");
    String::from_utf8(checked.stdout).expect("text")
}

#[test]
fn the_configurations_for_containers_are_good() {
    for node in ["n1", "n2", "n3"] {
        let said = check(&deploy("docker/node.toml"), node, None);
        assert!(
            said.contains(&format!("good; node {node}, a founder of cluster compose, which has 3 founders")),
            "{said}"
        );
    }
    let manifest = read(&deploy("kubernetes/cartwheel.yaml"));
    let (_, rest) = manifest.split_once("  node.toml: |\n").expect("a configuration");
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let toml: String = lines.map(|line| format!("{}\n", line.trim_start())).collect();
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("node.toml");
    fs::write(&file, toml).expect("written");
    for (node, role) in [("cartwheel-0", "a founder"), ("cartwheel-7", "a newcomer")] {
        let said = check(&file, node, Some(&format!("{node}.cartwheel-peers:8099")));
        assert!(said.contains(&format!("node {node}, {role} of cluster cartwheel")), "{said}");
    }
}

#[test]
fn alerts_are_about_what_is_measured_and_operators_are_told_what_they_mean() {
    let alerts = read(&deploy("prometheus/alerts.yaml"));
    let operations = read(&deploy("../docs/operations.md"));
    let names = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    for name in names {
        assert!(operations.contains(&format!("| `{name}` |")), "{name} is not explained");
    }
    let cluster = Cluster::of_three();
    // A histogram has its samples once something was asked, and hints have theirs while there are some.
    get(cluster.http(0), "/buckets/b/keys/k").expect("answered");
    let page = get(cluster.http(0), "/metrics").expect("answered").body;
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let used: BTreeSet<&str> =
        alerts.split(|c: char| !is_name(c)).filter(|word| word.starts_with("cartwheel_")).collect();
    assert!(used.len() >= 8, "{used:?}");
    for name in used {
        let family = name.trim_end_matches("_bucket").trim_end_matches("_total");
        assert!(page.contains(&format!("# TYPE {family} ")), "{name} is not measured");
    }
}
