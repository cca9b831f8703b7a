//! Several sorted answers become one: pure.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::coverage::{ENTRIES_PER_PAGE_MAX, Entry, PAGE_BYTES_MAX};

/// What has come of one node's answer and was not passed on yet.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// In order.
    pub entries: VecDeque<Entry>,
    /// More may follow.
    pub is_open: bool,
}

impl Source {
    /// It has nothing, and may have what comes next.
    pub fn is_dry(&self) -> bool {
        self.is_open && self.entries.is_empty()
    }

    /// It has nothing, and never will.
    pub fn is_done(&self) -> bool {
        !self.is_open && self.entries.is_empty()
    }
}

/// A part of an answer, being filled.
#[derive(Debug, Default)]
pub(super) struct Filling {
    entries: Vec<Entry>,
    bytes: usize,
}

impl Filling {
    /// Whether it takes nothing more. `most`: as many as are wanted at all.
    pub fn is_full(&self, most: usize) -> bool {
        self.entries.len() >= most.min(ENTRIES_PER_PAGE_MAX) || self.bytes >= PAGE_BYTES_MAX
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes what is there, in order, until it is full, or until nobody knows what comes next because some source is
    /// dry. `last` is what was taken last; nothing is taken twice.
    pub fn take(&mut self, sources: &mut [&mut Source], last: &mut Option<Entry>, most: usize) {
        while !self.is_full(most) && !sources.iter().any(|source| source.is_dry()) {
            let some = sources.iter_mut().filter(|source| !source.entries.is_empty());
            let least = some.min_by(|a, b| a.entries.front().cmp(&b.entries.front()));
            let Some(entry) = least.and_then(|source| source.entries.pop_front()) else { return };
            if last.as_ref().is_none_or(|last| *last < entry) {
                self.bytes += entry.bytes();
                *last = Some(entry.clone());
                self.entries.push(entry);
            }
        }
    }

    /// What was taken.
    pub fn finish(&mut self) -> Vec<Entry> {
        self.bytes = 0;
        core::mem::take(&mut self.entries)
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec;

    use super::*;

    fn entry(number: u16) -> Entry {
        Entry { term: vec![(number >> 8) as u8 % 4].into(), key: vec![number as u8 % 16].into() }
    }

    quickcheck::quickcheck! {
        /// However the answers are cut into pages, and in whatever turn these come: all entries, each once, in order.
        fn the_whole_is_sorted_and_without_duplicates(answers: Vec<Vec<u16>>, sizes: Vec<u8>, most: u8) -> bool {
            let sets: Vec<BTreeSet<Entry>> =
                answers.iter().map(|of| of.iter().copied().map(entry).collect()).collect();
            let all: BTreeSet<Entry> = sets.iter().flatten().cloned().collect();
            let mut turns = sizes.iter().cycle();
            let mut size = || usize::from(turns.next().copied().unwrap_or(1) % 5);
            let (mut sources, mut coming) = (Vec::new(), Vec::new());
            for set in sets {
                let (mut rest, mut pages): (Vec<Entry>, _) = (set.into_iter().collect(), VecDeque::new());
                while !rest.is_empty() {
                    // Some pages are empty.
                    let page = rest.drain(..size().min(rest.len())).collect();
                    pages.push_back(page);
                    if pages.len() > 1_000 {
                        pages.push_back(core::mem::take(&mut rest));
                    }
                }
                sources.push(Source { entries: VecDeque::new(), is_open: !pages.is_empty() });
                coming.push(pages);
            }
            let (mut got, mut last, mut part) = (Vec::new(), None, Filling::default());
            let most = 1 + usize::from(most);
            loop {
                part.take(&mut sources.iter_mut().collect::<Vec<_>>(), &mut last, most);
                if part.is_full(most) {
                    got.extend(part.finish());
                    continue;
                }
                let Some(dry) = sources.iter().position(Source::is_dry) else { break };
                sources[dry].entries.extend(coming[dry].pop_front().unwrap_or_default());
                sources[dry].is_open = !coming[dry].is_empty();
            }
            got.extend(part.finish());
            got == all.into_iter().collect::<Vec<_>>()
        }
    }

    #[test]
    fn a_part_is_bounded_in_bytes() {
        let long = |n: u8| Entry { term: vec![n; 30_000].into(), key: vec![n].into() };
        let mut source = Source { entries: (0..10).map(long).collect(), is_open: false };
        let mut part = Filling::default();
        part.take(&mut [&mut source], &mut None, 100);
        assert_eq!(part.finish().len(), 3);
    }
}
