#!/usr/bin/env bash
# From a fresh clone to a running server: installs what is missing, builds what is not built, serves in the foreground.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'EOT'
Usage: ./start.sh [--port N] [--listen ADDRESS] [--data DIR] [more 'armazem serve' options]
       ./start.sh --cluster [options of its own: ./start.sh --cluster --help]
       ./start.sh --docker  [options of its own: ./start.sh --docker --help]

Installs the packages that are missing (Debian, Ubuntu), builds Armazém if it is not built, and serves the REST API in
the foreground until Ctrl-C.

  --port N          port to listen on (default 8000)
  --listen ADDRESS  IP address to listen on (default 127.0.0.1)
  --data DIR        where the data is kept (default ./data)
  --rebuild         build even if nothing seems to have changed
  --cluster         start a whole cluster in the background instead: NGINX, 3 API processes, Redis Cluster, RabbitMQ,
                    3 workers, a SQL store; ./stop.sh ends it
  --docker          start the same system in containers, with Docker Compose; ./stop.sh --docker ends it
  --help            this text

Everything else goes to 'armazem serve'; build/release/bin/armazem serve --help lists it.
EOT
}

binary=build/release/bin/armazem
# Newer than every source: nothing to do, and the start takes no time.
is_fresh() { [ -x "$binary" ] && [ -z "$(find CMakeLists.txt CMakePresets.json cmake src web -newer "$binary" -type f -print -quit)" ]; }

build() {
  . scripts/packages.sh
  need_packages build
  echo "Building (a few minutes the first time) …"
  cmake --preset release -DARMAZEM_TESTS=OFF -DARMAZEM_BENCH=OFF >build-configure.log 2>&1 || { cat build-configure.log; exit 1; }
  rm -f build-configure.log
  cmake --build --preset release --target armazem
  touch "$binary"
}

cluster_program() { PYTHONPATH=scripts PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m cluster start "$@"; }

# The cluster is the business of scripts/cluster; here only what it needs is installed and built.
start_cluster() {
  local rebuild="" only="" quick="" arguments=() previous="" argument
  for argument in "$@"; do
    case $argument in
      --cluster) continue ;;
      --rebuild) rebuild=1; continue ;;
      --status|-h|--help) quick=1 ;;
      --only=*) only=${argument#*=} ;;
    esac
    [ "$previous" = --only ] && only=$argument
    previous=$argument
    arguments+=("$argument")
  done
  if [ -z "$quick" ]; then
    . scripts/packages.sh
    need_packages cluster
    # A wrong option is said now, not after minutes of building.
    cluster_program --check-options "${arguments[@]}" || exit
    # Some tiers alone need no binary of ours.
    case ",${only:-api}" in *,api*|*,worker*) if [ -n "$rebuild" ] || ! is_fresh; then build; fi ;; esac
  fi
  cluster_program "${arguments[@]}"
  exit
}

# Containers are the business of scripts/containers.
start_docker() {
  local arguments=() argument
  for argument in "$@"; do [ "$argument" = --docker ] || arguments+=("$argument"); done
  PYTHONPATH=scripts PYTHONDONTWRITEBYTECODE=1 exec python3 -m containers start "${arguments[@]}"
}

for argument in "$@"; do
  [ "$argument" = --cluster ] && start_cluster "$@"
  [ "$argument" = --docker ] && start_docker "$@"
done

port=8000 listen=127.0.0.1 rebuild=""
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    -h|--help) usage; exit 0 ;;
    --rebuild) rebuild=1; shift ;;
    --port|--listen|--data)
      [ $# -ge 2 ] || { echo "start.sh: $1 needs a value" >&2; exit 2; }
      [ "$1" = --port ] && port=$2
      [ "$1" = --listen ] && listen=$2
      arguments+=("$1" "$2"); shift 2 ;;
    --port=*) port=${1#*=}; arguments+=("$1"); shift ;;
    --listen=*) listen=${1#*=}; arguments+=("$1"); shift ;;
    *) arguments+=("$1"); shift ;;
  esac
done

if [ -n "$rebuild" ] || ! is_fresh; then build; fi

case $listen in
  0.0.0.0) host=127.0.0.1 ;;
  *:*) host="[$listen]" ;;
  *) host=$listen ;;
esac
url="http://$host:$port"
cat <<EOT

  Armazém
    API         $url/store
    Swagger UI  $url/swagger-ui/index.html
    Dashboard   $url/

  Try it from another terminal:
    curl -X PUT $url/store -H 'Content-Type: application/json' -d '{"key":"hello","value":"world"}'
    curl $url/store/hello
    curl -i -X DELETE $url/store/hello

  Ctrl-C ends it; the data stays.

EOT
unset ARMAZEM_SKIP_INSTALL  # ours; the server refuses ARMAZEM_ variables that it does not know
exec "$binary" serve "${arguments[@]}"
