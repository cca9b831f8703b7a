//! Real clusters: each node is a process of the built binary, and dies by `kill -9`.

mod all_down;
mod backup;
mod cluster;
mod conflict;
mod degraded;
mod deploy;
mod dev;
mod flight;
mod flipped;
mod http;
mod https;
mod limits;
mod membership;
mod old_copy;
mod one_down;
mod operators;
mod pages;
mod pb;
mod pb_golden;
mod pb_killed;
mod pb_limits;
mod pb_security;
mod refused;
mod security;
mod shop;
mod tls;
