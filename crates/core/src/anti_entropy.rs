//! Anti-entropy: replicas compare hash trees of what they hold and exchange what differs (the paper's section 4.7).

mod exchange;
mod tree;

pub(crate) use exchange::{Answers, Exchanges};
pub use exchange::{LEAVES_PER_STEP, NODES_PER_STEP};

pub use tree::{Leaf, MerkleTree, TreeHash, TreeNode};
