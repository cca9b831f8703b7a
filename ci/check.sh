#!/usr/bin/env bash
# Formatting, lints, documentation, licences: everything that is not a test.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# The benchmark is a workspace of its own, with flags of its own (bench/.cargo/config.toml).
(cd bench && cargo fmt --check && cargo clippy --all-targets --locked -- -D warnings)
# So is the node under madsim.
(cd madsim && cargo fmt --check && cargo clippy --all-targets --locked -- -D warnings)

# So are the fuzz targets. They are built here, that they do not rot; what they found is run with the tests.
(cd fuzz && cargo fmt --check && cargo clippy --locked --target-dir "${CARGO_TARGET_DIR:-../target}" -- -D warnings)

# The core must build for a target without an operating system: no clock, I/O, thread or OS randomness is in reach.
ci/core-is-pure.sh

if command -v cargo-deny >/dev/null; then
  # The graph has crates of other platforms, which no build here has brought.
  cargo fetch --quiet --locked
  cargo deny --offline check bans licenses sources
  for workspace in bench madsim; do
    (cd "$workspace" && cargo fetch --quiet --locked && cargo deny --offline check bans licenses sources)
  done
else
  echo "SKIPPED: cargo-deny is not installed (cargo install cargo-deny --locked); licences and bans were not checked"
fi
