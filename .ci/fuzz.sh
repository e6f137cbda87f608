#!/usr/bin/env bash
# Runs every fuzz target for the given time (5s), two at a time on a worker each.
set -euo pipefail
cd "$(dirname "$0")/.."
export fuzz_time=${1:-5s}

one() { # FILE:LINE:func FuzzName(...
	local file=${1%%:*} target
	target=$(sed -E 's/.*:func (Fuzz[A-Za-z0-9_]+)\(.*/\1/' <<<"$1")
	if ! out=$(go -C "$(dirname "$file")" test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzz_time" -parallel 1 . 2>&1); then
		echo "fuzz: $target in $(dirname "$file") failed"
		echo "$out"
		return 1
	fi
	# A large corpus of this machine's own may take the whole time: no line then.
	echo "fuzz: $target in $(dirname "$file"): $(grep -oE 'execs: [0-9]+' <<<"$out" | tail -1 || true)"
}
export -f one

grep -rnE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]+\(' . | sort |
	tr '\n' '\0' | xargs -0 -P 2 -I{} bash -c 'set -euo pipefail; one "$1"' _ {}
