#!/usr/bin/env bash
# Builds api/ with the real @vercel/go builder in a copy of the tree, starts each
# function as the platform would, and asks it for a list, a hit, a write, metrics
# and the cron with and without its secret. Then the same as `vercel dev` does it,
# and examples/vercel-server by the builder's preset "go", behind the builder's proxy.
#
# Needs node with npm (Debian's packages are installed if there is none) and
# PostgreSQL (.ci/postgres.sh starts one).
set -euo pipefail
cd "$(dirname "$0")/.."

bridge='github.com/vercel/go-bridge v0.0.0-20221108222652-296f4c6bdb6d'
lambda='github.com/aws/aws-lambda-go v1.55.1'

if ! command -v npm >/dev/null; then
  root=()
  [[ $(id -u) == 0 ]] || root=(sudo)
  "${root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
fi

work=$(mktemp -d)
finish() {
  chmod -R u+w "$work" && rm -rf "$work"
}
trap finish EXIT

mkdir "$work/project" "$work/server" "$work/builder"
tar --exclude=.git --exclude=node_modules -cf - . | tar -xf - -C "$work/project"
# The builder takes whatever is newest of these two; a check must not float.
go -C "$work/project" mod edit -require="${bridge/ /@}" -require="${lambda/ /@}"
# It looks for a go of exactly the version it wants in the PATH before it downloads one.
go -C "$work/project" mod edit -toolchain="$(go env GOVERSION)"
cp .ci/vercel/package.json .ci/vercel/*.cjs "$work/builder"
npm --prefix "$work/builder" install --silent --no-audit --no-fund --ignore-scripts

PATH="$(go env GOROOT)/bin:$PATH" node "$work/builder/build.cjs" "$work/project" "$work/functions" api/index.go api/cron/warm.go
# From a copy of its own: the builder of the functions renames the module in theirs.
tar --exclude=.git --exclude=node_modules -cf - . | tar -xf - -C "$work/server"
go -C "$work/server/examples/vercel-server" mod edit -toolchain="$(go env GOVERSION)"
PATH="$(go env GOROOT)/bin:$PATH" node "$work/builder/server.cjs" "$work/server" examples/vercel-server "$work/functions/server"
for program in "$work"/functions/*/bootstrap "$work/functions/server/user-server"; do
  if go version -m "$program" | grep -q 'modernc.org/sqlite'; then
    echo "check-vercel: $program holds SQLite" >&2
    exit 1
  fi
done

PATH="$(go env GOROOT)/bin:$PATH" RESTASH_REQUIRE=postgres,vercel RESTASH_TEST_VERCEL="$work/functions" \
  RESTASH_TEST_VERCEL_DEV="node $work/builder/dev.cjs $work/project" \
  .ci/postgres.sh run go test -count=1 -run '^TestVercel' ./examples/catalog
