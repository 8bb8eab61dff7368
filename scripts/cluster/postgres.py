"""PostgreSQL: the SQL store where CockroachDB is not installed. One server, so it is not highly available."""
import os
import shutil
import signal
import socket
import struct
import subprocess
from pathlib import Path

from cluster import templates
from cluster.component import Component, ComponentFailed, Tier, program
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
    user = "postgres"  # it refuses to run as root
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
        if not (self.database / "PG_VERSION").exists():
            self._initialise()
        templates.render("postgres/postgresql.conf.in", self.database / "postgresql.conf",
                         LISTEN=LOOPBACK, PORT=self.port)
        templates.render("postgres/pg_hba.conf.in", self.database / "pg_hba.conf", NETWORK=f"{LOOPBACK}/32")
        # After a kill -9 the lock file stays, and the server would believe it when the pid is in use again or not yet
        # reaped. No process of this database is left when the wait is over, so nobody's lock is taken away.
        until(self._nobody_inside, 30, "PostgreSQL's dying processes to leave")
        (self.database / "postmaster.pid").unlink(missing_ok=True)

    def _initialise(self):
        """Into a directory beside, moved when whole: an interrupted initdb must not look like a database."""
        fresh = self.home / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.home / "password"
        write_private(password, self.settings.secret("postgres-operator"))
        self.give(self.home)
        with self.daemon.open_log() as log:
            done = subprocess.run(
                self.as_user([server_program("initdb"), "-D", str(fresh), "-U", "operator", "-E", "UTF8", "--locale=C",
                              "--auth=scram-sha-256", f"--pwfile={password}"]),
                cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, timeout=300,
            )
        if done.returncode:
            raise ComponentFailed(self, f"initdb failed with exit code {done.returncode}")
        password.unlink()
        fresh.rename(self.database)

    def _nobody_inside(self):
        """Backends need a moment to notice that their postmaster was killed. All of them work in the data directory."""
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
        return [server_program("postgres"), "-D", str(self.database)]

    def answers(self):
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=3) as connection:
                connection.sendall(struct.pack(">i", len(STARTUP) + 4) + STARTUP)
                # All of the answer: closing with a part unread would be a reset, and a line in the server's log.
                return None if connection.recv(1024)[:1] == b"R" else "starting, stopping or recovering"
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

    def haproxy_check(self):
        return "  # A server that starts or stops accepts connections too: this asks for a password prompt.\n" \
               "  option pgsql-check user haproxy"

    def haproxy_servers(self):
        return [f"  server postgres {LOOPBACK}:{self.components[0].port} check"]

    def __init__(self, settings):
        super().__init__(settings, [Postgres(settings)])

    def url(self, through=None):
        """Through HAProxy's port when one is given, else straight to the server."""
        port = through or self.components[0].port
        return f"postgres://armazem:{self.settings.secret('postgres-armazem')}@{LOOPBACK}:{port}/{DATABASE}"

    def form(self):
        """Roles and database. Each line only where it is missing, so that a start that was cut short is completed."""
        server = self.components[0]
        if server.daemon.paused():
            return
        server.sql(templates.text("postgres/roles.sql.in", PASSWORD=self.settings.secret("postgres-armazem")))
