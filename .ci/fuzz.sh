#!/usr/bin/env bash
# Runs every fuzz target for the given time (5s), one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."

time=${1:-5s}
count=0
while IFS=: read -r file _ line; do
	target=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/' <<<"$line")
	echo "fuzz: $target in $(dirname "$file") for $time"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$(dirname "$file")"
	count=$((count + 1))
done < <(grep -rnE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+\(' . | sort)
echo "fuzz: $count targets"
