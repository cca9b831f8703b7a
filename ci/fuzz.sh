#!/usr/bin/env bash
# Many seeds: the cart scenario, then the general swarm; and a planted bug that must be found.
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${1:-0..1000}

cargo build --release --locked
cartwheel=${CARGO_TARGET_DIR:-target}/release/cartwheel
"$cartwheel" fuzz --scenario sim-scenarios/shopping-cart.toml --seeds "$seeds"
"$cartwheel" fuzz --seeds "$seeds"

if "$cartwheel" fuzz --scenario sim-scenarios/shopping-cart.toml --seeds "$seeds" --flaw amnesia-reuses-actor; then
  echo "the planted bug was not found"
  exit 1
fi
