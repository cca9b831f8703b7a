#!/usr/bin/env bash
# The suites of `basho/riak-go-client` and `basho/riak-nodejs-client`, unmodified, against a running cluster. They are in no package
# registry: whoever has checkouts names them.
#
#   published.sh go|node unit|plain|wide|security
#
# RIAK_GOPATH         folders, joined by colons, with src/github.com/basho/riak-go-client and what it imports (basho/backoff and
#                     golang/protobuf); Go 1.12 or later
# RIAK_NODEJS_CLIENT  a checkout of riak-nodejs-client
# TEST_CA             what both expect at tools/test-ca: for their unit tests and for `security`
# TOOLS               a folder to work in
#
# plain: three nodes of N = 3. wide: a cluster of N = 4, for what sets an `n_val` of 4. security: users, and TLS of a node
# named riak-test. RIAK_HOST and RIAK_PORT say where.
set -euo pipefail

# A checkout as it came, with certificates beside it.
copy() { # copy FROM TO
  rm -rf "$2"
  mkdir -p "$2"
  cp -r "$1/." "$2/"
  rm -rf "$2/tools/test-ca"
  mkdir -p "$2/tools"
  cp -r "$TEST_CA" "$2/tools/test-ca"
}

go_suite() {
  local from= folder into=$TOOLS/gopath/src/github.com/basho/riak-go-client
  for folder in ${RIAK_GOPATH//:/ }; do
    [ -d "$folder/src/github.com/basho/riak-go-client" ] && from=$folder/src/github.com/basho/riak-go-client
  done
  [ -n "$from" ] || { echo "RIAK_GOPATH has no src/github.com/basho/riak-go-client" >&2; exit 1; }
  copy "$from" "$into"
  export GO111MODULE=off GOFLAGS= GOPATH=$TOOLS/gopath:$RIAK_GOPATH
  cd "$into"
  local tags=$1 run
  case $1 in
  unit) run=. tags=none ;;
  wide) run='^TestSetAndResetBucketTypeProperties$' tags=integration ;;
  security) run=WithSecurity ;;
  plain)
    tags=integration
    # Left out: MapReduce and search; what sets an `n_val` above the cluster's N (in a bucket, to 9; in a type, to 4: `wide`); and
    # a dial that must time out, which depends on the network that it goes to.
    run="^($(go test -vet=off -tags integration -list '^(Test|Example)' . | grep -E '^(Test|Example)' |
      grep -vE 'MapReduce|Yokozuna|^TestSetAndResetBucket(Type)?Properties$|^TestConnectionTimeout$' | paste -sd'|'))\$"
    ;;
  esac
  go test -vet=off -tags "$tags" -count=1 -v -run "$run" . >"$TOOLS/go-$1.log" 2>&1 || {
    grep -E -B3 '^ *--- FAIL|^panic|cannot find|^FAIL' "$TOOLS/go-$1.log"
    return 1
  }
  echo "$(grep -c '^--- PASS' "$TOOLS/go-$1.log") tests passed"
}

node_suite() {
  local into=$TOOLS/riak-nodejs-client suite pick=(-g .)
  copy "$RIAK_NODEJS_CLIENT" "$into"
  # Its own dependencies, and the messages, which are a submodule of the checkout, are those of the published package.
  ln -sfn "$TOOLS/node/node_modules" "$into/node_modules"
  [ -f "$into/lib/protobuf/riak_pb/src/riak.proto" ] ||
    cp -r "$TOOLS/node/node_modules/basho-riak-client/lib/protobuf/riak_pb" "$into/lib/protobuf/"
  case $1 in
  unit) suite='test/unit/**/*.js' ;;
  wide)
    suite='test/integration/kv/fetchandsetbuckettypeprops.js'
    pick=(-g 'should-store-for-non-default')
    ;;
  security) suite='test/security/*.js' ;;
  plain)
    suite='test/integration/{*.js,core/*.js,crdt/*.js,kv/*.js}'
    # Left out, beside MapReduce, search and time series: what sets an `n_val` above the cluster's N (`wide`); a dial that must time
    # out; and two tests of the client against a server of their own, which newer Nodes never see closed.
    pick=(-i -g 'should-store-for-non-default|emits-on-connect-timeout|emits-on-(failed|successful)-healthcheck')
    ;;
  esac
  cd "$into"
  NODE_OPTIONS="--no-deprecation --no-warnings" node_modules/.bin/mocha --reporter dot --require test/disable-log "${pick[@]}" "$suite"
}

case $1 in
go) go_suite "$2" ;;
node) node_suite "$2" ;;
*) echo "published.sh go|node unit|plain|wide|security" >&2; exit 2 ;;
esac
