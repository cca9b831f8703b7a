//! Anti-entropy: replicas compare hash trees of what they hold and exchange what differs (the paper's section 4.7).

mod answer;
mod exchange;
mod tree;
mod turns;

pub(crate) use answer::Answers;
pub(crate) use exchange::Exchanges;
pub use exchange::{LEAVES_PER_STEP, NODES_PER_STEP};

pub use tree::{Leaf, MerkleTree, TreeHash, TreeNode};
