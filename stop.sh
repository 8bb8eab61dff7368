#!/usr/bin/env bash
# Stops a cluster that ./start.sh --cluster started; ./stop.sh --help says how. Only what was started there is touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for argument in "$@"; do
  if [ "$argument" = --docker ]; then
    arguments=()
    for other in "$@"; do [ "$other" = --docker ] || arguments+=("$other"); done
    PYTHONPATH=scripts PYTHONDONTWRITEBYTECODE=1 exec python3 -m containers stop "${arguments[@]}"
  fi
done
PYTHONPATH=scripts PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -m cluster stop "$@"
