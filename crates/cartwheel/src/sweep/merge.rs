//! `cartwheel sweep merge`: shards become one table again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::csv_file::Texts;
use super::file::{self, Existing, Read};
use super::frame::{About, Cell, Column, Frame, Kind, RUN};
use super::measure::measures;

#[derive(clap::Args)]
pub struct Args {
    /// Tables of one sweep, .parquet or .csv.
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Where the whole goes: a .parquet or .csv file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace that file if it is there.
    #[arg(long)]
    force: bool,
}

/// Reads all, and writes the whole.
pub fn run(args: &Args) -> Result<Frame, String> {
    let existing = if args.force { Existing::Replace } else { Existing::Refuse };
    file::check(&args.output, existing)?;
    let mut inputs = Vec::new();
    for path in &args.inputs {
        inputs.push((path.as_path(), file::read(path)?));
    }
    let frame = merge(inputs)?;
    file::write(&frame, &args.output, existing)?;
    Ok(frame)
}

fn merge(inputs: Vec<(&Path, Read)>) -> Result<Frame, String> {
    same_names(&inputs)?;
    let about = same_about(&inputs)?;
    let columns = kinds(&inputs)?;
    let mut rows: BTreeMap<i64, (&Path, Vec<Cell>)> = BTreeMap::new();
    let run = columns.iter().position(|column| column.name == RUN && column.kind == Kind::Int);
    let first = inputs.first().map_or(Path::new(""), |(path, _)| path);
    let run = run.ok_or_else(|| format!("{}: no column `{RUN}` of whole numbers", first.display()))?;
    for (path, input) in inputs {
        let of_input = match input {
            Read::Typed(frame) => frame.rows,
            Read::Text(texts) => typed(path, &columns, &texts)?,
        };
        for row in of_input {
            let Cell::Int(number) = row[run] else {
                return Err(format!("{}: a row without `{RUN}`", path.display()));
            };
            if let Some((other, _)) = rows.insert(number, (path, row)) {
                return Err(format!("{} and {}: both have run {number}", other.display(), path.display()));
            }
        }
    }
    Ok(Frame { columns, rows: rows.into_values().map(|(_, row)| row).collect(), about })
}

fn names(input: &Read) -> Vec<&str> {
    match input {
        Read::Typed(frame) => frame.columns.iter().map(|column| column.name.as_str()).collect(),
        Read::Text(texts) => texts.names.iter().map(String::as_str).collect(),
    }
}

fn same_names(inputs: &[(&Path, Read)]) -> Result<(), String> {
    let Some(((first, other), rest)) = inputs.split_first() else { return Ok(()) };
    let expected = names(other);
    for (path, input) in rest {
        let found = names(input);
        let lacks = |all: &[&str], some: &[&str]| {
            all.iter().find(|name| !some.contains(name)).map(|name| name.to_string())
        };
        let difference = lacks(&expected, &found)
            .map(|name| format!("{} has no column `{name}`", path.display()))
            .or_else(|| {
                lacks(&found, &expected).map(|name| format!("{} has no column `{name}`", first.display()))
            });
        if let Some(difference) = difference {
            return Err(format!("{} and {} differ: {difference}", first.display(), path.display()));
        }
        if expected != found {
            return Err(format!(
                "{} and {} differ in the order of their columns",
                first.display(),
                path.display()
            ));
        }
    }
    Ok(())
}

/// What those tell about themselves that can; they must be of one sweep.
fn same_about(inputs: &[(&Path, Read)]) -> Result<About, String> {
    let mut known: Option<(&Path, &About)> = None;
    for (path, input) in inputs {
        let Read::Typed(Frame { about, .. }) = input else { continue };
        if about.is_empty() {
            continue;
        }
        let Some((first, expected)) = known else {
            known = Some((path, about));
            continue;
        };
        if let Some(((name, here), (_, there))) =
            expected.iter().zip(about).find(|(here, there)| here != there)
        {
            // A scenario is many lines, a complaint is one.
            let how = if here.contains('\n') { String::new() } else { format!(" ({here}; {there})") };
            return Err(format!(
                "{} and {}: of different sweeps: {name}{how}",
                first.display(),
                path.display()
            ));
        }
    }
    Ok(known.map(|(_, about)| about.clone()).unwrap_or_default())
}

/// The kinds of the columns: those of a typed input, or else what measures are known to be and texts look like.
fn kinds(inputs: &[(&Path, Read)]) -> Result<Vec<Column>, String> {
    let mut typed = inputs.iter().filter_map(|(path, input)| match input {
        Read::Typed(frame) => Some((path, &frame.columns)),
        Read::Text(_) => None,
    });
    if let Some((first, columns)) = typed.next() {
        for (path, others) in typed {
            if let Some((one, _)) = columns.iter().zip(others).find(|(one, other)| one.kind != other.kind) {
                let (first, path) = (first.display(), path.display());
                return Err(format!("{first} and {path} differ: column `{}` has another type", one.name));
            }
        }
        return Ok(columns.clone());
    }
    let texts: Vec<&Texts> = inputs
        .iter()
        .filter_map(|(_, input)| if let Read::Text(texts) = input { Some(texts) } else { None })
        .collect();
    let known: BTreeMap<String, Kind> =
        measures().into_iter().map(|measure| (measure.column.name, measure.column.kind)).collect();
    let names = texts.first().map(|texts| texts.names.clone()).unwrap_or_default();
    let column = |(at, name): (usize, String)| {
        let cells =
            texts.iter().flat_map(|texts| &texts.rows).filter_map(|row| row.get(at)).map(String::as_str);
        let guessed = || if [RUN, "seed"].contains(&name.as_str()) { Kind::Int } else { Kind::of(&cells) };
        let kind = known.get(&name).copied().unwrap_or_else(guessed);
        Column { name, kind }
    };
    Ok(names.into_iter().enumerate().map(column).collect())
}

fn typed(path: &Path, columns: &[Column], texts: &Texts) -> Result<Vec<Vec<Cell>>, String> {
    let row = |(number, row): (usize, &Vec<String>)| {
        let cells = columns.iter().zip(row).map(|(column, text)| {
            column.kind.read(text).ok_or_else(|| {
                let (name, kind) = (&column.name, column.kind.name());
                format!("{}:{}: {name}: `{text}`; allowed: {kind}", path.display(), number + 2)
            })
        });
        cells.collect()
    };
    texts.rows.iter().enumerate().map(row).collect()
}

/// How many runs of the sweep are not in `frame`, if it says how many there are.
pub fn missing(frame: &Frame) -> Option<u64> {
    let (_, rows) = frame.about.iter().find(|(name, _)| name == "cartwheel.rows")?;
    Some(rows.parse::<u64>().ok()?.saturating_sub(frame.rows.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(runs: &[i64], about: &str) -> Read {
        let columns = vec![Column::new(RUN, Kind::Int), Column::new("w", Kind::Text)];
        let rows = runs.iter().map(|run| vec![Cell::Int(*run), Cell::Text("one".into())]).collect();
        Read::Typed(Frame { columns, rows, about: vec![("cartwheel.command".into(), about.into())] })
    }

    fn texts(lines: &str) -> Read {
        Read::Text(super::super::csv_file::read(lines.as_bytes()).unwrap())
    }

    fn merged(inputs: Vec<Read>) -> Result<Frame, String> {
        merge(inputs.into_iter().zip(["a", "b", "c"]).map(|(input, name)| (Path::new(name), input)).collect())
    }

    #[test]
    fn rows_are_in_the_order_of_their_runs() {
        let whole = merged(vec![shard(&[1, 3], "x"), texts("run,w\n2,one\n"), shard(&[0], "x")]).unwrap();
        let Read::Typed(expected) = shard(&[0, 1, 2, 3], "x") else { unreachable!() };
        assert_eq!(whole, expected);
    }

    #[test]
    fn texts_get_the_types_of_measures_or_those_that_they_look_like() {
        let whole =
            merged(vec![texts("run,r,availability\n0,1,1.0\n"), texts("run,r,availability\n1,2,1\n")])
                .unwrap();
        let kinds: Vec<Kind> = whole.columns.iter().map(|column| column.kind).collect();
        assert_eq!(kinds, [Kind::Int, Kind::Int, Kind::Float]);
    }

    #[test]
    fn what_does_not_belong_together_is_told_in_a_line() {
        let wrong = |inputs| merged(inputs).unwrap_err();
        assert_eq!(wrong(vec![shard(&[0], "x"), shard(&[0], "x")]), "a and b: both have run 0");
        assert_eq!(
            wrong(vec![shard(&[0], "x"), shard(&[1], "y")]),
            "a and b: of different sweeps: cartwheel.command (x; y)"
        );
        assert_eq!(wrong(vec![shard(&[0], "x"), texts("run\n1\n")]), "a and b differ: b has no column `w`");
        assert_eq!(
            wrong(vec![texts("run,availability\n0,much\n")]),
            "a:2: availability: `much`; allowed: a number"
        );
        assert_eq!(wrong(vec![texts("w\none\n")]), "a: no column `run` of whole numbers");
    }
}
