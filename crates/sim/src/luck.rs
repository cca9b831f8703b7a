//! Luck by what it is for, not by how much was drawn before.
//!
//! A stream hands out its numbers in turn: one message less on a link, and all later ones draw what was meant for others. A
//! coincidence that took a thousand messages to come about is gone then, so nothing can be left out of a run that fails, and a
//! change of the core that sends a message more makes another run of every seed. Here the draws of a message are made from what is
//! known of it: its link, its kind, the key that it is about, the tenth of a second in which it is sent, and how many of the same
//! there were in that. So it is with disks, and with clients. Whatever else is said, or not said any more, changes none of it.

use cartwheel_core::Key;

use crate::lookup::Lookup;
use crate::streams::{Component, Draws, Streams, mix};

/// Where and why luck is drawn. Nodes are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A message, by its [kind](crate::network).
    Link { from: u32, to: u32, kind: u8 },
    /// A client's request on its way to a node. By whom is not said: clients are renumbered when a run is shrunk.
    Request { node: u32 },
    /// A node's disk at work.
    Disk { node: u32, work: Work },
}

/// What a disk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as the names of storage requests")]
pub enum Work {
    Read,
    Write,
    Sync,
    ScanHints,
    TreeHashes,
    LeafKeys,
    ScanPartition,
    ScanTombstones,
    Names,
    SaveCluster,
    /// Does it fail?
    Fail,
    /// What is left of it after a crash?
    Crash,
    Occupied,
    Scan,
}

/// What a message, or another event, is about. Events that are about nothing in particular share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject(u64);

impl Subject {
    /// Nothing in particular.
    pub const NONE: Self = Self(0);

    /// One key.
    pub fn key(key: &Key) -> Self {
        Self(key.token().0)
    }

    /// One partition, or anything else that has a number.
    pub fn number(number: u32) -> Self {
        Self(u64::from(number) + 1)
    }
}

/// The name of one event that draws. Answers take it over from what they answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause(u64);

impl Cause {
    /// What is drawn for it.
    pub fn draws(self) -> Draws {
        Draws::from(self.0)
    }
}

/// All luck of this sort in one run.
#[derive(Debug)]
pub struct Luck {
    root: u64,
    moment: u64,
    /// How often each cause came up at this moment.
    times: Lookup<u64, u64>,
}

impl Luck {
    /// What counts as one moment. Longer ones would let more that is said of one key shift each other's luck; shorter ones would
    /// give more events another luck when they come a little earlier or later than they did.
    const MOMENT_NS: u64 = 100_000_000;

    /// The luck of a run.
    pub fn new(streams: Streams) -> Self {
        let root = streams.stream(Component::Luck).bits();
        Self { root, moment: 0, times: Lookup::default() }
    }

    /// An event at `place`, about `subject`.
    pub fn cause(&mut self, now_ns: u64, place: Place, subject: Subject) -> Cause {
        let [here, there] = place.label();
        let event = mix(mix(mix(self.root, here), there), subject.0);
        let moment = now_ns / Self::MOMENT_NS;
        self.once_more(now_ns, mix(event, moment))
    }

    /// An answer of some kind to what `cause` asked. It does not matter when it comes: how long it took rests on everything that
    /// the node had to do meanwhile.
    pub fn answer(&mut self, now_ns: u64, cause: Cause, kind: u8) -> Cause {
        let event = mix(cause.0, u64::from(kind));
        self.once_more(now_ns, event)
    }

    fn once_more(&mut self, now_ns: u64, event: u64) -> Cause {
        let moment = now_ns / Self::MOMENT_NS;
        if moment != self.moment {
            self.moment = moment;
            self.times.clear();
        }
        let times = self.times.get_or_insert_with(event, || 0);
        *times += 1;
        Cause(mix(event, *times))
    }
}

impl Place {
    fn label(self) -> [u64; 2] {
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        match self {
            Self::Link { from, to, kind } => [pair(1, u32::from(kind)), pair(from, to)],
            Self::Request { node } => [pair(2, 0), pair(0, node)],
            Self::Disk { node, work } => [pair(3, work as u32), pair(0, node)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    /// What is drawn for each of some events: when, on which link, about what.
    fn drawn(events: &[(u16, bool, u8)]) -> Vec<u64> {
        let mut luck = Luck::new(Streams::new(1));
        let mut draw = |(at_ms, back, subject): &(u16, bool, u8)| {
            let (from, to) = if *back { (1, 0) } else { (0, 1) };
            let place = Place::Link { from, to, kind: 1 };
            let cause =
                luck.cause(u64::from(*at_ms) * 1_000_000, place, Subject::number(u32::from(*subject)));
            cause.draws().bits()
        };
        events.iter().map(&mut draw).collect()
    }

    quickcheck! {
        /// Whatever is said of one subject, or is not: the luck of the others on the same link stays what it was.
        fn without_one_subject_the_others_are_as_lucky(events: Vec<(u16, bool, u8)>, gone: u8) -> bool {
            let mut events: Vec<_> = events.into_iter().map(|(at, back, subject)| (at, back, subject % 4)).collect();
            events.sort_by_key(|(at, ..)| *at);
            let others = |(_, _, subject): &(u16, bool, u8)| *subject != gone % 4;
            let with = events.iter().zip(drawn(&events)).filter(|(event, _)| others(event)).map(|(_, luck)| luck);
            let rest: Vec<_> = events.iter().filter(|event| others(event)).copied().collect();
            with.eq(drawn(&rest))
        }

        /// What was said more than a moment ago is no matter, of whatever it was.
        fn the_past_is_forgotten(before: Vec<(u16, bool, u8)>, after: Vec<(u16, bool, u8)>) -> bool {
            let sorted = |mut events: Vec<(u16, bool, u8)>, from: u16| {
                events.iter_mut().for_each(|(at, ..)| *at = from + *at % 10_000);
                events.sort_by_key(|(at, ..)| *at);
                events
            };
            let (before, after) = (sorted(before, 0), sorted(after, 10_000));
            let both = [&before[..], &after[..]].concat();
            drawn(&both)[before.len()..] == drawn(&after)
        }
    }

    #[test]
    fn the_same_again_has_luck_of_its_own() {
        let mut all = drawn(&[
            (5, false, 1),
            (5, false, 1),
            (6, false, 1),
            (106, false, 1),
            (5, true, 1),
            (5, false, 2),
        ]);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn luck_is_even() {
        let mut luck = Luck::new(Streams::new(2));
        let place = |node| Place::Disk { node, work: Work::Read };
        let mut sixteenths = [0_u32; 16];
        for number in 0..10_000_u32 {
            let cause =
                luck.cause(u64::from(number) * 7_000_000, place(number % 5), Subject::number(number / 100));
            let mut draws = cause.draws();
            (0..4).for_each(|_| sixteenths[draws.index(16)] += 1);
        }
        assert!(sixteenths.iter().all(|count| (2_300..2_700).contains(count)), "{sixteenths:?}");
    }
}
