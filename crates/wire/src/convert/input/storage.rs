//! What the store answers.

use cartwheel_core::Key;
use cartwheel_core::anti_entropy::TreeHash;
use cartwheel_core::id::NodeId;
use cartwheel_core::replica::{Change, Refused};
use cartwheel_core::ring::Partition;
use cartwheel_core::storage::{Name, Page, StorageCompletion, StorageError, Ticket};
use cartwheel_core::version::{Digest, Dot, Siblings};

use crate::convert::{chosen, code, halves, of_code, out_of_range, required, whole};
use crate::error::DecodeError;
use crate::schema::Nothing;
use crate::schema::input::{self as schema, Completed};

/// Codes count from 1, in this order, for ever.
const NOT_FOUND: u32 = 1;
const MOVED_ON: u32 = 2;
const SPENT: u32 = 3;
const ERRORS: [StorageError; 2] = [StorageError::Failed, StorageError::Corrupt];
const KINDS: [Kind; 10] = [
    Kind::Read,
    Kind::Applied,
    Kind::Hints,
    Kind::TreeHashes,
    Kind::LeafKeys,
    Kind::Page,
    Kind::Names,
    Kind::Saved,
    Kind::Occupied,
    Kind::Found,
];

/// What can fail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Applied,
    Hints,
    TreeHashes,
    LeafKeys,
    Page,
    Names,
    Saved,
    Occupied,
    Found,
}

fn done<T>(kind: Kind, result: &Result<T, StorageError>, of: impl FnOnce(&T) -> Completed) -> Completed {
    match result {
        Ok(done) => of(done),
        Err(error) => {
            Completed::Failed(schema::Failed { kind: code(&KINDS, kind), error: code(&ERRORS, *error) })
        }
    }
}

impl From<&StorageCompletion> for schema::Completion {
    fn from(completion: &StorageCompletion) -> Self {
        use StorageCompletion as From;
        let (ticket, completed) = match completion {
            From::Read { ticket, result } => {
                (*ticket, done(Kind::Read, result, |read| Completed::Read(read.into())))
            }
            From::Applied { ticket, result } => (*ticket, done(Kind::Applied, result, applied)),
            From::Hints { ticket, result } => {
                let hints = |hints: &Vec<_>| Completed::Hints(schema::Records { records: records_of(hints) });
                (*ticket, done(Kind::Hints, result, hints))
            }
            From::TreeHashes { ticket, result } => {
                (*ticket, done(Kind::TreeHashes, result, |hashes| tree_hashes(hashes)))
            }
            From::LeafKeys { ticket, result } => {
                let keys = |keys: &Vec<(Key, Digest)>| {
                    Completed::LeafKeys(schema::LeafKeys { keys: keys.iter().map(Into::into).collect() })
                };
                (*ticket, done(Kind::LeafKeys, result, keys))
            }
            From::Page { ticket, result } => {
                let page = |Page { records, next }: &Page| {
                    let next = next.as_ref().map(Into::into);
                    Completed::Page(schema::Page { records: records_of(records), next })
                };
                (*ticket, done(Kind::Page, result, page))
            }
            From::Names { ticket, result } => {
                let names = |names: &Vec<Name>| {
                    Completed::Names(schema::Names { names: names.iter().map(name_of).collect() })
                };
                (*ticket, done(Kind::Names, result, names))
            }
            From::Saved { ticket, result } => {
                (*ticket, done(Kind::Saved, result, |()| Completed::Saved(Nothing {})))
            }
            From::Occupied { ticket, result } => {
                (*ticket, done(Kind::Occupied, result, |partitions| occupied(partitions)))
            }
            From::Found { ticket, result } => {
                (*ticket, done(Kind::Found, result, |found| Completed::Found(found.into())))
            }
            From::Synced { through } => (*through, Completed::Synced(Nothing {})),
            From::SyncFailed => (Ticket(0), Completed::SyncFailed(Nothing {})),
        };
        Self { ticket: ticket.0, completed: Some(completed) }
    }
}

fn applied(result: &Result<Change, Refused>) -> Completed {
    match result {
        Ok(Change { siblings, dot, newly_owed }) => Completed::Applied(schema::Applied {
            siblings: Some(siblings.into()),
            dot: dot.map(Into::into),
            newly_owed: newly_owed.iter().map(|home| home.0).collect(),
        }),
        Err(Refused::NotFound) => Completed::Refused(NOT_FOUND),
        Err(Refused::MovedOn) => Completed::Refused(MOVED_ON),
        Err(Refused::Spent) => Completed::Refused(SPENT),
        Err(Refused::Mutation(refusal)) => Completed::NotChanged(refusal.into()),
    }
}

fn tree_hashes(hashes: &[TreeHash]) -> Completed {
    let halves = hashes.iter().map(|hash| halves(hash.0)).flat_map(|(high, low)| [high, low]);
    Completed::TreeHashes(schema::TreeHashes { halves: halves.collect() })
}

fn occupied(partitions: &[Partition]) -> Completed {
    let partitions = partitions.iter().map(|partition| partition.0).collect();
    Completed::Occupied(schema::Partitions { partitions })
}

fn records_of(records: &[(Key, Siblings)]) -> Vec<schema::KeyedRecord> {
    let record = |(key, siblings): &(Key, Siblings)| schema::KeyedRecord {
        key: Some(key.into()),
        siblings: Some(siblings.into()),
    };
    records.iter().map(record).collect()
}

fn name_of(Name { digest, is_owed }: &Name) -> schema::Name {
    let (digest_high, digest_low) = digest.map(|digest| halves(digest.0)).unzip();
    schema::Name { digest_high, digest_low, is_owed: *is_owed }
}

impl TryFrom<schema::Completion> for StorageCompletion {
    type Error = DecodeError;
    fn try_from(completion: schema::Completion) -> Result<Self, DecodeError> {
        let ticket = Ticket(completion.ticket);
        Ok(match chosen("completion.completed", completion.completed)? {
            Completed::Read(siblings) => Self::Read { ticket, result: Ok(siblings.try_into()?) },
            Completed::Applied(change) => Self::Applied { ticket, result: Ok(Ok(change.try_into()?)) },
            Completed::Refused(NOT_FOUND) => Self::Applied { ticket, result: Ok(Err(Refused::NotFound)) },
            Completed::Refused(MOVED_ON) => Self::Applied { ticket, result: Ok(Err(Refused::MovedOn)) },
            Completed::Refused(SPENT) => Self::Applied { ticket, result: Ok(Err(Refused::Spent)) },
            Completed::Refused(code) => return Err(DecodeError::UnknownCode { what: "refusal", code }),
            Completed::NotChanged(refusal) => {
                Self::Applied { ticket, result: Ok(Err(Refused::Mutation(refusal.try_into()?))) }
            }
            Completed::Hints(hints) => Self::Hints { ticket, result: Ok(records(hints.records)?) },
            Completed::TreeHashes(hashes) => Self::TreeHashes { ticket, result: Ok(hashes_of(&hashes)?) },
            Completed::LeafKeys(leaf) => {
                let keys = leaf.keys.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
                Self::LeafKeys { ticket, result: Ok(keys) }
            }
            Completed::Page(page) => {
                let next = page.next.map(TryInto::try_into).transpose()?;
                Self::Page { ticket, result: Ok(Page { records: records(page.records)?, next }) }
            }
            Completed::Names(names) => {
                Self::Names { ticket, result: Ok(names.names.into_iter().map(name).collect()) }
            }
            Completed::Saved(Nothing {}) => Self::Saved { ticket, result: Ok(()) },
            Completed::Occupied(occupied) => {
                let partitions = occupied.partitions.into_iter().map(Partition).collect();
                Self::Occupied { ticket, result: Ok(partitions) }
            }
            Completed::Found(found) => Self::Found { ticket, result: Ok(found.try_into()?) },
            Completed::Synced(Nothing {}) => Self::Synced { through: ticket },
            Completed::SyncFailed(Nothing {}) => Self::SyncFailed,
            Completed::Failed(schema::Failed { kind, error }) => {
                failed(ticket, of_code("request", &KINDS, kind)?, of_code("storage error", &ERRORS, error)?)
            }
        })
    }
}

fn failed(ticket: Ticket, kind: Kind, error: StorageError) -> StorageCompletion {
    match kind {
        Kind::Read => StorageCompletion::Read { ticket, result: Err(error) },
        Kind::Applied => StorageCompletion::Applied { ticket, result: Err(error) },
        Kind::Hints => StorageCompletion::Hints { ticket, result: Err(error) },
        Kind::TreeHashes => StorageCompletion::TreeHashes { ticket, result: Err(error) },
        Kind::LeafKeys => StorageCompletion::LeafKeys { ticket, result: Err(error) },
        Kind::Page => StorageCompletion::Page { ticket, result: Err(error) },
        Kind::Names => StorageCompletion::Names { ticket, result: Err(error) },
        Kind::Saved => StorageCompletion::Saved { ticket, result: Err(error) },
        Kind::Occupied => StorageCompletion::Occupied { ticket, result: Err(error) },
        Kind::Found => StorageCompletion::Found { ticket, result: Err(error) },
    }
}

impl TryFrom<schema::Applied> for Change {
    type Error = DecodeError;
    fn try_from(change: schema::Applied) -> Result<Self, DecodeError> {
        Ok(Self {
            siblings: required("applied.siblings", change.siblings)?.try_into()?,
            dot: change.dot.map(Dot::try_from).transpose()?,
            newly_owed: change.newly_owed.into_iter().map(NodeId).collect(),
        })
    }
}

fn hashes_of(hashes: &schema::TreeHashes) -> Result<Vec<TreeHash>, DecodeError> {
    let (pairs, rest) = hashes.halves.as_chunks::<2>();
    match rest {
        [] => Ok(pairs.iter().map(|&[high, low]| TreeHash(whole(high, low))).collect()),
        _ => Err(out_of_range("halves of hashes", u32::try_from(hashes.halves.len()).unwrap_or(u32::MAX))),
    }
}

fn records(records: Vec<schema::KeyedRecord>) -> Result<Vec<(Key, Siblings)>, DecodeError> {
    let record = |record: schema::KeyedRecord| {
        let key = required("record.key", record.key)?.try_into()?;
        Ok((key, required("record.siblings", record.siblings)?.try_into()?))
    };
    records.into_iter().map(record).collect()
}

fn name(schema::Name { digest_high, digest_low, is_owed }: schema::Name) -> Name {
    Name { digest: digest_high.zip(digest_low).map(|(high, low)| Digest(whole(high, low))), is_owed }
}
