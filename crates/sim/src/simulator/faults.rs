//! Inflicting faults and mending them.

use cartwheel_core::membership::MemberStatus;
use cartwheel_core::{Key, Node};

use super::{Event, Process, Simulator};
use crate::disk::Disk;
use crate::luck::{Subject, Work};
use crate::network::Trouble;
use crate::report::Counter;
use crate::scenario::{Fault, Span};

/// How often disks are copied.
const COPIES_EVERY_NS: u64 = 1_000_000_000;

/// The end of a fault.
#[derive(Debug)]
pub(crate) enum Mend {
    /// The node starts again, perhaps with an empty disk.
    Restart { node: u32, life: u32 },
    /// Directed links are relieved of a trouble.
    Relieve { links: Vec<(u32, u32)>, trouble: Trouble },
    /// A disk is honest again.
    Truth { node: u32 },
}

impl Simulator<'_> {
    pub(super) fn strike(&mut self) {
        if !self.faults_strike() {
            return;
        }
        // Those that have left run on, and are no part of the cluster.
        let is_there = |node: &Node| {
            let status = node.status();
            !status.cluster().status(status.node()).is_some_and(MemberStatus::is_gone)
        };
        let now = self.now;
        let is_steady = |process: &Process| {
            process.up_since(now).is_some()
                && process.loops_until_ns <= now
                && process.node.as_ref().is_some_and(is_there)
        };
        let numbered = self.processes.iter().zip(1..);
        let up: Vec<u32> =
            numbered.filter(|(process, _)| is_steady(process)).map(|(_, number)| number).collect();
        let rolling = usize::from(self.rolling_until > now);
        let down = self.processes.iter().filter(|process| process.exists).count() - up.len() + rolling;
        let Some(nemesis) = &mut self.nemesis else { return };
        let fault = nemesis.strike(&up, down);
        let pause = nemesis.pause();
        self.queue.push(self.now + pause, Event::Strike);
        if let Some(fault) = fault {
            self.inflict(&fault);
            self.struck.push(fault.struck_at(Span::from_ns(self.now)));
        }
    }

    pub(super) fn inflict(&mut self, fault: &Fault) {
        if let Some((recorder, scene)) = self.recorder() {
            recorder.strikes(&scene, fault);
        }
        match fault {
            Fault::Crash { lasts, node, .. } => self.crash(node - 1, *lasts),
            Fault::Restart { lasts, node, .. } => self.restart(node - 1, *lasts),
            Fault::RestoreDisk { lasts, node, back, .. } => self.restore_disk(node - 1, *lasts, *back),
            Fault::WipeDisk { lasts, node, .. } => self.wipe_disk(node - 1, *lasts),
            Fault::WipeKey { node, carts, .. } => {
                self.lose_records(node - 1, carts, Disk::wipe_key, Counter::KeyWipes);
            }
            Fault::CorruptRecord { node, carts, .. } => {
                self.lose_records(node - 1, carts, Disk::damage_key, Counter::CorruptRecords);
            }
            Fault::Partition { .. }
            | Fault::PartialPartition { .. }
            | Fault::DropAcks { .. }
            | Fault::LateLink { .. }
            | Fault::SlowNode { .. }
            | Fault::OneWay { .. } => self.inflict_on_links(fault),
            Fault::Pause { lasts, node, .. } => {
                self.stand_still(node - 1, *lasts);
                self.count(Counter::Pauses);
            }
            Fault::Suspend { lasts, node, .. } => {
                self.stand_still(node - 1, *lasts);
                self.processes[*node as usize - 1].clock.slept_ns += lasts.ns();
                self.count(Counter::Suspends);
            }
            Fault::CrashLoop { lasts, node, every, .. } => {
                self.count(Counter::CrashLoops);
                self.processes[*node as usize - 1].loops_until_ns = self.now + lasts.ns();
                let crash = |lasts| Fault::Crash { at: Span::default(), lasts, node: *node };
                self.again_and_again(*lasts, *every, crash);
            }
            Fault::Flapping { lasts, side, every, .. } => {
                self.count(Counter::Flappings);
                let cut = |lasts| Fault::Partition { at: Span::default(), lasts, side: side.clone() };
                self.again_and_again(*lasts, *every, cut);
            }
            Fault::RollingRestart { lasts, every, .. } => {
                self.count(Counter::RollingRestarts);
                let members: Vec<u32> = self.members();
                self.rolling_until = self.now + members.len() as u64 * every.ns() + lasts.ns();
                for (turn, node) in members.into_iter().enumerate() {
                    let restart = Fault::Restart { at: Span::default(), lasts: *lasts, node };
                    self.queue.push(self.now + turn as u64 * every.ns(), Event::Inflict(Box::new(restart)));
                }
            }
            Fault::LyingSync { lasts, node, .. } => {
                self.count(Counter::LyingSyncs);
                self.processes[*node as usize - 1].disk.lies = true;
                self.queue.push(self.now + lasts.ns(), Event::Mend(Mend::Truth { node: node - 1 }));
            }
            Fault::ReadErrors { .. } | Fault::WriteErrors { .. } | Fault::DiskFull { .. } => {
                self.fail_disk(fault);
            }
            Fault::Join { .. } | Fault::Leave { .. } | Fault::Replace { .. } | Fault::Remove { .. } => {
                self.have_members_changed(fault);
            }
            Fault::SetProps { .. } | Fault::SetType { .. } => self.have_set(fault),
            Fault::ClockJump { node, by_ms, .. } => {
                self.processes[*node as usize - 1].clock.offset_us += by_ms * 1_000;
                self.count(Counter::ClockJumps);
            }
        }
    }

    /// What `node` holds of some keys is lost by `how`, which says whether it held anything.
    fn lose_records(&mut self, node: u32, keys: &[u32], how: fn(&mut Disk, &Key) -> bool, counter: Counter) {
        for key in keys {
            let key = self.clients.keys()[*key as usize].clone();
            if how(&mut self.processes[node as usize].disk, &key) {
                self.count(counter);
            }
            let (oracle, scene) = self.watch();
            oracle.key_lost(&scene, node, &key);
        }
    }

    fn inflict_on_links(&mut self, fault: &Fault) {
        match fault {
            Fault::Partition { lasts, side, .. } => {
                self.count(Counter::Partitions);
                let links = self.links(|from, to| side.contains(&from) != side.contains(&to));
                self.trouble(links, Trouble::Cut, *lasts);
            }
            Fault::PartialPartition { lasts, pairs, .. } => {
                self.count(Counter::PartialPartitions);
                let links = self.links(|a, b| pairs.contains(&[a, b]) || pairs.contains(&[b, a]));
                self.trouble(links, Trouble::Cut, *lasts);
            }
            Fault::DropAcks { lasts, from, to, .. } => {
                self.count(Counter::AckDrops);
                let links = self.links(|a, b| from.contains(&a) && to.contains(&b));
                self.trouble(links, Trouble::AcksDropped, *lasts);
            }
            Fault::LateLink { lasts, from, to, percent, by, .. } => {
                self.count(Counter::LateLinks);
                let links = self.links(|a, b| from.contains(&a) && to.contains(&b));
                self.trouble(links, Trouble::Late { percent: *percent, by_ns: by.ns() }, *lasts);
            }
            Fault::SlowNode { lasts, node, factor, .. } => {
                self.count(Counter::SlowNodes);
                let links = self.links(|from, to| from == *node || to == *node);
                self.trouble(links, Trouble::Slow(*factor), *lasts);
            }
            Fault::OneWay { lasts, from, to, .. } => {
                self.count(Counter::OneWayCuts);
                let links = self.links(|a, b| from.contains(&a) && to.contains(&b));
                self.trouble(links, Trouble::Cut, *lasts);
            }
            _ => {}
        }
    }

    fn fail_disk(&mut self, fault: &Fault) {
        match fault {
            Fault::ReadErrors { lasts, node, one_in, .. } => {
                self.processes[*node as usize - 1].failing.reads = (self.now + lasts.ns(), *one_in);
            }
            Fault::WriteErrors { lasts, node, one_in, .. } => {
                self.processes[*node as usize - 1].failing.writes = (self.now + lasts.ns(), *one_in);
            }
            Fault::DiskFull { lasts, node, .. } => {
                self.count(Counter::FullDisks);
                self.processes[*node as usize - 1].failing.writes = (self.now + lasts.ns(), 1);
            }
            _ => {}
        }
    }

    fn have_members_changed(&mut self, fault: &Fault) {
        match fault {
            Fault::Join { node, .. } => {
                self.count(Counter::Joins);
                self.have_joined(node - 1);
            }
            Fault::Leave { node, .. } => {
                self.count(Counter::Leaves);
                self.have_left(node - 1);
            }
            Fault::Replace { node, with, .. } => {
                self.count(Counter::Replacements);
                self.have_replaced(node - 1, with - 1);
            }
            Fault::Remove { node, .. } => {
                self.count(Counter::Removals);
                self.destroy(node - 1);
                self.have_removed(node - 1);
            }
            _ => {}
        }
    }

    /// The directed links between different nodes that `which` picks; it is given names, counted from 1.
    fn links(&self, which: impl Fn(u32, u32) -> bool) -> Vec<(u32, u32)> {
        let nodes = self.processes.len() as u32;
        (0..nodes)
            .flat_map(|from| (0..nodes).map(move |to| (from, to)))
            .filter(|(from, to)| from != to && which(from + 1, to + 1))
            .collect()
    }

    fn trouble(&mut self, links: Vec<(u32, u32)>, trouble: Trouble, lasts: Span) {
        for (from, to) in &links {
            self.network.trouble(self.now, *from, *to, trouble);
        }
        self.queue.push(self.now + lasts.ns(), Event::Mend(Mend::Relieve { links, trouble }));
    }

    /// What happens to a running node waits until it moves again.
    fn stand_still(&mut self, node: u32, lasts: Span) {
        let process = &mut self.processes[node as usize];
        process.still_until_ns = process.still_until_ns.max(self.now) + lasts.ns();
    }

    /// So often as it goes into `lasts`, each time for half of `every`.
    fn again_and_again(&mut self, lasts: Span, every: Span, fault: impl Fn(Span) -> Fault) {
        let times = lasts.ns().div_ceil(every.ns().max(1));
        for time in 0..times {
            let fault = fault(Span::from_ns(every.ns() / 2));
            self.queue.push(self.now + time * every.ns(), Event::Inflict(Box::new(fault)));
        }
    }

    /// Those that are part of the world, counted from 1.
    fn members(&self) -> Vec<u32> {
        let numbered = self.processes.iter().zip(1..);
        numbered.filter(|(process, _)| process.exists).map(|(_, number)| number).collect()
    }

    /// A node never starts again.
    pub(super) fn destroy(&mut self, node: u32) {
        self.processes[node as usize].exists = false;
        self.lose_power(node);
        self.oracle.destroyed();
    }

    fn crash(&mut self, node: u32, lasts: Span) {
        if let Some(life) = self.lose_power(node) {
            self.queue.push(self.now + lasts.ns(), Event::Mend(Mend::Restart { node, life }));
        }
    }

    fn restart(&mut self, node: u32, lasts: Span) {
        if let Some(life) = self.stop(node) {
            self.queue.push(self.now + lasts.ns(), Event::Mend(Mend::Restart { node, life }));
        }
    }

    fn wipe_disk(&mut self, node: u32, lasts: Span) {
        self.crash(node, lasts);
        self.processes[node as usize].wipe_disk();
        let (oracle, scene) = self.watch();
        oracle.disk_lost(&scene, node);
        self.count(Counter::DiskWipes);
    }

    fn restore_disk(&mut self, node: u32, lasts: Span, back: Span) {
        self.crash(node, lasts);
        self.processes[node as usize].restore_disk(self.now.saturating_sub(back.ns()));
        let (oracle, scene) = self.watch();
        oracle.disk_restored(&scene, node);
        self.count(Counter::DiskRestores);
    }

    /// Its disk is put aside, and the node starts again on an empty one.
    pub(super) fn start_over(&mut self, node: u32, life: u32) {
        let process = &mut self.processes[node as usize];
        if process.life != life || process.node.take().is_none() {
            return;
        }
        process.wipe_disk();
        self.is_down(node);
        let (oracle, scene) = self.watch();
        oracle.disk_lost(&scene, node);
        self.count(Counter::Amnesias);
        self.start(node);
    }

    /// Disks are copied once a second, if a copy may be put back.
    pub(super) fn copy_disks(&mut self) {
        let now = self.now;
        for process in self.processes.iter_mut().filter(|process| process.node.is_some()) {
            process.copy_disk(now);
        }
        if self.faults_strike() {
            self.queue.push(now + COPIES_EVERY_NS, Event::CopyDisks);
        }
    }

    /// A running node loses power; the life that ended.
    fn lose_power(&mut self, node: u32) -> Option<u32> {
        self.processes[node as usize].node.take()?;
        let mut draws = self.disk_luck(node, Work::Crash, Subject::NONE);
        let process = &mut self.processes[node as usize];
        let (lost, betrayed) = process.disk.crash(&mut draws);
        if lost > 0 {
            self.count(Counter::UnsyncedUpdatesLost);
        }
        for key in &betrayed {
            self.count(Counter::SyncedUpdatesLost);
            let (oracle, scene) = self.watch();
            oracle.key_lost(&scene, node, key);
        }
        self.count(Counter::Crashes);
        Some(self.is_down(node))
    }

    /// A running node stops in good order; the life that ended.
    fn stop(&mut self, node: u32) -> Option<u32> {
        let process = &mut self.processes[node as usize];
        process.node.take()?;
        process.disk.stop();
        self.count(Counter::Restarts);
        Some(self.is_down(node))
    }

    /// `node` has just stopped, one way or the other; the life that ended.
    fn is_down(&mut self, node: u32) -> u32 {
        let life = self.processes[node as usize].life;
        let (oracle, scene) = self.watch();
        oracle.crashed(&scene, node);
        if let Some((recorder, scene)) = self.recorder() {
            recorder.stops(&scene, node);
        }
        let broken: Vec<_> = self
            .calls
            .iter()
            .filter(|(_, call)| call.node == node && call.reached)
            .map(|(id, _)| *id)
            .collect();
        for call in broken {
            self.break_connection(call);
        }
        life
    }

    pub(super) fn mend(&mut self, mend: Mend) {
        match mend {
            Mend::Restart { node, life } => {
                let process = &self.processes[node as usize];
                if process.exists && process.node.is_none() && process.life == life {
                    self.start(node);
                }
            }
            Mend::Truth { node } => self.processes[node as usize].disk.lies = false,
            // After peace was made no trouble is left to take away.
            Mend::Relieve { links, trouble } => {
                for (from, to) in links {
                    self.network.relieve(self.now, from, to, trouble);
                }
            }
        }
    }

    /// Faults cease: every node runs, every link works.
    pub(super) fn make_peace(&mut self) {
        if let Some((recorder, scene)) = self.recorder() {
            recorder.peace(&scene);
        }
        self.network.heal(self.now);
        for process in &mut self.processes {
            process.disk.lies = false;
            process.failing.cease(self.now);
        }
        for node in 0..self.processes.len() as u32 {
            let process = &self.processes[node as usize];
            if process.exists && process.node.is_none() {
                self.start(node);
            }
        }
        self.queue.push(self.now, Event::Look);
    }
}
