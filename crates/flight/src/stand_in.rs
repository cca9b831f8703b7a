//! What stands in for a value that is nobody's business: bytes of the same length, made of its hash.
//!
//! The core never looks into a value: it counts its bytes, and tells versions apart by their dots. So a node that hears
//! stand-ins wants exactly the same done, with stand-ins, as one that hears the values (`tests/flight/laws.rs`). The same value has the
//! same stand-in everywhere, so that recordings of several nodes fit together. It is a hash, no cipher: whoever guesses a
//! value can check the guess.

use std::sync::Arc;

use bytes::Bytes;
use cartwheel_core::datatype::Mutation;
use cartwheel_core::message::{ForwardMessage, Message, ReplicaMessage};
use cartwheel_core::replica::{Change, Update, Write, Written};
use cartwheel_core::storage::{Page, StorageCompletion, StorageOp, StorageRequest};
use cartwheel_core::version::{Siblings, Value, Version};
use cartwheel_core::{Answer, ClientOp, ClientReply, ClientRequest, Input, Key, Output};
use xxhash_rust::xxh3::xxh3_128;

/// The stand-in for `value`: its xxh3-128, again and again, to its length.
pub fn stand_in(value: &[u8]) -> Bytes {
    let hash = xxh3_128(value).to_le_bytes();
    hash.into_iter().cycle().take(value.len()).collect()
}

fn of_value(value: &Value) -> Value {
    match value {
        Value::Data(data) => Value::Data(stand_in(data)),
        Value::Tombstone => Value::Tombstone,
        Value::DataType(value) => Value::DataType(Arc::new(value.with_values(&of_element))),
    }
}

/// What an element of a data type is recorded as. Elements that differ must go on differing, or a set would count fewer
/// bytes; so what is so short that its hash hides nothing stays as it is.
fn of_element(element: &Bytes) -> Bytes {
    const HIDES_NOTHING_BYTES: usize = 4;
    if element.len() <= HIDES_NOTHING_BYTES { element.clone() } else { stand_in(element) }
}

fn of_written(written: &Written) -> Written {
    match written {
        Written::Value(value) => Written::Value(of_value(value)),
        Written::Changed(mutation) => {
            let Mutation { op, context } = &**mutation;
            let (op, context) = (op.with_values(&of_element), context.clone());
            Written::Changed(Arc::new(Mutation { op, context }))
        }
    }
}

fn of_siblings(siblings: &Siblings) -> Siblings {
    let version = |version: &Version| Version { value: of_value(&version.value), ..version.clone() };
    Siblings::from_versions(siblings.versions().iter().map(version).collect())
}

fn of_records(records: &[(Key, Siblings)]) -> Vec<(Key, Siblings)> {
    records.iter().map(|(key, siblings)| (key.clone(), of_siblings(siblings))).collect()
}

fn of_answer(answer: &Answer) -> Answer {
    Answer { siblings: of_siblings(&answer.siblings), ..answer.clone() }
}

fn of_message(message: &Message) -> Message {
    match message {
        Message::Replica(ReplicaMessage::ReadReply { op, result: Ok(siblings) }) => {
            Message::Replica(ReplicaMessage::ReadReply { op: *op, result: Ok(of_siblings(siblings)) })
        }
        Message::Replica(ReplicaMessage::Write { op, key, siblings, owed, fence }) => {
            Message::Replica(ReplicaMessage::Write {
                op: *op,
                key: key.clone(),
                siblings: of_siblings(siblings),
                owed: *owed,
                fence: *fence,
            })
        }
        Message::Forward(ForwardMessage::Request { op, request, key, context, value, needs, time_left }) => {
            Message::Forward(ForwardMessage::Request {
                op: *op,
                request: *request,
                key: key.clone(),
                context: context.clone(),
                value: of_written(value),
                needs: *needs,
                time_left: *time_left,
            })
        }
        Message::Forward(ForwardMessage::Reply { op, result: Ok(answer) }) => {
            Message::Forward(ForwardMessage::Reply { op: *op, result: Ok(of_answer(answer)) })
        }
        other => other.clone(),
    }
}

/// The same input with stand-ins for its values.
pub fn stand_in_input(input: &Input) -> Input {
    match input {
        Input::Client(request) => Input::Client(of_request(request)),
        Input::Peer { from, message } => Input::Peer { from: *from, message: of_message(message) },
        Input::Storage(completion) => Input::Storage(of_completion(completion)),
        // Keys are nobody's secret here, and index terms are what merging listings goes by: they stay what they are.
        Input::Timeout | Input::Admin(_) | Input::Coverage(_) => input.clone(),
    }
}

fn of_request(request: &ClientRequest) -> ClientRequest {
    let op = match &request.op {
        ClientOp::Put { context, value, options } => {
            ClientOp::Put { context: context.clone(), value: of_value(value), options: options.clone() }
        }
        ClientOp::Update { op, context, options } => ClientOp::Update {
            op: op.with_values(&of_element),
            context: context.clone(),
            options: options.clone(),
        },
        get @ ClientOp::Get(_) => get.clone(),
    };
    ClientRequest { op, ..request.clone() }
}

fn of_completion(completion: &StorageCompletion) -> StorageCompletion {
    match completion {
        StorageCompletion::Read { ticket, result } => StorageCompletion::Read {
            ticket: *ticket,
            result: result.as_ref().map(of_siblings).map_err(|error| *error),
        },
        StorageCompletion::Applied { ticket, result: Ok(Ok(change)) } => {
            let change = Change { siblings: of_siblings(&change.siblings), ..change.clone() };
            StorageCompletion::Applied { ticket: *ticket, result: Ok(Ok(change)) }
        }
        StorageCompletion::Hints { ticket, result: Ok(records) } => {
            StorageCompletion::Hints { ticket: *ticket, result: Ok(of_records(records)) }
        }
        StorageCompletion::Page { ticket, result: Ok(Page { records, next }) } => {
            let page = Page { records: of_records(records), next: next.clone() };
            StorageCompletion::Page { ticket: *ticket, result: Ok(page) }
        }
        other => other.clone(),
    }
}

/// The same output with stand-ins for its values.
pub fn stand_in_output(output: &Output) -> Output {
    match output {
        Output::Reply(ClientReply { call, result: Ok(answer) }) => {
            Output::Reply(ClientReply { call: *call, result: Ok(of_answer(answer)) })
        }
        Output::Send { to, message } => Output::Send { to: *to, message: of_message(message) },
        Output::Storage(StorageRequest { ticket, op: StorageOp::Apply { key, update } }) => {
            let op = StorageOp::Apply { key: key.clone(), update: of_update(update) };
            Output::Storage(StorageRequest { ticket: *ticket, op })
        }
        other => other.clone(),
    }
}

fn of_update(update: &Update) -> Update {
    let mut update = update.clone();
    match &mut update {
        Update::Coordinate { write, .. } => {
            *write = Arc::new(Write { value: of_written(&write.value), ..Write::clone(write) });
        }
        Update::Merge { siblings, .. } | Update::Salvage { siblings, .. } => {
            *siblings = of_siblings(siblings);
        }
        Update::Owe { .. }
        | Update::Redirect { .. }
        | Update::Confirm
        | Update::Drop { .. }
        | Update::Settle { .. } => {}
    }
    update
}
