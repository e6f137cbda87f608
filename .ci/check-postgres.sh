#!/usr/bin/env bash
# The catalogue's store tests on a real PostgreSQL; a skip there is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
RESTASH_REQUIRE=postgres .ci/postgres.sh run go test -count=1 ./examples/catalog/...
