//! The whole shipped node on simulated machines.
//!
//! What runs is what `cartwheel serve` runs: HTTP connections, peers with their queues, handshakes and frames, the server's loop,
//! the store with its committer on real files. What is simulated (by madsim) is the tasks' turns, time, randomness, the
//! network, and what the store's work takes. Machines are killed, stopped, paused and restarted; links are clogged one way or
//! both, slow, lossy. Clients fill carts over HTTP. Then all is mended, and the judge of `cartwheel-check` judges what is
//! on the disks. A run is a function of its seed, and has a process of its own
//! ([`apart`]).

pub mod apart;
pub mod cluster;
pub mod disks;
pub mod finale;
pub mod http;
pub mod plan;
pub mod random;
pub mod run;
pub mod shop;
pub mod trace;
