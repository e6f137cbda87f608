#!/usr/bin/env bash
# The Cloud Run example as its Dockerfile builds it. Its tests (80 clients, a
# database and a Redis that stand still, SIGTERM in the middle) run with the other
# modules'.
set -euo pipefail
cd "$(dirname "$0")/.."
CGO_ENABLED=0 go -C examples/cloudrun build -trimpath -ldflags='-s -w' -o /dev/null .
