#!/usr/bin/env bash
# contrib/lambda in its own module, against a Runtime API of our own that freezes
# the process, and the example that builds a bootstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
for module in contrib/lambda examples/lambda; do
  (cd "$module" && go mod tidy -diff && go vet ./...)
done
go -C contrib/lambda vet ./testdata/refresher
go -C contrib/lambda test -count=1 ./...
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd examples/lambda && GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -tags lambda.norpc -o "$folder/bootstrap" .)
ls -l "$folder/bootstrap"
