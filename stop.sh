#!/usr/bin/env bash
# Stops a cluster that ./start.sh --cluster started; ./stop.sh --help says how. Only what was started there is touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
PYTHONPATH=scripts PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -m cluster stop "$@"
