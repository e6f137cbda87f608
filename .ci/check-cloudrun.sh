#!/usr/bin/env bash
# The Cloud Run example in its own module: 80 clients, a database and a Redis that
# stand still, and SIGTERM in the middle.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(.ci/postgres.sh start)"
trap '.ci/postgres.sh stop' EXIT
(cd examples/cloudrun && go mod tidy -diff && go vet ./... && RESTASH_REQUIRE=postgres go test -count=1 ./...)
CGO_ENABLED=0 go -C examples/cloudrun build -trimpath -ldflags='-s -w' -o /dev/null . # as its Dockerfile does
