#!/bin/sh
# form-cluster.sh ADDRESS…: makes one Redis Cluster of six nodes, or waits until the one that is there is whole. May run
# again. What can't be made whole is formed anew: it is a cache, nothing in it may not be lost.
set -eu
REDISCLI_AUTH=$(cat /run/secrets/redis-operator)
export REDISCLI_AUTH
call() { address=$1; shift; redis-cli -h "$address" --user operator --no-auth-warning "$@"; }

whole() {
  for node in "$@"; do
    info=$(call "$node" cluster info 2>/dev/null | tr -d '\r')
    echo "$info" | grep -qx 'cluster_state:ok' && echo "$info" | grep -qx 'cluster_slots_ok:16384' || return 1
  done
}
answer() { for node in "$@"; do [ "$(call "$node" ping 2>/dev/null)" = PONG ] || return 1; done; }
formed() { for node in "$@"; do call "$node" cluster info | tr -d '\r' | grep -qx 'cluster_slots_assigned:0' || return 0; done; return 1; }
within() {  # within SECONDS COMMAND…
  left=$1; shift
  until "$@"; do left=$((left - 1)); [ "$left" -gt 0 ] || return 1; sleep 1; done
}

within 60 answer "$@" || { echo "not all of $* answer" >&2; exit 1; }
if formed "$@"; then
  within 45 whole "$@" && exit 0
  for node in "$@"; do call "$node" flushall >/dev/null 2>&1 || true; call "$node" cluster reset hard; done
fi
call "$1" --cluster create $(for node in "$@"; do echo "$node:6379"; done) --cluster-replicas 1 --cluster-yes
within 60 whole "$@"
