//! Which message an answer answers: it names an operation, and its luck is that of what was asked.

use cartwheel_core::id::OpId;

use crate::lookup::Lookup;
use crate::luck::Cause;

/// Questions that have not been answered yet. Those that never are, or too late, are forgotten.
#[derive(Debug, Default)]
pub struct Asked {
    turned_ns: u64,
    young: Lookup<(u32, u32, OpId), Cause>,
    old: Lookup<(u32, u32, OpId), Cause>,
}

impl Asked {
    /// For how long a question is remembered, at least.
    const KEPT_NS: u64 = 10_000_000_000;

    /// `from` has asked `to`.
    pub fn note(&mut self, now_ns: u64, (from, to): (u32, u32), op: OpId, cause: Cause) {
        if now_ns - self.turned_ns >= Self::KEPT_NS {
            self.turned_ns = now_ns;
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert((from, to, op), cause);
    }

    /// What `from` asked `to`.
    pub fn what(&self, (from, to): (u32, u32), op: OpId) -> Option<Cause> {
        self.young.get(&(from, to, op)).or_else(|| self.old.get(&(from, to, op))).copied()
    }

    /// The same, for the last time.
    pub fn take(&mut self, (from, to): (u32, u32), op: OpId) -> Option<Cause> {
        self.young.remove(&(from, to, op)).or_else(|| self.old.remove(&(from, to, op)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luck::{Luck, Place, Subject};
    use crate::streams::Streams;

    #[test]
    fn what_nobody_answers_is_forgotten() {
        let (mut asked, mut luck) = (Asked::default(), Luck::new(Streams::new(1)));
        let mut ask = |asked: &mut Asked, at_s: u64| {
            let cause = luck.cause(at_s * 1_000_000_000, Place::Request { node: 1 }, Subject::NONE);
            asked.note(at_s * 1_000_000_000, (0, 1), OpId(at_s), cause);
            cause
        };
        let first = ask(&mut asked, 1);
        let second = ask(&mut asked, 12);
        assert_eq!((asked.what((0, 1), OpId(1)), asked.what((1, 0), OpId(1))), (Some(first), None));
        ask(&mut asked, 23);
        assert_eq!((asked.what((0, 1), OpId(1)), asked.take((0, 1), OpId(12))), (None, Some(second)));
        assert_eq!(asked.take((0, 1), OpId(12)), None);
    }
}
