#!/usr/bin/env bash
# A PostgreSQL of our own for the store tests: own folder, own port, stopped by
# its own pid. Another server on this machine is never touched.
#
#   settings=$(.ci/postgres.sh start)   # fails if it cannot be started
#   eval "$settings"                    # sets RESTASH_TEST_POSTGRES and RESTASH_POSTGRES_DIR
#   go test ./examples/...
#   .ci/postgres.sh stop
#
#   .ci/postgres.sh run COMMAND...      # all of it around a command; uses the
#                                       # server of RESTASH_TEST_POSTGRES if that is set
#
# RESTASH_POSTGRES_PORT names the port (default: a free one). It installs
# Debian's package if there is none.
set -euo pipefail
shopt -s inherit_errexit

binaries() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  if [ -z "$found" ]; then
    {
      apt-get update -qq
      # Debian starts a cluster of its own on installation; ours is enough.
      mkdir -p /etc/postgresql-common
      [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql
    } >&2
    found=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
  fi
  echo "$found"
}

# The server refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    runuser -u postgres -- "$@"
  else
    "$@"
  fi
}

free_port() {
  local port
  for port in $(shuf -i 20000-32000 -n 50); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  echo "postgres.sh: no free port" >&2
  return 1
}

start() {
  local bin dir port
  bin=$(binaries)
  dir=$(mktemp -d /tmp/restash-postgres.XXXXXX)
  port=${RESTASH_POSTGRES_PORT:-$(free_port)}
  if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; fi
  cd "$dir" # a folder that the server's user may read
  # English rules of sorting, as hosted databases have: answers must not depend on them.
  as_postgres "$bin/initdb" -D "$dir/data" -U restash --auth=trust --encoding=UTF8 \
    --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US >"$dir/initdb.log"
  as_postgres "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 60 start \
    -o "-p $port -k $dir -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200" >"$dir/start.log" ||
    { cat "$dir/start.log" "$dir/server.log" >&2; exit 1; }
  echo "export RESTASH_POSTGRES_DIR='$dir'"
  echo "export RESTASH_TEST_POSTGRES='postgres://restash@127.0.0.1:$port/postgres?sslmode=disable'"
}

stop() {
  local dir pid
  dir=${RESTASH_POSTGRES_DIR:?postgres.sh: RESTASH_POSTGRES_DIR is not set; start printed it}
  pid=$(head -1 "$dir/data/postmaster.pid" 2>/dev/null || true)
  if [ -n "$pid" ]; then
    kill -INT "$pid" # fast shutdown
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
  fi
  case "$dir" in */restash-postgres.*) rm -rf "$dir" ;; esac
}

run() {
  if [ -n "${RESTASH_TEST_POSTGRES:-}" ]; then
    "$@"
    return
  fi
  local settings
  settings=$(start)
  eval "$settings"
  trap stop EXIT
  "$@"
}

case "${1:-}" in
start | stop) "$1" ;;
run)
  shift
  run "$@"
  ;;
*)
  echo "usage: $0 start | stop | run COMMAND..." >&2
  exit 2
  ;;
esac
