//! `Converge`: once faults have ceased, all replicas of a key show the same versions.

use crate::history::Copies;
use crate::verdict::Diverged;

/// The keys whose copies differ.
pub fn diverged(copies: &Copies) -> Vec<Diverged> {
    copies
        .iter()
        .filter(|(_, copies)| copies.windows(2).any(|pair| pair[0].versions != pair[1].versions))
        .map(|(key, copies)| Diverged { key: key.clone(), copies: copies.clone() })
        .collect()
}
