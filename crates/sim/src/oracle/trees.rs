//! `TreeTruth`: each hash tree of a disk equals one that is built anew from the disk's records.

use super::{Findings, Promise, seconds};
use crate::disk::Disk;

/// Judges all trees of the disk of `node` (counted from 1) after `what` happened.
pub fn judge(at_ns: u64, node: u32, what: &str, disk: &Disk, findings: &mut Findings) {
    for partition in disk.wrong_trees() {
        findings.add(Promise::TreeTruth, || {
            let (at, partition) = (seconds(at_ns), partition.0);
            format!("the tree of partition {partition} at n{node} differs from its records at {at}, {what}")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{dot, key, siblings, version};
    use cartwheel_core::id::StoreId;
    use cartwheel_core::replica::Update;
    use cartwheel_core::storage::Ticket;
    use cartwheel_core::version::Policy;

    #[test]
    fn a_record_that_its_tree_does_not_know_is_found() {
        let policy = Policy::KeepSiblings;
        let merge = |counter| {
            let siblings = siblings(&[version(dot(1, counter), &[], 1)]);
            Update::Merge { siblings, owed: None, policy }
        };
        let mut disk = Disk::new(StoreId(1), 8);
        disk.apply(Ticket(1), &key(), &merge(1)).unwrap();
        let mut findings = Findings::new(policy);
        judge(1_000_000, 3, "after a crash", &disk, &mut findings);
        assert_eq!(findings, Findings::new(policy));
        disk.forget_in_trees(&key());
        judge(1_000_000, 3, "after a crash", &disk, &mut findings);
        let partition = key().token().partition(8).0;
        let expected = format!(
            "the tree of partition {partition} at n3 differs from its records at 0.001 s, after a crash"
        );
        assert_eq!(findings.examples(Promise::TreeTruth), [expected]);
    }
}
