//! One node's process.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::mpsc;

use super::layout::Node;

/// A process that has ended.
pub struct Exit {
    pub index: usize,
    pub pid: u32,
    /// `ended with signal: 9 (SIGKILL)`
    pub how: String,
}

pub struct Child {
    pid: u32,
}

impl Child {
    /// Starts a node; its output is appended to its log, its end is told to `exited`.
    pub fn spawn(index: usize, node: &Node, exited: mpsc::UnboundedSender<Exit>) -> io::Result<Self> {
        let log = File::options().append(true).create(true).open(&node.log)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg("--config")
            .arg(&node.config)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let pid = child.id().ok_or_else(|| io::Error::other("ended at once"))?;
        tokio::spawn(async move {
            let how = match child.wait().await {
                Ok(status) => format!("ended with {status}"),
                Err(error) => format!("cannot be waited for: {error}"),
            };
            // Whoever started it may be gone already.
            drop(exited.send(Exit { index, pid, how }));
        });
        Ok(Self { pid })
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            // One that has just ended needs no signal.
            let _gone = kill_process(pid, signal);
        }
    }
}

/// Waits until a node answers a ping.
pub async fn answers(http: SocketAddr, at_most: Duration) -> Result<(), String> {
    let until = Instant::now() + at_most;
    loop {
        match ping(http).await {
            Ok(true) => return Ok(()),
            _ if Instant::now() >= until => return Err(format!("does not answer at http://{http}/health")),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn ping(http: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(http).await?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(64).read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}
