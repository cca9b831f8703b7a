//! One node of a test cluster, on a runtime of its own, so that it can be ended as a process is.

use std::time::Duration;

use cartwheel_node::{ConfigFile, Settings};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

/// How long the threads of a node that is ended may take to notice.
const END_MAX: Duration = Duration::from_secs(10);

pub(super) struct TestNode {
    /// `None` once it is ended.
    runtime: Option<Runtime>,
    running: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl TestNode {
    pub async fn start(config: ConfigFile) -> Result<Self, String> {
        let name = config.node.clone();
        let settings = Settings::new(config)?;
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let (stop, stopped) = oneshot::channel();
        let (started, starting) = oneshot::channel();
        let running = runtime.spawn(async move {
            match cartwheel_node::start(settings).await {
                Ok(running) => {
                    // Whoever started it may have gone: then nobody holds the other end of `stopped` either.
                    _ = started.send(Ok(()));
                    // How it ended is in the log.
                    _ = running.run_until(async { _ = stopped.await }).await;
                }
                Err(error) => _ = started.send(Err(error.to_string())),
            }
        });
        let node = Self { runtime: Some(runtime), running, stop };
        starting.await.unwrap_or_else(|_| Err("it broke down at the start".to_owned()))?;
        Ok(node)
    }

    /// In order.
    pub async fn stop(mut self) {
        let (stop, running) = (std::mem::replace(&mut self.stop, oneshot::channel().0), &mut self.running);
        _ = stop.send(());
        _ = running.await;
        self.kill().await;
    }

    /// All its tasks and threads end where they are; its sockets and files are closed when this returns.
    pub async fn kill(mut self) {
        if let Some(runtime) = self.runtime.take() {
            _ = spawn_blocking(move || runtime.shutdown_timeout(END_MAX)).await;
        }
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
