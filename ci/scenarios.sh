#!/usr/bin/env bash
# What the README shows, as a person would run it: exit statuses, digests that repeat, JSON that can be read.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked
cartwheel=${CARGO_TARGET_DIR:-target}/release/cartwheel
cart=sim-scenarios/shopping-cart.toml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

expect() { # expect STATUS COMMAND...
  local want=$1 got=0
  shift
  "$@" >"$work/out" 2>"$work/err" || got=$?
  [ "$got" = "$want" ] || { echo "exit status $got, not $want: $*"; cat "$work/out" "$work/err"; exit 1; }
}
digest() { "$cartwheel" sim run "$cart" --seed "$1" --json | grep -o '"trace_digest": "[0-9a-f]*"'; }

expect 0 "$cartwheel" sim run "$cart" --seed 42
cat "$work/out"
[ "$(digest 42)" = "$(digest 42)" ] || { echo "the same seed gave two digests"; exit 1; }
[ "$(digest 42)" != "$(digest 43)" ] || { echo "two seeds gave one digest"; exit 1; }
expect 0 "$cartwheel" sim run sim-scenarios/shopping-cart-lww.toml --seed 42
grep -q 'lost  .*last-write-wins' "$work/out" || { echo "no lost write was explained"; exit 1; }

expect 0 "$cartwheel" sim run sim-scenarios/faults/listings.toml --seed 42

# An expectation that fails is 1, bad input is 2 and one line.
sed 's/^availability_min = .*/lost_writes_min = 1/' "$cart" >"$work/strict.toml"
expect 1 "$cartwheel" sim run "$work/strict.toml" --seed 42
for edit in 's/^settle/setle/' 's/"500us"/"-500us"/' 's/^n = 3/n = 6/' 's/^loss = .*/loss = 2.0/'; do
  sed "$edit" "$cart" >"$work/bad.toml"
  expect 2 "$cartwheel" sim run "$work/bad.toml"
  [ "$(wc -l <"$work/err")" = 1 ] || { echo "not one line for $edit:"; cat "$work/err"; exit 1; }
  cat "$work/err"
done

# A run can be stopped and looked into; recording it changes nothing; what is not there is one line.
lost=sim-scenarios/museum/amnesia-reuses-actor.toml
expect 0 "$cartwheel" replay "$lost" --flaw amnesia-reuses-actor --until 4.0025s --key cart-0
grep -q 'holds     w4' "$work/out" || { echo "the moment is not shown"; cat "$work/out"; exit 1; }
for trace in run.jsonl run.json run.shiviz; do
  expect 1 "$cartwheel" sim run "$lost" --flaw amnesia-reuses-actor --trace "$work/$trace" --report "$work/run.html"
  cp "$work/out" "$work/with"
  expect 1 "$cartwheel" sim run "$lost" --flaw amnesia-reuses-actor
  cmp "$work/out" "$work/with"
  [ -s "$work/$trace" ] && grep -q '</html>' "$work/run.html"
done
for bad in '--node n9' '--key apples' '--until 1h' '--trace run.txt'; do
  expect 2 "$cartwheel" replay "$lost" $bad
  [ "$(wc -l <"$work/err")" = 1 ] || { echo "not one line for $bad:"; cat "$work/err"; exit 1; }
  cat "$work/err"
done
