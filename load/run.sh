#!/usr/bin/env bash
# A load test with Apache JMeter: installs what it needs, fetches JMeter the first time, runs the plan, writes the report.
# load/run.sh --help says how; docs/load-tests.md says more.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."

help="" cluster=""
for argument in "$@"; do
  case $argument in
    -h | --help) help=1 ;;
    --document) cluster=1 ;;
  esac
done
if [ -z "$help" ]; then
  . scripts/packages.sh
  need_packages load ${cluster:+cluster}
  if [ ! -x "${ARMAZEM_BIN:-build/release/bin/armazem}" ]; then
    echo "load: build Armazém first (./start.sh does, or see CONTRIBUTING.md): the charts are drawn by it" >&2
    exit 2
  fi
  load/jmeter.sh --install >/dev/null
fi
cd - >/dev/null
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 "$here/run.py" "$@"
