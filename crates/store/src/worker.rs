//! The workers of a store, and who runs them: a thread for each, or the caller, step by step.
//!
//! Both do the same work in the same order. What a step leaves out is waiting: a thread waits for its queue, whoever runs
//! steps is told when something has been queued. So a simulated machine, which has no threads, runs the committer that ships.

use std::mem;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use cartwheel_core::storage::{StorageCompletion, StorageRequest};

use crate::committer::{Apply, Committer};
use crate::engine::Engine;
use crate::handle::Completions;
use crate::{keeper, reader};

/// What one worker does.
pub enum Job {
    /// Applies updates: see [`Committer`].
    Commit(Committer, Receiver<Apply>),
    /// Answers reads, or what background work asks.
    Read(Receiver<StorageRequest>),
    /// Keeps the cluster's state in this directory.
    Keep(PathBuf, Receiver<StorageRequest>),
}

/// One worker, not yet given to anybody.
pub struct Work {
    pub name: &'static str,
    pub engine: Arc<Engine>,
    pub completions: Completions,
    pub job: Job,
}

impl Work {
    /// Does what is queued, and waits for more, until the queue ends.
    pub fn run(mut self) {
        let Self { engine, completions, .. } = &self;
        let _alarm = Alarm { engine: Arc::clone(engine), completions: Arc::clone(completions) };
        match &mut self.job {
            Job::Commit(committer, updates) => committer.run(updates),
            Job::Read(requests) => {
                while let Ok(first) = requests.recv() {
                    reader::round(&self.engine, &self.completions, first, requests);
                }
            }
            Job::Keep(dir, requests) => {
                while let Ok(request) = requests.recv() {
                    keeper::round(dir, &self.engine, &self.completions, request);
                }
            }
        }
    }

    /// One step of what is queued, without waiting.
    fn step(&mut self) -> Step {
        match &mut self.job {
            Job::Commit(committer, updates) => {
                if committer.sync_if_due() {
                    return Step::Done;
                }
                Step::of(updates.try_recv(), |first| committer.commit(first, updates))
            }
            Job::Read(requests) => Step::of(requests.try_recv(), |first| {
                reader::round(&self.engine, &self.completions, first, requests);
            }),
            Job::Keep(dir, requests) => Step::of(requests.try_recv(), |request| {
                keeper::round(dir, &self.engine, &self.completions, request);
            }),
        }
    }
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It did something; there may be more.
    Done,
    /// Nothing was queued.
    Idle,
    /// Nothing will ever be queued again: the store is closed.
    Ended,
}

impl Step {
    fn of<T>(queued: Result<T, TryRecvError>, work: impl FnOnce(T)) -> Self {
        match queued {
            Ok(first) => {
                work(first);
                Self::Done
            }
            Err(TryRecvError::Empty) => Self::Idle,
            Err(TryRecvError::Disconnected) => Self::Ended,
        }
    }
}

/// A worker that its holder runs step by step, with whatever delays it likes between two steps: see
/// [`Opened::start_stepped`](crate::Opened::start_stepped).
#[derive(Clone)]
pub struct Worker(Arc<Mutex<Option<Work>>>);

impl Worker {
    pub(crate) fn new(work: Work) -> Self {
        Self(Arc::new(Mutex::new(Some(work))))
    }

    /// Does one step of what is queued for it: a commit, the sync that is due after it, a few answers.
    #[must_use]
    pub fn step(&self) -> Step {
        let mut work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work.as_mut().map_or(Step::Ended, Work::step)
    }

    /// Does all that is still queued, and lets go of the store.
    pub(crate) fn finish(&self) {
        let work = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(mut work) = work {
            while work.step() == Step::Done {}
        }
    }
}

/// A thread that panics has a bug and leaves requests unanswered. The others must not go on as if nothing had
/// happened, and the core must hear of it.
struct Alarm {
    engine: Arc<Engine>,
    completions: Completions,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.engine.fence();
            (self.completions)(vec![StorageCompletion::SyncFailed]);
        }
    }
}
