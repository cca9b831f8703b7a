//! All members, in a form that a large cluster can afford: copies share what they have in common.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Index;

use super::cluster::Content;
use super::member::Member;
use crate::id::NodeId;

/// Everybody who ever was a member or wants to be one, in order of their names.
///
/// A clone costs nothing. Joining two copies looks at what is known of each member only where its digests differ;
/// hashing looks at nobody.
#[derive(Clone, Default)]
pub struct Members {
    by_name: Arc<BTreeMap<NodeId, Entry>>,
    /// The sum of all digests: two copies that say the same have the same.
    sum: u128,
    /// How many have gone for ever.
    gone: usize,
}

/// What is known of one member, and what that is called: xxh3-128 of its name and all that is known.
#[derive(Clone, Debug)]
struct Entry {
    digest: u128,
    member: Arc<Member>,
}

impl Entry {
    fn new(node: NodeId, member: Member) -> Self {
        let mut hasher = Content::default();
        (node, &member).hash(&mut hasher);
        Self { digest: hasher.digest(), member: Arc::new(member) }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Members {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Whether anybody has gone for ever.
    pub fn has_gone(&self) -> bool {
        self.gone > 0
    }

    /// What is known of `node`.
    pub fn get(&self, node: &NodeId) -> Option<&Member> {
        self.by_name.get(node).map(|entry| entry.member.as_ref())
    }

    /// Whether anything is known of `node`.
    pub fn contains_key(&self, node: &NodeId) -> bool {
        self.by_name.contains_key(node)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&NodeId, &Member)> {
        self.by_name.iter().map(|(node, entry)| (node, entry.member.as_ref()))
    }

    /// Their names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &NodeId> {
        self.by_name.keys()
    }

    /// What is known of each, in the order of their names.
    pub fn values(&self) -> impl Iterator<Item = &Member> {
        self.by_name.values().map(|entry| entry.member.as_ref())
    }

    /// Changes what is known of `node`, who is known from now on.
    pub fn update(&mut self, node: NodeId, change: impl FnOnce(&mut Member)) {
        let mut member = self.get(&node).cloned().unwrap_or_default();
        change(&mut member);
        self.put(node, Entry::new(node, member));
    }

    fn put(&mut self, node: NodeId, entry: Entry) {
        self.gone += usize::from(entry.member.status.is_gone());
        self.sum = self.sum.wrapping_add(entry.digest);
        if let Some(before) = Arc::make_mut(&mut self.by_name).insert(node, entry) {
            self.gone -= usize::from(before.member.status.is_gone());
            self.sum = self.sum.wrapping_sub(before.digest);
        }
    }

    /// Joins what another node knows.
    pub fn merge(&mut self, other: &Self) {
        if Arc::ptr_eq(&self.by_name, &other.by_name) {
            return;
        }
        let (mut news, mut adds, mut lacks) = (Vec::new(), false, false);
        let mut own = self.by_name.iter().peekable();
        for (node, theirs) in other.by_name.iter() {
            while own.next_if(|(known, _)| *known < node).is_some() {
                lacks = true;
            }
            let Some((_, ours)) = own.next_if(|(known, _)| *known == node) else {
                news.push((*node, theirs.clone()));
                adds = true;
                continue;
            };
            if ours == theirs {
                continue;
            }
            // One copy is enough for both wherever possible.
            if ours.member.covers(&theirs.member) {
                lacks = true;
            } else if theirs.member.covers(&ours.member) {
                adds = true;
                news.push((*node, theirs.clone()));
            } else {
                (adds, lacks) = (true, true);
                let mut merged = Member::clone(&ours.member);
                merged.merge(&theirs.member);
                news.push((*node, Entry::new(*node, merged)));
            }
        }
        lacks |= own.next().is_some();
        if adds && !lacks {
            *self = other.clone();
        } else if adds {
            news.into_iter().for_each(|(node, entry)| self.put(node, entry));
        }
    }

    /// Those of whom this says something else than `before`, a state that this came from: what was known, and what is.
    pub(super) fn changed_since<'a>(
        &'a self,
        before: &'a Self,
    ) -> impl Iterator<Item = (NodeId, Option<&'a Member>, &'a Member)> {
        let mut earlier = before.by_name.iter().peekable();
        self.by_name.iter().filter_map(move |(node, now)| {
            let known = earlier.next_if(|(known, _)| *known == node).map(|(_, entry)| entry);
            let is_new = known != Some(now);
            is_new.then(|| (*node, known.map(|known| known.member.as_ref()), now.member.as_ref()))
        })
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.by_name, &other.by_name) || (self.sum == other.sum && self.by_name == other.by_name)
    }
}

impl Eq for Members {}

/// The sum names all that is known.
impl Hash for Members {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sum.hash(state);
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Index<&NodeId> for Members {
    type Output = Member;

    fn index(&self, node: &NodeId) -> &Member {
        &self.by_name[node].member
    }
}

impl FromIterator<(NodeId, Member)> for Members {
    fn from_iter<I: IntoIterator<Item = (NodeId, Member)>>(members: I) -> Self {
        let mut all = Self::default();
        members.into_iter().for_each(|(node, member)| all.put(node, Entry::new(node, member)));
        all
    }
}

impl<const LEN: usize> From<[(NodeId, Member); LEN]> for Members {
    fn from(members: [(NodeId, Member); LEN]) -> Self {
        members.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::StoreId;
    use crate::membership::{LastBoot, MemberStatus};
    use quickcheck::quickcheck;

    /// What somebody has heard: of each node its status, and of a boot.
    fn members(of: &[(u8, u8)]) -> Members {
        let mut members = Members::default();
        for (node, heard) in of {
            members.update(NodeId(u64::from(node % 8)), |member| {
                member.status = status_of(*heard);
                let boot = LastBoot::new(u64::from(heard / 4 % 3), u64::from(heard / 16 % 3));
                member.boots.entry(StoreId(u64::from(heard / 64))).or_default().merge(&boot);
            });
        }
        members
    }

    fn status_of(number: u8) -> MemberStatus {
        [MemberStatus::Joining, MemberStatus::Member, MemberStatus::Leaving, MemberStatus::Removed]
            [usize::from(number % 4)]
    }

    /// The same, entry by entry, and without anything kept up on the way.
    fn anew(members: &Members) -> Members {
        members.iter().map(|(node, member)| (*node, member.clone())).collect()
    }

    fn merged(a: &Members, b: &Members) -> Members {
        let mut merged = a.clone();
        merged.merge(b);
        merged
    }

    quickcheck! {
        fn what_is_kept_up_is_what_would_be_found_anew(a: Vec<(u8, u8)>, b: Vec<(u8, u8)>) -> bool {
            let both = merged(&members(&a), &members(&b));
            let gone = both.values().filter(|member| member.status.is_gone()).count();
            both.sum == anew(&both).sum && both == anew(&both) && both.gone == gone
        }

        fn merging_says_of_each_what_merging_each_says(a: Vec<(u8, u8)>, b: Vec<(u8, u8)>) -> bool {
            let (a, b) = (members(&a), members(&b));
            let both = merged(&a, &b);
            let each = |node: &NodeId| {
                let mut member = a.get(node).or(b.get(node)).cloned().unwrap_or_default();
                if let Some(other) = b.get(node) {
                    member.merge(other);
                }
                member
            };
            let expected: Members = a.keys().chain(b.keys()).map(|node| (*node, each(node))).collect();
            both == expected
        }

        fn who_covers_another_has_nothing_to_learn(a: Vec<(u8, u8)>, b: Vec<(u8, u8)>) -> bool {
            let (a, b) = (members(&a), members(&b));
            let learns = |member: &Member, other: &Member| {
                let mut merged = member.clone();
                merged.merge(other);
                merged != *member
            };
            let of_both: Vec<(&Member, &Member)> =
                a.iter().filter_map(|(node, member)| Some((member, b.get(node)?))).collect();
            of_both.iter().all(|(member, other)| member.covers(other) != learns(member, other))
        }

        fn those_that_changed_are_named(a: Vec<(u8, u8)>, b: Vec<(u8, u8)>) -> bool {
            let before = members(&a);
            let now = merged(&before, &members(&b));
            let changed: Vec<NodeId> = now.changed_since(&before).map(|(node, ..)| node).collect();
            let differ = now.keys().filter(|node| now.get(node) != before.get(node));
            changed == differ.copied().collect::<Vec<_>>()
        }
    }
}
