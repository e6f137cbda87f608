#!/usr/bin/env bash
# Starts the real `restash dev` and looks at it with curl, as a person would.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
dev=""
stop() {
	[[ -z $dev ]] || kill "$dev" 2>/dev/null || true
	rm -rf "$work"
}
trap stop EXIT

fail() {
	echo "smoke: $*" >&2
	cat "$work/out" "$work/err" >&2 || true
	exit 1
}

# header NAME URL [curl arguments] prints one header of the answer.
header() {
	curl -sS -o "$work/body" -D - "${@:3}" "$2" | tr -d '\r' | awk -v name="$1:" 'tolower($1) == tolower(name) { print $2 }'
}

expect() { # WHAT GOT WANT
	[[ $2 == "$3" ]] || fail "$1: got \"$2\", want \"$3\""
	echo "smoke: $1: $2"
}

addr=127.0.0.1:38300
rest=127.0.0.1:38379
url=http://$addr/api/extensions?sort=downloads

go build -o "$work/restash" ./cmd/restash
env -u UPSTASH_REDIS_REST_URL -u UPSTASH_REDIS_REST_TOKEN -u KV_REST_API_URL -u KV_REST_API_TOKEN -u DATABASE_URL \
	"$work/restash" dev --addr "$addr" --rest-addr "$rest" >"$work/out" 2>"$work/err" &
dev=$!

for _ in $(seq 300); do
	grep -q 'go run ./cmd/restash warm' "$work/out" && break
	kill -0 "$dev" 2>/dev/null || fail 'dev ended by itself'
	sleep 0.1
done
grep -q 'go run ./cmd/restash warm' "$work/out" || fail 'dev did not get ready in 30 s'

expect 'its own three requests' "$(grep -cE '(MISS|HIT) +[0-9.]+ ?ms' "$work/out")" 3
expect 'first request' "$(header X-Cache "$url")" MISS
expect 'second request' "$(header X-Cache "$url")" HIT
expect 'same by another host name' "$(header X-Cache "$url" -H 'Host: shop.example')" HIT
grep -q '"anthropic-ai-claude-code"' "$work/body" || fail 'the list does not begin with the most loaded extension'
grep -qE '"total": ?247\b' "$work/body" || fail 'the list does not hold 247 extensions'
expect 'metrics' "$(curl -sS "http://$addr/api/cache/metrics" | grep -oE '"misses":[0-9]+' | head -1)" '"misses":2'
expect 'bad input' "$(curl -sS -o "$work/body" -w '%{http_code}' "http://$addr/api/extensions?page=0")" 400

# The printed line must work in a second terminal.
line=$(grep 'go run ./cmd/restash warm' "$work/out" | sed -e "s#go run ./cmd/restash#$work/restash#" -e 's/^[^A-Z]*//')
env -u RESTASH_REQUIRE bash -c "$line" >"$work/warm" 2>&1 || { cat "$work/warm" >&2; fail 'restash warm failed'; }
expect 'warm' "$(grep -oE 'failed 0' "$work/warm" | tail -1)" 'failed 0'
expect 'a warmed route' "$(header X-Cache "http://$addr/api/categories")" HIT

if "$work/restash" dev --addr "$addr" --rest-addr 127.0.0.1:0 >"$work/second" 2>&1; then
	fail 'a taken port was no error'
fi
expect 'a taken port' "$(wc -l <"$work/second" | tr -d ' ') line" '1 line'

kill -TERM "$dev"
code=0
wait "$dev" || code=$?
dev=""
expect 'exit status after SIGTERM' "$code" 0
