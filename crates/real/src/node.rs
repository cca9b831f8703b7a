//! One node: its files, and its process while it runs.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use cartwheel_node::ConfigFile;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::PlayError;

/// How long a node may take to stop in good order.
const STOP_MAX: Duration = Duration::from_secs(15);
/// Size of a disk that can be filled.
const DISK_BYTES: u64 = 256 << 20;
/// Where Debian's package has it; found in any directory of the loader's when it is somewhere else.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// What is special about a node's machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine {
    /// Its disk is small, so that it can be filled.
    pub small_disk: bool,
    /// Its wall clock is ours to set; it is ahead by so many milliseconds at first.
    pub clock_ms: Option<i64>,
}

impl Machine {
    /// Whether wall clocks can be set.
    pub fn can_set_clocks() -> bool {
        Path::new(FAKETIME).exists()
    }
}

/// One node.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Where clients reach it.
    pub http: SocketAddr,
    /// How often it was started.
    pub life: u32,
    /// Whether it stands still.
    pub is_still: bool,
    dir: PathBuf,
    namespace: Option<String>,
    machine: Machine,
    child: Option<Child>,
}

impl Node {
    /// Makes its directory and writes its configuration.
    pub fn new(
        dir: &Path,
        config: &ConfigFile,
        namespace: Option<String>,
        machine: Machine,
    ) -> Result<Self, PlayError> {
        let dir = dir.join(&config.node);
        let failed = |what: &str| PlayError::machine(format!("{}: {what}", dir.display()));
        fs::create_dir_all(dir.join("disk")).map_err(failed("making it"))?;
        let text = essential(config).map_err(io::Error::other).map_err(failed("its configuration"))?;
        fs::write(dir.join("node.toml"), text).map_err(failed("writing node.toml"))?;
        let (name, http) = (config.node.clone(), config.http);
        let mut node = Self { name, http, life: 0, is_still: false, dir, namespace, machine, child: None };
        if machine.small_disk {
            let mounted = std::process::Command::new("mount")
                .args(["-t", "tmpfs", "-o", &format!("size={DISK_BYTES}"), "tmpfs"])
                .arg(node.dir.join("disk"))
                .stderr(Stdio::null())
                .status();
            // Who may not mount has no disk to fill, and is told which faults were left out.
            node.machine.small_disk = mounted.is_ok_and(|status| status.success());
        }
        if let Some(ms) = machine.clock_ms {
            node.set_clock(ms).map_err(PlayError::machine(format!("setting the clock of {}", node.name)))?;
        }
        Ok(node)
    }

    /// Where it keeps its data, in its configuration's words.
    pub const DATA: &'static str = "disk/data";

    fn data(&self) -> PathBuf {
        self.dir.join(Self::DATA)
    }

    /// Starts it as `binary`.
    pub fn start(&mut self, binary: &Path) -> Result<(), PlayError> {
        let failed = |error| PlayError::Machine { what: format!("starting {}", self.name), source: error };
        let log = File::options().append(true).create(true).open(self.log()).map_err(failed)?;
        let mut command = match &self.namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(binary);
                command
            }
            None => Command::new(binary),
        };
        command.args(["serve", "--config"]).arg(self.dir.join("node.toml"));
        if self.machine.clock_ms.is_some() {
            command
                .env("LD_PRELOAD", FAKETIME)
                .env("FAKETIME_TIMESTAMP_FILE", self.dir.join("clock"))
                .env("FAKETIME_NO_CACHE", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                .env("DONT_FAKE_MONOTONIC", "1");
        }
        let out = log.try_clone().map_err(failed)?;
        command.stdin(Stdio::null()).stdout(out).stderr(log).kill_on_drop(true);
        self.child = Some(command.spawn().map_err(failed)?);
        self.life += 1;
        self.is_still = false;
        Ok(())
    }

    /// Whether its process was started and not ended since, as far as we know.
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// How it ended, if it did by itself.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        let ended = self.child.as_mut()?.try_wait().ok().flatten()?;
        self.child = None;
        Some(ended)
    }

    /// `kill -9`; whether it ran.
    pub async fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return false };
        // One that has just ended needs no signal.
        _ = child.kill().await;
        self.is_still = false;
        true
    }

    /// SIGTERM, and waits until it has stopped; whether it ran. One that does not stop is killed.
    pub async fn stop(&mut self) -> bool {
        self.signal(Signal::CONT);
        self.signal(Signal::TERM);
        let Some(child) = &mut self.child else { return false };
        if timeout(STOP_MAX, child.wait()).await.is_err() {
            return self.kill().await;
        }
        self.child = None;
        true
    }

    /// SIGSTOP; whether it runs.
    pub fn stand_still(&mut self) -> bool {
        self.is_still = self.child.is_some();
        self.signal(Signal::STOP);
        self.is_still
    }

    /// SIGCONT.
    pub fn go_on(&mut self) {
        self.is_still = false;
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().and_then(Child::id).and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = id.and_then(Pid::from_raw) {
            // One that has just ended needs no signal.
            _ = kill_process(pid, signal);
        }
    }

    /// Its data is gone. It does not run.
    pub fn lose_disk(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.data()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Copies its data, which it does not use at the moment.
    pub fn back_up(&self) -> io::Result<()> {
        let backup = self.dir.join("backup");
        if backup.exists() {
            fs::remove_dir_all(&backup)?;
        }
        copy(&self.data(), &backup)
    }

    /// Puts the copy in the place of its data; whether there was one.
    pub fn put_back(&self) -> io::Result<bool> {
        let backup = self.dir.join("backup");
        if !backup.exists() {
            return Ok(false);
        }
        self.lose_disk()?;
        copy(&backup, &self.data())?;
        Ok(true)
    }

    /// Whether its disk can be filled.
    pub fn can_be_filled(&self) -> bool {
        self.machine.small_disk
    }

    /// Not a byte more fits on its disk.
    pub fn fill_disk(&self) -> io::Result<()> {
        let mut filler = File::options().append(true).create(true).open(self.filler())?;
        let mut chunk = vec![b'x'; 1 << 20];
        loop {
            match filler.write(&chunk) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull && chunk.len() > 1 => {
                    chunk.truncate(chunk.len() / 16);
                }
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// There is space again.
    pub fn free_disk(&self) {
        // Where nothing was filled there is nothing to free.
        _ = fs::remove_file(self.filler());
    }

    fn filler(&self) -> PathBuf {
        self.dir.join("disk/filler")
    }

    /// Whether its wall clock is ours to set.
    pub fn has_clock(&self) -> bool {
        self.machine.clock_ms.is_some()
    }

    /// Its wall clock jumps.
    pub fn jump_clock(&mut self, by_ms: i64) -> io::Result<()> {
        let ms = self.machine.clock_ms.unwrap_or(0) + by_ms;
        self.machine.clock_ms = Some(ms);
        self.set_clock(ms)
    }

    fn set_clock(&self, ms: i64) -> io::Result<()> {
        let sign = if ms < 0 { '-' } else { '+' };
        let (s, ms) = (ms.unsigned_abs() / 1_000, ms.unsigned_abs() % 1_000);
        // Renamed into its place: the node looks at it at every reading.
        let fresh = self.dir.join("clock.new");
        fs::write(&fresh, format!("{sign}{s}.{ms:03}\n"))?;
        fs::rename(fresh, self.dir.join("clock"))
    }

    /// Where it logs.
    pub fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// The last line of its log.
    pub fn last_words(&self) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(&log).lines().next_back().unwrap_or("(nothing)").to_owned()
    }

    /// As an error.
    pub fn failure(&self, what: impl Into<String>) -> PlayError {
        PlayError::Node {
            node: self.name.clone(),
            what: what.into(),
            log: self.log(),
            words: self.last_words(),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if self.machine.small_disk {
            // It must be gone before its disk is: `kill_on_drop` comes too late.
            if let Some(child) = &mut self.child {
                _ = child.start_kill();
                while matches!(child.try_wait(), Ok(None)) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            _ = std::process::Command::new("umount").arg(self.dir.join("disk")).status();
        }
    }
}

/// The settings that are not the defaults of this release: an older one that nodes begin with knows no others.
fn essential(config: &ConfigFile) -> Result<String, toml::ser::Error> {
    const ALWAYS: [&str; 6] = ["cluster", "node", "data", "http", "peer", "member"];
    let ConfigFile { cluster, node, http, peer, members, .. } = config.clone();
    let defaults = toml::Table::try_from(ConfigFile::new(cluster, node, http, peer, members))?;
    let mut settings = toml::Table::try_from(config)?;
    settings.retain(|name, value| ALWAYS.contains(&name) || defaults.get(name) != Some(value));
    toml::to_string(&settings)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}
