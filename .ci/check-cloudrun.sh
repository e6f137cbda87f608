#!/usr/bin/env bash
# The Cloud Run example in its own module: 80 clients, a database and a Redis that
# stand still, and SIGTERM in the middle.
set -euo pipefail
cd "$(dirname "$0")/.."
(cd examples/cloudrun && go mod tidy -diff && go vet ./...)
CGO_ENABLED=0 go -C examples/cloudrun build -trimpath -ldflags='-s -w' -o /dev/null . # as its Dockerfile does
RESTASH_REQUIRE=postgres .ci/postgres.sh run go -C examples/cloudrun test -count=1 ./...
