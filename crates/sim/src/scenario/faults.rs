//! Faults: what can go wrong, at a set time or at random.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

use super::units::Span;

/// A fault at a set time. Nodes are numbered from 1, carts from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Power fails: memory and what was not synced are lost. The node starts again after `lasts`.
    Crash {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Who.
        node: u32,
    },
    /// A clean stop: requests under way are cut off, everything is synced, and the node starts again after `lasts`.
    Restart {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Who.
        node: u32,
    },
    /// As `crash`, and the node comes back with an old copy of its disk: as it was `back` earlier.
    RestoreDisk {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Who.
        node: u32,
        /// How old the copy is, rounded up to whole seconds; at most as old as the run.
        back: Span,
    },
    /// As `crash`, and the node comes back with an empty disk.
    WipeDisk {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Who.
        node: u32,
    },
    /// Carts vanish from the disk of a running node, which does not notice.
    WipeKey {
        /// When.
        at: Span,
        /// Where.
        node: u32,
        /// Which carts, or other keys.
        #[serde(alias = "keys")]
        carts: Vec<u32>,
    },
    /// Bytes of carts rot on the disk of a running node: their records fail their checksums from now on.
    CorruptRecord {
        /// When.
        at: Span,
        /// Where.
        node: u32,
        /// Which carts, or other keys.
        #[serde(alias = "keys")]
        carts: Vec<u32>,
    },
    /// `side` and the other nodes do not hear each other.
    Partition {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// One side.
        side: Vec<u32>,
    },
    /// Nothing that `from` sends to `to` arrives; the other direction works.
    OneWay {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Senders.
        from: Vec<u32>,
        /// Receivers.
        to: Vec<u32>,
    },
    /// The nodes of each pair do not hear each other; both may hear a third one, which makes it unlike a partition.
    PartialPartition {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Which.
        pairs: Vec<[u32; 2]>,
    },
    /// Answers to reads and writes that `from` sends to `to` do not arrive; everything else does.
    DropAcks {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Who answers.
        from: Vec<u32>,
        /// Who asked.
        to: Vec<u32>,
    },
    /// A node is up and slow: every message from and to another node takes `factor` times as long.
    SlowNode {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Who.
        node: u32,
        /// How many times as long.
        factor: u32,
    },
    /// Of what `from` sends to `to`, so many percent arrive late, by `by` on average, and overtaken by the rest: what a
    /// connection does that has to send again.
    LateLink {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Senders.
        from: Vec<u32>,
        /// Receivers.
        to: Vec<u32>,
        /// How many in a hundred.
        percent: u32,
        /// How late, on average.
        by: Span,
    },
    /// The process stands still, its clocks run on: a long pause of a virtual machine, a debugger, `SIGSTOP`. What it is
    /// sent waits for it.
    Pause {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Who.
        node: u32,
    },
    /// The machine sleeps: as `pause`, and the monotonic clock stands still with it; the wall clock runs on.
    Suspend {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Who.
        node: u32,
    },
    /// Power fails again and again: every `every`, each time for half of that.
    CrashLoop {
        /// When first.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Who.
        node: u32,
        /// From one crash to the next.
        every: Span,
    },
    /// A partition that comes and goes: every `every`, each time for half of that.
    Flapping {
        /// When first.
        at: Span,
        /// For how long.
        lasts: Span,
        /// One side.
        side: Vec<u32>,
        /// From one cut to the next.
        every: Span,
    },
    /// An operator restarts the members one after the other, as for an upgrade: one every `every`, each stopped cleanly
    /// for `lasts`.
    RollingRestart {
        /// When the first one is stopped.
        at: Span,
        /// For how long each is down.
        lasts: Span,
        /// From one to the next.
        every: Span,
    },
    /// A disk says that it has synced and has not: should power fail, what it was trusted with since is lost in part,
    /// until a later sync is true. The node loses data without having an empty disk to notice it by.
    LyingSync {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Whose.
        node: u32,
    },
    /// A disk fails to read, now and then: I/O errors.
    ReadErrors {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Whose.
        node: u32,
        /// One read of so many, by chance; 1: all.
        #[serde(default = "Fault::all")]
        one_in: u32,
    },
    /// A disk fails to write, now and then: I/O errors. What fails has changed nothing.
    WriteErrors {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Whose.
        node: u32,
        /// One write of so many, by chance; 1: all.
        #[serde(default = "Fault::all")]
        one_in: u32,
    },
    /// A disk is full: it can be read, and nothing can be written, deletions neither.
    DiskFull {
        /// When.
        at: Span,
        /// For how long.
        lasts: Span,
        /// Whose.
        node: u32,
    },
    /// A wall clock jumps.
    ClockJump {
        /// When.
        at: Span,
        /// Whose.
        node: u32,
        /// By so many milliseconds; negative: back.
        by_ms: i64,
    },
    /// An operator starts a spare node and lets it in.
    Join {
        /// When.
        at: Span,
        /// Who.
        node: u32,
    },
    /// An operator lets a member leave.
    Leave {
        /// When.
        at: Span,
        /// Who.
        node: u32,
    },
    /// An operator puts a spare node in the place of a member. If that one is down then, it is declared dead, and never
    /// starts again.
    Replace {
        /// When.
        at: Span,
        /// Who goes.
        node: u32,
        /// Who comes.
        with: u32,
    },
    /// An operator has `node` set properties of a bucket, and asks again until it has. The quorums of requests are
    /// those of the cluster: what watches them knows no others.
    SetProps {
        /// When.
        at: Span,
        /// Who is asked.
        node: u32,
        /// Which bucket of carts.
        #[serde(default)]
        bucket: u32,
        /// How many distinct nodes must be among those that answer.
        node_confirms: Option<u8>,
        /// Whether every concurrent version is shown. `false` loses acknowledged writes.
        allow_mult: Option<bool>,
        /// Whether the latest clock wins. `true` loses acknowledged writes.
        last_write_wins: Option<bool>,
    },
    /// A member is destroyed, and an operator declares it dead.
    Remove {
        /// When.
        at: Span,
        /// Who.
        node: u32,
    },
    /// An operator has `node` create, activate or change a bucket type, and asks again until it has. No cart is of such a
    /// type: what is looked at is whether all nodes come to know the same.
    SetType {
        /// When.
        at: Span,
        /// Who is asked.
        node: u32,
        /// The type.
        name: String,
        /// What becomes of it.
        step: TypeStep,
        /// When it is created or changed: how many distinct nodes must be among those that answer.
        node_confirms: Option<u8>,
    },
}

/// What an operator does with a bucket type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeStep {
    /// Creates it.
    Create,
    /// Activates it, for ever.
    Activate,
    /// Sets properties of it.
    Update,
}

impl Fault {
    /// Its name in files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Crash { .. } => "crash",
            Self::Restart { .. } => "restart",
            Self::RestoreDisk { .. } => "restore_disk",
            Self::WipeDisk { .. } => "wipe_disk",
            Self::WipeKey { .. } => "wipe_key",
            Self::CorruptRecord { .. } => "corrupt_record",
            Self::Partition { .. } => "partition",
            Self::OneWay { .. } => "one_way",
            Self::PartialPartition { .. } => "partial_partition",
            Self::DropAcks { .. } => "drop_acks",
            Self::SlowNode { .. } => "slow_node",
            Self::LateLink { .. } => "late_link",
            Self::Pause { .. } => "pause",
            Self::Suspend { .. } => "suspend",
            Self::CrashLoop { .. } => "crash_loop",
            Self::Flapping { .. } => "flapping",
            Self::RollingRestart { .. } => "rolling_restart",
            Self::LyingSync { .. } => "lying_sync",
            Self::ReadErrors { .. } => "read_errors",
            Self::WriteErrors { .. } => "write_errors",
            Self::DiskFull { .. } => "disk_full",
            Self::ClockJump { .. } => "clock_jump",
            Self::Join { .. } => "join",
            Self::Leave { .. } => "leave",
            Self::Replace { .. } => "replace",
            Self::SetProps { .. } => "set_props",
            Self::Remove { .. } => "remove",
            Self::SetType { .. } => "set_type",
        }
    }

    /// When it strikes.
    pub fn at(&self) -> Span {
        *self.clone().times().0
    }

    /// The same fault at another time.
    #[must_use]
    pub fn struck_at(mut self, when: Span) -> Self {
        *self.times().0 = when;
        self
    }

    /// How long it lasts; `None` where it is over at once.
    pub fn lasts_mut(&mut self) -> Option<&mut Span> {
        self.times().1
    }

    /// When it strikes, and how long it lasts.
    fn times(&mut self) -> (&mut Span, Option<&mut Span>) {
        match self {
            Self::Crash { at, lasts, .. }
            | Self::Restart { at, lasts, .. }
            | Self::RestoreDisk { at, lasts, .. }
            | Self::WipeDisk { at, lasts, .. }
            | Self::Partition { at, lasts, .. }
            | Self::OneWay { at, lasts, .. }
            | Self::PartialPartition { at, lasts, .. }
            | Self::DropAcks { at, lasts, .. }
            | Self::SlowNode { at, lasts, .. }
            | Self::Pause { at, lasts, .. }
            | Self::Suspend { at, lasts, .. }
            | Self::CrashLoop { at, lasts, .. }
            | Self::Flapping { at, lasts, .. }
            | Self::RollingRestart { at, lasts, .. }
            | Self::LyingSync { at, lasts, .. }
            | Self::LateLink { at, lasts, .. }
            | Self::ReadErrors { at, lasts, .. }
            | Self::WriteErrors { at, lasts, .. }
            | Self::DiskFull { at, lasts, .. } => (at, Some(lasts)),
            Self::WipeKey { at, .. }
            | Self::CorruptRecord { at, .. }
            | Self::ClockJump { at, .. }
            | Self::SetProps { at, .. }
            | Self::SetType { at, .. }
            | Self::Join { at, .. }
            | Self::Leave { at, .. }
            | Self::Replace { at, .. }
            | Self::Remove { at, .. } => (at, None),
        }
    }

    fn all() -> u32 {
        1
    }

    /// From one time to the next, where it strikes again and again.
    pub fn every(&self) -> Option<Span> {
        match self {
            Self::CrashLoop { every, .. }
            | Self::Flapping { every, .. }
            | Self::RollingRestart { every, .. } => Some(*every),
            _ => None,
        }
    }

    /// From when to when it keeps its node down, or still.
    pub fn downtime(&self) -> Option<(Span, Span)> {
        match self {
            Self::Crash { at, lasts, .. }
            | Self::Restart { at, lasts, .. }
            | Self::RestoreDisk { at, lasts, .. }
            | Self::WipeDisk { at, lasts, .. }
            | Self::Pause { at, lasts, .. }
            | Self::Suspend { at, lasts, .. }
            | Self::CrashLoop { at, lasts, .. } => {
                Some((*at, Span::from_ns(at.ns().saturating_add(lasts.ns()))))
            }
            // One after the other is down until the last of so many nodes as there may be.
            Self::RollingRestart { at, .. } => Some((*at, Span::from_ns(u64::MAX))),
            _ => None,
        }
    }

    /// Renames the nodes it names, and leaves out those without a new name. Whether anything is left of it.
    pub fn retain_nodes(&mut self, rename: impl Fn(u32) -> Option<u32>) -> bool {
        let list = |nodes: &mut Vec<u32>| {
            *nodes = nodes.iter().filter_map(|node| rename(*node)).collect();
            !nodes.is_empty()
        };
        let one = |node: &mut u32| rename(*node).map(|new| *node = new).is_some();
        match self {
            Self::Crash { node, .. }
            | Self::Restart { node, .. }
            | Self::RestoreDisk { node, .. }
            | Self::WipeDisk { node, .. }
            | Self::WipeKey { node, .. }
            | Self::CorruptRecord { node, .. }
            | Self::SlowNode { node, .. }
            | Self::Pause { node, .. }
            | Self::Suspend { node, .. }
            | Self::CrashLoop { node, .. }
            | Self::LyingSync { node, .. }
            | Self::ReadErrors { node, .. }
            | Self::WriteErrors { node, .. }
            | Self::DiskFull { node, .. }
            | Self::ClockJump { node, .. }
            | Self::SetProps { node, .. }
            | Self::SetType { node, .. }
            | Self::Join { node, .. }
            | Self::Leave { node, .. }
            | Self::Remove { node, .. } => one(node),
            Self::Replace { node, with, .. } => one(node) && one(with),
            Self::Partition { side, .. } | Self::Flapping { side, .. } => list(side),
            Self::OneWay { from, to, .. }
            | Self::DropAcks { from, to, .. }
            | Self::LateLink { from, to, .. } => list(from) && list(to),
            Self::PartialPartition { pairs, .. } => {
                let renamed = |[one, other]: &[u32; 2]| Some([rename(*one)?, rename(*other)?]);
                *pairs = pairs.iter().filter_map(renamed).collect();
                !pairs.is_empty()
            }
            Self::RollingRestart { .. } => true,
        }
    }

    /// The nodes it names.
    pub fn nodes(&self) -> Vec<u32> {
        let named = RefCell::new(Vec::new());
        self.clone().retain_nodes(|node| {
            named.borrow_mut().push(node);
            Some(node)
        });
        named.into_inner()
    }
}

/// Faults at random times. It strikes within the fault budget only: what the cluster's N, R and W must survive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NemesisSpec {
    /// Mean time between two strikes.
    pub every: Span,
    /// Mean time until a fault is mended.
    pub lasts: Span,
    /// Weight of [`Fault::Crash`].
    #[serde(default)]
    pub crash: u32,
    /// Weight of [`Fault::Restart`].
    #[serde(default)]
    pub restart: u32,
    /// Weight of [`Fault::RestoreDisk`].
    #[serde(default)]
    pub restore_disk: u32,
    /// Weight of [`Fault::Partition`].
    #[serde(default)]
    pub partition: u32,
    /// Weight of [`Fault::OneWay`].
    #[serde(default)]
    pub one_way: u32,
    /// Weight of [`Fault::WipeDisk`].
    #[serde(default)]
    pub wipe_disk: u32,
    /// Weight of [`Fault::WipeKey`].
    #[serde(default)]
    pub wipe_key: u32,
    /// Weight of [`Fault::PartialPartition`].
    #[serde(default)]
    pub partial_partition: u32,
    /// Weight of [`Fault::DropAcks`].
    #[serde(default)]
    pub drop_acks: u32,
    /// Weight of [`Fault::SlowNode`].
    #[serde(default)]
    pub slow_node: u32,
    /// Weight of [`Fault::ClockJump`].
    #[serde(default)]
    pub clock_jump: u32,
    /// Weight of [`Fault::Join`].
    #[serde(default)]
    pub join: u32,
    /// Weight of [`Fault::Leave`].
    #[serde(default)]
    pub leave: u32,
    /// Weight of [`Fault::Replace`], and of [`Fault::Remove`] when no spare node is left.
    #[serde(default)]
    pub replace: u32,
    /// Weight of [`Fault::Pause`].
    #[serde(default)]
    pub pause: u32,
    /// Weight of [`Fault::Suspend`].
    #[serde(default)]
    pub suspend: u32,
    /// Weight of [`Fault::CrashLoop`].
    #[serde(default)]
    pub crash_loop: u32,
    /// Weight of [`Fault::Flapping`].
    #[serde(default)]
    pub flapping: u32,
    /// Weight of [`Fault::RollingRestart`].
    #[serde(default)]
    pub rolling_restart: u32,
    /// Weight of [`Fault::LyingSync`].
    #[serde(default)]
    pub lying_sync: u32,
    /// Weight of [`Fault::LateLink`].
    #[serde(default)]
    pub late_link: u32,
    /// Weight of [`Fault::ReadErrors`].
    #[serde(default)]
    pub read_errors: u32,
    /// Weight of [`Fault::WriteErrors`].
    #[serde(default)]
    pub write_errors: u32,
    /// Weight of [`Fault::DiskFull`].
    #[serde(default)]
    pub disk_full: u32,
    /// Weight of [`Fault::CorruptRecord`].
    #[serde(default)]
    pub corrupt_record: u32,
    /// Weight of [`Fault::SetProps`], of the first bucket: how many distinct nodes must be among those that answer.
    #[serde(default)]
    pub set_props: u32,
}

/// The kinds of [`Fault`].
#[allow(missing_docs, reason = "they are named as the faults are")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    Crash,
    Partition,
    OneWay,
    WipeDisk,
    WipeKey,
    ClockJump,
    PartialPartition,
    DropAcks,
    SlowNode,
    Join,
    Leave,
    Replace,
    Restart,
    RestoreDisk,
    Pause,
    Suspend,
    CrashLoop,
    Flapping,
    RollingRestart,
    LyingSync,
    LateLink,
    ReadErrors,
    WriteErrors,
    DiskFull,
    SetProps,
    CorruptRecord,
}

impl NemesisSpec {
    /// The kinds that it may draw, each with its name in files and its weight.
    pub fn weights(&self) -> [(FaultKind, &'static str, u32); 26] {
        [
            (FaultKind::Crash, "crash", self.crash),
            (FaultKind::Partition, "partition", self.partition),
            (FaultKind::OneWay, "one_way", self.one_way),
            (FaultKind::WipeDisk, "wipe_disk", self.wipe_disk),
            (FaultKind::WipeKey, "wipe_key", self.wipe_key),
            (FaultKind::PartialPartition, "partial_partition", self.partial_partition),
            (FaultKind::DropAcks, "drop_acks", self.drop_acks),
            (FaultKind::SlowNode, "slow_node", self.slow_node),
            (FaultKind::ClockJump, "clock_jump", self.clock_jump),
            (FaultKind::Join, "join", self.join),
            (FaultKind::Leave, "leave", self.leave),
            (FaultKind::Replace, "replace", self.replace),
            (FaultKind::Restart, "restart", self.restart),
            (FaultKind::RestoreDisk, "restore_disk", self.restore_disk),
            (FaultKind::Pause, "pause", self.pause),
            (FaultKind::Suspend, "suspend", self.suspend),
            (FaultKind::CrashLoop, "crash_loop", self.crash_loop),
            (FaultKind::Flapping, "flapping", self.flapping),
            (FaultKind::RollingRestart, "rolling_restart", self.rolling_restart),
            (FaultKind::LyingSync, "lying_sync", self.lying_sync),
            (FaultKind::LateLink, "late_link", self.late_link),
            (FaultKind::ReadErrors, "read_errors", self.read_errors),
            (FaultKind::WriteErrors, "write_errors", self.write_errors),
            (FaultKind::DiskFull, "disk_full", self.disk_full),
            (FaultKind::SetProps, "set_props", self.set_props),
            (FaultKind::CorruptRecord, "corrupt_record", self.corrupt_record),
        ]
    }
}
