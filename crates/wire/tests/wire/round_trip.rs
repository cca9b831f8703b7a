//! What is encoded is decoded, whole and unchanged.

use bytes::Bytes;
use cartwheel_core::Key;
use cartwheel_core::id::OpId;
use cartwheel_core::message::{Message, ReplicaMessage};
use cartwheel_core::version::{Context, Value};
use cartwheel_wire::{
    decode_boot, decode_cluster, decode_config, decode_context, decode_input, decode_key, decode_message,
    decode_record, encode_boot, encode_cluster, encode_config, encode_context, encode_input, encode_key,
    encode_message, encode_record,
};
use quickcheck::quickcheck;

use crate::arbitrary::{AnyBoot, AnyCluster, AnyConfig, AnyContext, AnyInput, AnyKey, AnyMessage, AnyRecord};
use crate::golden;

quickcheck! {
    fn messages(message: AnyMessage) -> bool {
        decode_message(encode_message(&message.0)).as_ref() == Ok(&message.0)
    }

    fn records(record: AnyRecord) -> bool {
        let bytes = encode_record(&record.0).expect("within the limits");
        decode_record(bytes.into()).as_ref() == Ok(&record.0)
    }

    fn clusters(cluster: AnyCluster) -> bool {
        let bytes = encode_cluster(&cluster.0).expect("within the limits");
        let decoded = decode_cluster(&bytes).expect("what was encoded");
        decoded == cluster.0 && decoded.digest() == cluster.0.digest()
    }

    fn inputs(input: AnyInput) -> bool {
        decode_input(encode_input(&input.0).into()).as_ref() == Ok(&input.0)
    }

    fn boots(boot: AnyBoot) -> bool {
        decode_boot(encode_boot(&boot.0).into()).as_ref() == Ok(&boot.0)
    }

    /// Settings do not compare; all that they consist of can be printed.
    fn configs(config: AnyConfig) -> bool {
        let decoded = decode_config(encode_config(&config.0).into()).expect("what was encoded");
        format!("{decoded:?}") == format!("{:?}", config.0)
    }

    fn contexts(context: AnyContext) -> bool {
        decode_context(&encode_context(&context.0)).as_ref() == Ok(&context.0)
    }

    /// However the entries were gathered: one context, one encoding.
    fn contexts_are_canonical(context: AnyContext) -> bool {
        let reversed = Context(context.0.0.entries().iter().rev().copied().collect());
        encode_context(&reversed) == encode_context(&context.0)
    }

    fn keys(key: AnyKey) -> bool {
        decode_key(&encode_key(&key.0)).as_ref() == Ok(&key.0)
    }

    fn keys_keep_their_order(a: AnyKey, b: AnyKey) -> bool {
        encode_key(&a.0).cmp(&encode_key(&b.0)) == a.0.cmp(&b.0)
    }

    fn a_disk_key_begins_with_its_token(key: AnyKey) -> bool {
        encode_key(&key.0).starts_with(&key.0.token().0.to_be_bytes())
    }
}

#[test]
fn values_are_slices_of_the_message_they_came_in() {
    let write = ReplicaMessage::Write {
        op: OpId(1),
        key: Key::new(b"carts", b"alice"),
        siblings: golden::siblings(),
        owed: None,
        fence: 0,
    };
    let bytes = encode_message(&Message::Replica(write));
    let frame = bytes.as_ptr_range();
    let Ok(Message::Replica(ReplicaMessage::Write { siblings, .. })) = decode_message(bytes) else {
        panic!("a write was sent");
    };
    let values: Vec<&Bytes> = siblings
        .versions()
        .iter()
        .filter_map(|version| match &version.value {
            Value::Data(data) => Some(data),
            Value::Tombstone | Value::DataType(_) => None,
        })
        .collect();
    assert!(!values.is_empty());
    assert!(values.iter().all(|value| frame.contains(&value.as_ptr())));
}
