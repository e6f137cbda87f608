#!/usr/bin/env bash
# Checks .github/workflows with actionlint.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$(mktemp -d)/actionlint
go -C tools build -o "$binary" github.com/rhysd/actionlint/cmd/actionlint
"$binary" .github/workflows/*.yml
rm -r "$(dirname "$binary")"
