#!/usr/bin/env bash
# Types README.md's shell lines as a reader would, in order, up to the first one
# that needs an account. The test command has a stage of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
unset UPSTASH_REDIS_REST_URL UPSTASH_REDIS_REST_TOKEN KV_REST_API_URL KV_REST_API_TOKEN DATABASE_URL

work=$(mktemp -d)
dev=""
stop() {
	# `go run` passes no signal on: end the program that it started, then wait.
	[[ -z $dev ]] || kill -TERM $(cat "/proc/$dev/task/"*/children) "$dev" 2>/dev/null || true
	[[ -z $dev ]] || wait "$dev" 2>/dev/null || true
	rm -rf "$work"
}
trap stop EXIT

typed=0
while IFS= read -r line <&3; do
	case $line in
	'' | '#'*) continue ;;
	'npx vercel '*) break ;;
	'go test ./...') continue ;;
	*' dev')
		$line >"$work/out" 2>&1 &
		dev=$!
		for _ in $(seq 600); do
			grep -q 'Ctrl-C' "$work/out" && break
			kill -0 "$dev" 2>/dev/null || { cat "$work/out" >&2; exit 1; }
			sleep 0.1
		done
		grep -q 'Ctrl-C' "$work/out"
		;;
	'curl -i '*)
		bash -c "$line" >"$work/answer" 2>"$work/curl"
		head -1 "$work/answer" | grep -q ' 200 ' || { head -5 "$work/answer" >&2; exit 1; }
		;;
	*) bash -euo pipefail -c "$line" ;;
	esac
	echo "readme: $line"
	typed=$((typed + 1))
done 3< <(awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' README.md)
[[ $typed -ge 3 ]] || { echo "readme: only $typed lines found" >&2; exit 1; }
