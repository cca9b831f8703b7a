use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a data directory was not opened. What it holds was not changed.
#[derive(Debug, Error)]
pub enum OpenError {
    /// A cluster or node name that cannot be written into the identity file.
    #[error("the {what} name {name:?} is empty, too long, or has control characters or outer spaces")]
    Name {
        /// `cluster` or `node`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There is something else at that path.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("the data directory {} is in use by another process", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// It has no identity file but is not empty: it is not a data directory, or not a whole one.
    #[error(
        "{} is not a data directory of Cartwheel: expected an empty directory or one with an identity file, \
         found {found:?}",
        path.display()
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// One of the things found in it.
        found: String,
    },
    /// It belongs to another cluster.
    #[error("the data in {} belongs to the cluster {found:?}; expected {expected:?}", path.display())]
    OtherCluster {
        /// Where that is written.
        path: PathBuf,
        /// The cluster expected.
        expected: String,
        /// The cluster it belongs to.
        found: String,
    },
    /// It belongs to another node.
    #[error("the data in {} belongs to the node {found:?}; expected {expected:?}", path.display())]
    OtherNode {
        /// Where that is written.
        path: PathBuf,
        /// The node expected.
        expected: String,
        /// The node it belongs to.
        found: String,
    },
    /// A later release wrote it.
    #[error("{} has format {found}; this release knows {known}: it was written by a later one", path.display())]
    NewerFormat {
        /// The file that says so.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The latest format known.
        known: u64,
    },
    /// Blocks of the engine are not what was written. [`Store::salvage`](crate::Store::salvage) makes what can be made of it.
    #[error("the engine in {} has blocks that fail their checksums", path.display())]
    Blocks {
        /// The engine's directory.
        path: PathBuf,
    },
    /// It cannot be what was written.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it, and what can be done.
        reason: String,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The storage engine refused.
    #[error("cannot open the storage engine in {}: {source}", path.display())]
    Engine {
        /// Its directory.
        path: PathBuf,
        /// Why not.
        source: Box<fjall::Error>,
    },
    /// The operating system gave no randomness for a store id.
    #[error("no randomness for a store id: {0}")]
    Random(#[from] getrandom::Error),
}

impl OpenError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn engine(path: impl Into<PathBuf>) -> impl FnOnce(fjall::Error) -> Self {
        let path = path.into();
        move |source| Self::Engine { path, source: Box::new(source) }
    }
}

/// Why an open store was not put to work. What it holds was not changed.
#[derive(Debug, Error)]
pub enum BeginError {
    /// The operating system refused a thread.
    #[error("cannot start the store's threads: {0}")]
    Threads(io::Error),
    /// Blocks of the engine are not what was written. [`Store::salvage`](crate::Store::salvage) makes what can be made of it.
    #[error("blocks of the engine fail their checksums")]
    Damaged,
}

/// Why a stop was not clean. What was reported as synced is safe; the next start counts as one after a crash.
#[derive(Debug, Error)]
pub enum CloseError {
    /// A sync or commit had failed earlier, or fails now.
    #[error("the store had failed: what was not yet synced may be lost")]
    Failed,
    /// A thread of the store has panicked.
    #[error("a thread of the store has panicked")]
    Panicked,
    /// The marker of the clean stop could not be written.
    #[error("everything is synced, but the clean stop cannot be recorded: {0}")]
    Marker(OpenError),
}
