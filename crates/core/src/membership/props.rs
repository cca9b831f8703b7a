//! Properties of buckets: how many homes a key has, which quorums a request means when it names none, and what
//! becomes of concurrent versions. Pure.
//!
//! They travel with the cluster's state, one [`Register`] a bucket. Two operators who set properties of one bucket
//! without knowing of each other do not mix: what one of them left is in force everywhere, whole, so that what was
//! found to fit together stays together.

use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

use super::cluster::Cluster;
use super::others::{OTHER_NAME_BYTES_MAX, OTHERS_BYTES_MAX, OTHERS_MAX, Others};
use super::register::Register;
use super::types::Datatype;
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

/// What an operator has set for a bucket or a bucket type; `None`: what the type says, or else the node. The names are
/// Riak's.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Of a bucket type: what the values of its keys are. It stays what it was when the type was created. Of a bucket
    /// of the default type it means nothing.
    pub datatype: Option<Datatype>,
    /// Of a bucket type of [`Datatype::Hll`]: two to this power is how many registers a value has. It may become less,
    /// never more.
    pub hll_precision: Option<u8>,
    /// Of a bucket type: whether its keys are written once, so that of concurrent versions one is as good as any
    /// ([`Policy::OneValue`]). It stays what it was when the type was created.
    pub write_once: Option<bool>,
    /// What means nothing here.
    pub others: Others,
}

/// How precise an estimate is unless somebody says otherwise.
pub const HLL_PRECISION_DEFAULT: u8 = 14;
/// How precise it can be.
pub const HLL_PRECISIONS: core::ops::RangeInclusive<u8> = 4..=16;

/// Properties that could be set from the beginning are hashed as they always were: the names of states, by which nodes
/// tell whether they know the same, depend on it.
impl Hash for Props {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { n_val, r, w, pr, pw, dw, node_confirms, notfound_ok, basic_quorum, .. } = self;
        (n_val, r, w, pr, pw, dw, node_confirms, notfound_ok, basic_quorum).hash(state);
        (self.allow_mult, self.last_write_wins).hash(state);
        let Self { datatype, hll_precision, write_once, others, .. } = self;
        if datatype.is_some() || hll_precision.is_some() || write_once.is_some() || !others.is_empty() {
            // Nothing that follows in a state begins like this: no list is so long.
            u64::MAX.hash(state);
            (datatype, hll_precision, write_once, others).hash(state);
        }
    }
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
    /// Another data type than the bucket type was created with.
    Datatype(Datatype),
    /// A precision that is not allowed, or more than it was.
    Precision(u8),
    /// A property that does not go with others, or cannot be changed (any more).
    Unfit {
        /// The property.
        name: &'static str,
        /// Why, in Riak's words.
        why: &'static str,
    },
    /// What means nothing here is too much.
    Others {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// [`OTHERS_MAX`], [`OTHER_NAME_BYTES_MAX`], [`OTHERS_BYTES_MAX`] or
        /// [`OTHERS_BYTES_OF_ALL_MAX`](super::OTHERS_BYTES_OF_ALL_MAX).
        limit: usize,
    },
    /// There is no such active bucket type.
    NoType,
}

const fn unfit<T>(name: &'static str, why: &'static str) -> Result<T, PropsError> {
    Err(PropsError::Unfit { name, why })
}

impl Props {
    /// These, over what was set before: what they leave open stays, and a quorum of "default" opens it again.
    #[must_use]
    pub fn over(self, before: &Self) -> Self {
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
            datatype: self.datatype.or(before.datatype),
            hll_precision: self.hll_precision.or(before.hll_precision),
            write_once: self.write_once.or(before.write_once),
            others: self.others.over(&before.others),
        }
    }

    /// These, as those of a bucket type that is created with them: it keeps siblings, unless they say otherwise.
    pub(super) fn of_new_type(mut self) -> Result<Self, PropsError> {
        if self.write_once == Some(true) && self.datatype.is_some() {
            return unfit("datatype", "Write once buckets must not have datatype defined");
        }
        self.check_datatype()?;
        match self.datatype {
            Some(Datatype::Hll) => {
                let precision = self.hll_precision.unwrap_or(HLL_PRECISION_DEFAULT);
                if !HLL_PRECISIONS.contains(&precision) {
                    return Err(PropsError::Precision(precision));
                }
                self.hll_precision = Some(precision);
            }
            _ => self.hll_precision = None,
        }
        self.allow_mult = self.allow_mult.or(Some(true));
        self.last_write_wins = self.last_write_wins.or(Some(false));
        Ok(self)
    }

    /// Versions of data types are joined, so none may be given up before.
    fn check_datatype(&self) -> Result<(), PropsError> {
        if self.datatype.is_some() && self.allow_mult == Some(false) {
            return unfit("allow_mult", "Data Type buckets must be allow_mult=true");
        }
        if self.datatype.is_some() && self.last_write_wins == Some(true) {
            return unfit("last_write_wins", "Data Type buckets must be last_write_wins=false");
        }
        Ok(())
    }

    /// Refuses to set these where `before` holds, if something must stay as it is: for a bucket type that was created, or
    /// a bucket of such a type.
    pub(super) fn check_change(&self, before: &Self) -> Result<(), PropsError> {
        if before.write_once == Some(true) {
            if self.write_once == Some(false) {
                return unfit("write_once", "Cannot modify write_once property once set to true");
            }
            if self.datatype.is_some() {
                return unfit("datatype", "Write once buckets must not have datatype defined");
            }
            return Ok(());
        }
        if self.write_once == Some(true) {
            return unfit("write_once", "Cannot set existing bucket type to `write_once`");
        }
        match (self.datatype, before.datatype) {
            (Some(_), None) => return unfit("datatype", "`datatype` must not be defined."),
            (Some(asked), Some(known)) if asked != known => return Err(PropsError::Datatype(asked)),
            _ => {}
        }
        if let (Some(asked), Some(known)) = (self.hll_precision, before.hll_precision)
            && (asked > known || !HLL_PRECISIONS.contains(&asked))
        {
            return Err(PropsError::Precision(asked));
        }
        Self { datatype: before.datatype, ..self.clone() }.check_datatype()
    }

    /// Refuses what no request could meet in a cluster of N `n`.
    pub fn check(&self, n: u8) -> Result<(), PropsError> {
        self.check_others()?;
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

    fn check_others(&self) -> Result<(), PropsError> {
        let counts = [
            ("properties", self.others.len(), OTHERS_MAX),
            ("bytes of a property's name", self.others.longest_name(), OTHER_NAME_BYTES_MAX),
            ("bytes of names and values", self.others.bytes(), OTHERS_BYTES_MAX),
        ];
        match counts.into_iter().find(|(_, got, limit)| got > limit) {
            Some((what, got, limit)) => Err(PropsError::Others { what, got, limit }),
            None => Ok(()),
        }
    }
}

/// What holds for a bucket: its properties, its type's where it has none, and the node's settings where there are none
/// of both.
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
    /// What the values are, where they are not plain data.
    pub datatype: Option<Datatype>,
    /// How precise an estimate is, in a bucket of [`Datatype::Hll`].
    pub hll_precision: u8,
    /// Whether keys are written once.
    pub write_once: bool,
}

impl Rules {
    fn with_own(&self, bucket: &Bucket, cluster: &Cluster) -> Self {
        let with_own = cluster.props.get(bucket).map_or(*self, |register| self.with(&register.value));
        // The data type is the bucket type's, whatever somebody has set for a bucket of the default type.
        Self { datatype: self.datatype, write_once: self.write_once, ..with_own }
    }

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
            datatype: props.datatype.or(self.datatype),
            hll_precision: props.hll_precision.unwrap_or(self.hll_precision),
            write_once: props.write_once.unwrap_or(self.write_once),
        }
    }

    fn policy_with(&self, props: &Props) -> Policy {
        let last_write_wins = props.last_write_wins.unwrap_or(self.policy == Policy::LastWriteWins);
        let allow_mult = props.allow_mult.unwrap_or(self.policy != Policy::OneValue);
        let write_once = props.write_once.unwrap_or(self.write_once);
        match (last_write_wins, allow_mult && !write_once) {
            (true, _) => Policy::LastWriteWins,
            (false, true) => Policy::KeepSiblings,
            (false, false) => Policy::OneValue,
        }
    }
}

impl Cluster {
    /// What an operator has set for `bucket`.
    pub fn props_of(&self, bucket: &Bucket) -> Props {
        self.props.get(bucket).map(|register| register.value.clone()).unwrap_or_default()
    }

    /// What holds for the bucket of `key` where requests say nothing else; `defaults` where nothing is set.
    pub fn rules(&self, key: &Key, defaults: &Rules) -> Rules {
        let of_type = self.rules_of_type(key.bucket_type(), defaults);
        // Few clusters set any, and then no name is copied to look one up.
        if self.props.is_empty() { of_type } else { of_type.with_own(&Bucket::of(key), self) }
    }

    /// What holds for `bucket` where requests say nothing else.
    pub fn rules_of(&self, bucket: &Bucket, defaults: &Rules) -> Rules {
        self.rules_of_type(&bucket.bucket_type, defaults).with_own(bucket, self)
    }

    /// What holds for the buckets of a type that have no properties of their own.
    pub fn rules_of_type(&self, name: &[u8], defaults: &Rules) -> Rules {
        if name == Key::DEFAULT_TYPE {
            return *defaults;
        }
        // What becomes of concurrent versions is decided by who created the type, and until that is known here all of
        // them are kept.
        let defaults = Rules { policy: Policy::KeepSiblings, ..*defaults };
        self.props_of_type(name).map_or(defaults, |of_type| defaults.with(of_type))
    }

    /// Sets `props` over what is set for `bucket` already.
    pub fn set_props(&mut self, by: NodeId, bucket: Bucket, props: Props) -> Result<(), PropsError> {
        let bytes = bucket.bucket_type.len() + bucket.name.len();
        if bytes > PROPS_NAME_BYTES_MAX {
            return Err(PropsError::Name { bytes, limit: PROPS_NAME_BYTES_MAX });
        }
        let before = self.props_of(&bucket);
        if bucket.bucket_type == Key::DEFAULT_TYPE {
            if props.write_once == Some(true) {
                return unfit("write_once", "cannot update write_once property");
            }
        } else if self.has_type(&bucket.bucket_type) {
            props.check_change(&self.props_with_type(&bucket))?;
        } else {
            return Err(PropsError::NoType);
        }
        let after = props.over(&before);
        after.check(
            self.props_of_type(&bucket.bucket_type).and_then(|of_type| of_type.n_val).unwrap_or(self.n),
        )?;
        after.check(self.n)?;
        if after == before {
            return Ok(());
        }
        if self.props.len() >= PROPS_BUCKETS_MAX && !self.props.contains_key(&bucket) {
            return Err(PropsError::TooMany { limit: PROPS_BUCKETS_MAX });
        }
        self.check_room(&before, &after)?;
        self.props.entry(bucket).or_default().set(by, after);
        Ok(())
    }

    /// Back to what the bucket's type says, and the nodes' defaults.
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

    /// The buckets whose writes are lost by the clock, and were not in `before`; a bucket without a name stands for all of
    /// its type.
    pub(super) fn newly_last_write_wins<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = Bucket> {
        let loses = |props: Option<&Props>| props.is_some_and(|props| props.last_write_wins == Some(true));
        let own = |cluster: &'a Self, bucket| cluster.props.get(bucket).map(|register| &register.value);
        let buckets =
            self.props.keys().filter(move |bucket| loses(own(self, bucket)) && !loses(own(before, bucket)));
        let types = self
            .types
            .keys()
            .filter(move |name| loses(self.props_of_type(name)) && !loses(before.props_of_type(name)));
        let all_of = |name: &Vec<u8>| Bucket { bucket_type: name.clone(), name: Vec::new() };
        buckets.cloned().chain(types.map(all_of))
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
            Self::Datatype(asked) => {
                write!(f, "datatype: {} not supported for bucket datatype property", asked.name())
            }
            Self::Precision(asked) => write!(f, "hll_precision: {}", bad_precision(*asked)),
            Self::Unfit { name, why } => write!(f, "{name}: {why}"),
            Self::Others { what, got, limit } => {
                write!(f, "properties that Cartwheel only keeps: {got} {what}; allowed are {limit}")
            }
            Self::NoType => write!(f, "there is no such active bucket type"),
        }
    }
}

impl core::error::Error for PropsError {}

fn bad_precision(asked: u8) -> impl fmt::Display {
    alloc::format!(
        "{asked} not supported for Hyperloglog precision property for bucket type. Precision must be an integer between \
         4 and 16, inclusive (3 < p < 17) and precision can be reduced but never increased after initial setting"
    )
}

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
                datatype: bool::arbitrary(g).then(|| *g.choose(&Datatype::ALL).expect("five")),
                hll_precision: small(g),
                write_once: Option::arbitrary(g),
                others: Vec::<(u8, u8)>::arbitrary(g)
                    .into_iter()
                    .map(|(a, b)| (vec![a % 4], vec![b]))
                    .collect(),
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
                Some(props) => drop(side.set_props(by, bucket(*name), props.clone())),
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
            (with(a.clone()) == with(b.clone())) == (a == b)
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
        let name =
            |number: usize| Bucket { bucket_type: b"default".to_vec(), name: number.to_le_bytes().to_vec() };
        for number in 0..PROPS_BUCKETS_MAX {
            assert_eq!(cluster.set_props(NodeId(1), name(number), props.clone()), Ok(()));
        }
        let full = Err(PropsError::TooMany { limit: PROPS_BUCKETS_MAX });
        assert_eq!(cluster.set_props(NodeId(1), name(PROPS_BUCKETS_MAX), props.clone()), full);
        assert_eq!(cluster.set_props(NodeId(1), name(0), Props { n_val: Some(1), ..props.clone() }), Ok(()));
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
