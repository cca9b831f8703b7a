//! A driver in miniature: submits, and waits for what comes back.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use cartwheel_core::Key;
use cartwheel_core::id::{NodeId, RequestId, StoreId};
use cartwheel_core::replica::{Change, Refused, Update, Write};
use cartwheel_core::storage::{Page, StorageCompletion, StorageError, StorageOp, StorageRequest, Ticket};
use cartwheel_core::time::WallTime;
use cartwheel_core::version::{Actor, Context, Policy, Siblings, Value};
use cartwheel_store::{Identity, OpenError, Opened, Store, StoreHandle};

/// Far above anything that works.
const PATIENCE: Duration = Duration::from_secs(60);

/// Of the ring.
pub const PARTITIONS: u32 = 8;

pub fn identity() -> Identity {
    Identity { cluster: "shop".into(), node: "alpha".into() }
}

pub fn open(dir: &Path) -> Opened {
    loop {
        match Store::open(dir, &identity()) {
            // Another test forks: until its child executes another program, that holds our lock, too.
            Err(OpenError::InUse { .. }) => std::thread::yield_now(),
            opened => return opened.expect("our own directory"),
        }
    }
}

pub fn key(name: &str) -> Key {
    Key::new(b"carts", name.as_bytes())
}

/// The write of a client that has read nothing, kept as a hint for `owed`.
pub fn put_owed(request: u64, value: &str, owed: Option<NodeId>) -> Update {
    Update::Coordinate {
        write: Arc::new(Write {
            request: RequestId(request.into()),
            context: Context::EMPTY,
            value: Value::Data(value.as_bytes().to_vec().into()).into(),
            written_at: WallTime(request),
        }),
        made: None,
        mint: Actor { node: NodeId(1), store: StoreId(1), boot: 1, mint: request },
        continuous_since: 1,
        past_entries_max: 10,
        owed,
        policy: Policy::KeepSiblings,
        flaw: None,
    }
}

pub fn put(request: u64, value: &str) -> Update {
    put_owed(request, value, None)
}

/// The delete of a client that has been shown `seen`.
pub fn delete(request: u64, seen: &Siblings, owed: Option<NodeId>) -> Update {
    let mut update = put_owed(request, "", owed);
    if let Update::Coordinate { write, .. } = &mut update {
        let write = Arc::make_mut(write);
        (write.context, write.value) = (seen.context(), Value::Tombstone.into());
    }
    update
}

/// The values of `siblings`, sorted.
pub fn values(siblings: &Siblings) -> Vec<String> {
    let data = siblings.versions().iter().filter_map(|version| match &version.value {
        Value::Data(data) => Some(String::from_utf8_lossy(data).into_owned()),
        Value::Tombstone | Value::DataType(_) => None,
    });
    let mut values: Vec<String> = data.collect();
    values.sort();
    values
}

pub struct Running {
    handle: StoreHandle,
    completions: Receiver<Vec<StorageCompletion>>,
    next: Cell<u64>,
}

pub fn start(dir: &Path) -> Running {
    Running::start(open(dir))
}

impl Running {
    pub fn start(opened: Opened) -> Self {
        let (sender, completions) = mpsc::channel();
        // The receiver is gone when a test ends without closing.
        let handle = opened.start(PARTITIONS, move |done| drop(sender.send(done))).expect("threads");
        Self { handle, completions, next: Cell::new(1) }
    }

    pub fn submit(&self, op: StorageOp) -> Ticket {
        let ticket = Ticket(self.next.replace(self.next.get() + 1));
        self.handle.submit(StorageRequest { ticket, op });
        ticket
    }

    pub fn receive(&self) -> Vec<StorageCompletion> {
        self.completions.recv_timeout(PATIENCE).expect("the store answers")
    }

    /// Applies `update` and waits until it is durable.
    pub fn apply(&self, key: &Key, update: Update) -> Result<Result<Change, Refused>, StorageError> {
        let ticket = self.submit(StorageOp::Apply { key: key.clone(), update });
        let mut outcome = None;
        loop {
            for completion in self.receive() {
                match completion {
                    StorageCompletion::Applied { ticket: of, result } if of == ticket => {
                        outcome = Some(result);
                    }
                    StorageCompletion::Synced { through } if through >= ticket => {
                        return outcome.expect("applied before synced");
                    }
                    other => panic!("unexpected {other:?}"),
                }
            }
            if let Some(Err(_) | Ok(Err(_))) = outcome {
                return outcome.expect("just matched");
            }
        }
    }

    pub fn read(&self, key: &Key) -> Result<Siblings, StorageError> {
        let ticket = self.submit(StorageOp::Read { key: key.clone() });
        match self.receive().as_slice() {
            [StorageCompletion::Read { ticket: of, result }] if *of == ticket => result.clone(),
            other => panic!("unexpected {other:?}"),
        }
    }

    pub fn owed_to(&self, home: NodeId, after: Option<&Key>, limit: u32) -> Vec<(Key, Siblings)> {
        let ticket = self.submit(StorageOp::ScanHints { home, after: after.cloned(), limit });
        match self.receive().as_slice() {
            [StorageCompletion::Hints { ticket: of, result }] if *of == ticket => {
                result.clone().expect("readable")
            }
            other => panic!("unexpected {other:?}"),
        }
    }

    pub fn keys_owed_to(&self, home: NodeId) -> Vec<Key> {
        self.owed_to(home, None, u32::MAX).into_iter().map(|(key, _)| key).collect()
    }

    /// The answer to a request that is answered once.
    pub fn ask(&self, op: StorageOp) -> StorageCompletion {
        self.submit(op);
        let mut answers = self.receive();
        assert_eq!(answers.len(), 1, "unexpected {answers:?}");
        answers.remove(0)
    }

    pub fn page(&self, op: StorageOp) -> Page {
        match self.ask(op) {
            StorageCompletion::Page { result, .. } => result.expect("readable"),
            other => panic!("unexpected {other:?}"),
        }
    }

    /// The keys of all pages of `limit`, and how many pages it took.
    pub fn paged(&self, limit: u32, scan: impl Fn(Option<Key>, u32) -> StorageOp) -> (Vec<Key>, usize) {
        let (mut keys, mut pages, mut after) = (Vec::new(), 0, None);
        loop {
            let page = self.page(scan(after, limit));
            assert!(page.records.len() <= limit as usize, "{} records", page.records.len());
            assert!(page.next.is_none() || !page.records.is_empty(), "never empty while there is more");
            keys.extend(page.records.into_iter().map(|(key, _)| key));
            (after, pages) = (page.next, pages + 1);
            if after.is_none() {
                return (keys, pages);
            }
        }
    }

    pub fn tombstones(&self) -> Vec<Key> {
        self.paged(3, |after, limit| StorageOp::ScanTombstones { after, limit }).0
    }

    /// Saves, and waits until that is durable.
    pub fn keep(&self, op: StorageOp) -> Result<(), StorageError> {
        match self.ask(op) {
            StorageCompletion::Saved { result, .. } => result,
            other => panic!("unexpected {other:?}"),
        }
    }

    /// The clean stop.
    pub fn close(self) {
        self.handle.close().expect("a clean stop");
    }

    pub fn into_handle(self) -> StoreHandle {
        self.handle
    }
}
