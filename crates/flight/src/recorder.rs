//! The node's end of the recorder: it notes, and never waits.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use cartwheel_core::message::{ForwardMessage, Message, ReplicaMessage};
use cartwheel_core::storage::StorageCompletion;
use cartwheel_core::time::{Instant, Now};
use cartwheel_core::version::{Siblings, Value};
use cartwheel_core::{ClientOp, Input, Output};

use crate::digest::OutputDigest;
use crate::entry::{Birth, Heard, Origin, Values};
use crate::writer::Writer;

/// Batches that wait for the disk.
const BATCHES_MAX: usize = 4_096;
/// Bytes of inputs that wait for it.
const QUEUE_BYTES_MAX: u64 = 64 << 20;
/// What an input takes beside its values, in bytes: a guess.
const INPUT_BYTES: u64 = 256;

/// How much may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All segments of the directory together, in bytes.
    pub bytes_max: u64,
    /// What must be left free on the disk, in bytes: with less, the oldest segments go, and then the recorder ends. 0: it does
    /// not look.
    pub free_min: u64,
}

/// What a recorder has done since it began; shared by both of its ends.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Inputs that are in segments.
    pub recorded: AtomicU64,
    /// Inputs that were dropped, because the disk could not keep up or failed.
    pub dropped: AtomicU64,
    /// What all segments of the directory take, in bytes.
    pub bytes: AtomicU64,
    /// Why nothing is recorded any more.
    pub failed: OnceLock<String>,
    /// What waits for the disk, in bytes.
    pub(crate) queued: AtomicU64,
}

/// Inputs in a row.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The number of the first.
    pub first: u64,
    pub heard: Vec<Heard>,
    /// About what they take in memory.
    pub bytes: u64,
}

/// What became of what was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It will be written.
    Yes,
    /// So many inputs were dropped, because too much waits for the disk: what comes after them in this boot cannot be
    /// re-executed.
    Dropped(u64),
    /// The disk failed; nothing is recorded any more.
    Failed,
}

/// Notes what happens to one node in one boot.
#[derive(Debug)]
pub struct Recorder {
    values: Values,
    digest: OutputDigest,
    /// The number of the first input in the batch.
    first: u64,
    batch: Vec<Heard>,
    batch_bytes: u64,
    /// `None` once it is dropped.
    out: Option<SyncSender<Batch>>,
    writer: Option<JoinHandle<()>>,
    gauges: Arc<Gauges>,
}

impl Recorder {
    /// Begins a segment in `dir`, which is made if it is not there, with the birth of a node that wanted `outputs` done at
    /// once; starts the thread that writes.
    ///
    /// # Errors
    ///
    /// The directory or the file cannot be made, or the thread not started.
    pub fn begin(
        dir: &Path,
        limits: Limits,
        origin: Origin,
        birth: Birth,
        outputs: (&[Output], Option<Instant>),
    ) -> io::Result<Self> {
        let values = origin.values;
        let mut digest = OutputDigest::default();
        let birth = Birth { digest: digest.of(outputs.0, outputs.1, values), ..birth };
        let gauges = Arc::<Gauges>::default();
        let writer = Writer::begin(dir, limits, origin, birth, Arc::clone(&gauges))?;
        let (out, batches) = sync_channel(BATCHES_MAX);
        let run = move || run(writer, &batches);
        let writer = std::thread::Builder::new().name("flight".into()).spawn(run)?;
        Ok(Self {
            values,
            digest,
            first: 0,
            batch: Vec::new(),
            batch_bytes: 0,
            out: Some(out),
            writer: Some(writer),
            gauges,
        })
    }

    /// The node is about to be handed `input`.
    pub fn hears(&mut self, now: Now, input: &Input) {
        self.batch_bytes += INPUT_BYTES + value_bytes(input);
        self.batch.push(Heard { now, input: input.clone(), digest: None });
    }

    /// What the node wants done about it, and when it wants to be called next.
    pub fn wants(&mut self, outputs: &[Output], next: Option<Instant>) {
        if let Some(last) = self.batch.last_mut() {
            last.digest = Some(self.digest.of(outputs, next, self.values));
        }
    }

    /// Hands over what was noted. Never waits.
    pub fn flush(&mut self) -> Kept {
        let heard = std::mem::take(&mut self.batch);
        if heard.is_empty() {
            return Kept::Yes;
        }
        let (count, bytes) = (heard.len() as u64, std::mem::take(&mut self.batch_bytes));
        let batch = Batch { first: self.first, heard, bytes };
        self.first += count;
        let is_full = self.gauges.queued.load(Ordering::Relaxed) + bytes > QUEUE_BYTES_MAX
            && self.gauges.queued.load(Ordering::Relaxed) > 0;
        let Some(out) = self.out.as_ref() else { return Kept::Failed };
        self.gauges.queued.fetch_add(bytes, Ordering::Relaxed);
        let sent = if is_full { Err(TrySendError::Full(batch)) } else { out.try_send(batch) };
        let Err(error) = sent else { return Kept::Yes };
        self.gauges.queued.fetch_sub(bytes, Ordering::Relaxed);
        self.gauges.dropped.fetch_add(count, Ordering::Relaxed);
        match error {
            TrySendError::Full(_) => Kept::Dropped(count),
            TrySendError::Disconnected(_) => Kept::Failed,
        }
    }

    /// How it goes.
    pub fn gauges(&self) -> &Gauges {
        &self.gauges
    }
}

/// Whatever was noted is written, also when the node breaks down: its last input has no digest then.
impl Drop for Recorder {
    fn drop(&mut self) {
        _ = self.flush();
        self.out = None;
        if let Some(writer) = self.writer.take() {
            _ = writer.join();
        }
    }
}

/// Writes what comes until nothing can come any more. What has come is gathered into one frame, so that a frame is large when
/// much happens and at once on its way to the disk when little does.
fn run(mut writer: Writer, batches: &Receiver<Batch>) {
    while let Ok(batch) = batches.recv() {
        let mut batch = Some(batch);
        while let Some(next) = batch {
            if let Err(error) = writer.add(&next) {
                return writer.fail(&error);
            }
            batch = if writer.is_frame_full() { None } else { batches.try_recv().ok() };
        }
        if let Err(error) = writer.write_frame() {
            return writer.fail(&error);
        }
    }
}

/// How much the values of `input` take.
fn value_bytes(input: &Input) -> u64 {
    let all = |records: &[(_, Siblings)]| records.iter().map(|(_, siblings)| siblings.value_bytes()).sum();
    match input {
        Input::Client(request) => match &request.op {
            ClientOp::Put { value: Value::Data(data), .. } => data.len() as u64,
            ClientOp::Put { value: Value::DataType(value), .. } => value.value_bytes(),
            ClientOp::Put { value: Value::Tombstone, .. } => 0,
            ClientOp::Update { op, .. } => op.value_bytes(),
            ClientOp::Get(_) => 0,
        },
        Input::Peer { message, .. } => match message {
            Message::Replica(
                ReplicaMessage::ReadReply { result: Ok(siblings), .. }
                | ReplicaMessage::Write { siblings, .. },
            ) => siblings.value_bytes(),
            Message::Forward(ForwardMessage::Request { value, .. }) => value.value_bytes(),
            Message::Forward(ForwardMessage::Reply { result: Ok(answer), .. }) => {
                answer.siblings.value_bytes()
            }
            _ => 0,
        },
        Input::Storage(completion) => match completion {
            StorageCompletion::Read { result: Ok(siblings), .. } => siblings.value_bytes(),
            StorageCompletion::Applied { result: Ok(Ok(change)), .. } => change.siblings.value_bytes(),
            StorageCompletion::Hints { result: Ok(records), .. } => all(records),
            StorageCompletion::Page { result: Ok(page), .. } => all(&page.records),
            _ => 0,
        },
        Input::Timeout | Input::Admin(_) | Input::Coverage(_) => 0,
    }
}
