//! The formats that a recording is written in.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use super::{Recording, chrome, jsonl, shiviz};

/// A format that other tools read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON Lines: one object for each event.
    JsonLines,
    /// The trace event format of Chrome, which Perfetto reads.
    Chrome,
    /// ShiViz: events with vector clocks.
    Shiviz,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::JsonLines, Self::Chrome, Self::Shiviz];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Chrome => "chrome",
            Self::Shiviz => "shiviz",
        }
    }

    /// The format that a file's name speaks of, if it does.
    pub fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "json" => Some(Self::Chrome),
            "shiviz" | "log" => Some(Self::Shiviz),
            _ => None,
        }
    }
}

impl Recording {
    /// Writes it in `format`.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::JsonLines => jsonl::write(self, out),
            Format::Chrome => chrome::write(self, out),
            Format::Shiviz => shiviz::write(self, out),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No format has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or(UnknownFormat)
    }
}
