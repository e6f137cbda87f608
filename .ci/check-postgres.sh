#!/usr/bin/env bash
# The catalogue's store tests on a real PostgreSQL; a skip there is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(.ci/postgres.sh start)"
trap '.ci/postgres.sh stop' EXIT
RESTASH_REQUIRE=postgres go test -count=1 ./examples/catalog/...
