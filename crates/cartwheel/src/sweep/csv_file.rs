//! Tables as CSV (RFC 4180, one line of names).

use std::io::{self, Read, Write};

use super::frame::Frame;

/// A table whose cells are text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    pub names: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

pub fn write(frame: &Frame, out: &mut impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(frame.columns.iter().map(|column| &column.name))?;
    for row in &frame.rows {
        let cells: Vec<_> = row.iter().map(super::frame::Cell::text).collect();
        writer.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
    }
    writer.flush()
}

pub fn read(file: impl Read) -> Result<Texts, csv::Error> {
    let mut reader = csv::Reader::from_reader(file);
    let names = reader.headers()?.iter().map(str::to_owned).collect();
    let rows = reader.records().map(|record| Ok(record?.iter().map(str::to_owned).collect()));
    Ok(Texts { names, rows: rows.collect::<Result<_, csv::Error>>()? })
}
