//! The laws that keep acknowledged writes, checked against ground truth on random histories of a few stores: writes
//! with fresh and stale contexts, merges, crashes that lose what was not synced, wiped keys, wiped disks.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use quickcheck::{Arbitrary, Gen, quickcheck};

use super::record::{Record, Update, Write};
use crate::boundary::Answer;
use crate::id::{NodeId, RequestId, StoreId};
use crate::time::WallTime;
use crate::version::{Actor, Context, Dot, Policy, Siblings, Value, Version, VersionVector};

const STORES: u8 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// A client that last read store `context` (whenever that was) writes through store `at`.
    Put {
        at: u8,
        context: u8,
    },
    /// A client reads store `at` and remembers the context.
    Read {
        at: u8,
    },
    /// Store `to` receives the state of store `from`.
    Merge {
        from: u8,
        to: u8,
    },
    /// What is in memory becomes durable.
    Sync {
        at: u8,
    },
    /// Falls back to what is durable.
    Crash {
        at: u8,
    },
    CleanRestart {
        at: u8,
    },
    /// The key is gone; the store does not notice.
    WipeKey {
        at: u8,
    },
    /// Another disk.
    WipeDisk {
        at: u8,
    },
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let at = u8::arbitrary(g) % STORES;
        let other = u8::arbitrary(g) % STORES;
        match u8::arbitrary(g) % 20 {
            0..=6 => Self::Put { at, context: other },
            7..=9 => Self::Read { at },
            10..=14 => Self::Merge { from: other, to: at },
            15..=16 => Self::Sync { at },
            17 => Self::Crash { at },
            18 if bool::arbitrary(g) => Self::CleanRestart { at },
            18 => Self::WipeKey { at },
            _ => Self::WipeDisk { at },
        }
    }
}

#[derive(Default)]
struct Store {
    id: u64,
    boot: u64,
    continuous_since: u64,
    minted: u64,
    record: Option<Record>,
    durable: Option<Record>,
}

/// Stores, and the truth about every write: the requests whose versions its client had been shown, in full.
#[derive(Default)]
struct World {
    past_entries_max: u32,
    stores: [Store; STORES as usize],
    contexts: [Context; STORES as usize],
    issued: BTreeMap<Dot, RequestId>,
    seen: BTreeMap<RequestId, BTreeSet<RequestId>>,
    shown: [BTreeSet<RequestId>; STORES as usize],
    writes: u128,
}

impl World {
    fn run(steps: &[Step]) -> Self {
        Self::run_pruning(steps, u32::MAX)
    }

    fn run_pruning(steps: &[Step], past_entries_max: u32) -> Self {
        let mut world = Self { past_entries_max, ..Self::default() };
        for (index, store) in world.stores.iter_mut().enumerate() {
            store.id = index as u64;
        }
        for step in steps {
            world.step(step);
        }
        world
    }

    fn state(&self, at: u8) -> Siblings {
        self.stores[usize::from(at)].record.as_ref().map(|record| record.siblings.clone()).unwrap_or_default()
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Put { at, context } => self.put(at, context),
            Step::Read { at } => {
                self.contexts[usize::from(at)] = self.state(at).context();
                self.shown[usize::from(at)] = self.known(&self.state(at));
            }
            Step::Merge { from, to } => {
                let update =
                    Update::Merge { siblings: self.state(from), owed: None, policy: Policy::KeepSiblings };
                self.apply(to, &update);
            }
            Step::Sync { at } => {
                let store = &mut self.stores[usize::from(at)];
                store.durable.clone_from(&store.record);
            }
            Step::Crash { at } => {
                let store = &mut self.stores[usize::from(at)];
                store.record.clone_from(&store.durable);
                store.reboot();
                store.continuous_since = store.boot;
            }
            Step::CleanRestart { at } => {
                let store = &mut self.stores[usize::from(at)];
                store.durable.clone_from(&store.record);
                store.reboot();
            }
            Step::WipeKey { at } => {
                let store = &mut self.stores[usize::from(at)];
                store.record = None;
                store.durable = None;
            }
            Step::WipeDisk { at } => {
                let id = self.stores[usize::from(at)].id + 16;
                self.stores[usize::from(at)] = Store { id, ..Store::default() };
            }
        }
    }

    fn put(&mut self, at: u8, context: u8) {
        self.writes += 1;
        let request = RequestId(self.writes);
        let store = &mut self.stores[usize::from(at)];
        store.minted += 1;
        let update = Update::Coordinate {
            write: Arc::new(Write {
                request,
                context: self.contexts[usize::from(context)].clone(),
                value: Value::Tombstone.into(),
                written_at: WallTime(0),
            }),
            made: None,
            mint: Actor {
                node: NodeId(u64::from(at)),
                store: StoreId(store.id),
                boot: store.boot,
                mint: store.minted,
            },
            continuous_since: store.continuous_since,
            past_entries_max: self.past_entries_max,
            owed: None,
            policy: Policy::KeepSiblings,
            flaw: None,
        };
        self.seen.insert(request, self.shown[usize::from(context)].clone());
        let dot = self.apply(at, &update).expect("a coordinated write has a dot");
        assert_eq!(self.issued.insert(dot, request), None, "{dot:?} names two writes");
        assert!(self.state(at).by_request(request).is_some(), "a new write is there");
    }

    fn apply(&mut self, at: u8, update: &Update) -> Option<Dot> {
        let store = &mut self.stores[usize::from(at)];
        let (record, change) = update.apply(store.record.as_ref()).expect("nothing is refused here");
        store.record = record;
        change.dot
    }

    /// All writes that a reader of `state` has been shown, directly or through others.
    fn known(&self, state: &Siblings) -> BTreeSet<RequestId> {
        let mut known = BTreeSet::new();
        for version in state.versions() {
            known.insert(version.request);
            known.extend(self.seen[&version.request].iter().copied());
        }
        known
    }

    /// The writes that `vector` claims to contain.
    fn claimed(&self, vector: &VersionVector) -> BTreeSet<RequestId> {
        self.issued.iter().filter(|(dot, _)| vector.contains(**dot)).map(|(_, &request)| request).collect()
    }
}

impl Store {
    fn reboot(&mut self) {
        self.boot += 1;
        self.minted = 0;
    }
}

fn merge(a: &Siblings, b: &Siblings) -> Siblings {
    a.merge(b, Policy::KeepSiblings)
}

quickcheck! {
    /// The proof of "no acknowledged write is lost": a context never covers a write that nobody showed the client.
    fn nobody_over_claims(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        (0..STORES).all(|at| {
            let state = world.state(at);
            world.claimed(&state.context().0).is_subset(&world.known(&state))
        })
    }

    /// And nothing that was seen is forgotten: no false siblings after a merge.
    fn everything_shown_is_claimed(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        (0..STORES).all(|at| {
            let state = world.state(at);
            world.known(&state).is_subset(&world.claimed(&state.context().0))
        })
    }

    fn a_merge_loses_only_what_was_seen(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        let (a, b) = (world.state(0), world.state(1));
        let known = world.known(&merge(&a, &b));
        world.known(&a).union(&world.known(&b)).all(|request| known.contains(request))
    }

    /// Pruning may bring back what was seen; it never claims what was not, so it loses nothing.
    fn pruning_never_over_claims(steps: Vec<Step>, past_entries_max: u8) -> bool {
        let world = World::run_pruning(&steps, u32::from(past_entries_max % 4));
        (0..STORES).all(|at| {
            let state = world.state(at);
            world.claimed(&state.context().0).is_subset(&world.known(&state))
        })
    }

    fn merge_is_commutative(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        merge(&world.state(0), &world.state(1)) == merge(&world.state(1), &world.state(0))
    }

    fn merge_is_associative(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        let [a, b, c] = [0, 1, 2].map(|at| world.state(at));
        merge(&merge(&a, &b), &c) == merge(&a, &merge(&b, &c))
    }

    fn merge_is_idempotent(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        let (a, b) = (world.state(0), world.state(1));
        merge(&a, &a) == a && merge(&merge(&a, &b), &b) == merge(&a, &b)
    }

    fn no_sibling_supersedes_another(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        let merged = merge(&merge(&world.state(0), &world.state(1)), &world.state(2));
        merged.versions().iter().all(|a| merged.versions().iter().all(|b| !a.past.contains(b.dot)))
            && Siblings::from_versions(merged.versions().to_vec()) == merged
    }

    fn equal_states_have_equal_digests_and_only_those(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        let (a, b) = (world.state(0), world.state(1));
        (a == b) == (a.digest() == b.digest())
    }

    /// What is not shown has been seen all the same.
    fn one_value_is_the_latest_and_stands_for_all(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        let state = merge(&world.state(0), &world.state(1));
        let answer = Answer::new(&state, Policy::OneValue, None, Vec::new());
        let rank = |version: &Version| (version.written_at, version.dot);
        let latest = state.versions().iter().max_by_key(|version| rank(version));
        answer.siblings.versions().iter().eq(latest) && answer.context() == state.context()
    }

    /// Where one value is shown a write replaces all that its coordinator holds, and nothing that it does not.
    fn a_write_of_one_value_replaces_exactly_what_is_there(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        let (here, elsewhere) = (world.state(0), world.state(1));
        let mint = Actor { node: NodeId(9), store: StoreId(9), boot: 1, mint: 1 };
        let write = Write {
            request: RequestId(u128::MAX),
            context: Context::EMPTY,
            value: Value::Tombstone.into(),
            written_at: WallTime(0),
        };
        let (made, owed, policy, flaw) = (None, None, Policy::OneValue, None);
        let update =
            Update::Coordinate { write: Arc::new(write), made, mint, continuous_since: 1, past_entries_max: 1_000, owed, policy, flaw };
        let before = Record { siblings: here.clone(), ..Record::default() };
        let (_, change) = update.apply(Some(&before)).expect("never refused");
        let merged = merge(&change.siblings, &elsewhere);
        let expected = merge(&here, &elsewhere).versions().len();
        let unseen = |version: &&Version| !here.context().0.contains(version.dot);
        change.siblings.versions().len() == 1
            && merged.versions().len() == 1 + elsewhere.versions().iter().filter(unseen).count()
            && merged.versions().len() <= 1 + expected
    }

    /// Last-write-wins obeys the same algebra; what it lacks is causality.
    fn last_write_wins_is_a_semilattice(steps: Vec<Step>) -> bool {
        let world = World::run(&steps);
        let [a, b, c] = [0, 1, 2].map(|at| world.state(at));
        let lww = |x: &Siblings, y: &Siblings| x.merge(y, Policy::LastWriteWins);
        let one = |x: &Siblings| lww(x, &Siblings::from_versions(x.versions().iter().take(1).cloned().collect()));
        let (a, b, c) = (one(&a), one(&b), one(&c));
        lww(&a, &b) == lww(&b, &a) && lww(&lww(&a, &b), &c) == lww(&a, &lww(&b, &c)) && lww(&a, &a) == a
    }
}
