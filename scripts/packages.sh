# What has to be installed, by purpose, as Debian 12 names it. Sourced by start.sh, test.sh and bench/run.sh.
#
# need_packages PURPOSE…  installs what is missing, or says what to install where apt is not there.

build_packages="g++ cmake ninja-build pkg-config git ca-certificates gzip
  libboost1.81-dev libboost-json1.81-dev librocksdb-dev libssl-dev zlib1g-dev
  prometheus-cpp-dev libspdlog-dev libfmt-dev libcli11-dev libexpected-dev
  libpq-dev libhiredis-dev librabbitmq-dev"
fast_build_packages="ccache mold"
test_packages="redis-server openssl libgtest-dev libgmock-dev libbenchmark-dev python3 python3-pytest curl strace chromium groff-base
  clang-19 clang-tidy-19 libclang-rt-19-dev python3-venv"
# What the program needs where it runs: the shared libraries of build_packages.
runtime_packages="libboost-json1.81.0 librocksdb7.8 libssl3 zlib1g libprometheus-cpp-core1.0 libspdlog1.10 libfmt9 libpq5
  libhiredis0.14 librabbitmq4 ca-certificates"
# The servers of ./start.sh --cluster, and what starts them.
cluster_packages="python3 rabbitmq-server redis-server postgresql haproxy nginx-light"
# What checks deploy/: promtool. Go, for the manifests, comes from PyPI where the system's is too old
# (tests/deploy/manifests.py).
deploy_packages="prometheus python3-yaml python3-venv"

# The system in containers, and images where no registry answers (tests/docker).
docker_packages="docker.io iptables"
docker_test_packages="python3 debootstrap binutils"
# The load test with JMeter, which itself comes from Maven Central (load/jmeter.sh); maven brings a Java along.
load_packages="python3 maven wrk"
# The fault campaign drops packets and starts its cluster in namespaces of its own.
faults_packages="nftables iproute2 util-linux"

# Debian 13 and Ubuntu 24.04 ship a newer default Boost and no boost1.81.
adapt_to_distribution() {
  if ! apt-cache show libboost1.81-dev >/dev/null 2>&1; then
    build_packages=${build_packages//libboost1.81-dev/libboost-dev}
    build_packages=${build_packages//libboost-json1.81-dev/libboost-json-dev}
  fi
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing_of() {
  local package
  for package in "$@"; do is_installed "$package" || printf '%s ' "$package"; done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else echo "This needs root: run as root, install sudo, or run yourself: $*" >&2; return 1
  fi
}

need_packages() {
  local wanted="" purpose missing
  for purpose in "$@"; do
    case $purpose in
      build) wanted+=" $build_packages $fast_build_packages"; command -v npm >/dev/null || wanted+=" npm" ;;
      test) wanted+=" $test_packages"; command -v npm >/dev/null || wanted+=" npm" ;;
      cluster) wanted+=" $cluster_packages" ;;
      # Docker's own packages exclude Debian's: an engine that is there stays.
      docker)
        wanted+=" $docker_test_packages"
        command -v dockerd >/dev/null || wanted+=" $docker_packages"
        docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || wanted+=" docker-compose" ;;
      load) wanted+=" $load_packages" ;;
      deploy) wanted+=" $deploy_packages" ;;
      faults) wanted+=" $faults_packages" ;;
      *) wanted+=" $purpose" ;;
    esac
  done
  if ! command -v apt-get >/dev/null; then
    echo "This is not Debian or Ubuntu. Install the equivalents of these packages and run again with ARMAZEM_SKIP_INSTALL=1:" >&2
    echo $wanted | fold -s -w 110 >&2
    [ -n "${ARMAZEM_SKIP_INSTALL:-}" ] && return 0
    return 1
  fi
  [ -n "${ARMAZEM_SKIP_INSTALL:-}" ] && return 0
  missing=$(missing_of $wanted)
  [ -z "$missing" ] && return 0
  as_root apt-get update -q || return 1
  local before=$build_packages
  adapt_to_distribution
  [ "$before" = "$build_packages" ] || { need_packages "$@"; return; }
  echo "Installing: $missing"
  local services status=0
  services=$(services_of $missing)
  [ -z "$services" ] || hold_services $services
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2 || status=1
  [ -z "$services" ] || release_services $services
  return $status
}

# Debian's server packages start a server when they are installed, and at each boot. We need the programs, not those
# servers. Only services of packages that we install ourselves are concerned: what was there before stays as it is.
services_of() {
  local package
  for package in "$@"; do
    case $package in
      rabbitmq-server) echo rabbitmq-server epmd ;;
      redis-server|postgresql|haproxy|prometheus) echo "$package" ;;
      nginx-light) echo nginx ;;
      docker.io) echo docker containerd ;;
    esac
  done
}

policy=/usr/sbin/policy-rc.d

# A policy of the machine's own, such as that of container images, is left alone.
hold_services() {
  [ -e $policy ] && return 0
  local patterns
  patterns=$(printf '%s*|' "$@")
  printf '#!/bin/sh\n# Put here by Armazém for the time of one installation.\ncase $1 in %s) exit 101 ;; esac\nexit 0\n' "${patterns%|}" |
    as_root install -m 755 /dev/stdin $policy
}

release_services() {
  if grep -qs 'Put here by Armazém' $policy; then as_root rm -f $policy; fi
  [ -d /run/systemd/system ] || return 0
  local service
  for service in "$@"; do as_root systemctl disable --quiet "$service" 2>/dev/null || true; done
}
