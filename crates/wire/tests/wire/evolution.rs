//! Nodes are upgraded one by one: an older reader meets a newer writer.

use bytes::Bytes;
use cartwheel_core::id::OpId;
use cartwheel_core::message::{ForwardMessage, Message, ReplicaMessage};
use cartwheel_wire::{DecodeError, decode_cluster, decode_message, encode_cluster, encode_message};
use prost::Message as _;

use crate::golden::{cluster, siblings};

/// A later version of the envelope and of a write reply.
#[derive(Clone, PartialEq, prost::Message)]
struct NewerEnvelope {
    #[prost(message, optional, tag = "1")]
    replica: Option<NewerReplica>,
    #[prost(string, tag = "77")]
    trace: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NewerReplica {
    #[prost(fixed64, tag = "1")]
    op: u64,
    #[prost(message, optional, tag = "5")]
    write_reply: Option<NewerWriteReply>,
    #[prost(uint64, tag = "40")]
    queue_len: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NewerWriteReply {
    #[prost(message, optional, tag = "1")]
    held: Option<Empty>,
    #[prost(uint32, optional, tag = "2")]
    error: Option<u32>,
    /// Another result: the disk is full.
    #[prost(message, optional, tag = "4")]
    disk_full: Option<Empty>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Empty {}

fn newer(write_reply: NewerWriteReply) -> Bytes {
    let replica = NewerReplica { op: 5, write_reply: Some(write_reply), queue_len: 12 };
    NewerEnvelope { replica: Some(replica), trace: "t-1".into() }.encode_to_vec().into()
}

#[test]
fn added_fields_are_ignored() {
    let bytes = newer(NewerWriteReply { held: Some(Empty {}), ..Default::default() });
    let expected = Message::Replica(ReplicaMessage::WriteReply { op: OpId(5), result: Ok(()) });
    assert_eq!(decode_message(bytes), Ok(expected));
}

#[test]
fn an_unknown_result_is_not_taken_for_an_acknowledgement() {
    let bytes = newer(NewerWriteReply { disk_full: Some(Empty {}), ..Default::default() });
    assert_eq!(decode_message(bytes), Err(DecodeError::UnknownMessage { choice: "write_reply.result" }));
}

#[test]
fn an_unknown_error_code_is_refused() {
    let bytes = newer(NewerWriteReply { error: Some(99), ..Default::default() });
    assert_eq!(decode_message(bytes), Err(DecodeError::UnknownCode { what: "replica error", code: 99 }));
}

#[test]
fn an_unknown_conversation_is_refused() {
    // Field 9, length-delimited, empty.
    let unknown = decode_message(Bytes::from_static(&[0x4a, 0]));
    assert_eq!(unknown, Err(DecodeError::UnknownMessage { choice: "envelope.conversation" }));
    let none = decode_message(Bytes::new());
    assert_eq!(none, Err(DecodeError::UnknownMessage { choice: "envelope.conversation" }));
}

/// An added field in the middle of everything: skipped at every depth.
#[test]
fn a_field_added_within_a_version_is_ignored() {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Envelope {
        #[prost(message, optional, tag = "1")]
        replica: Option<Replica>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    struct Replica {
        #[prost(message, optional, tag = "3")]
        read_reply: Option<ReadReply>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    struct ReadReply {
        #[prost(message, optional, tag = "1")]
        siblings: Option<Siblings>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    struct Siblings {
        #[prost(bytes = "bytes", repeated, tag = "1")]
        versions: Vec<Bytes>,
    }
    let reply = Message::Replica(ReplicaMessage::ReadReply { op: OpId(0), result: Ok(siblings()) });
    let mut envelope = Envelope::decode(encode_message(&reply)).expect("the same field numbers");
    let versions =
        envelope.replica.as_mut().and_then(|r| r.read_reply.as_mut()).and_then(|r| r.siblings.as_mut());
    for version in &mut versions.expect("a read reply").versions {
        // Field 60, length-delimited: "new". Before the known fields.
        *version = [&[0xe2, 0x03, 3][..], b"new", version].concat().into();
    }
    assert_eq!(decode_message(envelope.encode_to_vec().into()), Ok(reply));
}

#[test]
fn a_request_without_its_required_parts_is_refused() {
    // A forward (field 2) whose request (field 2) is empty.
    let bytes = Bytes::from_static(&[0x12, 2, 0x12, 0]);
    assert_eq!(decode_message(bytes), Err(DecodeError::Missing { field: "request.key" }));
    let accepted = Message::Forward(ForwardMessage::Accepted { op: OpId(0) });
    assert_eq!(decode_message(Bytes::from_static(&[0x12, 2, 0x1a, 0])), Ok(accepted));
}

/// A later release reads what an earlier one left on its disk, and the other way round: an added field within a member
/// and at the end is ignored.
#[test]
fn fields_added_to_a_cluster_state_are_ignored() {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Cluster {
        #[prost(message, optional, tag = "1")]
        members: Option<Members>,
        #[prost(bytes = "bytes", tag = "2")]
        ring: Bytes,
        #[prost(bytes = "bytes", tag = "3")]
        staged: Bytes,
        #[prost(uint32, tag = "4")]
        n: u32,
        #[prost(fixed64, optional, tag = "5")]
        founding: Option<u64>,
        #[prost(uint64, tag = "6")]
        fence: u64,
        #[prost(string, tag = "70")]
        motto: String,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    struct Members {
        #[prost(bytes = "bytes", repeated, tag = "1")]
        members: Vec<Bytes>,
    }
    let bytes = encode_cluster(&cluster()).expect("within the limits");
    let mut newer = Cluster::decode(&bytes[..]).expect("the same field numbers");
    newer.motto = "always writable".into();
    for member in &mut newer.members.as_mut().expect("members").members {
        *member = [&[0xe2, 0x03, 3][..], b"new", member].concat().into();
    }
    assert_eq!(decode_cluster(&newer.encode_to_vec()), Ok(cluster()));
}
