//! The segments of a directory: the newest are kept, within bounded room.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::recorder::Limits;

/// However small: a node that starts again and again leaves a segment each time.
const SEGMENTS_MAX: usize = 10_000;

/// The name of a segment's file.
pub(crate) fn file_name(number: u64) -> String {
    format!("{number:06}.rec")
}

/// The number of the segment in a file, if its name is a segment's.
pub(crate) fn number_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".rec")?.parse().ok()
}

/// All segments of `dir`, the oldest first.
pub(crate) fn segments(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    let paths = entries.into_iter().map(|entry| entry.path());
    let mut found: Vec<(u64, PathBuf)> =
        paths.filter_map(|path| number_of(&path).map(|number| (number, path))).collect();
    found.sort_unstable();
    Ok(found)
}

/// The segments that this node has written, in all its starts.
#[derive(Debug)]
pub(crate) struct Ring {
    dir: PathBuf,
    limits: Limits,
    /// Number and bytes.
    segments: VecDeque<(u64, u64)>,
    next: u64,
}

impl Ring {
    /// Of what is in `dir`, which is made if it is not there.
    pub fn open(dir: &Path, limits: Limits) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let found = segments(dir)?;
        let next = found.last().map_or(0, |(number, _)| number + 1);
        let size = |(number, path): (u64, PathBuf)| Ok((number, fs::metadata(path)?.len()));
        let segments = found.into_iter().map(size).collect::<io::Result<_>>()?;
        Ok(Self { dir: dir.to_owned(), limits, segments, next })
    }

    /// A new segment for at most `bytes`: deletes the oldest ones until there is room.
    pub fn begin(&mut self, bytes: u64) -> io::Result<fs::File> {
        self.make_room()?;
        while self.bytes() + bytes > self.limits.bytes_max || self.segments.len() >= SEGMENTS_MAX {
            let Some((oldest, _)) = self.segments.pop_front() else { break };
            self.delete(oldest)?;
        }
        let path = self.dir.join(file_name(self.next));
        let file = fs::File::create_new(path)?;
        self.segments.push_back((self.next, 0));
        self.next += 1;
        Ok(file)
    }

    /// The last segment has grown to `bytes`, perhaps beyond what was asked for: an input may be large.
    pub fn grown(&mut self, bytes: u64) -> io::Result<()> {
        if let Some((_, size)) = self.segments.back_mut() {
            *size = bytes;
        }
        while self.bytes() > self.limits.bytes_max && self.segments.len() > 1 {
            let Some((oldest, _)) = self.segments.pop_front() else { break };
            self.delete(oldest)?;
        }
        Ok(())
    }

    /// Leaves the disk to the store: gives the oldest segments away while there is too little room.
    pub fn make_room(&mut self) -> io::Result<()> {
        while self.is_short() {
            match self.segments.pop_front() {
                Some((oldest, _)) if !self.segments.is_empty() => self.delete(oldest)?,
                last => {
                    // The one that is being written goes on taking the room that it has.
                    self.segments.extend(last);
                    let min = self.limits.free_min;
                    return Err(io::Error::other(format!("less than {min} bytes are left on the disk")));
                }
            }
        }
        Ok(())
    }

    /// A disk that cannot be asked is not short of room: writing will tell.
    fn is_short(&self) -> bool {
        let free_min = self.limits.free_min;
        let free = || {
            let disk = rustix::fs::statvfs(&self.dir).ok()?;
            Some(disk.f_bavail.saturating_mul(disk.f_frsize))
        };
        free_min > 0 && free().is_some_and(|free| free < free_min)
    }

    fn delete(&self, number: u64) -> io::Result<()> {
        match fs::remove_file(self.dir.join(file_name(number))) {
            // Somebody took it away already.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// What all segments take.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|(_, bytes)| bytes).sum()
    }
}
