#!/usr/bin/env bash
# The public Python and Node clients of Riak against a cluster of three nodes: suites of our own, over protocol buffers, HTTP and
# TLS; and the suites that the Python client and no-riak bring along. With checkouts of them (RIAK_GOPATH, RIAK_NODEJS_CLIENT: see
# published.sh), also those of the Go client and of basho-riak-client.
#
#   clients/run.sh [FEATURE]     those whose name has these words; all, without
#
# CARTWHEEL names another binary than the one that is built here.
#
# Takes Python 3.10 or later with venv, Node.js 18 or later with npm, and their registries. What is missing is said, and its
# suites are SKIPPED.
set -uo pipefail
cd "$(dirname "$0")/.."
only=${1:-}

if [ -n "${CARTWHEEL:-}" ]; then
  cartwheel=$CARTWHEEL
else
  cargo build --release --quiet --locked || exit 1
  cartwheel=$PWD/${CARGO_TARGET_DIR:-target}/release/cartwheel
fi
tools=$PWD/target/riak-clients
work=$(mktemp -d)
cluster= failed=0
trap 'stop; [ "$failed" = 0 ] && rm -rf "$work" || echo "logs are kept in $work"' EXIT

say() { echo; echo "=== $1"; }
fail() { failed=1; echo "FAILED: $1"; }

# A cluster of three: start NAME HTTP-PORT OPTIONS...
start() {
  local dir=$work/$1 port=$2
  shift 2
  "$cartwheel" dev --data "$dir" --http-port "$port" "$@" >"$dir.log" 2>&1 &
  cluster=$!
  for _ in $(seq 300); do
    grep -q "^ready" "$dir.log" && return
    kill -0 "$cluster" 2>/dev/null || break
    sleep 0.2
  done
  cat "$dir.log"
  fail "the cluster does not start"
  exit 1
}
stop() {
  [ -n "$cluster" ] && kill "$cluster" 2>/dev/null && wait "$cluster" 2>/dev/null
  cluster=
}

# --- what the suites need

python= node=
if command -v python3 >/dev/null && python3 -m venv "$tools/python" >/dev/null 2>&1 &&
  "$tools/python/bin/pip" install --quiet --disable-pip-version-check riak==2.7.0 2>"$work/pip.log"; then
  python=$tools/python/bin/python
  # The package's set-up reads a file that its wheel has not.
  touch "$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/README.md"
else
  cat "$work/pip.log" 2>/dev/null
  echo "SKIPPED: the Python client could not be installed; its suites were not run"
fi
if command -v npm >/dev/null && mkdir -p "$tools/node" && cp clients/node/* "$tools/node/" &&
  (cd "$tools/node" && npm ci --silent --no-audit --no-fund >"$work/npm.log" 2>&1); then
  node=node
else
  cat "$work/npm.log" 2>/dev/null
  echo "SKIPPED: the Node clients could not be installed; their suites were not run"
fi

python_suite() { # python_suite NAME WORDS...
  [ -n "$python" ] || return 0
  say "$1"
  shift
  (cd clients/python && "$python" "$@") || fail "python $*"
}
node_suite() {
  [ -n "$node" ] || return 0
  say "$1"
  shift
  (cd "$tools/node" && ONLY=$only NODE_NO_WARNINGS=1 NODE_OPTIONS=--no-deprecation node "$@") || fail "node $*"
}

pb=28087 http=28098 https=28100
export RIAK_PB_PORT=$pb RIAK_HTTP_PORT=$http ADMIN="$cartwheel admin --node http://127.0.0.1:$http"

# --- everything that the clients can ask, once

start plain $http
clients/types.sh >"$work/types.log" || { cat "$work/types.log"; fail "bucket types"; }
python_suite "Python, protocol buffers" suite.py pbc --only "$only"
python_suite "Python, HTTP" suite.py http --only "$only"
node_suite "Node, basho-riak-client" basho.js
node_suite "Node, no-riak" no-riak.js
stop

# --- the same with users, over TLS

start tls $http --tls
clients/types.sh >"$work/types.log" || { cat "$work/types.log"; fail "bucket types"; }
ca=$work/tls/tls/ca.pem
for command in "add-user ada password=swordfish" "add-source ada 127.0.0.1/32 password" "add-user grace" \
  "add-source grace 127.0.0.1/32 certificate" "add-user nobody password=nothing" "add-source nobody 127.0.0.1/32 password"; do
  $ADMIN security $command >>"$work/security.log" 2>&1 || { cat "$work/security.log"; fail "security $command"; }
done
for permission in riak_kv.get riak_kv.put riak_kv.delete riak_kv.list_keys riak_kv.list_buckets riak_kv.index riak_kv.get_preflist \
  riak_kv.mapreduce riak_core.get_bucket riak_core.set_bucket riak_core.get_bucket_type riak_core.set_bucket_type; do
  $ADMIN security grant $permission on any to ada,grace >>"$work/security.log" 2>&1 || { cat "$work/security.log"; fail "grant $permission"; }
done
$ADMIN security enable >>"$work/security.log" 2>&1 || { cat "$work/security.log"; fail "security enable"; }
"$cartwheel" cert client grace --ca "$work/tls/tls" --output "$work" >>"$work/security.log" 2>&1 || { cat "$work/security.log"; fail "cert client"; }
export RIAK_HTTP_PORT=$https
python_suite "Python, protocol buffers, TLS and a password" suite.py pbc --only "$only" --user ada --password swordfish --ca "$ca"
python_suite "Python, HTTP, TLS and a password" suite.py http --only "$only" --user ada --password swordfish --ca "$ca"
python_suite "Python, protocol buffers, a certificate" suite.py pbc --only "put, get" --user grace --ca "$ca" --cert "$work/grace.pem" --key "$work/grace.key"
node_suite "Node, basho-riak-client, TLS and a password" basho.js ada swordfish "$ca"
node_suite "Node, no-riak, TLS and a password" no-riak.js ada swordfish
if [ -n "$python" ]; then
  say "nobody may nothing"
  (cd clients/python && "$python" refused.py --ca "$ca" nobody nothing && "$python" refused.py --ca "$ca" ada wrong) || fail "refused.py"
fi
stop

# --- the suite that the Python client brings along

[ -n "$only" ] && exit "$failed"
export RIAK_TEST_PB_PORT=$pb RIAK_TEST_HTTP_PORT=$http CARTWHEEL_SET_RIAK_DEFAULTS=true
start conformance $http
clients/conformance.sh types >"$work/types.log" || { cat "$work/types.log"; fail "bucket types"; }
python_suite "the Python client's own suite, protocol buffers" conformance.py pbc
python_suite "the Python client's own suite, HTTP" conformance.py http
stop

# It asks 127.0.0.1:8087. Left out: what wants MapReduce, search, or TLS without forward secrecy; and what the client's own pool does after
# so many milliseconds, which is no question for a node.
if [ -n "$node" ]; then
  start no-riak 8098
  ADMIN="$cartwheel admin" clients/conformance.sh no-riak >"$work/types.log" || { cat "$work/types.log"; fail "bucket types"; }
  say "no-riak's own suite"
  (cd "$tools/node/node_modules/no-riak" &&
    NODE_OPTIONS=--no-deprecation ../.bin/mocha --reporter dot test/kv.js test/2i.js test/buckets.js test/other.js test/crdt) ||
    fail "no-riak's own suite"
  stop
fi

start secure $http --tls
clients/conformance.sh types >"$work/types.log" || { cat "$work/types.log"; fail "bucket types"; }
clients/conformance.sh security >"$work/security.log" 2>&1 || { cat "$work/security.log"; fail "security"; }
ca=$work/secure/tls
"$cartwheel" cert client riakuser --ca "$ca" --output "$work" >>"$work/security.log" 2>&1
"$cartwheel" cert authority "$work/other" >>"$work/security.log" 2>&1
export RIAK_TEST_HTTP_PORT=$https RIAK_TEST_SECURITY_CACERT=$ca/ca.pem RIAK_TEST_SECURITY_CERT=$work/riakuser.pem \
  RIAK_TEST_SECURITY_KEY=$work/riakuser.key RIAK_TEST_SECURITY_BAD_CERT=$work/other/ca.pem RIAK_TEST_SECURITY_REVOKED=$work/other/ca.pem
python_suite "the Python client's own suite, protocol buffers, security" conformance.py pbc --security
python_suite "the Python client's own suite, HTTP, security" conformance.py http --security
stop

# --- the suites of clients that no package registry has

published=()
if [ -n "${RIAK_GOPATH:-}" ] && command -v go >/dev/null; then
  published+=(go)
else
  echo "SKIPPED: the Go client's own suite: no Go, or RIAK_GOPATH names no checkout (clients/published.sh)"
fi
if [ -n "${RIAK_NODEJS_CLIENT:-}" ] && [ -n "$node" ]; then
  published+=(node)
else
  echo "SKIPPED: basho-riak-client's own suite: no Node.js, or RIAK_NODEJS_CLIENT names no checkout (clients/published.sh)"
fi
[ ${#published[@]} -gt 0 ] || exit "$failed"
published() { # published HEADING PART
  local client
  for client in "${published[@]}"; do
    say "the $client client's own suite$1"
    clients/published.sh "$client" "$2" || fail "published.sh $client $2"
  done
}
export TOOLS=$tools TEST_CA=$work/test-ca RIAK_HOST=127.0.0.1 RIAK_PORT=$pb

start riak-test $http --tls
ca=$work/riak-test/tls n1=$work/riak-test/n1
mkdir -p "$TEST_CA/certs" "$TEST_CA/private"
{
  rm "$n1/n1.pem" "$n1/n1.key" &&
    "$cartwheel" cert node n1 --host riak-test --ca "$ca" --output "$n1" &&
    "$cartwheel" cert client riakuser --ca "$ca" --output "$TEST_CA" &&
    cp "$ca/ca.pem" "$TEST_CA/certs/cacert.pem" &&
    cp "$TEST_CA/riakuser.pem" "$TEST_CA/certs/riakuser-client-cert.pem" &&
    cp "$TEST_CA/riakuser.key" "$TEST_CA/private/riakuser-client-cert-key.pem" &&
    openssl pkcs12 -export -passout pass: -in "$TEST_CA/riakuser.pem" -inkey "$TEST_CA/riakuser.key" \
      -out "$TEST_CA/certs/riakuser-client-cert.pfx" &&
    clients/conformance.sh security
} >"$work/security.log" 2>&1 || { cat "$work/security.log"; fail "certificates and users"; }
for _ in $(seq 100); do
  grep -q 'used what="certificates for clients"' "$n1/node.log" && break
  sleep 0.2
done
published ", the client alone" unit
published ", security" security
stop

start published $http
clients/conformance.sh types >"$work/types.log" || { cat "$work/types.log"; fail "bucket types"; }
published "" plain
stop

CARTWHEEL_SET_N=4 start wide $http --nodes 4
clients/conformance.sh types >"$work/types.log" || { cat "$work/types.log"; fail "bucket types"; }
published " with N = 4" wide
stop

exit "$failed"
