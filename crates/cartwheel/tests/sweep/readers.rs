//! The readers that people have: polars and DuckDB, where Python has them.

use std::process::Command;

use crate::{directory, six};

/// Prints how many rows there are, and the sum of a column.
const POLARS: &str = "import polars as pl; t = pl.read_parquet('all.parquet'); c = pl.read_csv('all.csv')
assert t.schema['r'] == pl.Int64 and t.schema['availability'] == pl.Float64 and t.schema['trace_digest'] == pl.String
assert t['run'].to_list() == c['run'].to_list() and t['availability'].to_list() == c['availability'].to_list()
print(t.height, t['r'].sum())";

const DUCKDB: &str = "import duckdb
for file in ['all.parquet', 'all.csv']:
    rows, = duckdb.sql(f\"select count(*) from '{file}' where availability = 1.0\").fetchall()
    assert rows == (6,), rows
print(*duckdb.sql(\"select count(*), sum(r) from 'all.parquet'\").fetchall()[0])";

#[test]
fn polars_and_duckdb_read_what_is_written() {
    let directory = directory();
    let here = directory.path();
    six(here, &["-o", "all.parquet"]);
    six(here, &["-o", "all.csv"]);
    // Another Python may be named: one of a virtual environment.
    let python = std::env::var("CARTWHEEL_PYTHON").unwrap_or_else(|_| "python3".into());
    for (module, script) in [("polars", POLARS), ("duckdb", DUCKDB)] {
        let run = |script: &str| Command::new(&python).args(["-c", script]).current_dir(here).output();
        if !run(&format!("import {module}")).is_ok_and(|output| output.status.success()) {
            #[allow(clippy::print_stderr, reason = "a test that tests nothing must say so")]
            {
                eprintln!("SKIPPED: {python} has no {module}; that it reads a sweep was not tried");
            }
            continue;
        }
        let output = run(script).unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "6 12\n", "{module}: {error}");
    }
}
