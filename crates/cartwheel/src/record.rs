//! What a run can leave behind beside its report: traces for other tools, and a page to look at.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use cartwheel_sim::trace::{Format, Recording, SHIVIZ_PARSER};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::output::tell_progress;

/// Where the trace of a run goes.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct TraceArgs {
    /// Write everything that happens to this file. The run is the same with it.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// The format of that file. Where it is not given, the file's name says it: .jsonl, .json (chrome), .shiviz or
    /// .log (shiviz).
    #[arg(long, value_name = "FORMAT", requires = "trace", value_parser = formats())]
    trace_format: Option<Format>,
}

/// A file that is to be written, and how.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    path: &'a Path,
    format: Format,
}

impl TraceArgs {
    /// Whether a trace is wanted, and how.
    pub fn wanted(&self) -> Result<Option<Trace<'_>>, String> {
        let Some(path) = self.trace.as_deref() else { return Ok(None) };
        match self.trace_format.or_else(|| Format::of_file(path)) {
            Some(format) => Ok(Some(Trace { path, format })),
            None => Err(format!(
                "--trace {}: the name does not say the format; allowed: .jsonl, .json, .shiviz, .log, or --trace-format",
                path.display()
            )),
        }
    }
}

impl Trace<'_> {
    /// Writes it, and tells where it is.
    pub fn write(&self, recording: &Recording) -> Result<(), String> {
        write_file(self.path, |out| recording.write(self.format, out))?;
        let how = match self.format {
            Format::JsonLines => String::new(),
            Format::Chrome => "; open it at ui.perfetto.dev".to_owned(),
            Format::Shiviz => format!("; ShiViz parses it with {SHIVIZ_PARSER}"),
        };
        tell_progress(&format!("trace         {} steps in {}{how}", recording.steps(), self.path.display()));
        Ok(())
    }
}

/// Writes a file through a buffer.
pub fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), String> {
    let written = File::create(path).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush()
    });
    written.map_err(|error| format!("{}: cannot write it: {error}", path.display()))
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let names = Format::ALL.iter().map(|format| format.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse().map_err(|_| "no such format"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_its_format_unless_another_one_is_asked_for() {
        let wanted = |path: &str, trace_format| {
            let args = TraceArgs { trace: Some(path.into()), trace_format };
            args.wanted().map(|trace| trace.map(|trace| trace.format))
        };
        for (path, format) in [
            ("a.jsonl", Format::JsonLines),
            ("a.json", Format::Chrome),
            ("a.shiviz", Format::Shiviz),
            ("a.log", Format::Shiviz),
        ] {
            assert_eq!(wanted(path, None), Ok(Some(format)));
        }
        assert_eq!(wanted("a.txt", Some(Format::Chrome)), Ok(Some(Format::Chrome)));
        assert!(
            wanted("a.txt", None).is_err_and(|error| error.contains("a.txt") && error.contains(".shiviz"))
        );
    }
}
