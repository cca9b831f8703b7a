use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::replica::{Change, Record, Refused, Update};
use cartwheel_core::storage::StorageError;
use cartwheel_wire::encode_key;

use crate::engine::{Engine, RecordChange};
use crate::record::seal;

/// Updates that are committed together. The overlay lets the second update of a key see what the first one did.
pub struct Batch<'a> {
    engine: &'a Engine,
    overlay: BTreeMap<Bytes, Overlaid>,
}

struct Overlaid {
    key: Key,
    /// What is stored, as far as it can be read.
    before: Option<Record>,
    /// What is stored cannot be read, and is to be replaced.
    is_damaged: bool,
    /// What this batch makes of it.
    now: Option<Record>,
    /// `now` as it will be stored, once it differs.
    sealed: Option<Vec<u8>>,
}

impl Overlaid {
    fn is_changed(&self) -> bool {
        self.is_damaged || self.before != self.now
    }
}

impl<'a> Batch<'a> {
    pub fn new(engine: &'a Engine) -> Self {
        Self { engine, overlay: BTreeMap::new() }
    }

    /// Applies one update over what is stored and what this batch has done so far. What cannot be read stays as it is,
    /// unless it is to be salvaged; so does what could not be read back.
    pub fn apply(&mut self, key: &Key, update: &Update) -> Result<Result<Change, Refused>, StorageError> {
        let overlaid = match self.overlay.entry(encode_key(key)) {
            Entry::Occupied(entry) => entry,
            Entry::Vacant(entry) => {
                let stored = self.engine.read(key);
                let is_damaged =
                    stored == Err(StorageError::Corrupt) && matches!(update, Update::Salvage { .. });
                let before = if is_damaged { None } else { stored? };
                let now = before.clone();
                entry.insert_entry(Overlaid { key: key.clone(), before, is_damaged, now, sealed: None })
            }
        };
        let disk_key = overlaid.key().clone();
        let overlaid = overlaid.into_mut();
        let (now, change) = match update.apply(overlaid.now.as_ref()) {
            Ok(applied) => applied,
            Err(refused) => return Ok(Err(refused)),
        };
        if now != overlaid.now {
            overlaid.sealed = now.as_ref().map(|record| seal_or_log(key, &disk_key, record)).transpose()?;
            overlaid.now = now;
        }
        Ok(Ok(change))
    }

    /// Whether there is anything to commit.
    pub fn has_changes(&self) -> bool {
        self.overlay.values().any(Overlaid::is_changed)
    }

    /// Commits what has changed: visible when this returns, not yet durable.
    pub fn commit(mut self) -> Result<(), fjall::Error> {
        let changed = self.overlay.iter_mut().filter(|(_, overlaid)| overlaid.is_changed());
        self.engine.commit(changed.map(|(disk_key, overlaid)| RecordChange {
            key: &overlaid.key,
            disk_key,
            before: overlaid.before.as_ref(),
            is_damaged: overlaid.is_damaged,
            now: overlaid.now.as_ref(),
            sealed: overlaid.sealed.take(),
        }))
    }
}

fn seal_or_log(key: &Key, disk_key: &[u8], record: &Record) -> Result<Vec<u8>, StorageError> {
    seal(disk_key, record).map_err(|error| {
        tracing::error!(%key, %error, "refused an update that makes the record too large");
        StorageError::Failed
    })
}
