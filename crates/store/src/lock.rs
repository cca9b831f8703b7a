use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::OpenError;

/// The file that is locked while a process has a data directory open.
pub const LOCK_FILE: &str = "LOCK";

/// Holds a data directory for this process; released when dropped, and by the operating system after a crash.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Locks `dir`, or says that another has it.
    pub fn acquire(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(LOCK_FILE);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(OpenError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: dir.to_owned() }),
            Err(TryLockError::Error(error)) => Err(OpenError::io("lock", path)(error)),
        }
    }
}
