//! The boot file: how often this store was started, and how it was stopped.
//!
//! A file of its own rather than a key of the engine. A dot is unique only if no boot number is ever used twice, so
//! the counter must not depend on the one component that may silently lose its latest writes (fjall treats a corrupt
//! batch in its journal like a torn tail). Raising the number and consuming the marker of a clean stop are one
//! atomic replacement. And the file can say how far the engine had come, which the engine cannot say of itself.

use std::path::{Path, PathBuf};

use cartwheel_core::id::StoreId;

use crate::error::OpenError;
use crate::state_file::StateFile;

const COMMENT: &str = "How often this store was started. Written by Cartwheel; an edited file is refused, \
                       without it the store gets a new id.";

/// How a store was stopped, as far as the file knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Cleanly: everything was synced.
    Clean,
    /// Not yet, or by a crash.
    Running,
}

/// What the boot file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootFile {
    /// The store it counts for.
    pub store: StoreId,
    /// Its latest boot, counted from 1.
    pub number: u64,
    /// The oldest boot since which every stop was clean.
    pub continuous_since: u64,
    /// The last stop.
    pub stop: Stop,
    /// So many commits of the engine were durable when this was written.
    pub commits: u64,
}

impl BootFile {
    pub(crate) fn path(dir: &Path) -> PathBuf {
        dir.join("boot")
    }

    /// The file in the data directory `dir`; `None` if there is none.
    pub fn read(dir: &Path) -> Result<Option<Self>, OpenError> {
        let Some(file) = StateFile::read(&Self::path(dir))? else { return Ok(None) };
        let stop = match file.text("stop")? {
            "clean" => Stop::Clean,
            "running" => Stop::Running,
            other => return Err(file.damaged(format!("stop = {other}; expected clean or running"))),
        };
        Ok(Some(Self {
            store: StoreId(file.hex("store")?),
            number: file.number("number")?,
            continuous_since: file.number("continuous_since")?,
            stop,
            commits: file.number("commits")?,
        }))
    }

    /// Replaces the file in `dir`, durably.
    pub fn write(&self, dir: &Path) -> Result<(), OpenError> {
        let stop = match self.stop {
            Stop::Clean => "clean",
            Stop::Running => "running",
        };
        let fields = [
            ("store", format!("{:016x}", self.store.0)),
            ("number", self.number.to_string()),
            ("continuous_since", self.continuous_since.to_string()),
            ("stop", stop.to_string()),
            ("commits", self.commits.to_string()),
        ];
        StateFile::write(&Self::path(dir), COMMENT, &fields)
    }

    /// The next boot of `store`, whose engine holds `commits` commits. Only a clean stop of the same store carries
    /// over since when it has been continuous.
    pub fn raise(found: Option<Self>, store: StoreId, commits: u64) -> Self {
        let number = found.map_or(0, |found| found.number) + 1;
        let continuous_since = match found {
            Some(found) if found.store == store && found.stop == Stop::Clean => found.continuous_since,
            _ => number,
        };
        Self { store, number, continuous_since, stop: Stop::Running, commits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: StoreId = StoreId(7);

    fn stopped(boot: BootFile, stop: Stop) -> Option<BootFile> {
        Some(BootFile { stop, ..boot })
    }

    #[test]
    fn only_clean_stops_of_the_same_store_are_continuous() {
        let first = BootFile::raise(None, STORE, 0);
        assert_eq!((first.number, first.continuous_since), (1, 1));
        let second = BootFile::raise(stopped(first, Stop::Clean), STORE, 0);
        assert_eq!((second.number, second.continuous_since), (2, 1));
        let third = BootFile::raise(stopped(second, Stop::Running), STORE, 0);
        assert_eq!((third.number, third.continuous_since), (3, 3));
        let reborn = BootFile::raise(stopped(third, Stop::Clean), StoreId(8), 0);
        assert_eq!((reborn.number, reborn.continuous_since), (4, 4));
    }
}
