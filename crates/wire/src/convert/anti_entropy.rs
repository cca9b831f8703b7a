use cartwheel_core::Key;
use cartwheel_core::anti_entropy::{LEAVES_PER_STEP, Leaf, TreeHash, TreeNode};
use cartwheel_core::id::OpId;
use cartwheel_core::message::AntiEntropyMessage;
use cartwheel_core::ring::Partition;
use cartwheel_core::version::Digest;

use super::{all, chosen, halves, out_of_range, required, whole};
use crate::error::DecodeError;
use crate::limits::KEYS_PER_STEP_MAX;
use crate::schema::message::{self as schema, AntiEntropyBody as Body};

impl From<&AntiEntropyMessage> for schema::AntiEntropy {
    fn from(message: &AntiEntropyMessage) -> Self {
        let (op, body) = match message {
            AntiEntropyMessage::Compare { op, partition, nodes } => {
                let nodes = nodes.iter().map(|&(node, TreeHash(hash))| {
                    let (hash_high, hash_low) = halves(hash);
                    schema::HashedNode { node: Some(node.into()), hash_high, hash_low }
                });
                (op, Body::Compare(schema::Compare { partition: partition.0, nodes: Some(nodes.collect()) }))
            }
            AntiEntropyMessage::Differ { op, nodes } => {
                (op, Body::Differ(nodes.iter().map(|&node| node.into()).collect()))
            }
            AntiEntropyMessage::Keys { op, partition, leaves, keys } => {
                let keys = Some(keys.iter().map(Into::into).collect());
                let leaves = leaves.iter().map(|&Leaf(leaf)| u32::from(leaf)).collect();
                (op, Body::Keys(schema::Keys { partition: partition.0, leaves, keys }))
            }
            AntiEntropyMessage::KeysDiffer { op, keys } => {
                (op, Body::KeysDiffer(keys.iter().map(Into::into).collect()))
            }
        };
        Self { op: op.0, body: Some(body) }
    }
}

impl TryFrom<schema::AntiEntropy> for AntiEntropyMessage {
    type Error = DecodeError;
    fn try_from(message: schema::AntiEntropy) -> Result<Self, DecodeError> {
        let op = OpId(message.op);
        Ok(match chosen("anti_entropy.body", message.body)? {
            Body::Compare(compare) => {
                let nodes = all("nodes of a comparison", required("compare.nodes", compare.nodes)?)?;
                let nodes = nodes.into_iter().map(hashed).collect::<Result<_, _>>()?;
                Self::Compare { op, partition: Partition(compare.partition), nodes }
            }
            Body::Differ(nodes) => {
                let nodes = all("nodes that differ", nodes)?;
                Self::Differ { op, nodes: nodes.into_iter().map(node).collect::<Result<_, _>>()? }
            }
            Body::Keys(step) => {
                let keys = all("keys of an exchange", required("keys.keys", step.keys)?)?;
                let keys = keys.into_iter().map(<(Key, Digest)>::try_from).collect::<Result<_, _>>()?;
                Self::Keys { op, partition: Partition(step.partition), leaves: leaves(&step.leaves)?, keys }
            }
            Body::KeysDiffer(keys) => {
                let keys = all("keys that differ", keys)?;
                Self::KeysDiffer { op, keys: keys.into_iter().map(Key::try_from).collect::<Result<_, _>>()? }
            }
        })
    }
}

fn leaves(leaves: &[u32]) -> Result<Vec<Leaf>, DecodeError> {
    if leaves.len() > LEAVES_PER_STEP {
        return Err(DecodeError::TooMany { what: "leaves of an exchange", max: LEAVES_PER_STEP });
    }
    let leaf = |&got: &u32| u16::try_from(got).map(Leaf).map_err(|_| out_of_range("leaf", got));
    leaves.iter().map(leaf).collect()
}

fn hashed(hashed: schema::HashedNode) -> Result<(TreeNode, TreeHash), DecodeError> {
    let of = node(required("hashed_node.node", hashed.node)?)?;
    Ok((of, TreeHash(whole(hashed.hash_high, hashed.hash_low))))
}

impl From<TreeNode> for schema::TreeNode {
    fn from(node: TreeNode) -> Self {
        Self { level: node.level().into(), index: node.index().into() }
    }
}

fn node(node: schema::TreeNode) -> Result<TreeNode, DecodeError> {
    let level = u8::try_from(node.level).map_err(|_| out_of_range("level", node.level))?;
    let index = u16::try_from(node.index).map_err(|_| out_of_range("index", node.index))?;
    TreeNode::new(level, index).ok_or_else(|| out_of_range("index", node.index))
}

const _: () = assert!(KEYS_PER_STEP_MAX >= LEAVES_PER_STEP, "a step lists at least a key for each leaf");
