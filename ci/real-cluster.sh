#!/usr/bin/env bash
# Scenarios on real nodes, with the simulator's clients and judge: kill -9, partitions and bad links in network namespaces, full disks, wrong
# clocks, a rolling upgrade.
#
#   ci/real-cluster.sh [short|whole] [BINARY TO UPGRADE FROM]
#
# `short` (the default) takes about three minutes, `whole` about eleven. What the machine lacks is said to be SKIPPED: without
# root or iproute2 nodes are on the loopback and links are not cut; without libfaketime clocks do not jump.
set -euo pipefail
cd "$(dirname "$0")/.."

how=${1:-short} before=${2:-}
cargo build --release --quiet --locked
cartwheel=${CARGO_TARGET_DIR:-target}/release/cartwheel

real() { # real SECONDS OPTIONS...: for so long in a short run, as long as the scenario says in a whole one
  local seconds=$1
  shift
  [ "$how" = whole ] && seconds=
  "$cartwheel" real ${seconds:+--duration "${seconds}s"} "$@"
}

# What the nodes recorded in it runs again in the core, with equal outputs.
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
real 50 --dir "$kept/kill-nine" sim-scenarios/real/kill-nine.toml
"$cartwheel" replay --flight "$kept"/kill-nine/*/
real 30 sim-scenarios/real/partitions.toml
real 20 sim-scenarios/real/bad-links.toml
real 20 sim-scenarios/real/full-disk.toml
real 15 sim-scenarios/real/wrong-clocks.toml
real 24 ${before:+--upgrade-from "$before"} sim-scenarios/real/rolling-upgrade.toml
