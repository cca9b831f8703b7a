#!/bin/sh
# The bucket types of the suites beside this file. ADMIN: a command that takes riak-admin's words.
set -eu
make() {
  $ADMIN bucket-type create "$1" "$2" && $ADMIN bucket-type activate "$1"
}
make plain '{"props":{}}'
make counters '{"props":{"datatype":"counter"}}'
make sets '{"props":{"datatype":"set"}}'
make maps '{"props":{"datatype":"map"}}'
make gsets '{"props":{"datatype":"gset"}}'
make hlls '{"props":{"datatype":"hll"}}'
make write_once '{"props":{"write_once":true}}'
