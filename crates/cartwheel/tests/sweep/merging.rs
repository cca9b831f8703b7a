//! Shards, and what becomes of them.

use crate::{bytes, directory, done, refused, six};

#[test]
fn shards_merge_to_the_whole() {
    let directory = directory();
    let here = directory.path();
    for name in ["parquet", "csv"] {
        let file = |part: &str| format!("{part}.{name}");
        six(here, &["-o", &file("whole")]);
        // The last shard has a row less; the order of the inputs does not matter.
        for shard in 1..=4 {
            six(here, &["--shard", &format!("{shard}/4"), "-o", &file(&shard.to_string())]);
        }
        let inputs = [file("3"), file("1"), file("4"), file("2")];
        let inputs = inputs.each_ref().map(String::as_str);
        done(here, &[&["merge"], &inputs[..], &["-o", &file("merged")]].concat());
        assert_eq!(bytes(here, &file("whole")), bytes(here, &file("merged")));
    }
    let told = done(here, &["merge", "1.parquet", "2.csv", "-o", "some.parquet"]);
    assert!(told.ends_with("merged        4 rows; 2 runs of the sweep are missing\n"), "{told}");
}

#[test]
fn formats_turn_into_each_other() {
    let directory = directory();
    let here = directory.path();
    six(here, &["-o", "whole.parquet"]);
    six(here, &["-o", "whole.csv"]);
    done(here, &["merge", "whole.parquet", "-o", "turned.csv"]);
    assert_eq!(bytes(here, "whole.csv"), bytes(here, "turned.csv"));
    done(here, &["merge", "turned.csv", "-o", "turned.parquet"]);
    done(here, &["merge", "turned.parquet", "-o", "back.csv"]);
    assert_eq!(bytes(here, "whole.csv"), bytes(here, "back.csv"));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let directory = directory();
    let here = directory.path();
    six(here, &["--shard", "1/2", "-o", "a.parquet"]);
    done(here, &["small.toml", "--vary", "w=1", "--seeds", "1", "-o", "b.parquet"]);
    done(here, &["small.toml", "--vary", "r=1", "--seeds", "1", "-o", "c.parquet"]);
    std::fs::write(here.join("d.parquet"), "nonsense").unwrap();
    let merge = |inputs: &[&str]| refused(here, &[&["merge"], inputs, &["-o", "all.parquet"]].concat());
    assert_eq!(
        merge(&["a.parquet", "b.parquet"]),
        "a.parquet and b.parquet differ: b.parquet has no column `r`"
    );
    assert!(merge(&["a.parquet", "c.parquet"]).contains("of different sweeps: cartwheel.command"));
    assert_eq!(merge(&["a.parquet", "a.parquet"]), "a.parquet and a.parquet: both have run 0");
    assert!(merge(&["d.parquet"]).starts_with("d.parquet: cannot read it: "));
    assert!(merge(&["e.parquet"]).starts_with("e.parquet: cannot read it: "));
    assert!(!here.join("all.parquet").exists());
}
