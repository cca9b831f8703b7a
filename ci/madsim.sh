#!/usr/bin/env bash
# The whole shipped node on simulated machines: 200 seeds, every tenth of them twice, and the planted bugs that must be found.
set -euo pipefail
cd "$(dirname "$0")/../madsim"
seeds=${1:-0..200}

cargo run --quiet --locked -- --seeds "$seeds" >/dev/null
cargo test --quiet --locked
