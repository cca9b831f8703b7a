//! What is on the disks in the end, read from the stopped nodes' directories: no replica can hide behind another one's answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cartwheel_check::{Copies, Copy, WriteId};
use cartwheel_core::Key;
use cartwheel_core::storage::{StorageCompletion, StorageOp, StorageRequest, Ticket};
use cartwheel_core::version::{Siblings, Value};
use cartwheel_node::Settings;
use cartwheel_riak::content::Content;
use cartwheel_store::{Identity, Step, Store};

use crate::cluster::{Cluster, N};
use crate::shop::{BUCKET, Shop, items};

/// What all replicas hold of each cart that was ever written. An error is a sentence on what is wrong with a disk.
pub fn copies(cluster: &Cluster, shop: &Shop) -> Result<Copies, String> {
    let carts: Vec<String> = shop.carts().collect();
    let mut copies = Copies::new();
    for host in &cluster.hosts {
        let held = held(&host.settings, &carts).map_err(|error| format!("{}: {error}", host.name))?;
        for (cart, siblings) in held {
            let versions: Option<_> =
                siblings.versions().iter().map(|version| written(&cart, &version.value)).collect();
            let versions = versions.ok_or_else(|| format!("{} holds no carts in {cart}", host.name))?;
            copies.entry(cart).or_default().push(Copy { node: host.name.clone(), versions });
        }
    }
    match copies.iter().find(|(_, held)| held.len() != N) {
        Some((cart, held)) => {
            let by: Vec<&str> = held.iter().map(|copy| copy.node.as_str()).collect();
            Err(format!("{cart} is kept by {}, and should be by its {N} homes", by.join("+")))
        }
        None => Ok(copies),
    }
}

/// The write that a value is of.
fn written(cart: &str, value: &Value) -> Option<WriteId> {
    let Value::Data(data) = value else { return None };
    let content = Content::from_data(data).ok()?;
    items(cart, std::str::from_utf8(&content.value).ok()?)?.last().copied().map(WriteId)
}

/// What a stopped node's store holds of `carts`.
fn held(settings: &Settings, carts: &[String]) -> Result<BTreeMap<String, Siblings>, String> {
    let file = &settings.file;
    let identity = Identity { cluster: file.cluster.clone(), node: file.node.clone() };
    let opened = Store::open(&file.data, &identity).map_err(|error| error.to_string())?;
    if opened.number > 1 && opened.continuous_since == opened.number {
        return Err("its last stop was not clean".to_owned());
    }
    let done = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&done);
    let take = move |new: Vec<StorageCompletion>| {
        sink.lock().unwrap_or_else(PoisonError::into_inner).extend(new);
    };
    let (store, workers) =
        opened.start_stepped(file.partitions, take, || {}).map_err(|error| error.to_string())?;
    for (ticket, cart) in (0..).zip(carts) {
        let key = Key::new(BUCKET.as_bytes(), cart.as_bytes());
        store.submit(StorageRequest { ticket: Ticket(ticket), op: StorageOp::Read { key } });
    }
    while workers.iter().any(|worker| worker.step() == Step::Done) {}
    store.close().map_err(|error| error.to_string())?;
    let mut held = BTreeMap::new();
    for completion in std::mem::take(&mut *done.lock().unwrap_or_else(PoisonError::into_inner)) {
        let StorageCompletion::Read { ticket, result } = completion else { continue };
        let siblings = result.map_err(|error| format!("{error:?}"))?;
        if !siblings.is_empty() {
            held.insert(carts[usize::try_from(ticket.0).unwrap_or_default()].clone(), siblings);
        }
    }
    Ok(held)
}
