#!/usr/bin/env bash
# All tests. cargo-nextest runs them where it is installed; doc tests are cargo's.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v cargo-nextest >/dev/null; then
  cargo nextest run --workspace --locked --no-fail-fast
  cargo test --workspace --locked --doc --quiet
else
  cargo test --workspace --locked
fi
