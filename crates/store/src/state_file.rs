//! Small text files that are replaced as a whole: `name = value` lines, and a checksum over all that precedes it.
//!
//! Written to a temporary file, synced, renamed, the directory synced: after a crash the file is the old one or the
//! new one. The checksum is against bit rot and editors: a digit of a boot number must not change unnoticed.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// The latest format of a data directory that this release knows, and the one that it writes.
pub const FORMAT: u64 = 1;

const CHECKSUM: &str = "crc32c = ";

/// The suffix of a file that is being written.
pub const TEMPORARY: &str = ".tmp";

/// What a state file says.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    text: String,
}

impl StateFile {
    /// Reads the file at `path`; `None` if there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, OpenError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OpenError::io("read", path)(error)),
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let file = Self { path: path.to_owned(), text };
        // The format first: a later one may do without our checksum.
        let found = file.number("format")?;
        if found > FORMAT {
            return Err(OpenError::NewerFormat { path: file.path, found, known: FORMAT });
        }
        file.verify()?;
        Ok(Some(file))
    }

    /// Replaces the file at `path`, durably.
    pub fn write(path: &Path, comment: &str, fields: &[(&str, String)]) -> Result<(), OpenError> {
        let mut text = format!("# {comment}\nformat = {FORMAT}\n");
        for (name, value) in fields {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name} = {value}");
        }
        let checksum = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "{CHECKSUM}{checksum:08x}");
        replace(path, text.as_bytes()).map_err(OpenError::io("write", path))
    }

    /// The value of `name`.
    pub fn text(&self, name: &str) -> Result<&str, OpenError> {
        self.text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))
            .ok_or_else(|| self.damaged(format!("the line \"{name} = ...\" is missing")))
    }

    /// The value of `name`, a decimal number.
    pub fn number(&self, name: &str) -> Result<u64, OpenError> {
        let text = self.text(name)?;
        text.parse().map_err(|_| self.damaged(format!("{name} = {text} is not a number")))
    }

    /// The value of `name`, 16 hexadecimal digits.
    pub fn hex(&self, name: &str) -> Result<u64, OpenError> {
        let text = self.text(name)?;
        u64::from_str_radix(text, 16).map_err(|_| self.damaged(format!("{name} = {text} is not hexadecimal")))
    }

    /// The error that says what is wrong with this file.
    pub fn damaged(&self, reason: String) -> OpenError {
        OpenError::Damaged { path: self.path.clone(), reason }
    }

    fn verify(&self) -> Result<(), OpenError> {
        let end = self.text.rfind(CHECKSUM).ok_or_else(|| self.damaged("its checksum is missing".into()))?;
        let (body, line) = self.text.split_at(end);
        let found = line.strip_prefix(CHECKSUM).map(str::trim_end);
        if found == Some(&format!("{:08x}", crc32c::crc32c(body.as_bytes()))) {
            Ok(())
        } else {
            Err(self.damaged("it fails its checksum".into()))
        }
    }
}

/// Makes `bytes` the content of the file at `path`, durably: after a crash it is the old content or the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(TEMPORARY);
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_directory(path.parent().unwrap_or(Path::new(".")))
}

/// Makes created, renamed and removed entries of `dir` durable.
pub fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
