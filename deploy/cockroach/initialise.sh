#!/bin/sh
# Joins the three nodes once, then makes database and user. May run again.
set -eu
node="--certs-dir=/certs --host=cockroach-1:26257"
left=90
# shellcheck disable=SC2086  # two options
until said=$(cockroach init $node 2>&1) || echo "$said" | grep -q 'already been initialized'; do
  left=$((left - 1)); [ "$left" -gt 0 ] || { echo "$said" >&2; exit 1; }; sleep 1
done
until cockroach sql $node --file=/etc/armazem/roles.sql; do
  left=$((left - 1)); [ "$left" -gt 0 ] || exit 1; sleep 1
done
