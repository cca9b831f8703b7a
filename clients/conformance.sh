#!/bin/sh
# What the suites that clients bring along expect to be there. ADMIN: a command that takes riak-admin's words.
#
#   conformance.sh types | security | no-riak
set -eu
make() {
  $ADMIN bucket-type create "$1" "$2" && $ADMIN bucket-type activate "$1"
}
case $1 in
types)
  make counters '{"props":{"datatype":"counter"}}'
  make other_counters '{"props":{"datatype":"counter","allow_mult":true}}'
  make sets '{"props":{"datatype":"set"}}'
  make maps '{"props":{"datatype":"map"}}'
  make gsets '{"props":{"datatype":"gset"}}'
  make hlls '{"props":{"datatype":"hll"}}'
  make no_siblings '{"props":{"allow_mult":false}}'
  make plain '{"props":{}}'
  make mr '{"props":{}}'
  make write_once '{"props":{"write_once":true}}'
  ;;
no-riak)
  make no_riak_test_bucket_type '{"props":{"r":1,"allow_mult":true}}'
  make no_riak_test_crdt_counter '{"props":{"datatype":"counter","allow_mult":true}}'
  make no_riak_test_crdt_map '{"props":{"datatype":"map","allow_mult":true}}'
  make no_riak_test_crdt_set '{"props":{"datatype":"set","allow_mult":true}}'
  ;;
security)
  $ADMIN security add-group test
  $ADMIN security add-user riakuser groups=test
  $ADMIN security add-source riakuser 0.0.0.0/0 certificate
  $ADMIN security add-user riakpass password=Test1234 groups=test
  $ADMIN security add-source riakpass 0.0.0.0/0 password
  for permission in get get_preflist put delete index list_keys list_buckets; do
    $ADMIN security grant riak_kv.$permission on any to test
  done
  for permission in get_bucket set_bucket get_bucket_type set_bucket_type; do
    $ADMIN security grant riak_core.$permission on any to test
  done
  $ADMIN security enable
  ;;
esac
