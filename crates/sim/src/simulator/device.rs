//! A disk as one device: what it is asked waits in one line, and is served one by one, first come, first served.
//!
//! So a scan for hints delays the reads behind it, and a burst of writes everything. A sync waits in line, too, and
//! covers what was applied by the time that its turn comes, as the real committer drains its queue before it syncs.

use std::collections::VecDeque;

use cartwheel_core::replica::Update;
use cartwheel_core::storage::{Page, StorageOp, StorageRequest};

use super::listings::indexer;
use super::{Event, Simulator};
use crate::disk::Disk;
use crate::luck::{Subject, Work};
use crate::scenario::{DeviceSpec, DiskSpec};
use crate::streams::Draws;

/// The line before one node's device.
#[derive(Debug, Default)]
pub(super) struct Device {
    line: VecDeque<Job>,
    busy: bool,
    sync_waits: bool,
}

impl Device {
    /// The requests that wait for their turn.
    pub fn waiting(&self) -> impl Iterator<Item = &StorageRequest> {
        self.line
            .iter()
            .filter_map(|job| if let Job::Request(request) = job { Some(&**request) } else { None })
    }
}

#[derive(Debug)]
enum Job {
    Request(Box<StorageRequest>),
    Sync,
}

impl Simulator<'_> {
    /// `request` joins the line.
    pub(super) fn line_up(&mut self, node: u32, request: StorageRequest) {
        self.processes[node as usize].device.line.push_back(Job::Request(Box::new(request)));
        self.serve_next(node);
    }

    /// A sync joins the line, unless one waits already.
    pub(super) fn line_up_sync(&mut self, node: u32) {
        let device = &mut self.processes[node as usize].device;
        if !std::mem::replace(&mut device.sync_waits, true) {
            device.line.push_back(Job::Sync);
        }
        self.serve_next(node);
    }

    /// The device has done what it was at.
    pub(super) fn served(&mut self, node: u32) {
        self.processes[node as usize].device.busy = false;
        self.serve_next(node);
    }

    fn serve_next(&mut self, node: u32) {
        let disk_spec = &self.scenario.disk;
        let Some(spec) = &disk_spec.device else { return };
        let life = self.processes[node as usize].life;
        while !self.processes[node as usize].device.busy {
            let process = &mut self.processes[node as usize];
            let Some(job) = process.device.line.pop_front() else { return };
            let (took, event) = match job {
                Job::Request(request) => {
                    let request = *request;
                    let mut draws = self.work_luck(node, &request.op);
                    let disk = &self.processes[node as usize].disk;
                    let took = service(disk_spec, spec, disk, &request.op, &mut draws);
                    (took, Event::Storage { node, life, request })
                }
                Job::Sync => {
                    process.device.sync_waits = false;
                    if !process.disk.begin_sync() {
                        continue;
                    }
                    let mut draws = self.disk_luck(node, Work::Sync, Subject::NONE);
                    (disk_spec.sync.sample(&mut draws), Event::Synced { node, life })
                }
            };
            self.processes[node as usize].device.busy = true;
            self.queue.push(self.now + took, event);
        }
    }
}

/// How long the device is busy with `op`, in nanoseconds.
fn service(disk_spec: &DiskSpec, spec: &DeviceSpec, disk: &Disk, op: &StorageOp, draws: &mut Draws) -> u64 {
    let transfer = |bytes: u64| bytes * spec.kib.ns() / 1_024;
    match op {
        StorageOp::Read { key } => disk_spec.read.sample(draws) + transfer(disk.read(key).value_bytes()),
        StorageOp::Apply { update, .. } => disk_spec.write.sample(draws) + transfer(bytes_of(update)),
        StorageOp::ScanHints { home, after, limit } => {
            let found = disk.scan_hints(*home, after.as_ref(), *limit);
            let bytes = found.iter().map(|(_, siblings)| siblings.value_bytes()).sum();
            disk_spec.read.sample(draws) + found.len() as u64 * spec.scanned.ns() + transfer(bytes)
        }
        StorageOp::ScanPartition { partition, after, limit } => {
            page(disk_spec, spec, &disk.scan_partition(*partition, after.as_ref(), *limit), draws)
        }
        StorageOp::ScanTombstones { after, limit } => {
            page(disk_spec, spec, &disk.scan_tombstones(after.as_ref(), *limit), draws)
        }
        StorageOp::Scan { scan } => {
            let found = disk.scan(scan, indexer);
            disk_spec.read.sample(draws) + found.entries.len() as u64 * spec.scanned.ns()
        }
        StorageOp::Names { keys } => keys.iter().map(|_| disk_spec.read.sample(draws)).sum(),
        StorageOp::Occupied => disk.occupied().iter().map(|_| disk_spec.read.sample(draws)).sum(),
        StorageOp::SaveCluster { .. } => disk_spec.sync.sample(draws),
        // Trees are kept in memory.
        StorageOp::TreeHashes { .. } => spec.scanned.ns(),
        StorageOp::LeafKeys { partition, leaves } => {
            let seeks: u64 = leaves.iter().map(|_| disk_spec.read.sample(draws)).sum();
            seeks + disk.leaf_keys(*partition, leaves).len() as u64 * spec.scanned.ns()
        }
    }
}

fn page(disk_spec: &DiskSpec, spec: &DeviceSpec, page: &Page, draws: &mut Draws) -> u64 {
    let bytes: u64 = page.records.iter().map(|(_, siblings)| siblings.value_bytes()).sum();
    let scanned = page.records.len() as u64 * spec.scanned.ns();
    disk_spec.read.sample(draws) + scanned + bytes * spec.kib.ns() / 1_024
}

/// Values that an update brings, in bytes.
fn bytes_of(update: &Update) -> u64 {
    match update {
        Update::Merge { siblings, .. } => siblings.value_bytes(),
        Update::Coordinate { write, .. } => write.value.value_bytes(),
        _ => 0,
    }
}
