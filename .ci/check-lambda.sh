#!/usr/bin/env bash
# The Lambda example as it is deployed: a bootstrap for arm64. Its tests and those
# of contrib/lambda run with the other modules'.
set -euo pipefail
cd "$(dirname "$0")/.."
go -C contrib/lambda vet ./testdata/refresher
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd examples/lambda && GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -tags lambda.norpc -o "$folder/bootstrap" .)
ls -l "$folder/bootstrap"
