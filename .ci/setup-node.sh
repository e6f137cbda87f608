#!/usr/bin/env bash
# Installs what the tests in JavaScript and TypeScript need, from the npm registry.
set -euo pipefail
cd "$(dirname "$0")/.."
for dir in upstashtest/testdata/node internal/entry/testdata/node examples/node; do
	(cd "$dir" && npm ci --no-audit --no-fund --silent)
done
(cd internal/entry/testdata/node && npm run -s build)
