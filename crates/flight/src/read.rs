//! Reading one segment, whatever became of it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use cartwheel_wire::DecodeError;

use crate::entry::{Head, Heard, decode_entries};
use crate::format::{self, FRAME_HEAD_BYTES, MAGIC, Next, PAYLOAD_BYTES_MAX};

/// Why nothing can be read of a segment.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It is no segment, or of another version of the format.
    #[error("{}: no flight recording of format {}", path.display(), MAGIC[7])]
    Magic {
        /// The file.
        path: PathBuf,
    },
    /// Its first frame is torn or damaged: nobody knows whose inputs these are.
    #[error("{}: its head is torn or damaged", path.display())]
    Head {
        /// The file.
        path: PathBuf,
    },
    /// Its head makes no sense here.
    #[error("{}: its head cannot be read: {error}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: DecodeError,
    },
}

/// What comes next in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The input of this number.
    Heard(u64, Box<Heard>),
    /// A frame that is lost, in one line. What follows it can be read.
    Damage(String),
    /// The end, before which something is lost, in one line: a torn frame, as `kill -9` leaves one, or a damaged length.
    Torn(String),
}

/// A segment, being read.
#[derive(Debug)]
pub struct Segment {
    /// What it begins with.
    pub head: Head,
    path: PathBuf,
    bytes: Bytes,
    at: usize,
    /// What was in the last frame and was not handed out yet, the last first.
    ready: Vec<(u64, Heard)>,
    is_over: bool,
}

impl Segment {
    /// Reads the file, and its head.
    ///
    /// # Errors
    ///
    /// There is nothing to be read of it.
    pub fn open(path: &Path) -> Result<Self, SegmentError> {
        let bytes = fs::read(path).map_err(|error| SegmentError::Io { path: path.to_owned(), error })?;
        Self::of(path, bytes.into())
    }

    /// The segment in `bytes`, which are the file's at `path`.
    ///
    /// # Errors
    ///
    /// There is nothing to be read of it.
    pub fn of(path: &Path, bytes: Bytes) -> Result<Self, SegmentError> {
        let (head, at) = head(path, &bytes)?;
        Ok(Self { head, path: path.to_owned(), bytes, at, ready: Vec::new(), is_over: false })
    }

    fn frame(&mut self) -> Option<Item> {
        let left = self.bytes.len() - self.at;
        let path = self.path.display();
        match format::next(&self.bytes[self.at..]) {
            Next::End => None,
            Next::Torn => {
                self.at = self.bytes.len();
                Some(Item::Torn(format!("{path}: its last {left} bytes cannot be read")))
            }
            Next::Damaged(bytes) => {
                let damage = format!("{path}: {bytes} bytes from byte {} on are damaged", self.at);
                self.at += bytes;
                Some(Item::Damage(damage))
            }
            Next::Frame(plain, bytes) => {
                let begins = self.at;
                self.at += bytes;
                match decode_entries(self.head.since, plain) {
                    Ok((first, heard)) => {
                        let numbered = (first..).zip(heard);
                        self.ready = numbered.collect();
                        self.ready.reverse();
                        self.next()
                    }
                    Err(error) => {
                        Some(Item::Damage(format!("{path}: {bytes} bytes from byte {begins} on: {error}")))
                    }
                }
            }
        }
    }
}

impl Iterator for Segment {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if let Some((index, heard)) = self.ready.pop() {
            return Some(Item::Heard(index, Box::new(heard)));
        }
        if self.is_over {
            return None;
        }
        let item = self.frame();
        self.is_over = matches!(item, None | Some(Item::Torn(_)));
        item
    }
}

/// The head in the bytes of a file, and where it ends.
fn head(path: &Path, bytes: &[u8]) -> Result<(Head, usize), SegmentError> {
    let path = || path.to_owned();
    let Some(rest) = bytes.strip_prefix(&MAGIC) else {
        // A file that was only just made says nothing else.
        let is_torn = MAGIC.starts_with(bytes);
        return Err(if is_torn {
            SegmentError::Head { path: path() }
        } else {
            SegmentError::Magic { path: path() }
        });
    };
    let Next::Frame(plain, taken) = format::next(rest) else {
        return Err(SegmentError::Head { path: path() });
    };
    let head = Head::decode(plain).map_err(|error| SegmentError::Decode { path: path(), error })?;
    Ok((head, MAGIC.len() + taken))
}

/// The head of the segment in a file, of which nothing else is read.
pub(crate) fn read_head(path: &Path) -> Result<Head, SegmentError> {
    let read = || {
        let mut file = File::open(path)?;
        let mut bytes = Vec::new();
        (&mut file).take((MAGIC.len() + FRAME_HEAD_BYTES) as u64).read_to_end(&mut bytes)?;
        let size = bytes.get(MAGIC.len()..MAGIC.len() + 4).and_then(|size| size.try_into().ok());
        let size = size.map_or(0, u32::from_le_bytes).min(PAYLOAD_BYTES_MAX as u32);
        file.take(size.into()).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| SegmentError::Io { path: path.to_owned(), error })?;
    head(path, &bytes).map(|(head, _)| head)
}
