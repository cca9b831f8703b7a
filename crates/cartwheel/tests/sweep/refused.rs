//! Bad input: one line, before anything runs.

use crate::{SIX, bytes, directory, files, refused, six};

#[test]
fn settings_that_make_no_sense_are_told_by_the_scenarios_loader() {
    let directory = directory();
    let wrong = |vary: &str| refused(directory.path(), &["small.toml", "--vary", vary, "-o", "all.csv"]);
    assert_eq!(
        wrong("r=1,4"),
        "small.toml with cluster.r = 4: cluster.r: 4; allowed: 1 to 3 (cluster.n), one, quorum, all"
    );
    let unknown = wrong("cluster.rr=1");
    assert!(
        unknown.contains("cluster.rr") && unknown.contains("unknown field `rr`, expected one of"),
        "{unknown}"
    );
    let kind = wrong("workload.cart.clients=many");
    assert!(kind.contains("workload.cart.clients: invalid type: string \"many\", expected"), "{kind}");
    let unit = wrong("cluster.hint_interval=5");
    assert!(unit.contains("cluster.hint_interval") && unit.contains("duration"), "{unit}");
    let kinds = wrong("network.latency={fixed={value='1ms'},uniform={min='1ms',max='2ms'}}");
    assert!(kinds.ends_with("network.latency: several kinds; allowed: one of them"), "{kinds}");
    assert_eq!(wrong("fault[0].crash.node=1"), "--vary fault[0].crash.node: there is no [0] in the scenario");
    assert_eq!(files(directory.path()), [""; 0]);
}

#[test]
fn the_name_of_a_file_must_say_its_format() {
    let directory = directory();
    let here = directory.path();
    assert_eq!(
        refused(here, &["small.toml", "-o", "all.xlsx"]),
        "all.xlsx: the name does not say the format; allowed: .parquet, .csv"
    );
    assert!(
        refused(here, &["small.toml", "-o", "nowhere/all.csv"]).contains("there is no directory nowhere")
    );
    assert!(refused(here, &["missing.toml", "-o", "all.csv"]).starts_with("missing.toml: cannot read it"));
    assert!(refused(here, &["small.toml", "--vary", "r=1", "--vary", "cluster.r=2"]).contains("there twice"));
}

#[test]
fn what_is_there_is_replaced_by_force_only() {
    let directory = directory();
    let here = directory.path();
    std::fs::write(here.join("all.csv"), "precious").unwrap();
    let again = [&["small.toml"], &SIX[..], &["-o", "all.csv"]].concat();
    assert_eq!(refused(here, &again), "all.csv: there is such a file already; --force replaces it");
    assert_eq!(bytes(here, "all.csv"), b"precious");
    six(here, &["-o", "all.csv", "--force"]);
    assert!(bytes(here, "all.csv").starts_with(b"run,r,seed,"));
    assert_eq!(files(here), ["all.csv"]);
}
