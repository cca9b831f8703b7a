//! The thread's end of the recorder: frames into segments.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cartwheel_core::time::Now;

use crate::entry::{Birth, Entries, Head, Heard, Origin, Values};
use crate::format::{self, MAGIC};
use crate::recorder::{Batch, Gauges, Limits};
use crate::ring::Ring;
use crate::stand_in::stand_in_input;

/// A frame is written when it has so many bytes, before compression. LZ4 looks 64 KiB back.
const FRAME_BYTES: usize = 128 << 10;
/// A directory has about so many segments: the oldest is deleted for a new one.
const SEGMENTS: u64 = 16;
/// The largest segment: it is read in one piece.
const SEGMENT_BYTES_MAX: u64 = 64 << 20;

#[derive(Debug)]
pub(crate) struct Writer {
    ring: Ring,
    segment_bytes: u64,
    file: File,
    written: u64,
    head: Head,
    /// The number of the input that comes next.
    next: u64,
    entries: Entries,
    gauges: Arc<Gauges>,
}

impl Writer {
    pub fn begin(
        dir: &Path,
        limits: Limits,
        origin: Origin,
        birth: Birth,
        gauges: Arc<Gauges>,
    ) -> io::Result<Self> {
        let mut ring = Ring::open(dir, limits)?;
        let segment_bytes = (limits.bytes_max / SEGMENTS).clamp(1, SEGMENT_BYTES_MAX);
        let file = ring.begin(segment_bytes)?;
        let head = Head { origin, place: 0, first: 0, since: birth.now, birth: Some(birth) };
        let entries = Entries::default();
        let mut writer = Self { ring, segment_bytes, file, written: 0, head, next: 0, entries, gauges };
        writer.write_head()?;
        Ok(writer)
    }

    fn write_head(&mut self) -> io::Result<()> {
        self.written = 0;
        self.write(&MAGIC)?;
        let head = format::frame(&self.head.encode());
        self.write(&head)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.ring.make_room()?;
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        self.ring.grown(self.written)?;
        self.gauges.bytes.store(self.ring.bytes(), Ordering::Relaxed);
        Ok(())
    }

    /// Takes a batch into the frame. Where inputs before it were dropped, a new segment begins: its number says so.
    pub fn add(&mut self, batch: &Batch) -> io::Result<()> {
        self.gauges.queued.fetch_sub(batch.bytes, Ordering::Relaxed);
        if batch.first != self.next {
            self.write_frame()?;
            self.next = batch.first;
            self.begin_segment(batch.heard.first().map_or(self.head.since, |heard| heard.now))?;
        }
        for heard in &batch.heard {
            if self.written >= self.segment_bytes {
                self.write_frame()?;
                self.begin_segment(heard.now)?;
            }
            self.note(heard);
            if self.is_frame_full() {
                self.write_frame()?;
            }
        }
        Ok(())
    }

    fn note(&mut self, heard: &Heard) {
        match self.head.origin.values {
            Values::Whole => self.entries.add(self.head.since, self.next, heard),
            Values::Hashes => {
                let heard = Heard { input: stand_in_input(&heard.input), ..heard.clone() };
                self.entries.add(self.head.since, self.next, &heard);
            }
        }
        self.next += 1;
    }

    pub fn is_frame_full(&self) -> bool {
        self.entries.bytes() >= FRAME_BYTES
    }

    /// Writes what has gathered.
    pub fn write_frame(&mut self) -> io::Result<()> {
        let Some((plain, count)) = self.entries.take() else { return Ok(()) };
        let frame = format::frame(plain);
        self.write(&frame)?;
        self.gauges.recorded.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    fn begin_segment(&mut self, since: Now) -> io::Result<()> {
        self.file = self.ring.begin(self.segment_bytes)?;
        let Head { origin, place, .. } = &self.head;
        let (origin, place) = (origin.clone(), place + 1);
        self.head = Head { origin, place, first: self.next, since, birth: None };
        self.write_head()
    }

    /// Nothing is written any more, and why.
    pub fn fail(self, error: &io::Error) {
        _ = self.gauges.failed.set(error.to_string());
    }
}
