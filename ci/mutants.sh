#!/usr/bin/env bash
# Mutation testing of the core with cargo-mutants: each mutant is one small change of the code that some test should notice.
#
#   ci/mutants.sh [protocol|claim|again] [OPTIONS OF cargo-mutants, such as --shard 1/10 or -f 'crates/core/src/replica/*.rs']
#
# `protocol` (the default) is quorums, siblings, hints, handoff and reaping; `claim` is who owns which partition, and large: take
# a shard. `again` takes what the last run has left over, after a test was written.
#
# Mutants go through several sets of tests, the fastest first, and each set is shown what the one before has let through. All
# are made in a copy of the tree that stays in its place, so that each build is a small step from the last.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo-mutants >/dev/null || { echo "cargo install cargo-mutants --locked"; exit 1; }
what=protocol
case ${1:-} in protocol | claim | again) what=$1; shift ;; esac

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
work=$CARGO_TARGET_DIR/mutants-of-core
tree=$work/tree
rm -rf "$tree"
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$tree"
# A mutant that allocates for ever is stopped before the machine is.
ulimit -v 8000000

if [ "$what" = again ]; then
  what=$(cat "$work/what")
  left=$work/left.txt
  [ -s "$left" ] || { echo "nothing is left over"; exit; }
else
  echo "$what" >"$work/what"
  left=
fi
core=crates/core/src
case $what in
  protocol) chosen=(-f "$core/coordinator/quorum.rs" -f "$core/version/siblings.rs" -f "$core/replica/{hints,handoff,reap}.rs") ;;
  claim) chosen=(-f "$core/ring/claim.rs" -f "$core/ring/claim/**/*.rs") ;;
esac
options=("$@")
case " $* " in *" -f "* | *" --file "*) chosen=() ;; esac
case " $* " in *" --shard "*) options+=(--sharding round-robin) ;; esac

# Mutants are chosen by name, which has line and column, once a set of tests has let them through.
by_name() { sed 's/[][\.*^$+?(){}|]/\\&/g; s/.*/^&$/' "$1"; }
choose() {
  chosen=() options=()
  while read -r name; do chosen+=(--re "$name"); done < <(by_name "$1")
  while read -r file; do chosen+=(-f "$file"); done < <(cut -d: -f1 "$1" | sort -u)
}
[ -z "$left" ] || choose "$left"
rm -rf "$work"/pass-*
seen=
pass() { # pass NAME PACKAGE TARGET OPTIONS... -- ARGUMENTS OF ITS TESTS
  [ $((${#chosen[@]} + ${#options[@]})) -gt 0 ] || return 0
  echo "== $1"
  local out=$work/pass-$1 package=$2 target=$3 status=0
  shift 3
  # Package and target are arguments of each cargo: otherwise all tests of the core would be built.
  cargo mutants --dir "$tree" --in-place --output "$out" --profile mutants --colors never --package cartwheel-core \
    "${chosen[@]}" "${options[@]}" --test-package "$package" \
    --cargo-arg=--package="$package" --cargo-arg="$target" "$@" || status=$?
  # 2 and 3: mutants were missed, or took too long.
  case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac
  # cargo-mutants takes all fields that can be left out of a struct beside those that are named: they had their turn.
  cp "$out/mutants.out/missed.txt" "$work/missed.txt"
  [ -z "$seen" ] || grep -Fxf "$seen" "$out/mutants.out/missed.txt" >"$work/missed.txt" || true
  mv "$work/missed.txt" "$work/left.txt"
  seen=$work/left.txt
  choose "$seen"
}

# What a test of a few milliseconds finds needs no optimiser, whose work is most of a build.
unoptimised=--cargo-arg=--config=profile.mutants.package.cartwheel-core.opt-level=0
if [ "$what" = claim ]; then
  # A second or two, then a few, and twice some ten: what one set has found the next need not look at.
  frozen=(claims_of_random_clusters claims_where_it_is_hard)
  slow=(one_node_joins every_step_of_a_history the_order_of_claimants)
  later=("${frozen[@]}" "${slow[@]}")
  pass quick cartwheel-core --lib -- -- ring:: --skip=moves:: "${later[@]/#/--skip=}"
  pass frozen cartwheel-core --lib -- -- "${frozen[@]}"
  pass slow cartwheel-core --lib -- -- "${slow[@]}"
  pass moves cartwheel-core --lib -- -- moves::
else
  slow=(ring::claim membership:: anti_entropy::tree)
  pass unit cartwheel-core --lib "$unoptimised" -- -- "${slow[@]/#/--skip=}"
  pass stories cartwheel-core --test=stories "$unoptimised"
fi
pass smoke cartwheel-sim --test=smoke

echo "== result"
outcome() { cat "$work"/pass-*/mutants.out/"$1".txt | { grep "^$2:" || true; } | sort -u; }
for file in $(cat "$work"/pass-*/mutants.out/{caught,missed,timeout,unviable}.txt | cut -d: -f1 | sort -u); do
  viable=$({ outcome caught "$file"; outcome missed "$file"; outcome timeout "$file"; } | sort -u | wc -l)
  timeout=$(outcome timeout "$file" | wc -l) unviable=$(outcome unviable "$file" | wc -l)
  missed=$(grep -c "^$file:" "$work/left.txt" || true)
  caught=$((viable - missed))
  echo "$file: $caught of $viable viable mutants caught ($((viable > 0 ? 100 * caught / viable : 100)) %, $timeout by timeout), $unviable unviable"
done
cat "$work/left.txt"
