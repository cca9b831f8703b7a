//! How many partitions each node should own: its fair share, within what distinctness leaves room for.
//!
//! The fair share is a node's weight over all weights, times Q. It has to give way where any N consecutive
//! partitions must name N distinct nodes (a node that owns more than Q / N of them cannot keep its partitions N
//! apart), or all nodes where there are N or fewer (a node must then turn up once in every N). The same holds for
//! zones. What is cut off from one is shared out among the others by weight again: water that is poured into
//! vessels with lids.

use alloc::vec::Vec;

use super::Zoned;

/// A fraction; not reduced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    numerator: u128,
    denominator: u128,
}

impl Share {
    fn whole(number: u64) -> Self {
        Self { numerator: u128::from(number), denominator: 1 }
    }

    /// The share, rounded down.
    pub(super) fn floor(self) -> u64 {
        u64::try_from(self.numerator / self.denominator).unwrap_or(u64::MAX)
    }

    /// The share, rounded up.
    pub(super) fn ceil(self) -> u64 {
        u64::try_from(self.numerator.div_ceil(self.denominator)).unwrap_or(u64::MAX)
    }
}

/// How many partitions each group owns so far, against what it should own.
pub(super) struct Counts<'a> {
    shares: &'a [Share],
    counts: Vec<u64>,
}

impl<'a> Counts<'a> {
    pub(super) fn new(shares: &'a [Share]) -> Self {
        Self { shares, counts: alloc::vec![0; shares.len()] }
    }

    pub(super) fn add(&mut self, group: usize, partitions: u64) {
        self.counts[group] += partitions;
    }

    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(super) fn into_inner(self) -> Vec<u64> {
        self.counts
    }

    /// Whether the group has less than its share, rounded up.
    pub(super) fn has_room(&self, group: usize) -> bool {
        self.counts[group] < self.shares[group].ceil()
    }

    /// Whether `group` is further below its share (or less above it) than `other`.
    pub(super) fn lacks_more(&self, group: usize, other: usize) -> bool {
        let (share, other_share) = (self.shares[group], self.shares[other]);
        // Each side is increased by the other's count, so that nothing is ever subtracted.
        let lack = share.numerator + u128::from(self.counts[other]) * share.denominator;
        let other_lack = other_share.numerator + u128::from(self.counts[group]) * other_share.denominator;
        lack * other_share.denominator > other_lack * share.denominator
    }

    /// Which of `groups` lacks most; the first of equals.
    pub(super) fn neediest(&self, groups: impl Iterator<Item = usize>) -> Option<usize> {
        groups.reduce(|best, group| if self.lacks_more(group, best) { group } else { best })
    }
}

/// Fewest and most partitions that a group (a node, a zone) can own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    least: u64,
    most: u64,
}

impl Limits {
    /// For each of `groups` groups, when any `n` of `partitions` consecutive partitions are to name as many
    /// distinct groups as there can be.
    fn of(groups: u64, partitions: u64, n: u64) -> Self {
        let (down, up) = (partitions / n, partitions.div_ceil(n));
        match groups.cmp(&n) {
            core::cmp::Ordering::Less => Self { least: up.min(partitions / groups), most: partitions },
            core::cmp::Ordering::Equal => Self { least: down, most: up },
            // Where so few groups cannot fill the ring, one more each is the lesser evil.
            core::cmp::Ordering::Greater if groups * down < partitions => Self { least: 0, most: up },
            core::cmp::Ordering::Greater => Self { least: 0, most: down },
        }
    }
}

/// What each node, and each zone, should own.
pub(super) struct Shares {
    pub(super) nodes: Vec<Share>,
    pub(super) zones: Vec<Share>,
}

impl Shares {
    /// The shares of `nodes` in a ring of `partitions`.
    pub(super) fn of(nodes: &[Zoned], zones: usize, partitions: u64, n: u64) -> Self {
        let node = Limits::of(nodes.len() as u64, partitions, n);
        let zone = Limits::of(zones as u64, partitions, n);
        let mut vessels: Vec<Vessel> = (0..zones)
            .map(|index| {
                let inside = nodes.iter().filter(|node| node.zone == index);
                let weight = inside.clone().map(|node| u64::from(node.weight)).sum();
                let nodes = inside.count() as u64;
                let most = zone.most.min(nodes * node.most);
                Vessel { weight, least: zone.least.min(most).max(nodes * node.least), most }
            })
            .collect();
        // Distinct nodes matter more than zones, and may leave no room for them.
        let least: u64 = vessels.iter().map(|vessel| vessel.least).sum();
        let most: u64 = vessels.iter().map(|vessel| vessel.most).sum();
        for (index, vessel) in vessels.iter_mut().enumerate() {
            let inside = nodes.iter().filter(|node| node.zone == index).count() as u64;
            if least > partitions {
                vessel.least = inside * node.least;
            }
            if most < partitions {
                vessel.most = inside * node.most;
            }
        }
        let zone_shares = pour(Share::whole(partitions), &vessels);
        let mut node_shares = alloc::vec![Share::whole(0); nodes.len()];
        for (zone, &share) in zone_shares.iter().enumerate() {
            let inside: Vec<usize> = (0..nodes.len()).filter(|&index| nodes[index].zone == zone).collect();
            let vessels: Vec<Vessel> = inside
                .iter()
                .map(|&index| Vessel {
                    weight: u64::from(nodes[index].weight),
                    least: node.least,
                    most: node.most,
                })
                .collect();
            for (&index, share) in inside.iter().zip(pour(share, &vessels)) {
                node_shares[index] = share;
            }
        }
        Self { nodes: node_shares, zones: zone_shares }
    }
}

struct Vessel {
    weight: u64,
    least: u64,
    most: u64,
}

/// Shares `total` out by weight, each share within its vessel's limits.
fn pour(total: Share, vessels: &[Vessel]) -> Vec<Share> {
    let mut fixed: Vec<Option<u64>> = alloc::vec![None; vessels.len()];
    loop {
        let spent: u128 = fixed.iter().flatten().map(|&count| u128::from(count)).sum();
        let open =
            || vessels.iter().zip(&fixed).filter(|(_, fixed)| fixed.is_none()).map(|(vessel, _)| vessel);
        let weight: u128 = open().map(|vessel| u128::from(vessel.weight)).sum();
        let rest = total.numerator.saturating_sub(spent * total.denominator);
        let denominator = total.denominator * weight.max(1);
        let part = |vessel: &Vessel| rest * u128::from(vessel.weight);
        let over = |vessel: &Vessel| part(vessel).saturating_sub(u128::from(vessel.most) * denominator);
        let under = |vessel: &Vessel| (u128::from(vessel.least) * denominator).saturating_sub(part(vessel));
        let (all_over, all_under): (u128, u128) = (open().map(over).sum(), open().map(under).sum());
        if all_over == 0 && all_under == 0 {
            let share = |(vessel, fixed): (&Vessel, &Option<u64>)| match fixed {
                Some(count) => Share::whole(*count),
                None => Share { numerator: part(vessel), denominator },
            };
            return vessels.iter().zip(&fixed).map(share).collect();
        }
        // Only the side that is further out is certain to end at its limit.
        let closed: Vec<Option<u64>> = vessels
            .iter()
            .map(|vessel| {
                if all_over >= all_under {
                    (over(vessel) > 0).then_some(vessel.most)
                } else {
                    (under(vessel) > 0).then_some(vessel.least)
                }
            })
            .collect();
        for (fixed, closed) in fixed.iter_mut().zip(closed) {
            *fixed = fixed.or(closed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five groups of six in a window: of eight partitions each owns one at least, as two each would be ten. Four can have every
    /// third of eight, but no more; three cannot fill eight so, and may then own one more.
    #[test]
    fn limits_are_what_windows_leave() {
        let limits = |groups, partitions, n| {
            let Limits { least, most } = Limits::of(groups, partitions, n);
            (least, most)
        };
        assert_eq!(
            [limits(5, 8, 6), limits(2, 8, 3), limits(3, 16, 5)],
            [(1, 8), (3, 8), (4, 16)],
            "fewer than N"
        );
        assert_eq!([limits(3, 8, 3), limits(4, 8, 4)], [(2, 3), (2, 2)], "just N");
        assert_eq!(
            [limits(4, 8, 3), limits(5, 32, 3), limits(5, 8, 4)],
            [(0, 2), (0, 10), (0, 2)],
            "more than N"
        );
        assert_eq!(limits(6, 8, 5), (0, 2), "six times one are not enough");
    }

    /// What nodes and zones may own is enough for the ring, and what they must own is not too much, however unequal zones are: each
    /// node's share is within its limits, and a zone's share is that of its nodes.
    #[test]
    fn shares_add_up_to_the_ring() {
        let sizes = [
            [4, 0, 0, 0],
            [3, 1, 0, 0],
            [3, 1, 1, 0],
            [1, 1, 2, 0],
            [1, 1, 5, 0],
            [1, 1, 1, 4],
            [2, 3, 1, 2],
        ];
        let weights: [fn(usize, u16) -> u16; 3] =
            [|_, at| 1 + at % 3, |zone, _| [9, 1, 4, 1][zone], |zone, at| [1, 7, 1, 2][zone] + at];
        for (partitions, n) in [8, 16, 32, 64].into_iter().flat_map(|q| (1..=7).map(move |n| (q, n))) {
            for (sizes, weight) in sizes.iter().flat_map(|sizes| weights.map(|weight| (sizes, weight))) {
                let zones = sizes.iter().filter(|size| **size > 0).count();
                let nodes: Vec<Zoned> = (0..zones)
                    .flat_map(|zone| (0..sizes[zone]).map(move |at| Zoned { weight: weight(zone, at), zone }))
                    .collect();
                let shares = Shares::of(&nodes, zones, partitions, n);
                let context =
                    alloc::format!("{nodes:?}, {partitions}, {n}: {:?}, {:?}", shares.nodes, shares.zones);
                let limits = Limits::of(nodes.len() as u64, partitions, n);
                for share in &shares.nodes {
                    assert!(limits.least <= share.floor() && share.ceil() <= limits.most, "{context}");
                }
                let sum = |shares: &mut dyn Iterator<Item = Share>| {
                    shares.fold(Share::whole(0), |sum, share| Share {
                        numerator: sum.numerator * share.denominator + share.numerator * sum.denominator,
                        denominator: sum.denominator * share.denominator,
                    })
                };
                let equal = |one: Share, other: Share| {
                    one.numerator * other.denominator == other.numerator * one.denominator
                };
                assert!(equal(sum(&mut shares.zones.iter().copied()), Share::whole(partitions)), "{context}");
                for (zone, &share) in shares.zones.iter().enumerate() {
                    let inside = nodes.iter().zip(&shares.nodes).filter(|(node, _)| node.zone == zone);
                    assert!(
                        equal(sum(&mut inside.map(|(_, share)| *share)), share),
                        "zone {zone}: {context}"
                    );
                }
            }
        }
    }

    /// Zones own what windows need of them, and no more than windows have room for, as long as that is neither too much nor too
    /// little for the ring by a single partition.
    #[test]
    fn zones_that_just_fit_own_what_fits() {
        let shares = |nodes: &[(u16, usize)], zones, partitions, n| {
            let nodes: Vec<Zoned> = nodes.iter().map(|&(weight, zone)| Zoned { weight, zone }).collect();
            let zones = Shares::of(&nodes, zones, partitions, n).zones;
            zones.iter().map(|share| (share.floor(), share.ceil())).collect::<Vec<_>>()
        };
        let one_and_four = [(1, 0), (1, 0), (1, 0), (1, 0), (1, 1)];
        assert_eq!(
            shares(&one_and_four, 2, 16, 5),
            [(12, 12), (4, 4)],
            "each window has a place for the one"
        );
        let heavy = [(1, 0), (1, 1), (1, 2), (3, 3), (3, 3)];
        assert_eq!(shares(&heavy, 4, 8, 3), [(2, 2); 4], "a zone's partitions are three apart");
    }
}
