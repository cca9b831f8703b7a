#!/usr/bin/env bash
# The core cannot cheat: it is no_std, and neither it nor what it depends on names the standard library.
set -euo pipefail
cd "$(dirname "$0")/.."

grep -q '^#!\[no_std\]' crates/core/src/lib.rs || { echo "crates/core is not no_std"; exit 1; }

if grep -rnE '\b(std::|f32|f64|HashMap|HashSet|async fn|tracing::|unsafe )' crates/core/src; then
  echo "crates/core names something that it must not (above)"
  exit 1
fi

# Arrows point down only. Dev-dependencies are free.
allow() {
  local crate=$1 allowed=$2 found
  found=$(cargo tree --locked -p "$crate" --edges normal --depth 1 --prefix none --format '{p}' |
    awk '{print $1}' | tail -n +2 | { grep '^cartwheel' || true; } | sort -u | tr '\n' ' ')
  for name in $found; do
    case " $allowed " in
      *" $name "*) ;;
      *) echo "$crate must not depend on $name; allowed: ${allowed:-nothing of ours}"; exit 1 ;;
    esac
  done
}
allow cartwheel-core ""
allow cartwheel-check ""
allow cartwheel-wire "cartwheel-core"
allow cartwheel-store "cartwheel-core cartwheel-wire"
allow cartwheel-flight "cartwheel-core cartwheel-wire"
allow cartwheel-riak "cartwheel-core cartwheel-wire"
allow cartwheel-sim "cartwheel-core cartwheel-check"
allow cartwheel-node "cartwheel-core cartwheel-wire cartwheel-store cartwheel-flight cartwheel-riak"
allow cartwheel-real "cartwheel-core cartwheel-check cartwheel-wire cartwheel-sim cartwheel-node"
# Its test cluster, a feature that is off here, sees the node.
allow cartwheel-client "cartwheel-riak"
if cargo tree --locked -p cartwheel-sim --edges normal --prefix none | grep -q '^tokio '; then
  echo "crates/sim must not see tokio"
  exit 1
fi
