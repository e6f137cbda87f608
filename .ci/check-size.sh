#!/usr/bin/env bash
# What the module adds to a function, printed: bytes over the same function with
# only its third-party packages, milliseconds of init, and connections at
# construction. Fails above 1.3 MiB, 0.3 ms, or one connection: 0.1 of that is encoding/json, for types that the
# faster encoder gets wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
module=$(awk '$1 == "module" { print $2; exit }' go.mod)
for program in with without; do
  CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$work/$program" ".ci/size/$program.go"
done
with=$(stat -c %s "$work/with")
without=$(stat -c %s "$work/without")
awk -v a="$with" -v b="$without" 'BEGIN {
  printf "size: %.2f MiB with, %.2f MiB without, %.2f MiB added (at most 1.30)\n", a / 1048576, b / 1048576, (a - b) / 1048576
  exit (a - b > 1363148)
}'

# The smallest of 30 runs counts: the machine may be busy.
for _ in $(seq 30); do
  env -u UPSTASH_REDIS_REST_URL GODEBUG=inittrace=1 "$work/with" 2>&1 |
    awk -v module="$module" '$1 == "init" && index($2, module) == 1 { for (i = 3; i <= NF; i++) if ($i == "ms" && $(i + 1) == "clock,") sum += $(i - 1) } END { printf "%.4f\n", sum }'
done | sort -n | awk 'NR == 1 { least = $1 } { all[NR] = $1 } END {
  printf "init of our packages: %.3f ms at least, %.3f ms median of %d runs (at most 0.300)\n", least, all[int((NR + 1) / 2)], NR
  exit (least > 0.3)
}'
"$work/with" construct && echo 'connections at construction: 0'
