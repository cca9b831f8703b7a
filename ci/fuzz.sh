#!/usr/bin/env bash
# Many seeds: the cart scenario, then the general swarm, then the same with data types; and a planted bug that must be found.
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${1:-0..1000}

cargo build --release --locked
cartwheel=${CARGO_TARGET_DIR:-target}/release/cartwheel
"$cartwheel" fuzz --scenario sim-scenarios/shopping-cart.toml --seeds "$seeds"
"$cartwheel" fuzz --seeds "$seeds"
"$cartwheel" fuzz --data-types --seeds "$seeds"

# A planted bug is found, and comes back as a file that fails with it and is green without it.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if "$cartwheel" fuzz --seeds "$seeds" --flaw amnesia-reuses-actor --failures "$work" --shrink 20s --junit "$work/junit.xml"; then
  echo "the planted bug was not found"
  exit 1
fi
grep -q '<failure' "$work/junit.xml"
shrunk=$(ls "$work"/swarm-*.toml)
if "$cartwheel" sim run "$shrunk" --flaw amnesia-reuses-actor >"$work/out"; then
  cat "$shrunk" "$work/out"
  echo "the shrunk scenario does not fail"
  exit 1
fi
"$cartwheel" sim run "$shrunk"

# What happens in a run depends on its seed alone: on one thread or two, on this machine or another, the digests are those
# that were committed. (A change of the protocol or the simulator changes them: `just digests` writes them anew.)
for threads in 1 2; do
  "$cartwheel" fuzz --seeds 0..500 --threads "$threads" --digests >"$work/digests-$threads"
  cmp ci/digests.txt "$work/digests-$threads"
done
