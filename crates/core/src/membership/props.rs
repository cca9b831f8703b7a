//! Properties of buckets: how many homes a key has, which quorums a request means when it names none, and what
//! becomes of concurrent versions. Pure.
//!
//! They travel with the cluster's state, one [`Register`] a bucket. Two operators who set properties of one bucket
//! without knowing of each other do not mix: what one of them left is in force everywhere, whole, so that what was
//! found to fit together stays together.

use alloc::vec::Vec;
use core::fmt;

use super::cluster::Cluster;
use super::register::Register;
use crate::boundary::Quorum;
use crate::id::NodeId;
use crate::key::Key;
use crate::version::Policy;

/// Most buckets that are given properties, those included whose properties were reset: a reset must be remembered, or
/// an old copy would undo it. Sides of a partition fill it each for themselves, and then all stay.
pub const PROPS_BUCKETS_MAX: usize = 1_024;
/// Longest bucket type and bucket together that can have properties, in bytes: every node keeps all of them in memory,
/// and gossips them.
pub const PROPS_NAME_BYTES_MAX: usize = 512;

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket {
    /// Its type, [`Key::DEFAULT_TYPE`] where none was named.
    pub bucket_type: Vec<u8>,
    /// Its name within its type.
    pub name: Vec<u8>,
}

impl Bucket {
    /// The bucket of `key`.
    pub fn of(key: &Key) -> Self {
        Self { bucket_type: key.bucket_type().to_vec(), name: key.bucket().to_vec() }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bucket_type != Key::DEFAULT_TYPE {
            write!(f, "{}/", self.bucket_type.escape_ascii())?;
        }
        write!(f, "{}", self.name.escape_ascii())
    }
}

/// What an operator has set for a bucket; `None`: the node's default. The names are Riak's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Props {
    /// How many homes a request asks. At most the cluster's N: that many homes has every partition, which is what the
    /// ring spreads over distinct nodes, what handoff moves and what anti-entropy compares. With fewer, the other homes
    /// still get their copies, from anti-entropy.
    pub n_val: Option<u8>,
    /// R of a get that names none.
    pub r: Option<Quorum>,
    /// W of a put that names none.
    pub w: Option<Quorum>,
    /// PR of a get that names none; a count of 0: none.
    pub pr: Option<Quorum>,
    /// PW of a put that names none; a count of 0: none.
    pub pw: Option<Quorum>,
    /// DW of a put that names none; a count of 0: none.
    pub dw: Option<Quorum>,
    /// How many distinct nodes must be among those that answer, when a request names no number.
    pub node_confirms: Option<u8>,
    /// Whether "not found" counts toward R, when a get does not say so.
    pub notfound_ok: Option<bool>,
    /// Whether a majority that has nothing is enough to say so, when a get does not say so.
    pub basic_quorum: Option<bool>,
    /// Whether a reader is shown every concurrent version. `false` **loses acknowledged writes**: of two clients that
    /// write at once, one is never shown, and is gone with the next write ([`Policy::OneValue`]).
    pub allow_mult: Option<bool>,
    /// Whether the latest clock wins, whatever `allow_mult` says. `true` **loses acknowledged writes**, even ones that
    /// came later, at a node whose clock is behind ([`Policy::LastWriteWins`]).
    pub last_write_wins: Option<bool>,
}

/// Why properties cannot be set. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PropsError {
    /// An `n_val` of zero, or above the cluster's N.
    Replicas {
        /// What was asked for.
        asked: u8,
        /// The cluster's N.
        n: u8,
    },
    /// A quorum that no request could meet.
    Quorum {
        /// The property.
        name: &'static str,
        /// What was asked for.
        asked: u8,
        /// The least that makes sense.
        least: u8,
        /// The most: what `n_val` is, or would be.
        n: u8,
    },
    /// The names of type and bucket are too long.
    Name {
        /// How long they are, in bytes.
        bytes: usize,
        /// [`PROPS_NAME_BYTES_MAX`].
        limit: usize,
    },
    /// Too many buckets have properties.
    TooMany {
        /// [`PROPS_BUCKETS_MAX`].
        limit: usize,
    },
}

impl Props {
    /// These, over what was set before: what they leave open stays, and a quorum of "default" opens it again.
    #[must_use]
    pub fn over(self, before: Self) -> Self {
        let quorum = |asked: Option<Quorum>, before: Option<Quorum>| {
            asked.or(before).filter(|quorum| *quorum != Quorum::Default)
        };
        Self {
            n_val: self.n_val.or(before.n_val),
            r: quorum(self.r, before.r),
            w: quorum(self.w, before.w),
            pr: quorum(self.pr, before.pr),
            pw: quorum(self.pw, before.pw),
            dw: quorum(self.dw, before.dw),
            node_confirms: self.node_confirms.or(before.node_confirms),
            notfound_ok: self.notfound_ok.or(before.notfound_ok),
            basic_quorum: self.basic_quorum.or(before.basic_quorum),
            allow_mult: self.allow_mult.or(before.allow_mult),
            last_write_wins: self.last_write_wins.or(before.last_write_wins),
        }
    }

    /// Refuses what no request could meet in a cluster of N `n`.
    pub fn check(&self, n: u8) -> Result<(), PropsError> {
        let n_val = self.n_val.unwrap_or(n);
        if !(1..=n).contains(&n_val) {
            return Err(PropsError::Replicas { asked: n_val, n });
        }
        let confirms = self.node_confirms.map(Quorum::Count);
        let quorums = [
            ("r", self.r, 1),
            ("w", self.w, 1),
            ("pr", self.pr, 0),
            ("pw", self.pw, 0),
            ("dw", self.dw, 0),
            ("node_confirms", confirms, 0),
        ];
        for (name, quorum, least) in quorums {
            if let Some(Quorum::Count(asked)) = quorum
                && !(least..=n_val).contains(&asked)
            {
                return Err(PropsError::Quorum { name, asked, least, n: n_val });
            }
        }
        Ok(())
    }
}

/// What holds for a bucket: its properties, and the node's settings where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How many homes a request asks.
    pub n: u8,
    /// R.
    pub r: Quorum,
    /// W.
    pub w: Quorum,
    /// PR; a count of 0: none.
    pub pr: Quorum,
    /// PW; a count of 0: none.
    pub pw: Quorum,
    /// DW; a count of 0: none.
    pub dw: Quorum,
    /// How many distinct nodes must be among those that answer.
    pub node_confirms: u8,
    /// Whether "not found" counts toward R.
    pub notfound_ok: bool,
    /// Whether a majority that has nothing is enough to say so.
    pub basic_quorum: bool,
    /// What becomes of concurrent versions.
    pub policy: Policy,
}

impl Rules {
    /// These, where `props` say nothing else.
    #[must_use]
    pub fn with(&self, props: &Props) -> Self {
        Self {
            n: props.n_val.unwrap_or(self.n),
            r: props.r.unwrap_or(self.r),
            w: props.w.unwrap_or(self.w),
            pr: props.pr.unwrap_or(self.pr),
            pw: props.pw.unwrap_or(self.pw),
            dw: props.dw.unwrap_or(self.dw),
            node_confirms: props.node_confirms.unwrap_or(self.node_confirms),
            notfound_ok: props.notfound_ok.unwrap_or(self.notfound_ok),
            basic_quorum: props.basic_quorum.unwrap_or(self.basic_quorum),
            policy: self.policy_with(props),
        }
    }

    fn policy_with(&self, props: &Props) -> Policy {
        let last_write_wins = props.last_write_wins.unwrap_or(self.policy == Policy::LastWriteWins);
        let allow_mult = props.allow_mult.unwrap_or(self.policy != Policy::OneValue);
        match (last_write_wins, allow_mult) {
            (true, _) => Policy::LastWriteWins,
            (false, true) => Policy::KeepSiblings,
            (false, false) => Policy::OneValue,
        }
    }
}

impl Cluster {
    /// What an operator has set for `bucket`.
    pub fn props_of(&self, bucket: &Bucket) -> Props {
        self.props.get(bucket).map(|register| register.value).unwrap_or_default()
    }

    /// What holds for the bucket of `key` where requests say nothing else; `defaults` where nothing is set.
    pub fn rules(&self, key: &Key, defaults: &Rules) -> Rules {
        // Few clusters set any, and then no name is copied to look one up.
        if self.props.is_empty() { *defaults } else { defaults.with(&self.props_of(&Bucket::of(key))) }
    }

    /// Sets `props` over what is set for `bucket` already.
    pub fn set_props(&mut self, by: NodeId, bucket: Bucket, props: Props) -> Result<(), PropsError> {
        let bytes = bucket.bucket_type.len() + bucket.name.len();
        if bytes > PROPS_NAME_BYTES_MAX {
            return Err(PropsError::Name { bytes, limit: PROPS_NAME_BYTES_MAX });
        }
        let before = self.props_of(&bucket);
        let after = props.over(before);
        after.check(self.n)?;
        if after == before {
            return Ok(());
        }
        if self.props.len() >= PROPS_BUCKETS_MAX && !self.props.contains_key(&bucket) {
            return Err(PropsError::TooMany { limit: PROPS_BUCKETS_MAX });
        }
        self.props.entry(bucket).or_default().set(by, after);
        Ok(())
    }

    /// Back to the nodes' defaults.
    pub fn reset_props(&mut self, by: NodeId, bucket: &Bucket) {
        if let Some(register) = self.props.get_mut(bucket)
            && register.value != Props::default()
        {
            register.set(by, Props::default());
        }
    }

    /// Joins the properties that another node knows.
    pub(super) fn merge_props(&mut self, other: &Self) {
        for (bucket, theirs) in &other.props {
            match self.props.get_mut(bucket) {
                Some(ours) => ours.merge(theirs),
                None => _ = self.props.insert(bucket.clone(), Register::clone(theirs)),
            }
        }
    }

    /// A museum piece: what `own` has for a bucket stays, unless the other was set later.
    pub(super) fn keep_equally_new_props(&mut self, own: &Self) {
        for (bucket, ours) in &own.props {
            if let Some(register) = self.props.get_mut(bucket)
                && register.count == ours.count
            {
                register.clone_from(ours);
            }
        }
    }

    /// The buckets whose writes are lost by the clock, and were not in `before`.
    pub(super) fn newly_last_write_wins<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a Bucket> {
        let loses = |cluster: &Self, bucket: &Bucket| cluster.props_of(bucket).last_write_wins == Some(true);
        self.props.keys().filter(move |bucket| loses(self, bucket) && !loses(before, bucket))
    }
}

impl fmt::Display for PropsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replicas { asked, n } => {
                write!(f, "n_val = {asked}: allowed are 1..={n} (the cluster's n)")
            }
            Self::Quorum { name, asked, least, n } => {
                write!(f, "{name} = {asked}: allowed are {least}..={n} (n_val), one, quorum, all")
            }
            Self::Name { bytes, limit } => {
                write!(f, "the names of bucket type and bucket have {bytes} bytes; allowed are {limit}")
            }
            Self::TooMany { limit } => {
                write!(f, "{limit} buckets have properties (or had, and were reset); no more are allowed")
            }
        }
    }
}

impl core::error::Error for PropsError {}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::vec;

    use quickcheck::{Arbitrary, Gen, quickcheck};

    use super::*;
    use crate::config::Config;
    use crate::ring::Ring;

    impl Arbitrary for Props {
        fn arbitrary(g: &mut Gen) -> Self {
            let quorums = [
                Quorum::Default,
                Quorum::One,
                Quorum::Majority,
                Quorum::All,
                Quorum::Count(u8::arbitrary(g) % 5),
            ];
            let quorum = |g: &mut Gen| bool::arbitrary(g).then(|| *g.choose(&quorums).expect("five"));
            let small = |g: &mut Gen| bool::arbitrary(g).then(|| u8::arbitrary(g) % 5);
            Self {
                n_val: small(g),
                r: quorum(g),
                w: quorum(g),
                pr: quorum(g),
                pw: quorum(g),
                dw: quorum(g),
                node_confirms: small(g),
                notfound_ok: Option::arbitrary(g),
                basic_quorum: Option::arbitrary(g),
                allow_mult: Option::arbitrary(g),
                last_write_wins: Option::arbitrary(g),
            }
        }
    }

    fn cluster() -> Cluster {
        let founders: Vec<NodeId> = (1..=3).map(NodeId).collect();
        Cluster::founded(&founders, Ring::new(&founders, 8, 3).unwrap(), 3, &BTreeMap::new())
    }

    fn bucket(name: u8) -> Bucket {
        Bucket { bucket_type: b"default".to_vec(), name: vec![name % 3] }
    }

    /// Sets and resets, by two nodes that do not hear of each other.
    fn two_sides(steps: &[(bool, u8, Option<Props>)]) -> [Cluster; 2] {
        let mut sides = [cluster(), cluster()];
        for (side, name, props) in steps {
            let (by, side) = (NodeId(1 + u64::from(*side)), &mut sides[usize::from(*side)]);
            match props {
                // What makes no sense is refused, and changes nothing.
                Some(props) => drop(side.set_props(by, bucket(*name), *props)),
                None => side.reset_props(by, &bucket(*name)),
            }
        }
        sides
    }

    fn merged(a: &Cluster, b: &Cluster) -> Cluster {
        let mut merged = a.clone();
        merged.merge(b);
        merged
    }

    quickcheck! {
        fn two_sides_come_to_the_same_and_each_bucket_is_as_one_of_them_left_it(
            steps: Vec<(bool, u8, Option<Props>)>
        ) -> bool {
            let [a, b] = two_sides(&steps);
            let both = merged(&a, &b);
            both == merged(&b, &a)
                && both.digest() == merged(&b, &a).digest()
                && merged(&both, &a) == both
                && both.props.iter().all(|(bucket, left)| {
                    [&a, &b].into_iter().any(|side| side.props.get(bucket) == Some(left))
                })
        }

        fn a_later_change_wins_on_every_side(steps: Vec<(bool, u8, Option<Props>)>, props: Props) -> bool {
            let [a, b] = two_sides(&steps);
            let mut both = merged(&a, &b);
            let accepted = both.set_props(NodeId(1), bucket(0), props).is_ok();
            let expected = both.props_of(&bucket(0));
            !accepted || merged(&b, &both).props_of(&bucket(0)) == expected
        }

        fn what_is_accepted_can_be_met(props: Props, request: Option<u8>) -> bool {
            use crate::boundary::{ReadOptions, WriteOptions};
            use crate::coordinator::quorum::Needs;
            let mut cluster = cluster();
            let Ok(()) = cluster.set_props(NodeId(1), bucket(0), props) else { return true };
            let defaults = Config::new(NodeId(1), cluster.ring.clone()).rules();
            let rules = defaults.with(&cluster.props_of(&bucket(0)));
            let n = request.map(|n| 1 + n % rules.n);
            let fits = |needs: Needs| needs.total >= 1 && needs.total <= needs.n && needs.homes <= needs.n;
            Needs::of_read(&ReadOptions { n, ..ReadOptions::default() }, &rules).is_ok_and(fits)
                && Needs::of_write(&WriteOptions { n, ..WriteOptions::default() }, &rules).is_ok_and(fits)
        }

        fn a_name_for_the_state_tells_properties_apart(a: Props, b: Props) -> bool {
            let with = |props: Props| {
                let mut cluster = cluster();
                cluster.props.entry(bucket(0)).or_default().set(NodeId(1), props);
                cluster.digest()
            };
            (with(a) == with(b)) == (a == b)
        }
    }

    #[test]
    fn what_no_request_could_meet_is_refused() {
        let check = |props: Props| props.check(3);
        let error = |name, asked, least, n| Err(PropsError::Quorum { name, asked, least, n });
        assert_eq!(
            check(Props { n_val: Some(0), ..Props::default() }),
            Err(PropsError::Replicas { asked: 0, n: 3 })
        );
        assert_eq!(
            check(Props { n_val: Some(4), ..Props::default() }),
            Err(PropsError::Replicas { asked: 4, n: 3 })
        );
        let r = |count, n_val| Props { r: Some(Quorum::Count(count)), n_val, ..Props::default() };
        assert_eq!(check(r(3, None)), Ok(()));
        assert_eq!(check(r(3, Some(2))), error("r", 3, 1, 2));
        assert_eq!(check(r(0, None)), error("r", 0, 1, 3));
        assert_eq!(check(Props { pr: Some(Quorum::Count(0)), ..Props::default() }), Ok(()));
        assert_eq!(
            check(Props { node_confirms: Some(4), ..Props::default() }),
            error("node_confirms", 4, 0, 3)
        );
    }

    #[test]
    fn a_cluster_has_room_for_so_many() {
        let mut cluster = cluster();
        let props = Props { n_val: Some(2), ..Props::default() };
        let name = |number: usize| Bucket { bucket_type: vec![], name: number.to_le_bytes().to_vec() };
        for number in 0..PROPS_BUCKETS_MAX {
            assert_eq!(cluster.set_props(NodeId(1), name(number), props), Ok(()));
        }
        let full = Err(PropsError::TooMany { limit: PROPS_BUCKETS_MAX });
        assert_eq!(cluster.set_props(NodeId(1), name(PROPS_BUCKETS_MAX), props), full);
        assert_eq!(cluster.set_props(NodeId(1), name(0), Props { n_val: Some(1), ..props }), Ok(()));
        let long = Bucket { bucket_type: vec![b't'; 12], name: vec![b'b'; 501] };
        assert_eq!(
            cluster.set_props(NodeId(1), long, props),
            Err(PropsError::Name { bytes: 513, limit: 512 })
        );
    }

    #[test]
    fn last_write_wins_overrides_and_a_bucket_overrides_the_node() {
        let with = |policy, allow_mult, last_write_wins| {
            let defaults = Config::new(NodeId(1), cluster().ring).rules();
            Rules { policy, ..defaults }
                .with(&Props { allow_mult, last_write_wins, ..Props::default() })
                .policy
        };
        let keep = Policy::KeepSiblings;
        assert_eq!(with(keep, None, None), Policy::KeepSiblings);
        assert_eq!(with(keep, Some(false), None), Policy::OneValue);
        assert_eq!(with(keep, Some(true), Some(true)), Policy::LastWriteWins);
        assert_eq!(with(Policy::LastWriteWins, None, Some(false)), Policy::KeepSiblings);
        assert_eq!(with(Policy::LastWriteWins, None, None), Policy::LastWriteWins);
    }
}
