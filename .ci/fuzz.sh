#!/usr/bin/env bash
# Fuzzes every target for the given time (5s) in the given folder (all), two at a
# time on a worker each.
# What one finds is a file in testdata/fuzz beside it: commit it with its repair,
# and `go test` runs it for ever.
set -euo pipefail
cd "$(dirname "$0")/.."
export fuzz_time=${1:-5s}

# When its time is up, the Go tool sometimes reports its own deadline as a failure
# of the target (golang.org/issue/75804): then it names no input, and nothing else
# has failed.
false_alarm() { # OUTPUT
	! grep -qE 'Failing input written|hung or terminated|panic|--- FAIL: Fuzz[A-Za-z0-9_]+/' <<<"$1" &&
		grep -qE '^ +context deadline exceeded$' <<<"$1" &&
		[[ $(grep -cE '^ +[^ ]' <<<"$1") == 1 ]]
}

one() { # FILE:LINE:func FuzzName(...
	local folder target out
	folder=$(dirname "${1%%:*}")
	target=$(sed -E 's/.*:func (Fuzz[A-Za-z0-9_]+)\(.*/\1/' <<<"$1")
	if ! out=$(go -C "$folder" test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzz_time" -parallel 1 . 2>&1) && ! false_alarm "$out"; then
		echo "fuzz: $target in $folder failed"
		echo "$out"
		return 1
	fi
	# A large corpus of this machine's own may take the whole time: no line then.
	echo "fuzz: $target in $folder: $(grep -oE 'execs: [0-9]+' <<<"$out" | tail -1 || true)"
}
export -f one false_alarm

grep -rnE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]+\(' "${2:-.}" | sort |
	tr '\n' '\0' | xargs -0 -P 2 -I{} bash -c 'set -euo pipefail; one "$1"' _ {}
