"""PostgreSQL: the SQL store where CockroachDB is not installed. One server, so it is not highly available."""
import os
import pwd
import signal
import socket
import struct
import subprocess
from pathlib import Path

from cluster import templates
from cluster.component import Component, Tier, program
from cluster.ports import LOOPBACK
from cluster.settings import write_private
from cluster.waiting import until

DATABASE = "armazem"
# A startup message of protocol 3.0 for HAProxy's role. A server that takes connections asks for a password ('R'); one
# that starts or stops answers 'E'.
STARTUP = struct.pack(">i", 196608) + b"user\0haproxy\0database\0armazem\0\0"


def server_program(name):
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return program(*(str(place / name) for place in places), name, package="postgresql")


class Postgres(Component):
    # SIGINT is the 'fast' shutdown: sessions are ended. SIGTERM would wait for every client to leave.
    stop_signal = signal.SIGINT
    start_seconds = 90

    def __init__(self, settings):
        super().__init__(settings, "postgres")
        self.port = settings.ports.of("postgres")
        self.database = self.home / "data"

    def listens(self):
        return {self.port: self.name}

    def prepare(self):
        if os.geteuid() == 0:
            self._require_reachable()
            os.chown(self.home, *self._owner())
        if not (self.database / "PG_VERSION").exists():
            self._initialise()
        for name in ("postgresql.conf", "pg_hba.conf"):
            values = {"LISTEN": LOOPBACK, "PORT": self.port} if name == "postgresql.conf" else {"NETWORK": "127.0.0.1/32"}
            templates.render(f"postgres/{name}.in", self.database / name, **values)
            self._give(self.database / name)
        # A postmaster that was killed leaves a lock file; ours is gone (we would not be here), so it is stale. The
        # server finds that out by itself unless the pid is in use again.
        until(self._lock_is_stale, 20, "PostgreSQL's dying processes to leave")

    def _initialise(self):
        """Into a directory beside, moved when whole: an interrupted initdb must not look like a database."""
        fresh = self.home / "fresh"
        subprocess.run(["rm", "-rf", str(fresh)], check=True)
        password = self.home / "password"
        write_private(password, self.settings.secret("postgres-operator"))
        self._give(password)
        with open(self.daemon.log, "ab") as log:
            subprocess.run(
                self._as_owner([server_program("initdb"), "-D", str(fresh), "-U", "operator", "-E", "UTF8", "--locale=C",
                                "--auth=scram-sha-256", f"--pwfile={password}"]),
                check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, timeout=300,
            )
        password.unlink()
        fresh.rename(self.database)

    def _lock_is_stale(self):
        """After a kill -9 the backends need a moment to notice; while one holds the shared memory no start succeeds."""
        directory = str(self.database)
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if str((entry / "cwd").readlink()) == directory:
                        return False
                except OSError:
                    pass
        return True

    def command(self):
        return self._as_owner([server_program("postgres"), "-D", str(self.database)])

    def _owner(self):
        user = pwd.getpwnam("postgres")
        return user.pw_uid, user.pw_gid

    def _give(self, path):
        if os.geteuid() == 0:
            os.chown(path, *self._owner())

    def _as_owner(self, command):
        """PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return command
        return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--", *command]

    def _require_reachable(self):
        for parent in self.settings.data.parents:
            if not parent.stat().st_mode & 0o001:
                raise PermissionError(f"PostgreSQL runs as user postgres here, who may not pass {parent}. Choose a directory "
                                      f"with --data, for example /var/lib/armazem-cluster, or do not run as root.")

    def answers(self):
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=3) as connection:
                connection.sendall(struct.pack(">i", len(STARTUP) + 4) + STARTUP)
                return None if connection.recv(1) == b"R" else "starting, stopping or recovering"
        except OSError as error:
            return f"port {self.port}: {error}"

    def problem(self):
        return self.answers()

    def sql(self, text, database="postgres", user="operator", secret="postgres-operator"):
        """Runs a script by psql; its output, unaligned. The text goes through a pipe: it may hold passwords."""
        done = subprocess.run(
            [program("psql", package="postgresql-client"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
             "-h", LOOPBACK, "-p", str(self.port), "-U", user, "-d", database],
            input=text, text=True, capture_output=True, timeout=60,
            env={**os.environ, "PGPASSWORD": self.settings.secret(secret), "PGCONNECT_TIMEOUT": "10"},
        )
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return done.stdout


class PostgresTier(Tier):
    name = "postgres"

    def __init__(self, settings):
        super().__init__(settings, [Postgres(settings)])

    def form(self):
        """Roles and database. Each line only where it is missing, so that a start that was cut short is completed."""
        server = self.components[0]
        if server.daemon.paused():
            return
        server.sql(f"""
            SELECT 'CREATE ROLE armazem LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'armazem') \\gexec
            ALTER ROLE armazem PASSWORD '{self.settings.secret("postgres-armazem")}';
            SELECT 'CREATE ROLE haproxy LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'haproxy') \\gexec
            SELECT 'CREATE DATABASE {DATABASE} OWNER armazem'
              WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
            REVOKE CONNECT ON DATABASE {DATABASE} FROM PUBLIC;
        """)


def url(settings, through=None):
    port = through or settings.ports.of("postgres")
    return f"postgres://armazem:{settings.secret('postgres-armazem')}@{LOOPBACK}:{port}/{DATABASE}"
