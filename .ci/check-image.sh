#!/usr/bin/env bash
# The steps of cmd/restash/Dockerfile without a daemon: the program is static,
# and in a folder that holds nothing else it runs as nobody and answers the
# health check. Then the program for another system, as .goreleaser.yaml builds it.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$(mktemp -d)
pid=
finish() {
	[[ -z $pid ]] || kill "$pid" 2>/dev/null || true
	rm -rf "$root"
}
trap finish EXIT
CGO_ENABLED=0 go build -o "$root/restash" ./cmd/restash
if ldd "$root/restash" >/dev/null 2>&1; then
	echo 'the program needs shared libraries' >&2
	exit 1
fi
chmod 755 "$root" "$root/restash"

# inside runs the program as the image does; only root may change its root.
inside() {
	local run=("$root/restash")
	[[ $(id -u) != 0 ]] || run=("$(command -v chroot)" --userspec=65534:65534 "$root" /restash)
	exec env -i RESTASH_CONTAINER=1 RESTASH_ADDR=127.0.0.1:18079 RESTASH_TOKEN=t "${run[@]}" "$@"
}
inside serve &
pid=$!
for _ in $(seq 100); do
	if (inside serve --check) 2>/dev/null; then
		healthy=1
		break
	fi
	sleep 0.1
done
[[ -n ${healthy:-} ]] || { echo 'the health check got no answer' >&2; exit 1; }
curl -sf -H 'Authorization: Bearer t' http://127.0.0.1:18079/set/k/v | grep -q OK
kill "$pid"
wait "$pid" || { echo 'it did not end well on SIGTERM' >&2; exit 1; }
pid=

GOOS=windows GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$root/restash.exe" ./cmd/restash
