use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// I/O errors that a test can switch on; the shipped node has no way to. A run-time value, so that the code under
/// test is the code that ships.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Switches>);

#[derive(Debug, Default)]
struct Switches {
    commit: AtomicBool,
    sync: AtomicBool,
}

impl Faults {
    /// Every commit fails from now on.
    pub fn fail_commits(&self) {
        self.0.commit.store(true, Ordering::SeqCst);
    }

    /// Every sync fails from now on.
    pub fn fail_syncs(&self) {
        self.0.sync.store(true, Ordering::SeqCst);
    }

    pub(crate) fn commit(&self) -> Result<(), fjall::Error> {
        planted(&self.0.commit)
    }

    pub(crate) fn sync(&self) -> Result<(), fjall::Error> {
        planted(&self.0.sync)
    }
}

fn planted(switch: &AtomicBool) -> Result<(), fjall::Error> {
    if switch.load(Ordering::SeqCst) { Err(std::io::Error::other("a planted fault").into()) } else { Ok(()) }
}
