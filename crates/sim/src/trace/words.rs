//! Messages and updates in words.

use cartwheel_core::coverage::{CoverageMessage, CoverageOp, CoverageReply, Part, Query};
use cartwheel_core::id::{OpId, RequestId};
use cartwheel_core::message::{
    AntiEntropyMessage, ForwardMessage, LivenessMessage, MembershipMessage, Message, ReapMessage,
    ReplicaMessage,
};
use cartwheel_core::replica::{Change, Refused, Update, Written};
use cartwheel_core::version::{Digest, Siblings, Value, Version};
use cartwheel_core::{Answer, ClientError, ClientOp, ClientRequest, Event, Key};

use serde_json::Value as Json;

use super::datatype;
use super::recording::Talk;
use crate::scenario::Fault;
use crate::workload::Truth;

/// How long a text may get that nobody wrote for people.
const DEBUG_CHARS_MAX: usize = 240;

/// What there is to say of a message.
#[derive(Debug)]
pub(super) struct Said {
    pub kind: &'static str,
    pub talk: Talk,
    pub keys: Vec<Key>,
    /// The operation that it belongs to, and whether the receiver's: then it is an answer.
    pub op: Option<(OpId, Whose)>,
    pub request: Option<RequestId>,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Senders,
    Receivers,
}

/// `c3.7`: the seventh request of client 3. Those of real clients are random, and hexadecimal.
pub(crate) fn request_name(request: RequestId) -> String {
    if request.0 >> 96 != 0 {
        return format!("{:032x}", request.0);
    }
    format!("c{}.{}", (request.0 >> 64) + 1, request.0 as u64)
}

/// `[w3 w7]`: the writes that made these versions.
pub(crate) fn siblings(siblings: &Siblings, truth: &Truth) -> String {
    let names: Vec<String> = siblings.versions().iter().map(|made| version(made, truth)).collect();
    format!("[{}]", names.join(" "))
}

/// `w3`, or `delete w3`; the dot where nobody knows the write.
pub(crate) fn version(version: &Version, truth: &Truth) -> String {
    let write = truth.of_version(version).map_or_else(|| version.dot.to_string(), |write| write.to_string());
    if version.value == Value::Tombstone { format!("delete {write}") } else { write }
}

/// What is in a value that a workload wrote: the id of its write, then numbers. In one of a real client: its text, if it is
/// one and short.
pub(crate) fn value(value: &Value, truth: &Truth) -> String {
    let bytes = match value {
        Value::Data(bytes) => bytes,
        Value::Tombstone => return "tombstone".into(),
        Value::DataType(value) => return datatype::value(value),
    };
    let rest = bytes.get(8..).unwrap_or_default();
    if truth.of_value(bytes).is_none() || rest.len() % 8 != 0 {
        return text_of(bytes).unwrap_or_else(|| format!("{} bytes", bytes.len()));
    }
    let numbers = rest.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()));
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    format!("{{{}}}", numbers.join(" "))
}

/// The text in a short value, without what is around it: clients' APIs keep more than the text.
pub fn text_of(bytes: &[u8]) -> Option<String> {
    const TEXT_BYTES_MAX: usize = 80;
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= TEXT_BYTES_MAX)?;
    let words: Vec<&str> = text.split(char::is_control).filter(|word| !word.is_empty()).collect();
    Some(format!("{:?}", words.join(" ")))
}

/// What a client asks for: the kind, and what is not said by the key.
pub(super) fn asked(request: &ClientRequest, truth: &Truth) -> (&'static str, String) {
    match &request.op {
        ClientOp::Get(_) => ("get", String::new()),
        ClientOp::Put { value: written, context, .. } => {
            let write =
                truth.of_request(request.request).map(|write| format!("{write} ")).unwrap_or_default();
            let seen: Vec<String> = context.0.entries().iter().map(ToString::to_string).collect();
            ("put", format!("{write}{}, having seen {{{}}}", value(written, truth), seen.join(" ")))
        }
        ClientOp::Update { op, context, .. } => ("update", datatype::asked(op, context.as_ref())),
    }
}

/// What a client is told.
pub(super) fn answered(result: &Result<Answer, ClientError>, truth: &Truth) -> (&'static str, String) {
    match result {
        Ok(answer) => {
            let by: Vec<String> = answer.by.iter().map(ToString::to_string).collect();
            let dot = answer.dot.map(|dot| format!(", written as {dot}")).unwrap_or_default();
            ("answer", format!("{} by {}{dot}", siblings(&answer.siblings, truth), by.join("+")))
        }
        Err(error) => ("refusal", error.to_string()),
    }
}

/// What an update did to what a disk holds.
pub(super) fn applied(update: &Update, result: &Result<Change, Refused>, truth: &Truth) -> String {
    let what = match update {
        Update::Coordinate { write, .. } => match &write.value {
            Written::Value(Value::Data(bytes)) => truth
                .of_value(bytes)
                .map_or_else(|| "coordinates".into(), |write| format!("coordinates {write}")),
            Written::Value(Value::Tombstone) => "coordinates a delete".into(),
            Written::Value(Value::DataType(value)) => format!("coordinates {}", datatype::value(value)),
            Written::Changed(mutation) => format!("coordinates {}", datatype::change(&mutation.op)),
        },
        Update::Merge { siblings: merged, .. } => format!("merges {}", siblings(merged, truth)),
        Update::Owe { home } => format!("owes it to {home}"),
        Update::Redirect { home, to } => format!("owes it to {to:?} instead of {home}"),
        Update::Confirm => "confirms".into(),
        Update::Drop { .. } => "drops it".into(),
        Update::Settle { home, .. } => format!("settles the hint for {home}"),
        Update::Salvage { siblings: found, .. } => format!("is mended with {}", siblings(found, truth)),
    };
    match result {
        Ok(change) => {
            let dot = change.dot.map(|dot| format!(" as {dot}")).unwrap_or_default();
            let hint: String =
                change.newly_owed.iter().map(|home| format!(", and owes it to {home}")).collect();
            format!("{what}{dot}: {}{hint}", siblings(&change.siblings, truth))
        }
        Err(refused) => format!("{what}: refused, {refused:?}"),
    }
}

/// What a node had to tell, and the key that it is about.
pub(super) fn noted(event: &Event) -> (Option<&Key>, String) {
    let key = match event {
        Event::SloppyWrite { key }
        | Event::HintStored { key, .. }
        | Event::HintRefused { key, .. }
        | Event::HintDelivered { key, .. }
        | Event::HintRedirected { key, .. }
        | Event::SiblingsRead { key, .. }
        | Event::ReadRepair { key, .. }
        | Event::AntiEntropyRepair { key, .. }
        | Event::Forwarded { key, .. }
        | Event::HandedOver { key }
        | Event::Reaped { key } => Some(key),
        _ => None,
    };
    (key, debug(event))
}

/// A fault: its kind, and the rest.
pub fn fault(fault: &Fault) -> String {
    let Ok(Json::Object(whole)) = serde_json::to_value(fault) else { return debug(fault) };
    let Some((kind, fields)) = whole.iter().next() else { return debug(fault) };
    let said =
        fields.as_object().into_iter().flatten().filter(|(name, value)| *name != "at" && !value.is_null());
    let said = said.map(|(name, value)| match value {
        Json::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { kind.clone() } else { format!("{kind}: {}", said.join(", ")) }
}

/// What was meant for programmers, cut to a length for people.
pub(super) fn debug<W: std::fmt::Debug>(what: &W) -> String {
    let text = format!("{what:?}");
    match text.char_indices().nth(DEBUG_CHARS_MAX) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

/// What a message between nodes says.
pub(super) fn said(message: &Message, truth: &Truth) -> Said {
    match message {
        Message::Replica(message) => replica(message, truth),
        Message::Forward(message) => forward(message, truth),
        Message::AntiEntropy(message) => anti_entropy(message),
        Message::Reap(message) => reap(message),
        Message::Liveness(LivenessMessage::Ping) => membership("ping", String::new()),
        Message::Liveness(LivenessMessage::Pong) => membership("pong", String::new()),
        Message::Membership(MembershipMessage::Digest { digest, ready }) => {
            membership("gossip-digest", format!("{:08x}{}", digest.0 >> 96, readiness(*ready)))
        }
        Message::Membership(MembershipMessage::State { cluster, ready }) => {
            let ring = cluster.ring.version();
            let members = cluster.members.len();
            membership("gossip-state", format!("{members} members, ring {ring}{}", readiness(*ready)))
        }
        Message::Swim(bytes) => membership("swim", format!("{} bytes", bytes.len())),
        Message::Coverage(message) => coverage(message),
    }
}

/// What is listed: `keys of carts`.
fn wanted(query: &Query) -> String {
    match query {
        Query::Buckets { bucket_type } => format!("buckets of {}", bucket_type.escape_ascii()),
        Query::Keys { bucket, .. } => format!("keys of {bucket}"),
        Query::Index { bucket, field, .. } => format!("{} of {bucket}", field.escape_ascii()),
    }
}

/// What a client asks of a listing.
pub(super) fn listing(op: &CoverageOp) -> String {
    match op {
        CoverageOp::Begin(listing) => format!("list {}", wanted(&listing.query)),
        CoverageOp::Next => "list on".into(),
        CoverageOp::Cancel => "list no more".into(),
    }
}

/// What a client is told of a listing.
pub(super) fn listed(reply: &CoverageReply) -> String {
    match &reply.result {
        Ok(Part { entries, is_last }) => {
            let end = if *is_last { ", the last" } else { "" };
            format!("a part of {} entries{end}", entries.len())
        }
        Err(error) => error.to_string(),
    }
}

fn coverage(message: &CoverageMessage) -> Said {
    let (kind, op, text) = match message {
        CoverageMessage::Ask { op, scan, .. } => {
            let text = format!("{} in {} partitions", wanted(&scan.query), scan.partitions.len());
            ("list", (*op, Whose::Senders), text)
        }
        CoverageMessage::Answer { op, result } => {
            let text = result.as_ref().map_or_else(debug, |found| format!("{} entries", found.entries.len()));
            ("listed", (*op, Whose::Receivers), text)
        }
    };
    Said { kind, talk: Talk::Replica, keys: Vec::new(), op: Some(op), request: None, text }
}

fn readiness(ready: bool) -> &'static str {
    if ready { "" } else { ", takes no part yet" }
}

fn membership(kind: &'static str, text: String) -> Said {
    Said { kind, talk: Talk::Membership, keys: Vec::new(), op: None, request: None, text }
}

fn replica(message: &ReplicaMessage, truth: &Truth) -> Said {
    let (kind, key, op, text) = match message {
        ReplicaMessage::Read { op, key } => ("read", Some(key), (*op, Whose::Senders), String::new()),
        ReplicaMessage::ReadReply { op, result } => {
            let text = result.as_ref().map_or_else(debug, |held| siblings(held, truth));
            ("read-reply", None, (*op, Whose::Receivers), text)
        }
        ReplicaMessage::Write { op, key, siblings: state, owed, fence } => {
            let owed = owed.map(|home| format!(", owed to {home}")).unwrap_or_default();
            let text = format!("{}{owed}, behind fence {fence}", siblings(state, truth));
            ("write", Some(key), (*op, Whose::Senders), text)
        }
        ReplicaMessage::Confirm { op, key, digest } => {
            ("confirm", Some(key), (*op, Whose::Senders), format!("is it {:08x}?", digest.0 >> 96))
        }
        ReplicaMessage::WriteReply { op, result } => {
            let text = result.as_ref().map_or_else(debug, |()| "held durably".into());
            ("write-reply", None, (*op, Whose::Receivers), text)
        }
    };
    Said {
        kind,
        talk: Talk::Replica,
        keys: key.into_iter().cloned().collect(),
        op: Some(op),
        request: None,
        text,
    }
}

fn forward(message: &ForwardMessage, truth: &Truth) -> Said {
    let said = |kind, op, whose, text| Said {
        kind,
        talk: Talk::Forward,
        keys: Vec::new(),
        op: Some((op, whose)),
        request: None,
        text,
    };
    match message {
        ForwardMessage::Request { op, request, key, value: written, .. } => {
            let write = truth.of_request(*request).map(|write| format!("{write}: ")).unwrap_or_default();
            let written = match written {
                Written::Value(written) => value(written, truth),
                Written::Changed(mutation) => datatype::asked(&mutation.op, mutation.context.as_ref()),
            };
            Said {
                keys: vec![key.clone()],
                request: Some(*request),
                ..said("forward", *op, Whose::Senders, format!("{write}{written}"))
            }
        }
        ForwardMessage::Accepted { op } => said("forward-accepted", *op, Whose::Receivers, String::new()),
        ForwardMessage::Reply { op, result } => {
            said("forward-reply", *op, Whose::Receivers, answered(result, truth).1)
        }
    }
}

fn anti_entropy(message: &AntiEntropyMessage) -> Said {
    let is_of_trees =
        matches!(message, AntiEntropyMessage::Compare { .. } | AntiEntropyMessage::Differ { .. });
    let talk = if is_of_trees { Talk::Trees } else { Talk::AntiEntropy };
    let (kind, keys, text) = match message {
        AntiEntropyMessage::Compare { partition, nodes, .. } => {
            ("compare", Vec::new(), format!("{} hashes of partition {}", nodes.len(), partition.0))
        }
        AntiEntropyMessage::Differ { nodes, .. } => {
            ("differ", Vec::new(), format!("{} of them", nodes.len()))
        }
        AntiEntropyMessage::Keys { partition, keys, leaves, .. } => {
            let text = format!("{} leaves of partition {}", leaves.len(), partition.0);
            ("keys", keys.iter().map(|(key, _)| key.clone()).collect(), text)
        }
        AntiEntropyMessage::KeysDiffer { keys, .. } => ("keys-differ", keys.clone(), String::new()),
    };
    Said { kind, talk, keys, op: None, request: None, text }
}

fn reap(message: &ReapMessage) -> Said {
    let names = |keys: &[(Key, Digest)]| keys.iter().map(|(key, _)| key.clone()).collect();
    let (kind, keys, text) = match message {
        ReapMessage::Ask { keys, fence, .. } => ("reap-ask", names(keys), format!("behind fence {fence}")),
        ReapMessage::Agree { keys, fence, .. } => {
            ("reap-agree", keys.clone(), format!("behind fence {fence}"))
        }
        ReapMessage::Drop { keys } => ("reap-drop", names(keys), String::new()),
    };
    Said { kind, talk: Talk::Reap, keys, op: None, request: None, text }
}
