//! Telling tasks to stop.

use tokio::sync::watch;

/// Hears when it is time to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// The one who tells, and one who hears.
    pub fn channel() -> (watch::Sender<bool>, Self) {
        let (stop, stopping) = watch::channel(false);
        (stop, Self(stopping))
    }

    /// Comes when it is time; also when nobody is left to say so. Safe to cancel.
    pub async fn wait(&mut self) {
        drop(self.0.wait_for(|stop| *stop).await);
    }
}
