//! What is in a table.

use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use crate::{SCENARIO, bytes, directory, done, files, six};

#[test]
fn there_is_a_row_for_each_run_with_typed_columns() {
    let directory = directory();
    let here = directory.path();
    let args = ["small.toml", "--vary", "r=1,2,3", "--vary", "hint_interval=200ms,1s", "--seeds", "5..7"];
    let told = done(here, &[&args[..], &["-o", "all.parquet"]].concat());
    let reader = SerializedFileReader::new(File::open(here.join("all.parquet")).unwrap()).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 12);
    assert!(told.contains("wrote         12 rows"), "{told}");
    let names: Vec<&String> = rows[0].get_column_iter().map(|(name, _)| name).collect();
    assert_eq!(names[..4], ["run", "r", "hint_interval_us", "seed"]);
    let settings = |row: usize| {
        rows[row].get_column_iter().take(4).map(|(_, field)| field.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(settings(0), ["0", "1", "200000", "5"]);
    assert_eq!(settings(3), ["3", "1", "1000000", "6"]);
    assert_eq!(settings(11), ["11", "3", "1000000", "6"]);
    let cell = |name: &str| {
        rows[0].get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field.clone()).unwrap()
    };
    assert!(matches!(cell("availability"), Field::Double(value) if value == 1.0));
    assert!(matches!(cell("get_p99_us"), Field::Long(value) if value > 0));
    assert!(matches!(cell("trace_digest"), Field::Str(digest) if digest.len() == 32));
    assert!(matches!(cell("as_expected"), Field::Bool(true)));
    let about = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let about = |key: &str| about.iter().find(|pair| pair.key == key).unwrap().value.clone().unwrap();
    assert_eq!(about("cartwheel.scenario"), SCENARIO);
    assert_eq!(about("cartwheel.version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(
        about("cartwheel.command"),
        "cartwheel sweep small.toml --vary cluster.r=1,2,3 --vary cluster.hint_interval=200ms,1s --seeds 5..7"
    );
}

#[test]
fn a_row_tells_what_the_run_by_itself_tells() {
    let directory = directory();
    let here = directory.path();
    let rows = done(here, &["small.toml", "--vary", "network.loss=0.2", "--seeds", "7..8", "--json"]);
    let row: serde_json::Value = serde_json::from_str(&rows).unwrap();
    std::fs::write(here.join("alone.toml"), format!("{SCENARIO}[network]\nloss = 0.2\n")).unwrap();
    let alone = std::process::Command::new(env!("CARGO_BIN_EXE_cartwheel"))
        .args(["sim", "run", "alone.toml", "--seed", "7", "--json"])
        .current_dir(here)
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&alone.stdout).unwrap();
    assert_eq!(row["trace_digest"], report["trace_digest"]);
    assert_eq!(row["get_p999_us"], report["gets"]["latency"]["p999_us"]);
    assert_eq!(row["messages_lost"], report["counters"]["messages_lost"]);
    assert!(row["messages_lost"].as_u64() > Some(0));
    assert_eq!(row["network_loss"], 0.2);
}

#[test]
fn the_same_bytes_come_from_any_number_of_threads() {
    let directory = directory();
    let here = directory.path();
    for name in ["parquet", "csv"] {
        let (one, two) = (format!("one.{name}"), format!("two.{name}"));
        six(here, &["--threads", "1", "-o", &one]);
        six(here, &["--threads", "2", "-o", &two]);
        assert_eq!(bytes(here, &one), bytes(here, &two));
    }
    assert_eq!(files(here), ["one.csv", "one.parquet", "two.csv", "two.parquet"]);
}

#[test]
fn it_measures_and_does_not_judge() {
    let directory = directory();
    let here = directory.path();
    let text = format!("{SCENARIO}[expect]\nlost_writes_min = 1000000\n");
    std::fs::write(here.join("hopeless.toml"), text).unwrap();
    let rows = done(here, &["hopeless.toml", "--seeds", "2", "--json"]);
    assert_eq!(rows.matches("\"as_expected\":false").count(), 2, "{rows}");
    let table = done(here, &["hopeless.toml", "--seeds", "2"]);
    assert!(table.starts_with("runs  green  availability"), "{table}");
}

#[test]
fn quorums_that_meet_are_never_stale_and_others_are() {
    let scenario =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sim-scenarios/sweeps/quorums.toml");
    let scenario = scenario.to_str().unwrap();
    let directory = directory();
    let args = [scenario, "--vary", "r=1,2", "--vary", "w=1,2", "--seeds", "2", "--json"];
    let rows = done(directory.path(), &args);
    let mut stale = [0; 4];
    for row in rows.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap()) {
        assert_eq!(row["verdict"], "green");
        stale[row["run"].as_u64().unwrap() as usize / 2] += row["stale_reads"].as_u64().unwrap();
    }
    let [r1w1, r1w2, r2w1, r2w2] = stale;
    assert!(r1w1 > r1w2 && r1w1 > r2w1, "{stale:?}");
    assert_eq!(r2w2, 0);
}
