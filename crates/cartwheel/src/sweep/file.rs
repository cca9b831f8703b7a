//! Tables as files: the name says the format, and a file is there whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::frame::Frame;
use super::{csv_file, parquet_file};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Parquet,
    Csv,
}

/// A table as its file has it.
#[derive(Debug)]
pub enum Read {
    /// Columns have types.
    Typed(Frame),
    /// All cells are text.
    Text(csv_file::Texts),
}

/// Whether a file that is there may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    Refuse,
    Replace,
}

impl Format {
    /// As the name of `path` says it.
    pub fn of(path: &Path) -> Result<Self, String> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("parquet") => Ok(Self::Parquet),
            Some("csv") => Ok(Self::Csv),
            _ => {
                Err(format!("{}: the name does not say the format; allowed: .parquet, .csv", path.display()))
            }
        }
    }
}

/// Whether a table could be written to `path`, as far as can be told before there is one.
pub fn check(path: &Path, existing: Existing) -> Result<(), String> {
    Format::of(path)?;
    if existing == Existing::Refuse && path.exists() {
        return Err(already_there(path));
    }
    let directory = directory(path);
    if !directory.is_dir() {
        return Err(format!("{}: there is no directory {}", path.display(), directory.display()));
    }
    Ok(())
}

/// Writes `frame` to a file beside `path`, which then takes its place.
pub fn write(frame: &Frame, path: &Path, existing: Existing) -> Result<(), String> {
    let format = Format::of(path)?;
    let cannot = |error: io::Error| format!("{}: cannot write it: {error}", path.display());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    let mut file = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".part")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory(path))
        .map_err(cannot)?;
    let mut out = BufWriter::new(file.as_file_mut());
    match format {
        Format::Parquet => parquet_file::write(frame, &mut out),
        Format::Csv => csv_file::write(frame, &mut out),
    }
    .and_then(|()| out.flush())
    .map_err(cannot)?;
    drop(out);
    file.as_file().sync_all().map_err(cannot)?;
    let placed = match existing {
        Existing::Refuse => file.persist_noclobber(path),
        Existing::Replace => file.persist(path),
    };
    match placed {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Err(already_there(path)),
        Err(failed) => Err(cannot(failed.error)),
    }
}

/// Reads the table at `path`.
pub fn read(path: &Path) -> Result<Read, String> {
    let format = Format::of(path)?;
    let cannot = |error: &dyn std::fmt::Display| format!("{}: cannot read it: {error}", path.display());
    let file = File::open(path).map_err(|error| cannot(&error))?;
    match format {
        Format::Parquet => parquet_file::read(file).map(Read::Typed).map_err(|error| cannot(&error)),
        Format::Csv => csv_file::read(file).map(Read::Text).map_err(|error| cannot(&error)),
    }
}

fn already_there(path: &Path) -> String {
    format!("{}: there is such a file already; --force replaces it", path.display())
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
