//! The rule of the feedback loop: additive increase, multiplicative decrease. Pure.

use core::time::Duration;

/// From the floor to the ceiling in so many decisions.
pub(super) const STEPS: u32 = 60;
/// Fewer accesses make no percentile to brake for.
const ACCESSES_MIN: u64 = 20;

/// What the loop steers by, and between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The 99th percentile of the foreground is to stay below this.
    pub target: Duration,
    /// Records per second that are always allowed; positive.
    pub floor: u32,
    /// Records per second that are never exceeded; at least the floor.
    pub ceiling: u32,
}

/// What the foreground went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub p99: Duration,
    /// Accesses that it rests on.
    pub count: u64,
}

impl Seen {
    /// Whether the foreground suffers, and so many see it that this is no accident.
    pub fn is_harm(self, target: Duration) -> bool {
        self.count >= ACCESSES_MIN && self.p99 > target
    }
}

/// The rate after one more interval: half of `rate` when the foreground suffers, one step more when it is well (or not
/// there), and the same in between, so that the rate does not swing about the target.
pub(super) fn next_rate(rate: u32, seen: Seen, limits: Limits) -> u32 {
    let Limits { target, floor, ceiling } = limits;
    let step = (ceiling.saturating_sub(floor)).div_ceil(STEPS);
    let next = if seen.is_harm(target) {
        rate / 2
    } else if seen.count == 0 || seen.p99 <= target / 4 * 3 {
        rate.saturating_add(step)
    } else {
        rate
    };
    next.min(ceiling).max(floor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::{Arbitrary, Gen, QuickCheck};

    #[derive(Clone, Copy, Debug)]
    struct Case {
        rate: u32,
        limits: Limits,
    }

    impl Arbitrary for Case {
        fn arbitrary(g: &mut Gen) -> Self {
            let floor = 1 + u32::arbitrary(g) % 1_000;
            let ceiling = floor + u32::arbitrary(g) % 100_000;
            let target = Duration::from_millis(1 + u64::arbitrary(g) % 200);
            let rate = floor + u32::arbitrary(g) % (ceiling - floor + 1);
            Self { rate, limits: Limits { target, floor, ceiling } }
        }
    }

    impl Arbitrary for Seen {
        fn arbitrary(g: &mut Gen) -> Self {
            let count = u64::arbitrary(g) % 200;
            Self { p99: Duration::from_millis(u64::arbitrary(g) % 400), count }
        }
    }

    fn law<A: quickcheck::Testable>(holds: A) {
        QuickCheck::new().tests(2_000).quickcheck(holds);
    }

    #[test]
    fn the_rate_stays_within_its_bounds_whatever_came_before() {
        law((|case: Case, any: u32, seen: Seen| {
            let next = next_rate(any, seen, case.limits);
            (case.limits.floor..=case.limits.ceiling).contains(&next)
        }) as fn(Case, u32, Seen) -> bool);
    }

    #[test]
    fn a_foreground_that_suffers_more_is_never_granted_less() {
        law((|case: Case, seen: Seen, more: u64| {
            let worse = Seen { p99: seen.p99 + Duration::from_millis(more % 400), ..seen };
            next_rate(case.rate, worse, case.limits) <= next_rate(case.rate, seen, case.limits)
        }) as fn(Case, Seen, u64) -> bool);
    }

    #[test]
    fn harm_reduces_the_rate_at_the_next_decision_down_to_the_floor() {
        law((|case: Case, seen: Seen| {
            let next = next_rate(case.rate, seen, case.limits);
            !seen.is_harm(case.limits.target) || next < case.rate || case.rate == case.limits.floor
        }) as fn(Case, Seen) -> bool);
    }

    #[test]
    fn an_idle_foreground_gives_the_ceiling_back_in_so_many_steps() {
        law((|case: Case| {
            let idle = |rate, _| next_rate(rate, Seen::default(), case.limits);
            (0..STEPS).fold(case.rate, idle) == case.limits.ceiling
        }) as fn(Case) -> bool);
    }

    #[test]
    fn near_the_target_the_rate_rests() {
        let limits = Limits { target: Duration::from_millis(50), floor: 10, ceiling: 1_000 };
        let near = Seen { p99: Duration::from_millis(45), count: 1_000 };
        assert_eq!(next_rate(500, near, limits), 500);
        let few = Seen { p99: Duration::from_secs(5), count: ACCESSES_MIN - 1 };
        assert_eq!(next_rate(500, few, limits), 500, "too few to brake for, too bad to let go");
    }
}
