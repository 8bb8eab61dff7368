#!/bin/bash
# What deploy/compose.yaml expects of the public images' entry points: of PostgreSQL's that it makes the database at the
# first start, and that any user may run it; of the others nothing but to run the command.
set -euo pipefail

prepare_postgres() {
  if ! getent passwd "$(id -u)" >/dev/null; then  # initdb and psql want a name for the user
    printf 'postgres:x:%s:%s::/tmp:/bin/false\n' "$(id -u)" "$(id -g)" >/tmp/passwd
    printf 'postgres:x:%s:\n' "$(id -g)" >/tmp/group
    export NSS_WRAPPER_PASSWD=/tmp/passwd NSS_WRAPPER_GROUP=/tmp/group LD_PRELOAD=libnss_wrapper.so
  fi
  [ ! -s "$PGDATA/PG_VERSION" ] || return 0
  # shellcheck disable=SC2086  # several options
  initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" ${POSTGRES_INITDB_ARGS:-}
  printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
}

[ "$1" != postgres ] || prepare_postgres
exec "$@"
