//! What the kinds of workloads do to the keys that they visit.

use cartwheel_check::WriteId;

use super::value::Items;
use crate::scenario::{Deed, KindSpec, Mix, Probability};
use crate::streams::Stream;

/// A counter that has counted so far begins anew: values stay small.
const INCREMENTS_MAX: usize = 256;

/// What a visit is drawn to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    pub does: Deed,
    /// How many keys it reads.
    pub reads: u32,
    /// It goes to a key that is not there yet.
    pub inserts: bool,
}

impl Intent {
    fn of(does: Deed) -> Self {
        Self { does, reads: 1, inserts: false }
    }
}

impl KindSpec {
    /// Draws what a visit does. What a cart's visit does to what it reads is drawn when it has been read.
    pub(super) fn intent(&self, delete: Probability, stream: &mut Stream) -> Intent {
        let reads_only = |read: &Probability, stream: &mut Stream, otherwise| {
            Intent::of(if stream.happens(read.chance()) { Deed::Read } else { otherwise })
        };
        match self {
            Self::Cart { blind, .. } => {
                Intent::of(if stream.happens(blind.chance()) { Deed::AddBlindly } else { Deed::Add })
            }
            Self::DataTypes { read, remove, .. } => {
                let does = if stream.happens(remove.chance()) { Deed::Remove } else { Deed::AddBlindly };
                reads_only(read, stream, does)
            }
            _ if stream.happens(delete.chance()) => Intent::of(Deed::Delete),
            Self::Registers { read } => reads_only(read, stream, Deed::AddBlindly),
            Self::Counters { read } => reads_only(read, stream, Deed::Add),
            Self::Ycsb { mix, scan_max } => mix.intent(*scan_max, stream),
        }
    }

    /// Has write `id` change what was read, in all kinds but carts. What was done, for people.
    pub(super) fn change(&self, items: &mut Items, id: WriteId) -> String {
        let WriteId(number) = id;
        let mut rest = "";
        match self {
            Self::Counters { .. } if items.len() < INCREMENTS_MAX => {}
            Self::Counters { .. } => {
                rest = ", and begins anew";
                items.clear();
            }
            _ => items.clear(),
        }
        items.insert(number);
        if let Self::Counters { .. } = self {
            format!("adds increment {number}{rest}")
        } else {
            format!("writes value {number}")
        }
    }
}

impl Mix {
    fn intent(self, scan_max: u32, stream: &mut Stream) -> Intent {
        let drawn = stream.below(100);
        match self {
            Self::A | Self::F if drawn < 50 => Intent::of(Deed::Read),
            Self::B | Self::D if drawn < 95 => Intent::of(Deed::Read),
            Self::C => Intent::of(Deed::Read),
            Self::E if drawn < 95 => {
                Intent { reads: stream.between(1, scan_max.into()) as u32, ..Intent::of(Deed::Read) }
            }
            Self::A | Self::B => Intent::of(Deed::Update),
            Self::D | Self::E => Intent { inserts: true, ..Intent::of(Deed::AddBlindly) },
            Self::F => Intent::of(Deed::Add),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{Component, Streams};

    /// Reads, updates, inserts and read-modify-writes in a hundred.
    fn mixed(mix: Mix, delete: f64) -> [u32; 4] {
        let kind = KindSpec::Ycsb { mix, scan_max: 10 };
        let (mut stream, mut times) = (Streams::new(1).stream(Component::Client { client: 0 }), [0_u32; 4]);
        for _ in 0..100_000 {
            let intent = kind.intent(Probability::new(delete).unwrap(), &mut stream);
            assert!(intent.reads == 1 || (mix == Mix::E && intent.reads <= 10));
            match intent.does {
                Deed::Read => times[0] += 1,
                Deed::Update => times[1] += 1,
                Deed::AddBlindly if intent.inserts => times[2] += 1,
                Deed::Add => times[3] += 1,
                _ => {}
            }
        }
        times.map(|times| (times + 500) / 1_000)
    }

    #[test]
    fn mixes_are_ycsbs() {
        for (mix, expected) in [
            (Mix::A, [50, 50, 0, 0]),
            (Mix::B, [95, 5, 0, 0]),
            (Mix::C, [100, 0, 0, 0]),
            (Mix::D, [95, 0, 5, 0]),
            (Mix::E, [95, 0, 5, 0]),
            (Mix::F, [50, 0, 0, 50]),
        ] {
            assert_eq!(mixed(mix, 0.0), expected, "{mix:?}");
        }
        assert_eq!(mixed(Mix::A, 0.2), [40, 40, 0, 0]);
    }

    #[test]
    fn counters_add_up_and_registers_forget() {
        let never = Probability::default();
        let mut items = Items::new(vec![1, 2]);
        KindSpec::Counters { read: never }.change(&mut items, WriteId(3));
        assert_eq!(items, Items::new(vec![1, 2, 3]));
        KindSpec::Registers { read: never }.change(&mut items, WriteId(4));
        assert_eq!(items, Items::new(vec![4]));
    }
}
