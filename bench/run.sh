#!/usr/bin/env bash
# Installs the benchmark's programs from the distribution's packages where they are missing (Debian, Ubuntu), without
# starting any of their services, then measures: all options go to bench/run.py (--help lists them).
# bench/run.sh --install-only stops after the packages.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
policy=/usr/sbin/policy-rc.d

missing_packages() {
  local pair
  for pair in wrk:wrk nginx:nginx-light redis-server:redis-server webdis:webdis etcd:etcd-server python3:python3; do
    command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# A package's first installation starts its service unless policy-rc.d forbids it with 101 (invoke-rc.d(8)).
install_without_services() {
  if [ -e "$policy" ]; then
    local answer=0
    "$policy" nginx start >/dev/null 2>&1 || answer=$?
    if [ "$answer" != 101 ]; then
      echo "bench: $policy lets services start; install by hand: apt-get install $*" >&2
      exit 1
    fi
  else
    # shellcheck disable=SC2064  # the path is meant as it is now
    trap "as_root rm -f '$policy'" EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
  [ -z "$(trap -p EXIT)" ] || { as_root rm -f "$policy"; trap - EXIT; }
}

for argument in "$@"; do
  case $argument in -h | --help) exec python3 "$here/run.py" --help ;; esac
done

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    echo "bench: missing, and no apt-get here: ${packages[*]}" >&2
    exit 1
  fi
  echo "bench: installing ${packages[*]} (no service is started)" >&2
  install_without_services "${packages[@]}"
fi

for argument in "$@"; do
  if [ "$argument" = --install-only ]; then exit 0; fi
done
exec python3 "$here/run.py" "$@"
