//! Room on the disk: while too little is left, what would write is refused before the engine sees it.
//!
//! An engine whose write fails in the middle cannot be trusted until it was opened anew, and that needs room, too: to
//! replay a journal, to raise the boot number, to compact what was deleted. So the last of the room is not given away.
//! A refusal has changed nothing; the store goes on answering reads, and takes writes again when there is room.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The disk of a data directory, as far as its room goes.
#[derive(Debug)]
pub struct Room {
    dir: PathBuf,
    reserve: AtomicU64,
    was_short: AtomicBool,
}

impl Room {
    /// Of the disk that `dir` is on; nothing is kept free.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, reserve: AtomicU64::new(0), was_short: AtomicBool::new(false) }
    }

    /// So many bytes are kept free from now on.
    pub fn keep_free(&self, bytes: u64) {
        self.reserve.store(bytes, Ordering::Relaxed);
    }

    /// How many bytes are kept free.
    pub fn reserve(&self) -> u64 {
        self.reserve.load(Ordering::Relaxed)
    }

    /// Whether nothing may be written. A disk that cannot be asked is not short of room: writing will tell.
    pub fn is_short(&self) -> bool {
        let reserve = self.reserve();
        if reserve == 0 {
            return false;
        }
        let Some(free) = free(&self.dir) else { return false };
        let is_short = free < reserve;
        if self.was_short.swap(is_short, Ordering::Relaxed) != is_short {
            let dir = self.dir.display();
            if is_short {
                tracing::error!(%dir, free, reserve, "the disk is full: writes are refused, and go to other nodes");
            } else {
                tracing::info!(%dir, free, "there is room on the disk again: writes are taken");
            }
        }
        is_short
    }
}

/// Whether less than `bytes` are free on the disk that `path` is on. One that cannot be asked has room.
pub fn has_less_than(bytes: u64, path: &Path) -> bool {
    bytes > 0 && free(path).is_some_and(|free| free < bytes)
}

fn free(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_free_is_not_given_away() {
        let room = Room::new(std::env::temp_dir());
        assert!(!room.is_short(), "nothing is kept free");
        room.keep_free(u64::MAX);
        assert!(room.is_short());
        room.keep_free(1);
        assert!(!room.is_short());
        let nowhere = Room::new("/no/such/directory".into());
        nowhere.keep_free(u64::MAX);
        assert!(!nowhere.is_short());
    }
}
