//! Finding what was recorded: the boots of one or several nodes, each with its segments.

use std::io;
use std::path::{Path, PathBuf};

use cartwheel_core::time::Now;

use crate::entry::{Birth, Origin};
use crate::read::read_head;
use crate::ring::{number_of, segments};

/// How deep directories are searched: a cluster of nodes, each with a data directory, in which recordings are.
const DEPTH_MAX: usize = 4;

/// One boot of one node.
#[derive(Clone, Debug)]
pub struct BootRecording {
    /// Whose.
    pub origin: Origin,
    /// How it began; `None`: that has been deleted, and it cannot be re-executed.
    pub birth: Option<Birth>,
    /// When what is left of it begins.
    pub since: Now,
    /// The number of the first input that is left.
    pub first: u64,
    /// Its segments, in their order.
    pub segments: Vec<PathBuf>,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Found {
    /// By node, then in the order of time.
    pub boots: Vec<BootRecording>,
    /// Segments that nothing can be read of, in a line each.
    pub unreadable: Vec<String>,
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// A directory cannot be read.
    #[error("{}: cannot be read: {error}", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// No recording is in or below it.
    #[error("{}: no flight recording is here (files NNNNNN.rec, in a data directory's flight/)", path.display())]
    Nothing {
        /// The directory.
        path: PathBuf,
    },
}

/// What is recorded in or below these directories.
///
/// # Errors
///
/// One of them cannot be read, or has no recording.
pub fn find(dirs: &[PathBuf]) -> Result<Found, FindError> {
    let mut files = Vec::new();
    for dir in dirs {
        let before = files.len();
        search(dir, DEPTH_MAX, &mut files).map_err(|error| FindError::Io { path: dir.clone(), error })?;
        if files.len() == before {
            return Err(FindError::Nothing { path: dir.clone() });
        }
    }
    files.sort_unstable();
    files.dedup();
    let mut found = Found::default();
    // The place of the last segment of the last boot.
    let mut last_place = 0;
    for path in files {
        let head = match read_head(&path) {
            Ok(head) => head,
            Err(error) => {
                found.unreadable.push(error.to_string());
                continue;
            }
        };
        // Of an old copy of a disk there may be several boots of one number, one after the other.
        let goes_on = |boot: &BootRecording| {
            let is_here = boot.segments.last().and_then(|before| before.parent()) == path.parent();
            boot.origin == head.origin && head.place > last_place && is_here
        };
        let (origin, birth, since, first) = (head.origin.clone(), head.birth, head.since, head.first);
        match found.boots.last_mut() {
            Some(boot) if goes_on(boot) => boot.segments.push(path),
            _ => found.boots.push(BootRecording { origin, birth, since, first, segments: vec![path] }),
        }
        last_place = head.place;
    }
    found.boots.sort_by(|one, other| {
        let order = |boot: &BootRecording| (boot.origin.name.clone(), boot.since.wall);
        order(one).cmp(&order(other))
    });
    Ok(found)
}

fn search(dir: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    files.extend(segments(dir)?.into_iter().map(|(_, path)| path));
    if depth == 0 {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() && number_of(&path).is_none() {
            search(&path, depth - 1, files)?;
        }
    }
    Ok(())
}
