//! Quorum arithmetic: R, W, PR and PW count **distinct nodes that replied**, never messages, guesses or errors.

use alloc::vec::Vec;

use crate::boundary::{Invalid, Quorum, QuorumKind, ReadOptions, WriteOptions};
use crate::config::Config;
use crate::id::NodeId;
use crate::membership::Rules;

impl Quorum {
    /// How many nodes this means among `n`; `default` stands in for [`Quorum::Default`].
    pub fn resolve(self, default: Self, n: u8) -> Result<u8, Invalid> {
        let count = match if self == Self::Default { default } else { self } {
            Self::One => 1,
            Self::Default | Self::Majority => n / 2 + 1,
            Self::All => n,
            Self::Count(count) => count,
        };
        if (1..=n).contains(&count) { Ok(count) } else { Err(Invalid::Quorum { asked: count, n }) }
    }
}

/// What a get or a put needs, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Needs {
    /// Homes of the key.
    pub n: u8,
    /// Distinct nodes that must answer: R or W.
    pub total: u8,
    /// Homes among them: PR or PW.
    pub homes: u8,
    /// Whether nodes that stand in for homes take part.
    pub sloppy: bool,
}

impl Needs {
    /// What `options` mean in a bucket under `rules`.
    pub fn of_read(options: &ReadOptions, rules: &Rules) -> Result<Self, Invalid> {
        let n = homes(options.n, rules.n)?;
        let r = options.r.resolve(fitted(rules.r, n), n)?;
        let total = r.max(confirms(options.node_confirms, rules, n)?);
        Ok(Self { n, total, homes: at_least(options.pr, rules.pr, n)?, sloppy: options.sloppy })
    }

    /// What `options` mean in a bucket under `rules`.
    pub fn of_write(options: &WriteOptions, rules: &Rules) -> Result<Self, Invalid> {
        let n = homes(options.n, rules.n)?;
        let w = options.w.resolve(fitted(rules.w, n), n)?;
        let dw = at_least(options.dw, rules.dw, n)?;
        let total = w.max(dw).max(confirms(options.node_confirms, rules, n)?);
        Ok(Self { n, total, homes: at_least(options.pw, rules.pw, n)?, sloppy: options.sloppy })
    }

    /// Whether a node with `config` can serve them: they came from another one, which may know of properties of the
    /// bucket that this one has not heard of.
    pub fn validate(&self, config: &Config) -> Result<(), Invalid> {
        homes(Some(self.n), config.n)?;
        Quorum::Count(self.total).resolve(Quorum::One, self.n)?;
        within(self.homes, self.n).map(|_| ())
    }
}

/// What a get needs, and what it makes of homes that hold nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub needs: Needs,
    pub empty: Empty,
}

/// What "not found" counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Empty {
    pub notfound_ok: bool,
    pub basic_quorum: bool,
}

impl Reading {
    /// What `options` mean in a bucket under `rules`.
    pub fn of(options: &ReadOptions, rules: &Rules) -> Result<Self, Invalid> {
        let notfound_ok = options.notfound_ok.unwrap_or(rules.notfound_ok);
        let basic_quorum = options.basic_quorum.unwrap_or(rules.basic_quorum);
        Ok(Self { needs: Needs::of_read(options, rules)?, empty: Empty { notfound_ok, basic_quorum } })
    }
}

fn homes(asked: Option<u8>, most: u8) -> Result<u8, Invalid> {
    match asked {
        None => Ok(most),
        Some(n) if (1..=most).contains(&n) => Ok(n),
        Some(asked) => Err(Invalid::Replicas { asked, n: most }),
    }
}

/// A default, for a request of fewer homes than it was made for.
fn fitted(default: Quorum, n: u8) -> Quorum {
    if let Quorum::Count(count) = default { Quorum::Count(count.min(n)) } else { default }
}

/// A quorum that may be none.
fn at_least(asked: Option<Quorum>, default: Quorum, n: u8) -> Result<u8, Invalid> {
    let asked = asked.filter(|quorum| *quorum != Quorum::Default);
    match asked.unwrap_or_else(|| fitted(default, n)) {
        Quorum::Count(0) => Ok(0),
        quorum => quorum.resolve(Quorum::Majority, n),
    }
}

fn confirms(asked: Option<u8>, rules: &Rules, n: u8) -> Result<u8, Invalid> {
    asked.map_or(Ok(rules.node_confirms.min(n)), |asked| within(asked, n))
}

fn within(asked: u8, n: u8) -> Result<u8, Invalid> {
    if asked <= n { Ok(asked) } else { Err(Invalid::Quorum { asked, n }) }
}

/// Who answers: a home of the key, or a node that stands in for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// One of the N.
    Home,
    /// Another node of the preference list.
    StandIn,
}

/// The sets of homes that a vote counts in. While ownership moves, a put needs a quorum in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum In {
    /// The homes that gets ask.
    First,
    /// The other set of homes, while ownership moves.
    Second,
    /// Both.
    Both,
}

/// Counts the answers to one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    needs: Needs,
    by: Vec<NodeId>,
    first: Count,
    second: Option<Count>,
}

/// Distinct nodes that answered for one set of homes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Count {
    by: Vec<NodeId>,
    homes: u8,
}

impl Tally {
    /// Nobody has answered yet.
    pub fn new(needs: Needs) -> Self {
        let room = || Vec::with_capacity(usize::from(needs.n));
        Self { needs, by: room(), first: Count { by: room(), homes: 0 }, second: None }
    }

    /// Nobody has answered yet; `needs` must be met in two sets of homes.
    pub fn joint(needs: Needs) -> Self {
        Self { second: Some(Count::default()), ..Self::new(needs) }
    }

    /// `node` answered without error. Answering twice is answering once.
    pub fn vote(&mut self, node: NodeId, role: Role) {
        self.vote_in(node, role, In::First);
    }

    /// `node` answered without error, in `sets`. Answering twice is answering once.
    pub fn vote_in(&mut self, node: NodeId, role: Role, sets: In) {
        if !self.by.contains(&node) {
            self.by.push(node);
        }
        if matches!(sets, In::First | In::Both) {
            self.first.vote(node, role);
        }
        if let (In::Second | In::Both, Some(second)) = (sets, &mut self.second) {
            second.vote(node, role);
        }
    }

    /// A museum piece: `node` counts once more.
    pub fn vote_twice(&mut self, node: NodeId) {
        self.first.by.push(node);
    }

    /// The vote of a stand-in does not count any more: the home that it stood in for votes itself.
    pub fn withdraw(&mut self, stand_in: NodeId) {
        self.by.retain(|node| *node != stand_in);
        self.first.by.retain(|node| *node != stand_in);
        if let Some(second) = &mut self.second {
            second.by.retain(|node| *node != stand_in);
        }
    }

    /// Whether enough have answered, in each set.
    pub fn is_met(&self) -> bool {
        self.first.meets(self.needs) && self.second.as_ref().is_none_or(|second| second.meets(self.needs))
    }

    /// What must be met.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Who has answered, in order.
    pub fn by(&self) -> &[NodeId] {
        &self.by
    }

    /// The quorum that is missed, with needed and got: of all answers (`total`), or else of homes (`homes`); in the
    /// set that lacks it.
    pub fn missed(&self, total: QuorumKind, homes: QuorumKind) -> (QuorumKind, u8, u8) {
        let lacking = if self.first.meets(self.needs) { self.second.as_ref() } else { None };
        let count = lacking.unwrap_or(&self.first);
        if count.got() < self.needs.total {
            (total, self.needs.total, count.got())
        } else {
            (homes, self.needs.homes, count.homes)
        }
    }
}

impl Count {
    fn vote(&mut self, node: NodeId, role: Role) {
        if !self.by.contains(&node) {
            self.by.push(node);
            self.homes += u8::from(role == Role::Home);
        }
    }

    fn got(&self) -> u8 {
        u8::try_from(self.by.len()).unwrap_or(u8::MAX)
    }

    fn meets(&self, needs: Needs) -> bool {
        self.got() >= needs.total && self.homes >= needs.homes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn needs(total: u8, homes: u8) -> Needs {
        Needs { n: 255, total, homes, sloppy: true }
    }

    quickcheck! {
        fn a_tally_counts_distinct_nodes_and_distinct_homes(votes: Vec<(u8, bool)>, total: u8, homes: u8) -> bool {
            let role = |home| if home { Role::Home } else { Role::StandIn };
            let mut tally = Tally::new(needs(total, homes));
            let mut seen: Vec<(u8, bool)> = Vec::new();
            for &(node, home) in &votes {
                tally.vote(NodeId(node.into()), role(home));
                if seen.iter().all(|(earlier, _)| *earlier != node) {
                    seen.push((node, home));
                }
            }
            let at_homes = seen.iter().filter(|(_, home)| *home).count();
            tally.is_met() == (seen.len() >= total.into() && at_homes >= homes.into())
                && usize::from(tally.first.got()) == seen.len().min(255)
        }

        fn a_joint_quorum_is_met_when_both_sets_are(votes: Vec<(u8, u8)>, total: u8) -> bool {
            let total = total % 4;
            let mut tally = Tally::joint(needs(total, 0));
            let mut sets: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
            for &(node, set) in &votes {
                let set = [In::First, In::Second, In::Both][usize::from(set % 3)];
                tally.vote_in(NodeId(node.into()), Role::StandIn, set);
                for (at, other) in [In::First, In::Second].into_iter().enumerate() {
                    if set != other && !sets[1 - at].contains(&node) {
                        sets[1 - at].push(node);
                    }
                }
            }
            tally.is_met() == sets.iter().all(|set| set.len() >= total.into())
        }

        fn who_is_withdrawn_might_never_have_voted(votes: Vec<(u8, u8)>, gone: u8) -> bool {
            let gone = gone % 4;
            let cast = |is_counted: &dyn Fn(u8) -> bool| {
                let mut tally = Tally::joint(needs(2, 0));
                for (node, set) in votes.iter().map(|(node, set)| (node % 4, set)).filter(|(node, _)| is_counted(*node)) {
                    tally.vote_in(NodeId(node.into()), Role::StandIn, [In::First, In::Second, In::Both][usize::from(set % 3)]);
                }
                tally
            };
            let mut tally = cast(&|_| true);
            tally.withdraw(NodeId(gone.into()));
            let without = cast(&|node| node != gone);
            (tally.by, tally.first, tally.second) == (without.by, without.first, without.second)
        }

        fn two_majorities_share_a_node(n: u8) -> bool {
            n == 0 || 2 * u16::from(Quorum::Majority.resolve(Quorum::One, n).unwrap()) > u16::from(n)
        }

        fn a_resolved_quorum_can_be_met(count: u8, n: u8) -> bool {
            match Quorum::Count(count).resolve(Quorum::One, n) {
                Ok(needed) => (1..=n).contains(&needed) && needed == count,
                Err(Invalid::Quorum { asked, n: within }) => asked == count && within == n && !(1..=n).contains(&count),
                Err(Invalid::Replicas { .. } | Invalid::OneValue) => false,
            }
        }

        fn what_is_missed_is_missing(votes: Vec<(u8, bool)>, total: u8, homes: u8) -> bool {
            let mut tally = Tally::new(needs(total, homes));
            for &(node, home) in &votes {
                tally.vote(NodeId(node.into()), if home { Role::Home } else { Role::StandIn });
            }
            let (_, needed, got) = tally.missed(QuorumKind::R, QuorumKind::Pr);
            tally.is_met() || got < needed
        }
    }

    /// A bucket of a cluster with N = 3.
    fn rules() -> Rules {
        let ring =
            crate::ring::Ring::new(&[1, 2, 3, 4, 5].map(NodeId), 8, 3).expect("there can be such a ring");
        Config::new(NodeId(1), ring).rules()
    }

    fn reading(options: ReadOptions, rules: &Rules) -> Result<(u8, u8), Invalid> {
        Needs::of_read(&options, rules).map(|needs| (needs.total, needs.homes))
    }

    fn writing(options: &WriteOptions, rules: &Rules) -> Result<(u8, u8), Invalid> {
        Needs::of_write(options, rules).map(|needs| (needs.total, needs.homes))
    }

    #[test]
    fn a_request_that_names_nothing_goes_by_its_bucket() {
        let plain = rules();
        assert_eq!(reading(ReadOptions::default(), &plain), Ok((2, 0)));
        assert_eq!(writing(&WriteOptions::default(), &plain), Ok((2, 0)));
        let one = Quorum::One;
        let strict = Rules { r: one, w: one, pr: one, pw: Quorum::All, node_confirms: 3, ..plain };
        assert_eq!(reading(ReadOptions::default(), &strict), Ok((3, 1)));
        assert_eq!(writing(&WriteOptions::default(), &strict), Ok((3, 3)));
        let durable = Rules { w: one, dw: Quorum::All, ..plain };
        assert_eq!(writing(&WriteOptions::default(), &durable), Ok((3, 0)));
        let default = Some(Quorum::Default);
        let options =
            WriteOptions { w: Quorum::Default, dw: default, pw: default, ..WriteOptions::default() };
        assert_eq!(writing(&options, &strict), Ok((3, 3)), "to name the default is to name nothing");
    }

    #[test]
    fn a_request_outvotes_its_bucket() {
        let rules = Rules { pr: Quorum::All, pw: Quorum::All, dw: Quorum::All, node_confirms: 3, ..rules() };
        let none = Some(Quorum::Count(0));
        let read = ReadOptions { r: Quorum::One, pr: none, node_confirms: Some(0), ..ReadOptions::default() };
        assert_eq!(reading(read, &rules), Ok((1, 0)));
        let read = ReadOptions { node_confirms: Some(2), pr: Some(Quorum::One), ..read };
        assert_eq!(reading(read, &rules), Ok((2, 1)));
        let write = WriteOptions {
            w: Quorum::One,
            dw: none,
            pw: none,
            node_confirms: Some(0),
            ..WriteOptions::default()
        };
        assert_eq!(writing(&write, &rules), Ok((1, 0)));
        assert_eq!(
            writing(&WriteOptions { dw: Some(Quorum::Majority), ..write.clone() }, &rules),
            Ok((2, 0))
        );
        assert_eq!(writing(&WriteOptions { node_confirms: Some(3), ..write }, &rules), Ok((3, 0)));
    }

    /// What a bucket asks of three homes is cut down for a request of two; what a request asks is refused.
    #[test]
    fn a_request_of_fewer_homes_needs_no_more_than_those() {
        let all = Quorum::Count(3);
        let rules = Rules { r: all, w: all, pr: all, pw: all, dw: all, node_confirms: 3, ..rules() };
        let (read, write) = (ReadOptions { n: Some(2), ..ReadOptions::default() }, WriteOptions::default());
        let write = WriteOptions { n: Some(2), ..write };
        assert_eq!(reading(read, &rules), Ok((2, 2)));
        assert_eq!(writing(&write, &rules), Ok((2, 2)));
        let refused = Err(Invalid::Quorum { asked: 3, n: 2 });
        assert_eq!(reading(ReadOptions { r: all, ..read }, &rules), refused);
        assert_eq!(reading(ReadOptions { pr: Some(all), ..read }, &rules), refused);
        assert_eq!(writing(&WriteOptions { dw: Some(all), ..write.clone() }, &rules), refused);
        assert_eq!(writing(&WriteOptions { node_confirms: Some(3), ..write.clone() }, &rules), refused);
        for n in [0, 4] {
            let refused = Err(Invalid::Replicas { asked: n, n: 3 });
            assert_eq!(reading(ReadOptions { n: Some(n), ..read }, &rules), refused);
            assert_eq!(writing(&WriteOptions { n: Some(n), ..write.clone() }, &rules), refused);
        }
        assert_eq!(reading(ReadOptions { n: Some(3), ..read }, &rules), Ok((3, 3)));
    }

    /// Needs that another node worked out may be more than this one can serve.
    #[test]
    fn needs_from_elsewhere_are_refused_where_they_cannot_be_met() {
        let ring = crate::ring::Ring::new(&[1, 2, 3].map(NodeId), 8, 3).expect("there can be such a ring");
        let config = Config::new(NodeId(1), ring);
        let check = |n, total, homes| Needs { n, total, homes, sloppy: true }.validate(&config);
        assert_eq!(check(3, 3, 3), Ok(()));
        assert_eq!(check(2, 1, 0), Ok(()));
        assert_eq!(check(4, 1, 0), Err(Invalid::Replicas { asked: 4, n: 3 }));
        assert_eq!(check(0, 0, 0), Err(Invalid::Replicas { asked: 0, n: 3 }));
        assert_eq!(check(2, 3, 0), Err(Invalid::Quorum { asked: 3, n: 2 }));
        assert_eq!(check(2, 0, 0), Err(Invalid::Quorum { asked: 0, n: 2 }));
        assert_eq!(check(2, 1, 3), Err(Invalid::Quorum { asked: 3, n: 2 }));
    }

    #[test]
    fn what_an_empty_home_counts_for_is_said_by_the_request_or_its_bucket() {
        let empty = |options, rules: &Rules| Reading::of(&options, rules).expect("it makes sense").empty;
        let says = |notfound_ok, basic_quorum| Empty { notfound_ok, basic_quorum };
        let plain = rules();
        assert_eq!(empty(ReadOptions::default(), &plain), says(true, false));
        let options =
            ReadOptions { notfound_ok: Some(false), basic_quorum: Some(true), ..ReadOptions::default() };
        assert_eq!(empty(options, &plain), says(false, true));
        let wary = Rules { notfound_ok: false, basic_quorum: true, ..plain };
        assert_eq!(empty(ReadOptions::default(), &wary), says(false, true));
    }

    /// Of two sets of homes the one that lacks something is named, the first one first.
    #[test]
    fn what_is_missed_is_told_of_the_set_that_lacks_it() {
        let mut tally = Tally::joint(needs(2, 1));
        let missed = |tally: &Tally| tally.missed(QuorumKind::W, QuorumKind::Pw);
        tally.vote_in(NodeId(1), Role::StandIn, In::Both);
        tally.vote_in(NodeId(2), Role::StandIn, In::Second);
        assert_eq!(missed(&tally), (QuorumKind::W, 2, 1), "the first set has one of two");
        tally.vote_in(NodeId(3), Role::StandIn, In::First);
        assert_eq!(missed(&tally), (QuorumKind::Pw, 1, 0), "and then no home");
        tally.vote_in(NodeId(4), Role::Home, In::First);
        assert_eq!(missed(&tally), (QuorumKind::Pw, 1, 0), "nor has the second");
        assert!(!tally.is_met());
        tally.vote_in(NodeId(5), Role::Home, In::Second);
        assert!(tally.is_met());
        assert_eq!(tally.by(), [1, 2, 3, 4, 5].map(NodeId));
        assert_eq!(tally.needs(), needs(2, 1));
    }

    #[test]
    fn symbolic_quorums() {
        assert_eq!(Quorum::One.resolve(Quorum::All, 3), Ok(1));
        assert_eq!(Quorum::Majority.resolve(Quorum::All, 3), Ok(2));
        assert_eq!(Quorum::All.resolve(Quorum::One, 3), Ok(3));
        assert_eq!(Quorum::Default.resolve(Quorum::All, 3), Ok(3));
        assert_eq!(Quorum::Default.resolve(Quorum::Default, 5), Ok(3));
    }
}
